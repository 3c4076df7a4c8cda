"""The plain facts that travel between the database's side of a step and the network's side."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Self
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import timezone

from approvals.account import Snapshot
from approvals.models import Workflow
from approvals.policy.confidence import Confidence, Curve
from approvals.policy.escalation import Category
from approvals.policy.gates import Gate
from approvals.policy.opt_out import Consent
from approvals.policy.plans import Extraction, PlanCheck
from approvals.policy.rules import Rules
from approvals.prompts import Role
from approvals.sms_workflow.story import StepDone
from conversations.models import Direction, Message

Turn = tuple[Role, str]


@dataclass(frozen=True, kw_only=True)
class TextToAnswer:
    """One claimed workflow with all that a thread needs to answer it without a database."""

    workflow_id: UUID
    conversation_id: UUID
    message_id: UUID
    attempt: int
    worker: str
    phone: str
    tenant_id: str | None
    texts: tuple[str, ...]
    wrote_at: datetime
    thread: tuple[Turn, ...]
    holds: tuple[str, ...]
    escalated: bool
    snapshot: Snapshot
    snapshot_at: datetime | None
    language: str
    manager_note: str | None
    rules: Rules
    curve: Curve | None
    now: datetime

    @classmethod
    def of(
        cls,
        workflow: Workflow,
        *,
        worker: str,
        texts: Sequence[Message],
        thread: Sequence[Message],
        holds: tuple[str, ...],
        escalated: bool,
        rules: Rules,
        curve: Curve | None,
    ) -> Self:
        """`texts` are answered now, oldest first; `thread` is all we have of the conversation, oldest first."""
        conversation, answered = workflow.conversation, {message.pk for message in texts}
        return cls(
            workflow_id=workflow.pk,
            conversation_id=conversation.pk,
            message_id=workflow.message_id,
            attempt=workflow.attempts,
            worker=worker,
            phone=conversation.phone,
            tenant_id=conversation.tenant_id,
            texts=tuple(message.body for message in texts),
            wrote_at=workflow.message.created_at,
            thread=tuple(as_turn(message) for message in thread if message.pk not in answered),
            holds=holds,
            escalated=escalated,
            snapshot=conversation.account,
            snapshot_at=conversation.account_at,
            language=conversation.language,
            manager_note=workflow.metadata.get("manager_note"),
            rules=rules,
            curve=curve,
            now=timezone.now(),
        )

    @property
    def request_id(self) -> str:
        return str(self.workflow_id)

    @property
    def tenant_message(self) -> str:
        """What is answered, as one text."""
        return "\n".join(self.texts)

    @property
    def today(self) -> date:
        """The day in the house's time zone: "on Friday" is said there."""
        return self.now.astimezone(ZoneInfo(self.rules.contact_time_zone)).date()


def as_turn(message: Message) -> Turn:
    return ("user" if message.direction == Direction.INBOUND else "assistant", message.body)


@dataclass(frozen=True, kw_only=True)
class Found:
    """The tenant's account: fresh from the Monitor, or our copy with its age. An empty snapshot: nobody we know."""

    snapshot: Snapshot
    at: datetime | None
    fresh: bool


class Outcome(StrEnum):
    """How the work on a text ends."""

    SEND = "sent"
    QUEUE = "queued"
    ESCALATE = "escalated"
    HELD = "held"
    CLOSED = "closed"


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A reply with everything that speaks for and against it. `text` is what would be sent, to the byte."""

    text: str
    language: str
    confidence: Confidence
    gates: tuple[Gate, ...]
    model: str = ""
    prompt_version: str = ""
    earlier_text: str | None = None
    earlier_gates: tuple[Gate, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PlanOffer:
    """What the tenant offered to pay, and what the rules say of it; `check` is None for a single payment."""

    extraction: Extraction
    check: PlanCheck | None


@dataclass(frozen=True, kw_only=True)
class Drafted:
    """The verdict on a text and all that it rests on."""

    outcome: Outcome
    reasons: tuple[str, ...]
    found: Found
    language: str = ""
    language_source: str = ""
    draft: Draft | None = None
    category: Category | None = None
    consent: Consent = Consent.NONE
    new_holds: tuple[str, ...] = ()
    offer: PlanOffer | None = None
    steps: tuple[StepDone, ...] = field(default=())


@dataclass(frozen=True, kw_only=True)
class Postponed:
    """An upstream that we cannot do without is away: nothing was decided. `retry_after` in seconds, if it said so.

    `asked` is false when the circuit was open and nobody was asked at all.
    """

    why: str
    retry_after: float | None = None
    asked: bool = True
    steps: tuple[StepDone, ...] = ()
