"""How a message is read into one canonical row of words."""

from decimal import Decimal

import pytest

from approvals.policy.numbers import figure_from_digits, number_in_words
from approvals.policy.words import read


@pytest.mark.parametrize(
    ("message", "text"),
    [
        pytest.param("Ill pay u FIFTY $ a wk!!", " . i will pay you 50 a week ! ", id="texting"),
        pytest.param("stoooop plz", " . stop please . ", id="stretched-letters"),
        pytest.param("my laywer", " . my lawyer . ", id="swapped-letters"),
        pytest.param("m'ap peye w", " . m ap peye w . ", id="creole-contraction"),
        pytest.param("$1,250.50 by 4/2, ok?", " . 1250.50 by @4/2 , ok ? ", id="money-date-pause-question"),
        pytest.param("call 203-555-0144 at 5pm", " . call ~phone at ~5pm . ", id="telephone-and-time"),
        pytest.param("cento e vinte por semana", " . 120 por semana . ", id="portuguese-number"),
        pytest.param("de san dola", " . 200 . ", id="creole-number-with-money-word"),
        pytest.param("two hundred fifty", " . 250 . ", id="english-number"),
        pytest.param("one fifty a week", " . 150 a week . ", id="one-fifty"),
    ],
)
def test_a_message_is_written_out(message: str, text: str) -> None:
    assert read(message).text == text


@pytest.mark.parametrize("word", ["count", "fired", "lower", "house"])
def test_an_ordinary_word_is_not_corrected_into_another(word: str) -> None:
    assert word in read(f"the {word} today").vocabulary


@pytest.mark.parametrize(
    ("written", "value"),
    [("1,200", "1200"), ("1.200", "1200"), ("62,50", "62.50"), ("$1.5k", "1500.0"), ("50.00", "50.00")],
)
def test_separators_are_told_apart(written: str, value: str) -> None:
    assert figure_from_digits(written).value == Decimal(value)


def test_a_word_that_two_languages_share_is_a_number_only_where_its_language_goes_on() -> None:
    assert number_in_words(["once", "a", "week"]) is None
    assert number_in_words(["once", "semanas"]) is not None


@pytest.mark.parametrize(
    ("message", "language"),
    [
        ("i can pay on friday", "en"),
        ("puedo pagar el viernes", "es"),
        ("posso pagar na sexta", "pt"),
        ("m ap peye vandredi", "ht"),
    ],
)
def test_a_message_is_read_in_its_own_language(message: str, language: str) -> None:
    assert read(message).spoken == {language}
