"""The notation of the language files, and the files themselves."""

import pytest

from approvals.policy import languages
from approvals.policy.escalation import Category
from approvals.policy.lexicon import spelt_out, words_of
from approvals.policy.opt_out import Consent
from approvals.policy.phrasebook import Phrasebook
from approvals.policy.text import normalise
from approvals.policy.vocabulary import phrasebook
from approvals.policy.words import read

CLASSES = {"boss": ["manager", "head of the office"], "negation": ["not"]}


def finds(phrase: str, message: str) -> bool:
    return bool(list(Phrasebook([("en", "label", phrase)], {"en": CLASSES}).find(read(message))))


@pytest.mark.parametrize(
    ("phrase", "message", "is_found"),
    [
        pytest.param("call me", "call me please", True, id="words"),
        pytest.param("call me", "recall men", False, id="whole-words-only"),
        pytest.param("do not call", "dont call", True, id="any-spelling"),
        pytest.param("(call|text) me", "text me", True, id="alternatives"),
        pytest.param("call the? <boss>", "call head of the office", True, id="classes-and-optional-words"),
        pytest.param("call .. now", "call me please now", True, id="a-gap"),
        pytest.param("call .. now", "call me, now", False, id="no-gap-over-a-comma"),
        pytest.param("i .. call", "i will not call", False, id="no-gap-over-a-negation"),
        pytest.param("i ... call", "i will not, so call", True, id="the-wide-gap-knows-only-sentences"),
        pytest.param("pay #", "pay fifty", True, id="a-number-in-words"),
        pytest.param("the &", "the 3rd", True, id="an-ordinal"),
        pytest.param("^ stop $", "ok. stop.", True, id="a-sentence-of-its-own"),
        pytest.param("^ stop $", "please stop here", False, id="not-within-a-sentence"),
        pytest.param("ok ¿", "friday ok?", True, id="a-question-mark"),
        pytest.param("suic*", "suicidal", True, id="a-beginning"),
        pytest.param("you (so|very)* late", "you so very late", True, id="repetition"),
        pytest.param("fee + wrong", "this fee is all wrong", True, id="both"),
        pytest.param("fee + wrong", "wrong is what this fee is", True, id="both-in-the-other-order"),
        pytest.param("fee + wrong", "this fee. wrong key", False, id="both-but-in-two-sentences"),
    ],
)
def test_the_notation_means_what_it_says(phrase: str, message: str, is_found: bool) -> None:
    assert finds(phrase, message) is is_found


def test_a_phrase_of_a_language_that_is_not_spoken_is_not_found() -> None:
    book = Phrasebook([("es", "label", "no")], {})
    assert not list(book.find(read("there is no heat in my apartment today")))


@pytest.mark.parametrize(
    ("phrase", "problem"),
    [("call <nobody>", "no language file"), ("call) me", "cannot read"), ("(kids?|dogs)", "is empty")],
)
def test_a_faulty_phrase_is_refused(phrase: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Phrasebook([("en", "label", phrase)], {})


PARTS = [
    (section, part)
    for section in ("plans", "escalation", "opt_out", "holds")
    for part in dict.fromkeys(part for code in languages.languages() for part in languages.section(code, section))
    if part not in {"words", "keywords", "polite"}
]


@pytest.mark.parametrize(("section", "part"), PARTS, ids=".".join)
def test_every_phrase_of_every_language_file_can_be_read(section: str, part: str) -> None:
    phrasebook(section, part)


@pytest.mark.parametrize("code", languages.languages())
def test_the_labels_of_a_language_file_are_known_to_the_rules(code: str) -> None:
    assert set(languages.section(code, "escalation").get("phrases", {})) <= set(Category)
    assert set(languages.section(code, "opt_out").get("phrases", {})) <= set(Consent)


@pytest.mark.parametrize("code", languages.languages())
def test_no_misspelling_in_one_language_is_a_proper_word_of_it(code: str) -> None:
    for meant, variants in languages.section(code, "spelling").items():
        for written in variants:
            word = normalise(written)
            assert word not in words_of(code) or spelt_out(word) == [word], f"{written} is a word, not {meant}"
