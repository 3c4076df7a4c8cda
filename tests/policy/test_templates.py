"""The fixed texts."""

import pytest

from approvals.policy.language import detect
from approvals.policy.languages import languages, section
from approvals.policy.segments import measure
from approvals.policy.templates import Template, fixed_text

COMPANY = "Stanton Management"
TRANSLATED = [code for code in languages() if section(code, "templates")]


@pytest.mark.parametrize("template", Template)
@pytest.mark.parametrize("language", TRANSLATED)
def test_a_fixed_text_fits_one_message_in_its_language(language: str, template: Template) -> None:
    text = fixed_text(template, language=language, company=COMPANY)
    assert measure(text).parts == 1
    assert COMPANY in text
    assert detect(text.replace(COMPANY, "")).code == language


@pytest.mark.parametrize("language", [None, "he", "xx"])
def test_a_language_without_texts_is_answered_in_english(language: str | None) -> None:
    expected = fixed_text(Template.HELP, language="en", company=COMPANY)
    assert fixed_text(Template.HELP, language=language, company=COMPANY) == expected


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_wrong_number_learns_nothing(language: str) -> None:
    text = fixed_text(Template.WRONG_NUMBER, language=language, company="X").casefold()
    assert not any(character.isdigit() or character == "$" for character in text)
    assert not any(word in text for word in ("rent", "alquiler", "renta", "aluguel", "lwaye", "balance", "saldo"))
