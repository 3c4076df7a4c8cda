"""Which words bring a person in, and how soon."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from approvals.policy.escalation import Category, Severity, due_at, find_triggers, severity_of
from approvals.policy.plans import Proposal, extract
from approvals.policy.rules import Rules

NEW_YORK = ZoneInfo("America/New_York")


def categories(message: str) -> list[str]:
    plan = extract(message, today=date(2026, 11, 23)).plan
    return [trigger.category.value for trigger in find_triggers(message, plan=plan, rules=Rules())]


@pytest.mark.parametrize(
    ("message", "category"),
    [
        ("if u put me out ill kill myself", "self_harm_or_emergency"),
        ("mi mama no respira", "self_harm_or_emergency"),
        ("i have a lawyer now dont talk to me talk to him", "attorney_represented"),
        ("to em processo de bankruptcy, nao podem me cobrar", "bankruptcy"),
        ("vou procurar um advogado", "legal"),
        ("u stupid idiots cant even count", "hostile"),
        ("chif sa a pa bon", "dispute"),
        ("m bezwen pale ak yon moun tout bon, pa yon machin", "supervisor_request"),
        ("i can do 20 weekly", "unrealistic_proposal"),
        ("can i pay it off over a year", "unrealistic_proposal"),
    ],
)
def test_a_trigger_is_heard_in_every_language(message: str, category: str) -> None:
    assert categories(message)[0] == category


@pytest.mark.parametrize(
    "message",
    [
        "pls reissue the receipt, my printer ate it",
        "as a courtesy can you waive the fee this once",
        "pursuing a nursing degree so money is tight",
        "meet me by the basketball court at 5",
        "my cousin sue is bringing the check",
        "this weather is killing my mood",
        "my manager cut my hours",
        "my employer went bankrupt",
        "ese carro no es mio es del vecino",
        "tenho audiencia de imigracao amanha",
        "alam dife a bezwen batri",
        "25 a week is what i can do",
    ],
)
def test_an_innocent_sense_is_no_trigger(message: str) -> None:
    assert categories(message) == []


def test_the_gravest_trigger_comes_first() -> None:
    found = categories("you idiots i will sue you and kill myself")
    assert found[:3] == ["self_harm_or_emergency", "legal", "hostile"]


def test_a_trigger_says_which_words_gave_it() -> None:
    (trigger,) = find_triggers("im gonna sue yall", plan=None, rules=Rules())
    assert "sue" in trigger.phrase.split()


@pytest.mark.parametrize(
    ("weekly", "weeks", "is_unrealistic"),
    [("24.99", None, True), ("25", None, False), ("40", 20, False), ("40", 21, True)],
    ids=["under-the-minimum", "the-minimum", "twenty-weeks", "longer"],
)
def test_an_unrealistic_plan_is_a_trigger(weekly: str, weeks: int | None, is_unrealistic: bool) -> None:
    plan = Proposal(weekly_amount=Decimal(weekly), weeks=weeks)
    found = find_triggers("ok", plan=plan, rules=Rules())
    assert [trigger.category for trigger in found] == [Category.UNREALISTIC_PROPOSAL] * is_unrealistic


@pytest.mark.parametrize(
    ("severity", "now", "due"),
    [
        pytest.param(Severity.CRITICAL, "2026-11-27 16:00", "2026-11-27 16:00", id="critical-is-now"),
        pytest.param(Severity.HIGH, "2026-11-27 16:00", "2026-11-27 17:00", id="high-is-today"),
        pytest.param(Severity.HIGH, "2026-11-26 18:00", "2026-11-27 17:00", id="after-the-close-is-tomorrow"),
        pytest.param(Severity.LOW, "2026-11-27 09:00", "2026-11-30 17:00", id="low-skips-the-weekend"),
        pytest.param(Severity.MEDIUM, "2026-11-28 09:00", "2026-11-30 17:00", id="saturday-waits-for-monday"),
    ],
)
def test_severity_sets_the_clock(severity: Severity, now: str, due: str) -> None:
    def at(written: str) -> datetime:
        return datetime.strptime(written, "%Y-%m-%d %H:%M").replace(tzinfo=NEW_YORK)

    assert due_at(severity, now=at(now).astimezone(UTC), time_zone="America/New_York") == at(due)


def test_danger_to_life_is_critical_and_a_slow_answer_is_not() -> None:
    assert severity_of(Category.SELF_HARM_OR_EMERGENCY) is Severity.CRITICAL
    assert severity_of(Category.NO_RESPONSE) is Severity.LOW
