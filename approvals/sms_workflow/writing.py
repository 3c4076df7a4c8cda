"""Write a draft and judge it: upstreams and pure rules, in a thread, without a database."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Protocol

from django.conf import settings
from django.utils import timezone

from approvals import account, prompts
from approvals.policy import templates
from approvals.policy.confidence import Confidence, Part, estimate
from approvals.policy.escalation import Category, find_triggers
from approvals.policy.gates import DraftFacts, Gate, Level, check_gates, injection_note
from approvals.policy.holds import HoldReason
from approvals.policy.language import detect, language_code
from approvals.policy.opt_out import Consent
from approvals.policy.plans import Issue, PlanCheck, Proposal, check_plan, extract
from approvals.policy.routing import Route, choose_route
from approvals.policy.rules import Rules
from approvals.policy.text import strip_invisible
from approvals.sms_workflow.facts import (
    Draft,
    Drafted,
    Found,
    Outcome,
    PlanOffer,
    Postponed,
    TextToAnswer,
    Turn,
)
from approvals.sms_workflow.reading import Reading, Settled, read_texts, settle
from approvals.sms_workflow.story import Story
from conversations.moves import last_moment
from integrations import clients
from integrations.base import no_try_after
from integrations.errors import CircuitOpen, Refused, Unavailable
from integrations.language_model import Schema
from integrations.monitor import Tenant

REPLY = Schema(name="reply_to_tenant", schema=prompts.ANSWER_SCHEMA)
# A reply fits one text of 160 characters; the rest of the answer is a few words.
MAX_TOKENS = 400
TEMPERATURE = 0.3
# An empty, cut-off or refused answer earns one more try.
TRIES_TO_GET_AN_ANSWER = 2
OUTCOME_OF = {Route.SEND: Outcome.SEND, Route.QUEUE: Outcome.QUEUE, Route.ESCALATE: Outcome.ESCALATE}
DEFAULT_LANGUAGE = "en"
SECONDS_TO_RECORD = 5


class FindAccount(Protocol):
    """The tenant's account, as `find_account` finds it."""

    def __call__(self, job: TextToAnswer, story: Story, *, must_know: bool) -> Found: ...


ReadThread = Callable[[TextToAnswer, Story], tuple[Turn, ...]]


def write_draft(
    job: TextToAnswer, *, find: FindAccount | None = None, read: ReadThread | None = None
) -> Drafted | Postponed:
    """The verdict on the texts, with a draft where one is wanted.

    Postponed when an upstream that we cannot do without is away. The words themselves are judged first, so that an
    opt-out or an emergency waits for nobody. `find` and `read` stand in for the Monitor and the SMS Agent where the
    model alone is tried.
    """
    story = Story()
    with no_try_after(_seconds_to_ask(job)):
        return _write(job, story, find=find or find_account, read=read or read_thread)


def _seconds_to_ask(job: TextToAnswer) -> float:
    """How long upstreams may still be asked, so that the verdict is there before another worker takes the text."""
    longest = settings.CONNECT_TIMEOUT_SECONDS + settings.OPENAI_TIMEOUT_SECONDS + SECONDS_TO_RECORD
    return (last_moment(job.now, lease=settings.LEASE_SECONDS, longest=longest) - timezone.now()).total_seconds()


def _write(job: TextToAnswer, story: Story, *, find: FindAccount, read: ReadThread) -> Drafted | Postponed:
    try:
        with story.step("read") as said:
            reading = read_texts(job.texts, rules=job.rules, today=job.today)
            said.extend(reading.codes)
        if reading.consent is Consent.OPT_IN:
            # What came with a START is answered: the hold falls together with this verdict.
            job = replace(job, holds=tuple(reason for reason in job.holds if reason != HoldReason.OPT_OUT))
        settled = settle(reading, holds=job.holds, rules=job.rules)
        found = find(job, story, must_know=settled is None)
        language = tenants_language(job, found)
        settled = settled or _unknown_tenant(found)
        if settled:
            story.skip("draft", "the words alone decide: " + ", ".join(settled.reasons))
            verdict = _settled(job, settled, reading=reading, found=found, language=language)
        else:
            thread = read(job, story)
            verdict = compose(job, found=found, thread=thread, language=language, story=story)
            verdict = replace(verdict, new_holds=reading.holds, consent=reading.consent)
        return replace(verdict, steps=tuple(story.steps))
    except (Unavailable, Refused) as error:
        return Postponed(
            why=str(error),
            retry_after=getattr(error, "retry_after", None),
            asked=not isinstance(error, CircuitOpen),
            steps=tuple(story.steps),
        )


def find_account(job: TextToAnswer, story: Story, *, must_know: bool) -> Found:
    """By the tenant's id, else by the phone. With the Monitor away, our own copy; with none, we cannot answer."""
    try:
        with story.step("tenant") as said:
            tenant = _tenant(job)
            said.append(f"tenant {tenant.id}" if tenant else "nobody we know")
    except (Unavailable, Refused):
        if job.snapshot or not must_know:
            return Found(snapshot=job.snapshot, at=job.snapshot_at, fresh=False)
        raise
    if tenant is None:
        return Found(snapshot={}, at=None, fresh=True)
    return Found(snapshot=account.snapshot_of(tenant), at=job.now, fresh=True)


def _tenant(job: TextToAnswer) -> Tenant | None:
    monitor = clients.monitor()
    if job.tenant_id:
        tenant = monitor.tenant(job.tenant_id, request_id=job.request_id)
        if tenant is not None:
            return tenant
    by_phone = monitor.tenant_id_for_phone(job.phone, request_id=job.request_id)
    return monitor.tenant(by_phone, request_id=job.request_id) if by_phone else None


def read_thread(job: TextToAnswer, story: Story) -> tuple[Turn, ...]:
    """The conversation before these texts, oldest first: the SMS Agent's history, else our own ledger."""
    try:
        with story.step("thread") as said:
            history = clients.sms_agent().history(job.phone, limit=settings.HISTORY_MESSAGES, request_id=job.request_id)
            said.append(f"{len(history.items)} texts" if history else "no conversation yet")
    except (Unavailable, Refused):
        return job.thread
    if history is None:
        return job.thread
    turns: list[Turn] = [
        ("user" if item.direction == "inbound" else "assistant", strip_invisible(item.body)) for item in history.items
    ]
    return _without_tail(turns, job.texts)


def _without_tail(turns: list[Turn], texts: Sequence[str]) -> tuple[Turn, ...]:
    """The texts that are answered now may already stand at the end of the history; the model sees them once."""
    waiting = list(texts)
    while turns and waiting and turns[-1] == ("user", waiting[-1]):
        turns.pop()
        waiting.pop()
    return tuple(turns)


@dataclass(frozen=True, kw_only=True)
class Language:
    """A language's code and where we know it from: monitor, thread, detected or default."""

    code: str
    source: str

    @property
    def guessed(self) -> bool:
        return self.source in ("detected", "default")


def tenants_language(job: TextToAnswer, found: Found) -> Language:
    """The Monitor's preference, else what the texts are written in, else what the thread was in."""
    preferred = language_code(found.snapshot.get("language"))
    if preferred:
        return Language(code=preferred, source="monitor")
    detected = detect(job.tenant_message, prior=job.language or None)
    if detected.code:
        return Language(code=detected.code, source="thread" if detected.code == job.language else "detected")
    return Language(code=DEFAULT_LANGUAGE, source="default")


def _unknown_tenant(found: Found) -> Settled | None:
    if found.snapshot:
        return None
    return Settled(outcome=Outcome.ESCALATE, reasons=("unknown_tenant",), category=Category.UNKNOWN_TENANT)


def _settled(job: TextToAnswer, settled: Settled, *, reading: Reading, found: Found, language: Language) -> Drafted:
    draft = None
    if settled.fixed_text is not None:
        text = templates.fixed_text(settled.fixed_text, language=language.code, company=job.rules.company_name)
        draft = Draft(
            text=text,
            language=language.code,
            confidence=Confidence(score=Decimal(1), parts=(Part(code="fixed_text", value=Decimal(1)),)),
            gates=check_gates(text, _gate_facts(job, found, language), job.rules),
        )
    return Drafted(
        outcome=settled.outcome,
        reasons=settled.reasons,
        category=settled.category,
        found=found,
        language=language.code,
        language_source=language.source,
        draft=draft,
        consent=reading.consent,
        new_holds=reading.holds,
        offer=_offer(job, found, structured=None),
    )


def compose(job: TextToAnswer, *, found: Found, thread: Sequence[Turn], language: Language, story: Story) -> Drafted:
    """A draft from the model, checked; a red gate earns one second try with the reasons, and both are kept."""
    with story.step("draft") as said:
        attempt = _ask(job, found, thread, language)
        said.append(attempt.model)
    turned_down = [gate for gate in attempt.gates if gate.level is Level.RED]
    first = None
    if turned_down and not attempt.answer.escalate:
        with story.step("second draft") as said:
            said.append("the first was turned down: " + ", ".join(gate.code for gate in turned_down))
            first, attempt = attempt, _ask(job, found, thread, language, why=[gate.message for gate in turned_down])
    with story.step("verdict") as said:
        drafted = _verdict(job, attempt, first, found, language)
        said.append(f"{drafted.outcome}: {', '.join(drafted.reasons)}")
    return drafted


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One answer of the model: as read, as it would be sent, and what the gates say of it."""

    answer: prompts.Answer
    text: str
    gates: tuple[Gate, ...]
    model: str


def _ask(
    job: TextToAnswer, found: Found, thread: Sequence[Turn], language: Language, why: Sequence[str] = ()
) -> Attempt:
    system = prompts.system_prompt(
        account=account.facts_for_prompt(found.snapshot),
        language=language.code,
        rules=job.rules,
        today=job.today,
        retry_reasons=why,
        manager_note=job.manager_note,
    )
    spoken = prompts.messages(system, thread, job.tenant_message)
    answer, model = _readable_answer(job, spoken)
    text = dressed(strip_invisible(answer.reply).strip(), job, first_in_thread=not _we_wrote_before(thread))
    gates = check_gates(text, _gate_facts(job, found, language), job.rules)
    return Attempt(answer=answer, text=text, gates=gates, model=model)


def _readable_answer(job: TextToAnswer, spoken: Sequence[Mapping[str, str]]) -> tuple[prompts.Answer, str]:
    """Raises Unavailable when the model declines or babbles every time: nothing was done, a person is told."""
    why = ""
    for _ in range(TRIES_TO_GET_AN_ANSWER):
        completion = clients.language_model().complete(
            spoken, schema=REPLY, max_tokens=MAX_TOKENS, temperature=TEMPERATURE, request_id=job.request_id
        )
        if completion.refusal:
            why = "the model declined to answer"
            continue
        try:
            return prompts.read_answer(completion.text, today=job.today), completion.model
        except prompts.UnreadableAnswer as error:
            why = str(error)
    raise Unavailable("openai", why)


def dressed(text: str, job: TextToAnswer, *, first_in_thread: bool) -> str:
    """The reply with what the settings put around it; both count towards the length."""
    before = job.rules.ai_disclosure if first_in_thread else ""
    return " ".join(part for part in (before, text, job.rules.opt_out_footer) if part)


def _we_wrote_before(thread: Sequence[Turn]) -> bool:
    return any(role == "assistant" for role, _ in thread)


def _gate_facts(job: TextToAnswer, found: Found, language: Language) -> DraftFacts:
    return account.facts_for_gates(
        found.snapshot,
        tenant_message=job.tenant_message,
        language=language.code,
        opted_out="opt_out" in job.holds,
    )


def _verdict(job: TextToAnswer, attempt: Attempt, first: Attempt | None, found: Found, language: Language) -> Drafted:
    answer = attempt.answer
    offer = _offer(job, found, structured=answer.plan)
    plan = offer.extraction.plan if offer else None
    triggers = find_triggers(job.tenant_message, plan=plan, rules=job.rules)
    confidence = estimate(
        model_figure=answer.confidence,
        account_age=job.now - found.at if found.at else None,
        account_complete=account.is_complete(found.snapshot),
        tenant_message=job.tenant_message,
        language_guessed=language.guessed,
        tenant_known=True,
        curve=job.curve,
    )
    verdict = choose_route(
        confidence=confidence.score,
        triggers=triggers,
        gates=attempt.gates,
        plan=offer.check if offer else None,
        holds=tuple(_against_sending(job, found)),
        tenant_known=True,
        model_escalates=answer.escalate is not None,
        rules=job.rules,
    )
    category = triggers[0].category if triggers else Category(answer.escalate or Category.LOW_CONFIDENCE)
    return Drafted(
        outcome=OUTCOME_OF[verdict.route],
        reasons=(*verdict.reasons, *_notes(job)),
        category=category if verdict.route is Route.ESCALATE else None,
        found=found,
        language=language.code,
        language_source=language.source,
        offer=offer,
        draft=Draft(
            text=attempt.text,
            language=language.code,
            confidence=confidence,
            gates=attempt.gates,
            model=attempt.model,
            prompt_version=prompts.PROMPT_VERSION,
            earlier_text=first.text if first else None,
            earlier_gates=first.gates if first else (),
        ),
    )


def _against_sending(job: TextToAnswer, found: Found) -> Iterator[str]:
    """What keeps a text from going out by itself, whatever it says."""
    yield from job.holds
    if job.escalated:
        yield "open_escalation"
    if not account.is_on_file(found.snapshot, job.phone):
        # The caller named the tenant, and the Monitor knows them by other numbers: somebody else may read this.
        yield "phone_not_on_file"


def _notes(job: TextToAnswer) -> tuple[str, ...]:
    """What a manager should know, though it decides nothing."""
    return ("prompt_injection",) if injection_note(job.tenant_message) else ()


def _offer(job: TextToAnswer, found: Found, *, structured: Proposal | None) -> PlanOffer | None:
    """What the tenant offers to pay, by the model's structured plan or by the tenant's own words."""
    extraction = extract(job.tenant_message, structured=structured, today=job.today)
    if extraction.plan is None and extraction.one_off is None:
        return None
    return PlanOffer(
        extraction=extraction, check=checked(extraction.plan, found, job.rules) if extraction.plan else None
    )


def checked(plan: Proposal, found: Found, rules: Rules) -> PlanCheck:
    """The plan against the rules; without a known debt nothing can be said to cover it."""
    owed, portion = account.owed(found.snapshot), account.portion(found.snapshot)
    check = check_plan(
        weekly_amount=plan.weekly_amount,
        weeks=plan.weeks,
        amount_owed=owed or Decimal(0),
        tenant_portion=portion or Decimal(0),
        rules=rules,
    )
    if owed is None:
        unknown = Issue(
            code="debt_unknown", message="Nobody knows how much is owed, so no plan can be said to cover it."
        )
        return replace(check, valid=False, auto_approvable=False, weeks_needed=None, issues=(*check.issues, unknown))
    return check
