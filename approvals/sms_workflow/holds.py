"""Contact holds: who places them, who lifts them, and what they stop."""

from collections.abc import Collection, Iterable
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from approvals.models import ApprovalAuditEntry, QueuedResponse
from approvals.policy.holds import HoldReason
from conversations.models import ContactHold, Conversation
from conversations.refusals import Conflict

# These stop a manager's text as well: writing to such a person is what the law, or the tenant, forbids.
STOPS_MANAGERS_TOO = frozenset(
    {
        HoldReason.OPT_OUT,
        HoldReason.ATTORNEY_REPRESENTED,
        HoldReason.BANKRUPTCY,
        HoldReason.CEASE_CONTACT,
        HoldReason.MANUAL,
    }
)


def active_holds(phone: str) -> tuple[str, ...]:
    """The reasons why this telephone is not to be contacted."""
    return tuple(ContactHold.objects.active().filter(phone=phone).values_list("reason", flat=True))


def holds_of(phones: Collection[str]) -> dict[str, tuple[str, ...]]:
    """The same for many telephones, by one query; every phone has an entry."""
    held: dict[str, tuple[str, ...]] = dict.fromkeys(phones, ())
    for phone, reason in ContactHold.objects.active().filter(phone__in=phones).values_list("phone", "reason"):
        held[phone] += (reason,)
    return held


def stopping_managers(holds: Iterable[str]) -> tuple[str, ...]:
    return tuple(reason for reason in holds if reason in STOPS_MANAGERS_TOO)


def place_hold(phone: str, *, reason: str, by: str, note: str = "", message_id: UUID | None = None) -> None:
    """Stop all automatic contact with a telephone; a second hold for the same reason changes nothing."""
    ContactHold.objects.bulk_create(
        [ContactHold(phone=phone, reason=reason, created_by=by, note=note, message_id=message_id)],
        ignore_conflicts=True,
    )


def hold_by_hand(conversation: Conversation, *, by: str, note: str) -> None:
    """A manager stops all contact with a person. The audit log keeps who and why."""
    with transaction.atomic():
        place_hold(conversation.phone, reason=HoldReason.MANUAL, by=by, note=note)
        ApprovalAuditEntry(
            conversation=conversation,
            action=QueuedResponse.Action.HOLD,
            reason=f"{HoldReason.MANUAL}: {note}",
            approved_by=by,
        ).save(force_insert=True)


def lift_opt_out(phone: str, *, by: str, note: str) -> None:
    """The tenant opted in again: the one hold that its subject lifts."""
    holds = ContactHold.objects.active().filter(phone=phone, reason=HoldReason.OPT_OUT)
    holds.update(released_at=timezone.now(), released_by=by, release_note=note)


def release_hold(hold: ContactHold, *, by: str, note: str) -> None:
    """A manager with the right lifts a hold, with a note. An opt-out only its tenant lifts: Conflict."""
    if hold.reason == HoldReason.OPT_OUT:
        raise Conflict("contact_hold", "Only the tenant can lift an opt-out, by texting START.")
    with transaction.atomic():
        lifted = ContactHold.objects.active().filter(pk=hold.pk)
        if not lifted.update(released_at=timezone.now(), released_by=by, release_note=note):
            raise Conflict("already_decided", "This hold has been released already.")
        conversation = Conversation.objects.filter(phone=hold.phone).first()
        ApprovalAuditEntry(
            conversation=conversation,
            action=QueuedResponse.Action.RELEASE_HOLD,
            reason=f"{hold.reason}: {note}",
            approved_by=by,
        ).save(force_insert=True)
