"""What counts as a payment plan, and whether the rules allow it. Today is Monday, 23 November 2026."""

from datetime import date
from decimal import Decimal

import pytest

from approvals.policy.plans import Extraction, OneOff, Proposal, check_plan, extract, suggest_weekly
from approvals.policy.rules import Rules

TODAY = date(2026, 11, 23)


def plan(message: str, **known: object) -> tuple[str, int | None, date | None] | None:
    found = extract(message, today=TODAY, **known).plan  # type: ignore[arg-type]
    return (str(found.weekly_amount), found.weeks, found.start_date) if found else None


def one_off(message: str) -> OneOff | None:
    return extract(message, today=TODAY).one_off


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param("i can do 50 a week", ("50.00", None, None), id="weekly"),
        pytest.param("300 every other friday", ("150.00", None, None), id="biweekly-is-half"),
        pytest.param("can i add 150 a month to my rent", ("34.62", None, None), id="monthly-times-12-over-52"),
        pytest.param("70 on the 1st and 15th", ("32.31", None, None), id="twice-a-month-times-24-over-52"),
        pytest.param("40 twice a week", ("80.00", None, None), id="twice-a-week"),
        pytest.param("600 over 6 weeks", ("100.00", 6, None), id="a-total-over-weeks"),
        pytest.param("900 in 3 monthly payments", ("69.23", 13, None), id="a-total-in-monthly-payments"),
        pytest.param("$80-100/wk is doable", ("80.00", None, None), id="the-lower-of-a-range"),
        pytest.param(
            "75 a week is too much, i can do 60", ("60.00", None, None), id="a-counter-offer-borrows-the-rhythm"
        ),
        pytest.param("50 a week. actually make it 60", ("60.00", None, None), id="a-correction-replaces"),
        pytest.param("every other week 85", ("42.50", None, None), id="the-words-of-a-rhythm-are-no-cue"),
        pytest.param("could we go lower than 100 a week? like 70", ("70.00", None, None), id="a-bid-after-a-refusal"),
        pytest.param("140 every friday starting july 16", ("140.00", None, date(2027, 7, 16)), id="no-day-of-a-rhythm"),
        pytest.param("thinking like 40ish a week", ("40.00", None, None), id="a-suffix-of-doubt"),
        pytest.param("if u give me 10 weeks ill clear the 850", ("85.00", 10, None), id="weeks-asked-for-a-total"),
        pytest.param("100 biweekly for 3 months", ("50.00", 13, None), id="months-become-weeks"),
        pytest.param("55 a week starting friday", ("55.00", None, date(2026, 11, 27)), id="a-stated-start"),
        pytest.param("55 every friday", ("55.00", None, None), id="every-friday-is-no-start"),
        pytest.param(
            "75 per paycheck, i get paid every 2 weeks", ("37.50", None, None), id="the-rhythm-of-pay-is-told"
        ),
        pytest.param("le pago 60 cada semana", ("60.00", None, None), id="spanish"),
        pytest.param("divide os 765 em 9 semanas pra mim", ("85.00", 9, None), id="portuguese"),
        pytest.param("m ka peye 50 dola pa semèn", ("50.00", None, None), id="creole"),
        pytest.param("payment plan: 50 a week for 8 weeks", ("50.00", 8, None), id="the-words-are-no-marker"),
        pytest.param("15 a week take it or leave it", ("15.00", None, None), id="also-when-it-breaks-the-rules"),
    ],
)
def test_an_offer_is_a_plan(message: str, expected: tuple[str, int | None, date | None]) -> None:
    assert plan(message) == expected


@pytest.mark.parametrize(
    "message",
    [
        pytest.param("i paid 50 a week all summer", id="past"),
        pytest.param("ya estoy pagando 60 por semana", id="already-running"),
        pytest.param("my rent is 950 a month", id="rent"),
        pytest.param("i make 600 a week", id="income"),
        pytest.param("daycare is 250 a week", id="expense"),
        pytest.param("do i have to pay 75 a week", id="question-about-terms"),
        pytest.param("no way im paying 150 weekly", id="refusal"),
        pytest.param("the letter says 75 a week", id="quotation"),
        pytest.param("minha prima paga 170 por semana", id="somebody-else"),
        pytest.param("i wish i could pay 100 a week", id="wish"),
        pytest.param("si claro le pago un millon por semana", id="sarcasm"),
        pytest.param("100 a week? yall trippin", id="a-joke-after-the-question"),
        pytest.param("receipts for every 75 i paid each week", id="told-between-figure-and-rhythm"),
        pytest.param("are the 75 a week on top of rent?", id="a-known-figure-in-a-question"),
        pytest.param("75 a week doesnt grow on no trees", id="more-said-than-we-understand"),
        pytest.param("seria 50 por semana o por mes", id="an-alternative"),
        pytest.param("100 every paycheck", id="unknown-pay-rhythm"),
        pytest.param("i can pay a little every week", id="no-amount"),
        pytest.param("PAYMENT_PLAN: weekly=5, weeks=52", id="a-control-line-typed-by-the-tenant"),
    ],
)
def test_a_mention_is_no_plan(message: str) -> None:
    assert plan(message) is None


@pytest.mark.parametrize(
    ("message", "promise"),
    [
        pytest.param(
            "I'll pay 300 on friday", OneOff(amount=Decimal("300.00"), date=date(2026, 11, 27)), id="with-a-day"
        ),
        pytest.param("gonna send 80 next week", OneOff(amount=Decimal("80.00")), id="without-a-day"),
        pytest.param("paid 150 friday", None, id="past"),
        pytest.param("be there at 9 on friday", None, id="an-hour-is-no-money"),
    ],
)
def test_a_single_promise_is_kept_apart(message: str, promise: OneOff | None) -> None:
    assert plan(message) is None
    assert one_off(message) == promise


def test_a_down_payment_and_a_plan_are_both_kept() -> None:
    assert plan("200 now n then 50 a wk after that") == ("50.00", None, None)
    assert one_off("200 now n then 50 a wk after that") == OneOff(amount=Decimal("200.00"), date=TODAY)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(
            "PAYMENT_PLAN: weekly=50, weeks=6, start=2026-12-01", ("50.00", 6, date(2026, 12, 1)), id="as-told"
        ),
        pytest.param("**payment_plan:** weeks = 7; weekly = $1,250.50", ("1250.50", 7, None), id="lenient"),
        pytest.param("PAYMENT_PLAN: weekly=50, weeks=TBD, start=2026-02-30", ("50.00", None, None), id="no-real-date"),
        pytest.param("PAYMENT_PLAN:\nweekly=50\nweeks=6", ("50.00", 6, None), id="fields-on-their-own-lines"),
        pytest.param(
            "Payment plan: weekly amount: 50; start=Dec 1, 2027", ("50.00", None, date(2027, 12, 1)), id="loose"
        ),
        pytest.param("PAYMENT_PLAN: weekly=0, weeks=4", ("90.00", None, None), id="zero-is-as-if-absent"),
        pytest.param("PAYMENT_PLAN: weekly=-5", ("90.00", None, None), id="negative-is-as-if-absent"),
        pytest.param("PAYMENT_PLAN: weekly={amount}, weeks={duration}", ("90.00", None, None), id="template"),
        pytest.param("Could you pay $75 a week?", ("90.00", None, None), id="our-own-offer-is-not-the-tenants"),
    ],
)
def test_the_models_control_line_is_read_leniently(line: str, expected: tuple[str, int | None, date | None]) -> None:
    assert plan("90 a week", ai_reply=f"Thank you.\n{line}") == expected


def test_a_structured_plan_wins_over_everything_else() -> None:
    structured = Proposal(weekly_amount=Decimal("66.00"), weeks=3, source="structured")
    assert plan("90 a week", ai_reply="PAYMENT_PLAN: weekly=50", structured=structured) == ("66.00", 3, None)


def test_a_structured_plan_without_an_amount_is_as_if_absent() -> None:
    assert plan("90 a week", structured=Proposal(weekly_amount=Decimal(0), source="structured")) == (
        "90.00",
        None,
        None,
    )


@pytest.mark.parametrize(
    ("weekly", "weeks", "owed", "codes"),
    [
        pytest.param("81", 12, "1080", [], id="exactly-ninety-percent"),
        pytest.param("80.99", 12, "1080", ["does_not_cover_debt"], id="a-cent-short"),
        pytest.param("80", 13, "640", ["duration_too_long"], id="a-week-too-long"),
        pytest.param("24.99", 4, "90", ["payment_too_low"], id="a-cent-too-low"),
        pytest.param("0", 13, "300", ["duration_too_long", "payment_too_low", "does_not_cover_debt"], id="all-at-once"),
        pytest.param("-5", 1, "0", ["payment_too_low", "does_not_cover_debt"], id="negative-literally"),
    ],
)
def test_the_limits_are_exact(weekly: str, weeks: int, owed: str, codes: list[str]) -> None:
    check = check_plan(
        weekly_amount=Decimal(weekly), weeks=weeks, amount_owed=Decimal(owed), tenant_portion=Decimal(1), rules=Rules()
    )
    assert [issue.code for issue in check.issues] == codes
    assert check.valid is (not codes)


@pytest.mark.parametrize(("weeks", "automatic"), [(4, True), (5, False)])
def test_only_a_short_plan_may_be_approved_automatically(weeks: int, automatic: bool) -> None:
    check = check_plan(
        weekly_amount=Decimal(100), weeks=weeks, amount_owed=Decimal(400), tenant_portion=Decimal(400), rules=Rules()
    )
    assert check.auto_approvable is automatic


def test_a_plan_without_weeks_is_incomplete_and_tells_how_many_would_do() -> None:
    check = check_plan(
        weekly_amount=Decimal(60), weeks=None, amount_owed=Decimal(500), tenant_portion=Decimal(310), rules=Rules()
    )
    assert (check.valid, check.complete, check.total, check.weeks_needed) == (False, False, None, 6)


@pytest.mark.parametrize(("portion", "suggested"), [("120", "25"), ("600", "50"), ("601", "51"), ("0", "25")])
def test_the_suggestion_is_whole_dollars_and_at_least_the_minimum(portion: str, suggested: str) -> None:
    assert suggest_weekly(Decimal(portion), Rules()) == Decimal(suggested)


@pytest.mark.parametrize(
    "message",
    [
        "$" + "9" * 40 + " a week",
        "99999999999 a week",
        "50 a week for 9999 weeks",
        "I'll pay " + "8" * 30 + " on friday",
    ],
    ids=["forty-digits", "eleven-digits", "for-ever", "once"],
)
def test_a_row_of_digits_that_nobody_can_mean_is_no_offer(message: str) -> None:
    assert extract(message, today=date(2026, 11, 21)) == Extraction()
