"""Approve several at once: only all-green cards, and each text was on the screen in full."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, Q

from approvals.console import claims
from approvals.console.checking import check_words
from approvals.console.queue import ESCALATION, HOLD, Wanted, matching
from approvals.models import QueuedResponse
from approvals.sms_workflow import decisions
from approvals.sms_workflow.decisions import Decider
from conversations.refusals import Conflict, Refusal

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


def approve_all(response_ids: Sequence[UUID], *, by: Decider) -> Done:
    """Each through the flow like any other; what has changed since it was shown is left, with the reason."""
    approved: list[QueuedResponse] = []
    left: list[tuple[UUID, str]] = []
    for response_id in response_ids[:AT_ONCE]:
        try:
            approved.append(_approve(response_id, by))
        except Refusal as refusal:
            left.append((response_id, refusal.message))
    return Done(approved=approved, left=left)


def _approve(response_id: UUID, by: Decider) -> QueuedResponse:
    claims.must_be_free(response_id, by=by.name)
    reply = QueuedResponse.objects.select_related("conversation", "message").filter(pk=response_id).first()
    if reply is not None and not check_words(reply, reply.ai_response).green:
        raise Conflict("gate_failed", "A check is no longer green. Look at this one by itself.")
    after = timedelta(seconds=settings.SEND_UNDO_SECONDS)
    # Never with an override: a bulk approval takes what is clean and nothing else.
    return decisions.approve(response_id, by=Decider(name=by.name), after=after)
