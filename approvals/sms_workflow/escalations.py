"""Escalations: opened once per category and conversation, told to the managers, resolved by a person."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Case, TextField, Value, When
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
    """Open one, or return the one that is open for this category; the managers are told when it is new."""
    rules = rules or current_rules()
    severity = severity or severity_of(category)
    [escalation] = Escalation.objects.bulk_create(
        [
            Escalation(
                conversation=conversation,
                response=response,
                category=category,
                severity=severity,
                reason=reason,
                created_by=by,
                due_at=_due(severity, conversation.phone, rules),
            )
        ],
        ignore_conflicts=True,
    )
    existing = Escalation.objects.get(conversation=conversation, category=category, status=Escalation.Status.OPEN)
    if existing.pk == escalation.pk:
        tell_managers("escalation", conversation, (category, reason), priority=PRIORITY_OF[severity])
    return existing


def _due(severity: Severity, phone: str, rules: Rules) -> datetime:
    return due_at(severity, now=timezone.now(), time_zone=zone_for(phone, rules.contact_time_zone))


def assign(escalation_id: UUID | str, *, to: str) -> None:
    """Say who takes care of an open escalation. Raises Conflict when it is resolved."""
    _change(escalation_id, assigned_to=to)


def add_note(escalation_id: UUID | str, *, by: str, note: str) -> None:
    """Add what was done so far, with name and time. Raises Conflict when it is resolved."""
    line = Value(f"{timezone.now():%Y-%m-%d %H:%M} UTC, {by}: {note}", output_field=TextField())
    below = Concat("notes", Value("\n"), line, output_field=TextField())
    _change(escalation_id, notes=Case(When(notes="", then=line), default=below))


def _change(escalation_id: UUID | str, **columns: Any) -> None:
    if not Escalation.objects.filter(pk=escalation_id, status=Escalation.Status.OPEN).update(**columns):
        raise Conflict("already_decided", "This has been resolved already.")


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
        ApprovalAuditEntry(
            conversation_id=escalation.conversation_id,
            response=escalation.response,
            action=QueuedResponse.Action.RESOLVE,
            reason=f"{escalation.category}: {note}",
            approved_by=by,
        ).save(force_insert=True)
    return escalation
