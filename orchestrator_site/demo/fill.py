"""Fill an empty system with a lively morning: a queue in four languages, plans, holds, failures, two weeks behind.

What waits was drafted minutes or hours ago, so those rows are built here with the times they need; the words are
checked by the same gates, the plans by the same limits as everywhere else. What comes in from now on
comes through the API.
"""

import random
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from approvals.account import Snapshot, facts_for_gates, owed, portion
from approvals.models import ApprovalAuditEntry, Escalation, PaymentPlan, QueuedResponse, Workflow, WorkflowStep
from approvals.policy.escalation import severity_of
from approvals.policy.gates import check_gates
from approvals.policy.plans import check_plan, suggest_weekly
from approvals.policy.routing import choose_route
from approvals.rulebook import current_rules
from approvals.sms_workflow.recording import gates_as_json
from conversations.models import Author, ContactHold, Conversation, Delivery, Direction, Message
from integrations.simulators.people import Person, people

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
    _history(told, chance)
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


def _conversation(person: Person, at: datetime, *, old: bool = False) -> Conversation:
    conversation, _ = Conversation.objects.get_or_create(
        phone=person.phone,
        defaults={
            "tenant_id": person.id,
            "tenant_name": person.name,
            "property_name": person.building,
            "language": person.language_code,
            "language_source": "monitor",
            "account": _snapshot(person),
            "account_at": at - timedelta(days=3) if old else at,
            "created_at": at - timedelta(days=20),
        },
    )
    Conversation.objects.filter(pk=conversation.pk).update(last_inbound_at=at)
    return conversation


def _snapshot(person: Person) -> Snapshot:
    return {
        "tenant_id": person.id,
        "name": person.name,
        "unit": person.unit,
        "property": person.building,
        "amount_owed": person.owed,
        "portion": person.portion or person.owed,
        "days_late": person.days_late,
        "language": person.language,
        "reliability": None if person.reliability is None else str(person.reliability),
        "failed_plans": person.failed_plans,
        "successful_plans": person.successful_plans,
        "status": None,
    }


def _filled(text: str, person: Person) -> str:
    rules, debt = current_rules(), Decimal(person.owed)

    def whole(amount: Decimal) -> str:
        return f"${max(amount, rules.min_weekly).to_integral_value(rounding=ROUND_CEILING):,}"

    return text.format(
        name=person.name.split()[0],
        owed=f"${debt:,.2f}".removesuffix(".00"),
        w4=whole(debt / 4),
        w10=whole(debt / 10),
        suggest=whole(suggest_weekly(Decimal(person.portion or person.owed), rules)),
    )


def _text(conversation: Conversation, body: str, at: datetime, author: str = Author.TENANT) -> Message:
    inbound = author == Author.TENANT
    return Message.objects.create(
        conversation=conversation,
        direction=Direction.INBOUND if inbound else Direction.OUTBOUND,
        author=author,
        body=body,
        dedupe_key=f"demo {conversation.phone} {at.isoformat()} {author}",
        delivery=Delivery.RECEIVED if inbound else Delivery.DELIVERED,
        provider_id="" if inbound else f"SM{random.getrandbits(128):032x}",
        created_at=at,
    )


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
    steps = [("account", 120), ("history", 90), ("draft", 640), ("checks", 3), ("verdict", 1)]
    WorkflowStep.objects.bulk_create(
        WorkflowStep(workflow=workflow, name=name, started_at=at, duration_ms=took, outcome="ok")
        for name, took in steps
    )
    return workflow


def _waiting(scene: dict[str, Any], person: Person) -> QueuedResponse:
    """A reply that waits for a decision since `waits` minutes."""
    at = timezone.now() - timedelta(minutes=scene["waits"])
    conversation = _conversation(person, at, old=scene.get("stale_account", False))
    for number, (theirs, ours) in enumerate(scene.get("before", [])):
        day = at - timedelta(days=len(scene["before"]) - number)
        _text(conversation, theirs, day)
        _text(conversation, _filled(ours, person), day + timedelta(minutes=2), Author.AI)
    message = _text(conversation, _filled(scene["said"], person), at)
    plan = _plan(scene["plan"], person, conversation) if "plan" in scene else None
    reply = _reply(scene, person, message, plan)
    if "hold" in scene:
        _hold(scene["hold"], message)
    if plan:
        plan.response, plan.created_at = reply, reply.created_at
        plan.save()
    return reply


def _reply(scene: dict[str, Any], person: Person, message: Message, plan: PaymentPlan | None) -> QueuedResponse:
    draft, conversation, rules = _filled(scene["draft"], person), message.conversation, current_rules()
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
    conversation = _conversation(person, at)
    if not scene["said"]:
        _text(conversation, _filled("Hi {name}, could we talk about your balance of {owed}?", person), at, Author.AI)
        Conversation.objects.filter(pk=conversation.pk).update(last_outbound_at=at, last_inbound_at=None)
    else:
        message = _text(conversation, scene["said"], at)
        _answered(conversation, message, "escalated")
        if "hold" in scene:
            _hold(scene["hold"], message)
    severity = severity_of(scene["category"])
    Escalation.objects.create(
        conversation=conversation,
        category=scene["category"],
        severity=severity,
        reason=scene["said"] or "No answer for 36 hours.",
        created_by="policy",
        created_at=at,
        due_at=at + DUE_AFTER.get(str(severity), timedelta(days=1)),
    )


def _hold(reason: str, message: Message) -> None:
    phone, at = message.conversation.phone, message.created_at
    ContactHold.objects.create(phone=phone, reason=reason, created_by="policy", message=message, created_at=at)


def _held(scene: dict[str, Any], person: Person) -> None:
    at = timezone.now() - timedelta(days=2)
    conversation = _conversation(person, at)
    message = _text(conversation, scene["said"], at)
    _answered(conversation, message, "held")
    _hold(scene["hold"], message)


def _colleague_at_work(waiting: list[QueuedResponse]) -> None:
    """Maria has a card open, as the others will see it."""
    until = timezone.now() + timedelta(minutes=10)
    QueuedResponse.objects.filter(pk=waiting[7].pk).update(viewer="maria", viewer_until=until)


# --- two weeks behind us, for the charts


def _history(told: dict[str, Any], chance: random.Random) -> None:
    """Some thirty texts a day, most of them answered without anybody."""
    everybody = people(200)[100:]
    texts: list[Message] = []
    replies: list[QueuedResponse] = []
    for at, person in _past_texts(everybody, chance):
        conversation = _conversation(person, at)
        said = chance.choice(told["coming"][person.language_code])
        message = Message(
            conversation=conversation,
            direction=Direction.INBOUND,
            author=Author.TENANT,
            body=said,
            dedupe_key=f"demo {person.phone} {at.isoformat()}",
            delivery=Delivery.RECEIVED,
            created_at=at,
        )
        texts.append(message)
        replies.append(_past_reply(message, person, chance))
    Message.objects.bulk_create(texts)
    QueuedResponse.objects.bulk_create(replies)
    Message.objects.bulk_create(_sent(reply) for reply in replies if reply.status == Status.SENT)


def _past_texts(everybody: list[Person], chance: random.Random) -> Iterator[tuple[datetime, Person]]:
    now = timezone.now()
    for day in range(HISTORY_DAYS, -1, -1):
        morning = (now - timedelta(days=day)).replace(hour=13, minute=0, second=0, microsecond=0)
        weekend = morning.weekday() >= 5
        for _ in range(chance.randint(8, 14) if weekend else chance.randint(24, 42)):
            at = morning + timedelta(minutes=chance.randint(0, 9 * 60), seconds=chance.randint(0, 59))
            if at < now - timedelta(hours=3, minutes=20):
                yield at, chance.choice(everybody)


def _past_reply(message: Message, person: Person, chance: random.Random) -> QueuedResponse:
    """Seven in ten leave by themselves; managers approve most of the others, and change what was less sure."""
    confidence = Decimal(
        chance.choice(["0.93", "0.91", "0.89", "0.88", "0.87", "0.86", "0.84", "0.79", "0.73", "0.66"])
    )
    automatic = confidence > Decimal("0.85")
    draft = _filled("Thank you, {name}. We have noted it and will text you today.", person)
    took = timedelta(seconds=2) if automatic else timedelta(seconds=chance.randint(40, 2400))
    action = Action.AUTO_APPROVE
    if not automatic:
        surer = confidence > Decimal("0.75")
        action = chance.choices([Action.APPROVE, Action.MODIFY, Action.ESCALATE], [8, 2, 1] if surer else [3, 5, 2])[0]
    words = draft if action != Action.MODIFY else draft.replace("will text you today", "will call you tomorrow")
    sent = action != Action.ESCALATE
    decided = message.created_at + took
    return QueuedResponse(
        conversation=message.conversation,
        message=message,
        tenant_message=message.body,
        ai_response=draft,
        final_text=words,
        modified_response=words if action == Action.MODIFY else None,
        language=person.language_code,
        confidence_score=confidence,
        confidence_parts=[{"code": "model", "value": str(confidence)}],
        gates=[],
        reasons=["confident" if automatic else "medium_confidence"],
        status=Status.SENT if sent else Status.ESCALATED,
        manager_action=action,
        actioned_by="policy" if automatic else chance.choice(["maria", "james"]),
        actioned_at=decided,
        sent_at=decided + timedelta(seconds=1) if sent else None,
        receipt=f"SM{chance.getrandbits(128):032x}" if sent else "",
        created_at=message.created_at + timedelta(seconds=1),
        updated_at=decided,
        not_before=decided,
    )


def _sent(reply: QueuedResponse) -> Message:
    return Message(
        conversation=reply.conversation,
        direction=Direction.OUTBOUND,
        author=Author.AI if reply.final_text == reply.ai_response else Author.MANAGER,
        body=reply.final_text,
        dedupe_key=f"reply {reply.pk}",
        provider_id=reply.receipt,
        delivery=Delivery.DELIVERED,
        created_at=reply.sent_at or reply.created_at,
    )
