"""One reply with everything that a decision rests on: thread, draft, account, plan, and what stands in the way.

Eleven queries, however long the thread is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from approvals import account
from approvals.console import claims
from approvals.console.checking import Checked, check_words
from approvals.models import ApprovalAuditEntry, Escalation, PaymentPlan, QueuedResponse, Workflow
from approvals.policy.contact_hours import next_allowed, zone_for
from approvals.policy.plans import suggest_weekly
from approvals.policy.rules import Rules
from approvals.rulebook import current_rules
from approvals.sms_workflow.holds import stopping_managers
from conversations.models import ContactHold, Conversation, Message
from conversations.refusals import NotFound

Status = QueuedResponse.Status
THREAD = 40
DECISIONS = 8
# An account older than this is shown as old (the confidence is lowered for it, too).
OLD_AFTER = timedelta(hours=24)

# What "insert counter-offer" writes; characters of the SMS alphabet only, so that it costs no second part.
COUNTER_OFFERS = {
    "en": "Could you pay ${weekly} a week for {weeks} weeks?",
    "es": "¿Puede pagar ${weekly} por semana durante {weeks} semanas?",
    "pt": "Pode pagar ${weekly} por semana durante {weeks} semanas?",
    "ht": "Eske ou ka peye ${weekly} pa semèn pandan {weeks} semèn?",
    "he": "תוכלו לשלם ${weekly} בשבוע במשך {weeks} שבועות?",
}


@dataclass(frozen=True, kw_only=True)
class AccountCard:
    """The Monitor's facts as last seen; money in dollars. `at` is their age's beginning."""

    known: bool
    name: str
    unit: str
    property: str
    tenant_id: str
    owed: Decimal | None
    portion: Decimal | None
    days_late: int | None
    reliability: Decimal | None
    failed_plans: int | None
    successful_plans: int | None
    at: datetime | None
    old: bool


@dataclass(frozen=True, kw_only=True)
class PlanCard:
    """What the tenant offers against what is owed. `covered` is a percentage of the debt, at most 100."""

    plan: PaymentPlan
    owed: Decimal | None
    covered: int | None
    weeks_needed: int | None


@dataclass(frozen=True, kw_only=True)
class CounterOffer:
    """What we would propose: the portion spread over the longest plan."""

    weekly: Decimal
    weeks: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Card:
    """All that the middle and the right pane show."""

    reply: QueuedResponse
    conversation: Conversation
    thread: Sequence[Message]
    earlier: bool
    checked: Checked
    words: str
    account: AccountCard
    plan: PlanCard | None
    earlier_plans: Sequence[PaymentPlan]
    counter_offer: CounterOffer | None
    holds: Sequence[ContactHold]
    stopped_by: Sequence[str]
    escalations: Sequence[Escalation]
    decisions: Sequence[ApprovalAuditEntry]
    rules: Rules
    opens_at: datetime | None
    holder: str
    newer: UUID | None
    redrafting: bool
    unsent: QueuedResponse | None

    @property
    def open(self) -> bool:
        """Whether a person can still decide it."""
        return self.reply.status in (Status.PENDING, Status.FAILED, Status.UNKNOWN)

    @property
    def undoable(self) -> bool:
        return self.reply.status == Status.APPROVED

    @property
    def trouble(self) -> bool:
        return self.reply.status in (Status.FAILED, Status.UNKNOWN)


def card(response_id: UUID, *, me: str) -> Card:
    """Raises NotFound."""
    reply = QueuedResponse.objects.select_related("conversation", "workflow", "message").filter(pk=response_id).first()
    if reply is None:
        raise NotFound("not_found", "There is no such reply.")
    conversation, rules, words = reply.conversation, current_rules(), words_of(reply)
    holds = list(ContactHold.objects.active().filter(phone=conversation.phone).order_by("created_at"))
    reasons = [hold.reason for hold in holds]
    thread = list(conversation.messages.order_by("-created_at")[: THREAD + 1])
    plans = list(conversation.payment_plans.order_by("-created_at")[:10])
    return Card(
        reply=reply,
        conversation=conversation,
        thread=thread[:THREAD][::-1],
        earlier=len(thread) > THREAD,
        checked=check_words(reply, words, holds=reasons, rules=rules),
        words=words,
        account=_account(conversation),
        plan=_plan(next((plan for plan in plans if plan.response_id == reply.pk), None), conversation),
        earlier_plans=[plan for plan in plans if plan.response_id != reply.pk],
        counter_offer=_counter_offer(reply, rules),
        holds=holds,
        stopped_by=stopping_managers(reasons),
        escalations=list(conversation.escalations.filter(status=Escalation.Status.OPEN).order_by("due_at")),
        decisions=list(conversation.audit.order_by("-created_at")[:DECISIONS]),
        rules=rules,
        opens_at=_opens_at(reply, rules),
        holder=claims.holder(reply, besides=me),
        newer=conversation.responses.filter(status=Status.PENDING)
        .exclude(pk=reply.pk)
        .values_list("pk", flat=True)
        .first(),
        redrafting=_being_drafted(reply),
        unsent=unsent_words(conversation),
    )


def unsent_words(conversation: Conversation) -> QueuedResponse | None:
    """What a person has written and policy has stopped, such as a text that the tenant's own overtook.

    None once anything has gone out after it: the person has read the thread by then.
    """
    withdrawn = conversation.responses.filter(status=Status.WITHDRAWN).exclude(final_text=F("ai_response"))
    newest = withdrawn.order_by("-updated_at").first()
    if newest is None or (conversation.last_outbound_at or newest.created_at) > newest.updated_at:
        return None
    return newest


def words_of(reply: QueuedResponse) -> str:
    """What would be sent as it stands: the draft, or what a person has made of it."""
    return reply.final_text or reply.ai_response


def _being_drafted(reply: QueuedResponse) -> bool:
    if reply.status != Status.WITHDRAWN:
        return False
    at_work = [Workflow.Status.RECEIVED, Workflow.Status.PROCESSING]
    return reply.conversation.workflows.filter(status__in=at_work).exists()


def _account(conversation: Conversation) -> AccountCard:
    facts, at = conversation.account, conversation.account_at
    reliability = facts.get("reliability")
    return AccountCard(
        known=bool(facts),
        name=conversation.tenant_name,
        unit=facts.get("unit") or "",
        property=conversation.property_name,
        tenant_id=conversation.tenant_id or "",
        owed=account.owed(facts),
        portion=account.portion(facts),
        days_late=facts.get("days_late"),
        reliability=None if reliability is None else Decimal(reliability),
        failed_plans=facts.get("failed_plans"),
        successful_plans=facts.get("successful_plans"),
        at=at,
        old=at is None or timezone.now() - at > OLD_AFTER,
    )


def _plan(plan: PaymentPlan | None, conversation: Conversation) -> PlanCard | None:
    if plan is None:
        return None
    owed, portion = account.owed(conversation.account), account.portion(conversation.account)
    total = plan.total or plan.one_off_amount
    needed = None
    if plan.weekly_amount and portion:
        needed = int((portion / plan.weekly_amount).to_integral_value(rounding=ROUND_CEILING))
    covered = min(100, int(total * 100 / owed)) if total and owed else None
    return PlanCard(plan=plan, owed=owed, covered=covered, weeks_needed=needed)


def _counter_offer(reply: QueuedResponse, rules: Rules) -> CounterOffer | None:
    """None where nothing is owed, as far as we know."""
    portion = account.portion(reply.conversation.account)
    if not portion or portion <= 0:
        return None
    weekly = suggest_weekly(portion, rules)
    weeks = min(rules.max_weeks, int((portion / weekly).to_integral_value(rounding=ROUND_CEILING)))
    wording = COUNTER_OFFERS.get(reply.language or reply.conversation.language, COUNTER_OFFERS["en"])
    return CounterOffer(weekly=weekly, weeks=weeks, text=wording.format(weekly=weekly, weeks=weeks))


def _opens_at(reply: QueuedResponse, rules: Rules) -> datetime | None:
    """When the text could leave, if not now: outside the contact window it waits."""
    now = timezone.now()
    opening = next_allowed(
        now,
        time_zone=zone_for(reply.conversation.phone, rules.contact_time_zone),
        rules=rules,
        tenant_wrote_at=(reply.message.written_at or reply.message.created_at) if reply.message else None,
    )
    return opening if opening > now else None
