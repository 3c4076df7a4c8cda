"""Escalations: opened once per category and conversation, told to the managers, resolved by a person."""

import re
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Case, QuerySet, TextField, Value, When
from django.db.models.functions import Concat
from django.utils import timezone

from approvals.models import ApprovalAuditEntry, Escalation, QueuedResponse
from approvals.policy.contact_hours import zone_for
from approvals.policy.escalation import Category, Severity, due_at, severity_of
from approvals.policy.rules import Rules
from approvals.rulebook import current_rules
from approvals.sms_workflow.notices import tell_managers
from conversations.models import Conversation
from conversations.refusals import Conflict

PRIORITY_OF = {
    Severity.CRITICAL: "critical",
    Severity.HIGH: "high",
    Severity.MEDIUM: "normal",
    Severity.LOW: "low",
}
CODES = re.compile(r"[a-z0-9_]+(, [a-z0-9_]+)*")
URGENCY = tuple(str(severity) for severity in Severity)
Action = QueuedResponse.Action


@transaction.atomic
def hand_over(
    conversation: Conversation,
    *,
    category: Category,
    reason: str,
    by: str,
    severity: Severity | None = None,
    response: QueuedResponse | None = None,
) -> tuple[Escalation, bool]:
    """Somebody hands a conversation to the managers, on record; True when that opened a new escalation.

    Where a decision about a reply is what escalates, the decision is on record, and `open_escalation` is enough.
    """
    open_already = conversation.escalations.filter(category=category, status=Escalation.Status.OPEN).exists()
    escalation = open_escalation(
        conversation, category=category, reason=reason, by=by, severity=severity, response=response
    )
    _keep(escalation, Action.ESCALATE, by=by, reason=reason)
    return escalation, not open_already


@transaction.atomic
def open_escalation(
    conversation: Conversation,
    *,
    category: Category,
    reason: str,
    by: str,
    severity: Severity | None = None,
    response: QueuedResponse | None = None,
    rules: Rules | None = None,
) -> Escalation:
    """Open one, or add to the one that is open for this category; managers are told when it is new or more urgent."""
    severity = severity or severity_of(category)
    escalation = Escalation(
        conversation=conversation,
        response=response,
        category=category,
        severity=severity,
        reason=reason,
        created_by=by,
        due_at=_due(severity, conversation.phone, rules or current_rules()),
    )
    opened = Escalation.objects.filter(conversation=conversation, category=category, status=Escalation.Status.OPEN)
    while (existing := opened.first()) is None:
        # Somebody may open one at the same time, and somebody else resolve that one before we see it.
        Escalation.objects.bulk_create([escalation], ignore_conflicts=True)
    if existing.pk == escalation.pk or _add_cause(existing, escalation):
        # A person's own words stay with us: an e-mail carries codes only.
        codes = (category, reason) if by == "policy" and CODES.fullmatch(reason) else (category,)
        tell_managers("escalation", conversation, codes, priority=PRIORITY_OF[severity])
    return existing


def escalated(conversations: Collection[UUID]) -> frozenset[UUID]:
    """Which of the conversations have an open escalation, whatever its kind."""
    opened = Escalation.objects.filter(conversation__in=conversations, status=Escalation.Status.OPEN)
    return frozenset(opened.values_list("conversation_id", flat=True))


def _add_cause(existing: Escalation, another: Escalation) -> bool:
    """Keep the words of another cause of the same kind. True when it is more urgent: then the escalation is so, too."""
    if another.reason != existing.reason and another.reason not in existing.notes:
        _append(existing.pk, by=another.created_by, note=another.reason)
    if URGENCY.index(another.severity) >= URGENCY.index(existing.severity):
        return False
    existing.severity, existing.due_at = another.severity, another.due_at
    _open(existing.pk).update(severity=another.severity, due_at=another.due_at)
    return True


def _due(severity: Severity, phone: str, rules: Rules) -> datetime:
    return due_at(severity, now=timezone.now(), time_zone=zone_for(phone, rules.contact_time_zone))


@transaction.atomic
def assign(escalation_id: UUID | str, *, to: str, by: str) -> None:
    """Say who takes care of an open escalation. Raises Conflict when it is resolved."""
    if not _open(escalation_id).update(assigned_to=to):
        raise _resolved_already()
    _keep(Escalation.objects.get(pk=escalation_id), Action.ASSIGN, by=by, reason=f"to {to}")


@transaction.atomic
def add_note(escalation_id: UUID | str, *, by: str, note: str) -> None:
    """Add what was done so far, with name and time. Raises Conflict when it is resolved."""
    if not _append(escalation_id, by=by, note=note):
        raise _resolved_already()
    _keep(Escalation.objects.get(pk=escalation_id), Action.NOTE, by=by, reason=note)


def _append(escalation_id: UUID | str, *, by: str, note: str) -> int:
    line = Value(f"{timezone.now():%Y-%m-%d %H:%M} UTC, {by}: {note}", output_field=TextField())
    below = Concat("notes", Value("\n"), line, output_field=TextField())
    return _open(escalation_id).update(notes=Case(When(notes="", then=line), default=below))


def _open(escalation_id: UUID | str) -> QuerySet[Escalation]:
    return Escalation.objects.filter(pk=escalation_id, status=Escalation.Status.OPEN)


def _resolved_already() -> Conflict:
    return Conflict("already_decided", "This has been resolved already.")


def resolve(escalation_id: UUID | str, *, by: str, note: str) -> Escalation:
    """A person has taken care of it: automatic texts in that conversation may go on, if nothing else stops them."""
    with transaction.atomic():
        escalation = Escalation.objects.select_for_update().get(pk=escalation_id)
        if escalation.status == Escalation.Status.RESOLVED:
            raise Conflict("already_decided", f"{escalation.resolved_by} has resolved this already.")
        escalation.status, escalation.resolved_by = Escalation.Status.RESOLVED, by
        escalation.resolved_at = timezone.now()
        escalation.notes = "\n".join(filter(None, [escalation.notes, note]))
        escalation.save(update_fields=["status", "resolved_by", "resolved_at", "notes"])
        _keep(escalation, Action.RESOLVE, by=by, reason=note)
    return escalation


def _keep(escalation: Escalation, action: Action, *, by: str, reason: str) -> None:
    """Into the audit log, with the kind of escalation before the words."""
    ApprovalAuditEntry(
        conversation_id=escalation.conversation_id,
        response=escalation.response,
        action=action,
        reason=f"{escalation.category}: {reason}",
        approved_by=by,
    ).save(force_insert=True)
