"""Which language a text is in, and the names that upstream services give to languages."""

from decimal import Decimal

import pytest

from approvals.policy.language import detect, language_code, language_name


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("can i pay half on friday", "en", id="english"),
        pytest.param("puedo pagar la mitad el viernes", "es", id="spanish"),
        pytest.param("posso pagar a metade na sexta", "pt", id="portuguese"),
        pytest.param("eske m ka peye mwatye vandredi", "ht", id="creole"),
        pytest.param("אפשר לשלם חצי ביום שישי", "he", id="hebrew"),
        pytest.param("voy a la office con el money order", "es", id="most-words-decide"),
        pytest.param("grasiaaaas ya pagueeee", "es", id="stretched-and-misspelt"),
        pytest.param("NAO POSSO AGORA", "pt", id="capitals-without-accents"),
    ],
)
def test_a_few_sloppy_words_tell_the_language(text: str, code: str) -> None:
    assert detect(text).code == code


@pytest.mark.parametrize("text", ["", "  ", "👍", "50", "$100 12/5", "https://pay.example.com/es"])
def test_a_text_without_words_has_the_language_of_the_thread(text: str) -> None:
    assert detect(text).code is None
    assert detect(text, prior="ht").code == "ht"
    assert detect(text, prior="ht").certainty == 0


def test_a_word_of_every_language_has_the_language_of_the_thread() -> None:
    assert {code: detect("ok", prior=code).code for code in ("en", "es", "pt", "ht")} == {
        "en": "en",
        "es": "es",
        "pt": "pt",
        "ht": "ht",
    }


def test_the_thread_does_not_outvote_a_clear_text() -> None:
    assert detect("thank you for your help with the payment", prior="es").code == "en"


def test_certainty_is_a_probability_that_grows_with_the_text() -> None:
    short, long = detect("no puedo"), detect("no puedo pagar la renta esta semana porque perdí el trabajo")
    assert Decimal(0) < short.certainty < long.certainty <= Decimal(1)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("spanish", "es"),
        ("Español", "es"),
        ("ESPANOL", "es"),
        ("es", "es"),
        ("es-MX", "es"),
        ("pt_BR", "pt"),
        ("Portuguese", "pt"),
        ("haitian creole", "ht"),
        ("Kreyòl", "ht"),
        ("kreyol", "ht"),
        ("english", "en"),
        ("hebrew", "he"),
        ("Klingon", None),
        ("", None),
        (None, None),
    ],
)
def test_a_language_has_many_names(name: str | None, code: str | None) -> None:
    assert language_code(name) == code


def test_an_unknown_code_is_its_own_name() -> None:
    assert language_name("ht") == "Haitian Creole"
    assert language_name("fr") == "fr"
