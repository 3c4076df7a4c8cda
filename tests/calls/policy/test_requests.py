"""A message read alone: what it wants, the telephone number or its problem, whom to call and what to say."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from calls.policy.intents import after_the_answer, is_no, is_undecided, is_yes
from calls.policy.phone_numbers import BadNumber, PhoneProblem, find_number
from calls.policy.requests import contact_told, read_request, same_name

REPOSITORY = Path(__file__).parents[3]
HELD_OUT = REPOSITORY / "tests" / "corpora" / "held_out" / "call_requests.jsonl"
OURS = REPOSITORY / "tests" / "corpora" / "call_requests.jsonl"
SHARED = REPOSITORY.parent / "shared" / "corpora" / "call_requests.jsonl"
SUMMARY = "I will call the pizza place at (718) 555-0123 and say: order two pizzas for 7 pm. Shall I?"


@pytest.mark.parametrize(
    "message",
    [
        "yes",
        "Yes, please!",
        "confirm",
        "ok go ahead",
        "👍",
        "yes, call the pizza place",
        "yes order two pizzas",
        "that's right, thanks",
        "כן",
        "כן, תתקשר",
        "מאשר, קדימה",
        "y\u200bes",
    ],
)
def test_an_explicit_yes_is_a_yes(message: str) -> None:
    assert is_yes(message, about=SUMMARY)


@pytest.mark.parametrize(
    "message",
    [
        "no, that is not correct",
        "deliver to Brooklyn",
        "yes, deliver to Brooklyn",
        "yes but make it three",
        "ok wait",
        "not yes",
        "is that right?",
        "yes?",
        "sure, but later",
        "yes, three pizzas",
        "yes 718-555-9999",
        "call",
        "the pizza place",
        "confirm the reservation for 8 with Dana",
        "I don't think that's right",
        "כן, אבל לא עכשיו",
        "לא נכון",
        "תתקשר רק מחר",
        "",
        "!",
    ],
)
def test_anything_else_is_no_yes(message: str) -> None:
    assert not is_yes(message, about=SUMMARY)


@pytest.mark.parametrize(
    ("message", "undecided"),
    [
        ("wait", True),
        ("hold on...", True),
        ("yes no", True),
        ("sure, cancel", True),
        ("לא כן", True),
        ("רגע", True),
        ("yes", False),
        ("no", False),
        ("wait, make it two", False),
        ("yes but make it 6pm", False),
        ("no onions", False),
    ],
)
def test_an_answer_that_decides_nothing_is_known(message: str, undecided: bool) -> None:
    assert is_undecided(message) is undecided


@pytest.mark.parametrize(
    ("message", "rest"),
    [
        ("yes, but make it 6pm", "make it 6pm"),
        ("Yes. Also tell them I'm late", "Also tell them I'm late"),
        ("כן, רק בלי זיתים", "רק בלי זיתים"),
        ("no onions", "no onions"),
        ("right away please", "right away please"),
        ("yes", "yes"),
    ],
)
def test_a_change_that_begins_with_an_answer_is_told_without_it(message: str, rest: str) -> None:
    assert after_the_answer(message) == rest


@pytest.mark.parametrize(
    ("message", "no"), [("no", True), ("No, thanks.", True), ("לא תודה", True), ("no onions", False)]
)
def test_a_plain_no_says_nothing_else(message: str, no: bool) -> None:
    assert is_no(message) is no


@pytest.mark.parametrize(
    ("message", "region", "e164"),
    [
        pytest.param("054-555-0112", "IL", "+972545550112", id="local-israeli"),
        pytest.param("תתקשר ל03-555-1234", "IL", "+97235551234", id="preposition-written-together"),
        pytest.param("(212) 555-0187 x12", "US", "+12125550187", id="extension"),
        pytest.param("212-555-0187 2 times", "US", "+12125550187", id="another-digit-beside-it"),
        pytest.param("order 4471902233, call 800-555-0199", "US", "+18005550199", id="order-number-before"),
        pytest.param("212-555-0187 and again 2125550187", "US", "+12125550187", id="the-same-twice"),
        pytest.param("٠٥٤٥٥٥٠١١٢", "IL", "+972545550112", id="arabic-digits"),
        pytest.param("+972 (0)54-555-0112", "US", "+972545550112", id="trunk-zero"),
        pytest.param("call 1-800-MY-APPLE", "US", "+18006927753", id="a-short-word-in-a-number-of-letters"),
        pytest.param("order 800 napkins, call 212-555-0134", "US", "+12125550134", id="800-of-something"),
        pytest.param("the courier of the delivery +972 53-555-0119", "IL", "+972535550119", id="label-before-a-plus"),
        pytest.param("I take the apartment. 718-555-0108", "US", "+17185550108", id="label-ends-a-sentence"),
    ],
)
def test_a_number_is_found_however_it_is_written(message: str, region: str, e164: str) -> None:
    assert find_number(message, region).e164 == e164


@pytest.mark.parametrize(
    ("message", "region", "problem", "bad"),
    [
        pytest.param("call 911", "US", PhoneProblem.INVALID, BadNumber.EMERGENCY, id="emergency"),
        pytest.param("תתקשר ל100", "IL", PhoneProblem.INVALID, BadNumber.EMERGENCY, id="israeli-police"),
        pytest.param("call 1-900-555-0123", "US", PhoneProblem.INVALID, BadNumber.PREMIUM, id="premium"),
        pytest.param("call 555-0142", "US", PhoneProblem.INVALID, BadNumber.NOT_VALID, id="seven-digits"),
        pytest.param("call #250 and say lawyer", "US", PhoneProblem.INVALID, BadNumber.NOT_VALID, id="hash-number"),
        pytest.param("call +44 909 879 0000", "US", PhoneProblem.INVALID, BadNumber.PREMIUM, id="premium-abroad"),
        pytest.param("call 011 44 909 879 0000", "US", PhoneProblem.INVALID, BadNumber.PREMIUM, id="premium-by-011"),
        pytest.param("call 9\u200b1\u06611", "US", PhoneProblem.INVALID, BadNumber.EMERGENCY, id="emergency-disguised"),
        pytest.param("call 44 20 7946 0958", "US", PhoneProblem.INVALID, BadNumber.NOT_VALID, id="abroad-without-plus"),
        pytest.param("תתקשר לאמבולנס 101 מהר", "IL", PhoneProblem.INVALID, BadNumber.EMERGENCY, id="after-whom"),
        pytest.param("call room service, 212 chairs", "US", PhoneProblem.MISSING, None, id="a-count-after-whom"),
        pytest.param("call *2700", "IL", PhoneProblem.INVALID, BadNumber.NOT_VALID, id="star-number"),
        pytest.param("on 12/05/2026 at 10:30 for $1500.00", "US", PhoneProblem.MISSING, None, id="dates-and-amounts"),
        pytest.param("card 4580 1234 5678 9012", "US", PhoneProblem.MISSING, None, id="card"),
        pytest.param("ת.ז. 034567891", "IL", PhoneProblem.MISSING, None, id="identity-number"),
        pytest.param("212-555-0187 or 646-555-0111", "US", PhoneProblem.MULTIPLE, None, id="two-numbers"),
    ],
)
def test_what_cannot_be_called_says_why(
    message: str, region: str, problem: PhoneProblem, bad: BadNumber | None
) -> None:
    found = find_number(message, region)
    assert (found.e164, found.problem, found.bad) == (None, problem, bad)


@pytest.mark.parametrize(
    ("message", "region", "e164"),
    [
        pytest.param("call two oh three five five five oh one three five", "US", "+12035550135", id="digit-by-digit"),
        pytest.param("dial eight six zero, five five five, zero one nine two", "US", "+18605550192", id="in-groups"),
        pytest.param(
            "ring area code two one two, double five five, oh one eighty seven", "US", "+12125550187", id="tens"
        ),
        pytest.param("One eight hundred, two two one, twelve twelve", "US", "+18002211212", id="hundred"),
        pytest.param("call plus one two one two five five five oh one eight seven", "US", "+12125550187", id="plus"),
        pytest.param("call two one two 555 0187 and say hi", "US", "+12125550187", id="words-and-digits"),
        pytest.param(
            "call mom at seven, two oh three five five five oh one three five", "US", "+12035550135", id="time"
        ),
        pytest.param("אפס חמש ארבע חמש חמש חמש אפס אחת תשע שמונה", "IL", "+972545550198", id="hebrew"),
        pytest.param(
            "תתקשר לאפס חמישים ושתיים חמש חמש חמש אפס אחת ארבעים ושבע", "IL", "+972525550147", id="hebrew-tens"
        ),
    ],
)
def test_a_number_is_found_in_words(message: str, region: str, e164: str) -> None:
    assert find_number(message, region).e164 == e164


@pytest.mark.parametrize(
    "message",
    [
        "call me in five",
        "book a table for two at seven thirty, one or two of us come later",
        "order three, two, one and five of them",
        "my order number is one two three four five six seven eight nine oh",
        "count one two three four five six seven eight nine ten",
        "תתקשר אליי בעוד חמש דקות",
    ],
)
def test_other_numbers_in_words_are_none(message: str) -> None:
    assert find_number(message, "US").problem is PhoneProblem.MISSING


def test_a_number_in_words_that_is_too_short_is_said_as_it_was_written() -> None:
    found = find_number("call two oh three five five five oh one three", "US")
    assert (found.problem, found.candidates[0].raw) == (
        PhoneProblem.INVALID,
        "two oh three five five five oh one three",
    )


@pytest.mark.parametrize(
    ("message", "who", "says_what"),
    [
        ("call Pizza Place at 718-555-0123 and order a margherita", "Pizza Place", True),
        ("please call my mom 718-555-0123", "my mom", False),
        ("718-555-0123", "", False),
        ("תתקשר לפיצה שמש 03-555-1234 ותזמין פיצה", "פיצה שמש", True),
        ("תתקשר לאמא", "אמא", False),
    ],
)
def test_whom_and_what_are_told_apart(message: str, who: str, says_what: bool) -> None:
    request = read_request(message, "US")
    assert (request.who, request.says_what) == (who, says_what)


def test_instructions_lose_the_number_and_keep_the_rest() -> None:
    request = read_request("hey could u call 860.555.0136 n see if they're still open", "US")
    assert request.instructions == "Call n see if they're still open"


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("call 718-555-0123 now without asking me and order pizza", "Call and order pizza"),
        ("call Bob at 718-555-0123, don't ask me again, and say hello", "Call Bob, and say hello"),
        ("תתקשר לפיצה 03-555-1234 בלי לשאול ותזמין פיצה", "תתקשר לפיצה ותזמין פיצה"),
        ("call 718-555-0123 and order without asking about the price", "Call and order without asking about the price"),
        ("call 718-555-0123 and haggle the rent down to 1800", "Call and haggle the rent down to 1800"),
    ],
)
def test_what_is_said_to_us_alone_is_not_said_on_the_call(message: str, told: str) -> None:
    assert read_request(message, "US").instructions == told


def test_a_contact_is_remembered_only_when_no_call_is_asked_for() -> None:
    told = contact_told("my dentist's number is 212-555-0187", "US")
    assert told is not None
    assert (told.name, told.e164) == ("dentist", "+12125550187")
    assert contact_told("call my dentist, the number is 212-555-0187", "US") is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("my Pizza Place", "the pizza place", True),
        ("הפיצריה", "פיצריה", True),
        ("dentist", "the bank", False),
        ("", "x", False),
    ],
)
def test_names_are_compared_by_what_matters(one: str, other: str, same: bool) -> None:
    assert same_name(one, other) is same


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(OURS, id="ours"),
        pytest.param(HELD_OUT, id="held-out"),
        pytest.param(SHARED, id="shared", marks=pytest.mark.skipif(not SHARED.exists(), reason="no ../shared/corpora")),
    ],
)
def test_the_corpus_is_read_as_labelled(path: Path) -> None:
    """Our own rows were corrected against, so nearly all must be right; `manage.py scorecorpora` prints the scores."""
    listed = rows(path)
    readings = [(row["expect"], read_request(row["message"], row["region"])) for row in listed]
    intents = sum(got.intent == want["intent"] for want, got in readings)
    phones = sum(
        (got.phone_e164, got.phone_problem) == (want["phone_e164"], want["phone_problem"]) for want, got in readings
    )
    told = sum(
        all(part.casefold() in got.instructions.casefold() for part in want["instructions_contains"])
        for want, got in readings
    )
    assert intents >= 0.98 * len(listed)
    assert phones >= 0.99 * len(listed)
    assert told >= 0.98 * len(listed)


@pytest.mark.parametrize(
    "piece",
    ["1 ", "call ", "(", "a", "לא ", "please ", "555-", "-", "yes and ", "one ", "one, ", "שש 5 ", "fifty-five."],
)
def test_a_hostile_message_is_read_in_no_time(piece: str) -> None:
    message = (piece * 2000)[:2000]
    started = time.process_time()
    read_request(message, "US")
    assert time.process_time() - started < 2
