"""Fill an empty system with a lively morning: a queue in four languages, plans, holds, failures, two weeks behind.

What waits was drafted minutes or hours ago, so those rows are built here with the times they need; the words are
checked by the same gates, the plans by the same limits as everywhere else. What comes in from now on
comes through the API.
"""

import random
import tomllib
from collections import defaultdict
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from approvals.account import facts_for_gates, owed, portion
from approvals.models import ApprovalAuditEntry, Escalation, PaymentPlan, QueuedResponse, Workflow, WorkflowStep
from approvals.policy.escalation import Category, severity_of
from approvals.policy.gates import check_gates
from approvals.policy.plans import check_plan
from approvals.policy.routing import choose_route
from approvals.rulebook import current_rules
from approvals.sms_workflow.recording import gates_as_json
from conversations.models import Author, ContactHold, Conversation, Message
from integrations.simulators.people import Person, people
from orchestrator_site.demo.history import fill_history
from orchestrator_site.demo.tenants import conversation_of, filled, write

CONVERSATIONS = Path(__file__).with_name("conversations.toml")
Status = QueuedResponse.Status
Action = QueuedResponse.Action
# The first ones are left to `script/demo --once` and to the texts that keep coming.
FIRST_PERSON = 14
HISTORY_DAYS = 14
DUE_AFTER = {"critical": timedelta(minutes=15), "high": timedelta(hours=4), "medium": timedelta(hours=6)}


def coming_texts() -> dict[str, list[str]]:
    """What the tenants of the demonstration write while it runs, by language."""
    return dict(_told()["coming"])


@transaction.atomic
def fill_queue(*, seed: int = 1) -> int:
    """Make the rows of a morning, once: returns how many replies wait now, 0 when there were conversations already."""
    if Conversation.objects.exists():
        return 0
    told, chance, crowd = _told(), random.Random(seed), _Crowd()  # noqa: S311 - a story, not a secret
    fill_history(told["coming"], chance)
    waiting = [
        _waiting(scene, crowd.next(scene["language"], owing=500 if "plan" in scene else 0)) for scene in told["waiting"]
    ]
    for scene in told["trouble"]:
        _trouble(scene, crowd.next(scene["language"]))
    for scene in told["snoozed"]:
        reply = _waiting(scene, crowd.next(scene["language"]))
        QueuedResponse.objects.filter(pk=reply.pk).update(
            snoozed_until=timezone.now() + timedelta(hours=scene["hours"])
        )
    for scene in told["escalated"]:
        _escalated(scene, crowd.next(scene["language"]))
    for scene in told["failed"]:
        _failed(scene, crowd.next(scene["language"]))
    for scene in told["held"]:
        _held(scene, crowd.next(scene["language"]))
    _colleague_at_work(waiting)
    return len(waiting)


class _Crowd:
    """Tenants by language, each used once."""

    def __init__(self) -> None:
        self._free: dict[str, list[Person]] = defaultdict(list)
        for person in people(90)[FIRST_PERSON:]:
            self._free[person.language_code].append(person)

    def next(self, language: str, *, owing: int = 0) -> Person:
        free = self._free[language]
        return free.pop(next(place for place, person in enumerate(free) if float(person.owed) >= owing))


def _told() -> dict[str, Any]:
    return tomllib.loads(CONVERSATIONS.read_text(encoding="utf-8"))


def _answered(conversation: Conversation, message: Message, outcome: str) -> Workflow:
    at = message.created_at
    workflow = Workflow.objects.create(
        conversation=conversation,
        message=message,
        status=Workflow.Status.COMPLETED,
        step="decided",
        outcome=outcome,
        attempts=1,
        started_at=at,
        completed_at=at + timedelta(seconds=2),
        updated_at=at + timedelta(seconds=2),
    )
    steps = [("read", 2), ("tenant", 120), ("thread", 90), ("draft", 640), ("verdict", 4)]
    WorkflowStep.objects.bulk_create(
        WorkflowStep(workflow=workflow, name=name, started_at=at, duration_ms=took, outcome="ok")
        for name, took in steps
    )
    return workflow


def _waiting(scene: dict[str, Any], person: Person) -> QueuedResponse:
    """A reply that waits for a decision since `waits` minutes."""
    at = timezone.now() - timedelta(minutes=scene["waits"])
    conversation = conversation_of(person, at, old=scene.get("stale_account", False))
    for number, (theirs, ours) in enumerate(scene.get("before", [])):
        day = at - timedelta(days=len(scene["before"]) - number)
        write(conversation, theirs, day)
        write(conversation, filled(ours, person), day + timedelta(minutes=2), Author.AI)
    message = write(conversation, filled(scene["said"], person), at)
    plan = _plan(scene["plan"], person, conversation) if "plan" in scene else None
    reply = _reply(scene, person, message, plan)
    if "hold" in scene:
        _hold(scene["hold"], message)
    if plan:
        plan.response, plan.created_at = reply, reply.created_at
        plan.save()
    return reply


def _reply(scene: dict[str, Any], person: Person, message: Message, plan: PaymentPlan | None) -> QueuedResponse:
    draft, conversation, rules = filled(scene["draft"], person), message.conversation, current_rules()
    facts = facts_for_gates(conversation.account, tenant_message=message.body, language=person.language_code)
    gates = check_gates(draft, facts, rules)
    verdict = choose_route(
        confidence=Decimal(scene["confidence"]),
        triggers=(),
        gates=gates,
        plan=plan,
        holds=[scene["hold"]] if "hold" in scene else [],
        tenant_known=True,
        model_escalates=False,
        rules=rules,
    )
    parts = scene.get("parts", [["model", scene["confidence"]]])
    drafted_at = message.created_at + timedelta(seconds=2)
    reply = QueuedResponse.objects.create(
        conversation=conversation,
        workflow=_answered(conversation, message, "queued"),
        message=message,
        tenant_message=message.body,
        ai_response=draft,
        final_text=draft,
        language=person.language_code,
        confidence_score=Decimal(scene["confidence"]),
        confidence_parts=[{"code": code, "value": value} for code, value in parts],
        gates=gates_as_json(gates),
        reasons=list(verdict.reasons),
        model="simulated",
        created_at=drafted_at,
        updated_at=drafted_at,
    )
    _entry(reply, Action.QUEUE, "policy", ", ".join(reply.reasons), drafted_at)
    return reply


def _entry(reply: QueuedResponse, action: str, by: str, reason: str, at: datetime) -> None:
    entry = ApprovalAuditEntry.of(reply, action=action, by=by, reason=reason)
    entry.created_at = at
    entry.save(force_insert=True)


def _plan(kind: str, person: Person, conversation: Conversation) -> PaymentPlan:
    debt, rules = Decimal(person.owed), current_rules()
    weekly = {"too_low": Decimal(10)}.get(kind) or max(debt / 10, rules.min_weekly).to_integral_value(ROUND_CEILING)
    weeks = None if kind in ("w10_open", "too_low") else 10
    snapshot = conversation.account
    check = check_plan(
        weekly_amount=weekly,
        weeks=weeks,
        amount_owed=owed(snapshot) or Decimal(0),
        tenant_portion=portion(snapshot) or Decimal(0),
        rules=rules,
    )
    return PaymentPlan(
        conversation=conversation,
        weekly_amount=weekly,
        weeks=weeks,
        total=check.total,
        valid=check.valid,
        auto_approvable=check.auto_approvable,
        issues=[{"code": issue.code, "message": issue.message} for issue in check.issues],
        source=PaymentPlan.Source.TENANT,
    )


def _trouble(scene: dict[str, Any], person: Person) -> None:
    reply = _waiting(scene, person)
    at = reply.created_at + timedelta(minutes=1)
    QueuedResponse.objects.filter(pk=reply.pk).update(
        status=scene["status"],
        manager_action=Action.APPROVE,
        actioned_by="maria",
        actioned_at=at,
        attempts=3,
        tried_at=at,
        error_message=scene["error"],
    )
    _entry(reply, Action.APPROVE, "maria", "", at)


def _escalated(scene: dict[str, Any], person: Person) -> None:
    at = timezone.now() - timedelta(minutes=scene["waits"])
    conversation = conversation_of(person, at)
    if not scene["said"]:
        write(conversation, filled("Hi {name}, could we talk about your balance of {owed}?", person), at, Author.AI)
        Conversation.objects.filter(pk=conversation.pk).update(last_outbound_at=at, last_inbound_at=None)
    else:
        message = write(conversation, scene["said"], at)
        _answered(conversation, message, "escalated")
        if "hold" in scene:
            _hold(scene["hold"], message)
    _open(conversation, scene["category"], scene["said"] or "No answer for 36 hours.", at)


def _failed(scene: dict[str, Any], person: Person) -> None:
    """No draft could be written; somebody tries again, or answers by hand."""
    at = timezone.now() - timedelta(minutes=scene["waits"])
    message = write(conversation_of(person, at), scene["said"], at)
    workflow = Workflow.objects.create(
        conversation=message.conversation,
        message=message,
        status=Workflow.Status.FAILED,
        step="failed",
        attempts=3,
        started_at=at,
        completed_at=at + timedelta(seconds=40),
        error_message=scene["error"],
    )
    WorkflowStep.objects.bulk_create(
        WorkflowStep(
            workflow=workflow,
            name="draft",
            attempt=attempt,
            started_at=at + timedelta(seconds=12 * attempt),
            duration_ms=900,
            outcome="unavailable",
            detail=scene["error"],
        )
        for attempt in (1, 2, 3)
    )
    _open(message.conversation, "ai_failed", scene["error"], at)


def _open(conversation: Conversation, category: str, reason: str, at: datetime) -> None:
    severity = severity_of(Category(category))
    Escalation.objects.create(
        conversation=conversation,
        category=category,
        severity=severity,
        reason=reason,
        created_by="policy",
        created_at=at,
        due_at=at + DUE_AFTER.get(str(severity), timedelta(days=1)),
    )


def _hold(reason: str, message: Message) -> None:
    phone, at = message.conversation.phone, message.created_at
    ContactHold.objects.create(phone=phone, reason=reason, created_by="policy", message=message, created_at=at)


def _held(scene: dict[str, Any], person: Person) -> None:
    at = timezone.now() - timedelta(days=2)
    conversation = conversation_of(person, at)
    message = write(conversation, scene["said"], at)
    _answered(conversation, message, "held")
    _hold(scene["hold"], message)


def _colleague_at_work(waiting: list[QueuedResponse]) -> None:
    """Maria has a card open, as the others will see it."""
    until = timezone.now() + timedelta(minutes=10)
    QueuedResponse.objects.filter(pk=waiting[7].pk).update(viewer="maria", viewer_until=until)
