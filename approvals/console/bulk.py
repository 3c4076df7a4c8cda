"""Approve several at once: only all-green cards, and each text was on the screen in full."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, Q

from approvals.console import claims
from approvals.console.card import words_of
from approvals.console.checking import check_words
from approvals.console.queue import ESCALATION, HOLD, Wanted, matching
from approvals.models import QueuedResponse
from approvals.sms_workflow import decisions
from approvals.sms_workflow.decisions import Decider
from conversations.refusals import Conflict, NotFound, Refusal

# As many as a person can read before pressing a key.
AT_ONCE = 20


@dataclass(frozen=True, kw_only=True)
class Done:
    """What became of the chosen cards: the approved ones, and why the others were left alone."""

    approved: Sequence[QueuedResponse]
    left: Sequence[tuple[UUID, str]]


def all_green(wanted: Wanted, *, me: str) -> list[QueuedResponse]:
    """The first cards of the view that no gate, plan, hold or person stands in the way of."""
    unclean = Q(gates__contains=[{"level": "red"}]) | Q(gates__contains=[{"level": "amber"}])
    # A plan beyond the rules is a question, not a formality.
    green = matching(wanted).exclude(unclean).exclude(payment_plans__auto_approvable=False)
    free = green.exclude(Exists(HOLD)).exclude(Exists(ESCALATION)) & claims.free_for(me)
    return list(free.filter(status=QueuedResponse.Status.PENDING).select_related("conversation")[:AT_ONCE])


def fingerprint(reply: QueuedResponse) -> str:
    """Of the words that were shown, and of no others."""
    return sha256(words_of(reply).encode()).hexdigest()


def approve_all(shown: Mapping[UUID, str], *, by: Decider) -> Done:
    """Each through the flow like any other; what has changed since it was shown is left, with the reason.

    `shown` has the fingerprint of each text as it stood on the screen.
    """
    approved: list[QueuedResponse] = []
    left: list[tuple[UUID, str]] = []
    for response_id, text in list(shown.items())[:AT_ONCE]:
        try:
            approved.append(_approve(response_id, text, by))
        except Refusal as refusal:
            left.append((response_id, refusal.message))
    return Done(approved=approved, left=left)


def _approve(response_id: UUID, shown: str, by: Decider) -> QueuedResponse:
    claims.must_be_free(response_id, by=by.name)
    reply = QueuedResponse.objects.select_related("conversation", "message").filter(pk=response_id).first()
    if reply is None:
        raise NotFound("not_found", "There is no such reply.")
    words = words_of(reply)
    if fingerprint(reply) != shown:
        raise Conflict("stale", "Its text is another one now. Look at this one by itself.")
    if not check_words(reply, words).green:
        raise Conflict("gate_failed", "A check is no longer green. Look at this one by itself.")
    after = timedelta(seconds=settings.SEND_UNDO_SECONDS)
    # The very words that were checked, and never with an override: a bulk approval takes what is clean, nothing else.
    return decisions.approve(response_id, by=Decider(name=by.name), text=words, after=after)
