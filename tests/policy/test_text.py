"""What every text goes through on its way in and out."""

import pytest

from approvals.policy.text import normalise, strip_control_lines, strip_invisible


@pytest.mark.parametrize(
    ("text", "visible"),
    [
        pytest.param("pay\u200b me\ufeff", "pay me", id="zero-width"),
        pytest.param("\u202egnp.exe\u202c", "gnp.exe", id="bidi-override"),
        pytest.param("hi\U000e0041\U000e0042", "hi", id="tag-characters"),
        pytest.param("a\x00b\x07\tc\nd", "ab\tc\nd", id="control-characters-but-tab-and-newline"),
        pytest.param("one\r\ntwo\rthree", "one\ntwo\nthree", id="line-ends-become-newlines"),
        pytest.param("cafe\u0301", "café", id="composed"),
        pytest.param("👨\u200d👩\u200d👧 ok", "👨\u200d👩\u200d👧 ok", id="a-joined-emoji-stays-whole"),
        pytest.param("s\u200dtop", "stop", id="a-joiner-between-letters-goes"),
        pytest.param("❤\ufe0f", "❤\ufe0f", id="the-colour-of-an-emoji-stays"),
        pytest.param("a\U000e0100b\u3164c", "abc", id="selectors-and-blank-letters"),
    ],
)
def test_invisible_characters_are_taken_out(text: str, visible: str) -> None:
    assert strip_invisible(text) == visible


@pytest.mark.parametrize(
    ("reply", "kept"),
    [
        pytest.param("Thanks!\nPAYMENT_PLAN: weekly=50, weeks=6", "Thanks!", id="plan-line"),
        pytest.param("ESCALATE: wants a manager\nThank you.", "Thank you.", id="the-words-after-the-marker-go-too"),
        pytest.param("**Payment_Plan:** weekly=50\nOk", "Ok", id="markdown-and-case"),
        pytest.param("Ok\n> - `escalate : yes`", "Ok", id="quote-list-and-code"),
        pytest.param("Ok\n```\nPAYMENT_PLAN: weekly=50\n```", "Ok", id="a-fence-goes-with-its-line"),
        pytest.param("PAYMENT\\_PLAN: weekly=50", "", id="escaped-underscore"),
        pytest.param(
            "I will escalate this. A payment plan: good idea.",
            "I will escalate this. A payment plan: good idea.",
            id="the-plain-words-stay",
        ),
    ],
)
def test_control_lines_are_taken_out_of_a_reply(reply: str, kept: str) -> None:
    assert strip_control_lines(reply) == kept


def test_words_are_compared_without_case_accents_and_curly_quotes() -> None:
    assert normalise("Semèn NÃO don’t ＡＢＣ") == "semen nao don't abc"
