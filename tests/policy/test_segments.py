"""How many text messages a text costs; the alphabet is checked against an independent implementation of GSM 03.38."""

import gsm0338
import pytest

from approvals.policy.segments import fold_accents, measure

_ORACLE = gsm0338.Codec()


def _septets(character: str) -> int | None:
    try:
        return len(_ORACLE.encode(character)[0])
    except UnicodeEncodeError:
        return None


@pytest.mark.parametrize("block", range(0, 0x2600, 0x100), ids=hex)
def test_the_alphabet_is_that_of_gsm_03_38(block: int) -> None:
    escape = 0x1B  # announces the extension table; alone it is no character
    for code in sorted({*range(block, block + 0x100)} - {escape}):
        size, expected = measure(chr(code)), _septets(chr(code))
        assert (size.units if size.encoding == "GSM-7" else None) == expected, f"U+{code:04X}"


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts", "left"),
    [
        pytest.param("", "GSM-7", 0, 0, 160, id="nothing"),
        pytest.param("a" * 160, "GSM-7", 160, 1, 0, id="a-full-part"),
        pytest.param("a" * 161, "GSM-7", 161, 2, 145, id="one-more"),
        pytest.param("a" * 306, "GSM-7", 306, 2, 0, id="two-full-parts"),
        pytest.param("a" * 307, "GSM-7", 307, 3, 152, id="two-parts-and-one"),
        pytest.param("[" * 80, "GSM-7", 160, 1, 0, id="a-bracket-counts-two"),
        pytest.param("[" * 81, "GSM-7", 162, 2, 143, id="a-bracket-is-not-torn-apart"),
        pytest.param("é" * 160, "GSM-7", 160, 1, 0, id="accents-inside-the-alphabet"),
        pytest.param("í" * 70, "UCS-2", 70, 1, 0, id="a-full-part-with-a-letter-outside"),
        pytest.param("í" * 71, "UCS-2", 71, 2, 63, id="one-more-with-a-letter-outside"),
        pytest.param("a" * 68 + "😀", "UCS-2", 70, 1, 0, id="an-emoji-counts-two"),
        pytest.param("a" * 66 + "😀" + "a" * 5, "UCS-2", 73, 2, 60, id="an-emoji-is-not-torn-apart"),
    ],
)
def test_a_text_costs(text: str, encoding: str, units: int, parts: int, left: int) -> None:
    size = measure(text)
    assert (size.encoding, size.units, size.parts, size.left) == (encoding, units, parts, left)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        pytest.param("¿Cuánto podría pagar, señor? ¡Sí!", "¿Cuanto podria pagar, señor? ¡Si!", id="spanish"),
        pytest.param("Não há preocupação, é só até amanhã", "Nao ha preocupacao, é so até amanha", id="portuguese"),
        pytest.param("“Don’t” – she said…", '"Don\'t" - she said...', id="typography"),
        pytest.param("mèsi, pa gen pwoblèm", "mèsi, pa gen pwoblèm", id="creole-is-inside-already"),
        pytest.param("see you 😀 יום", "see you 😀 יום", id="what-has-no-neighbour-stays"),
        pytest.param("cafe\u0301", "café", id="a-composed-letter-is-one-letter"),
    ],
)
def test_only_what_is_outside_the_alphabet_is_folded(text: str, folded: str) -> None:
    assert fold_accents(text) == folded


def test_folding_leaves_what_is_inside_and_brings_every_latin_letter_in() -> None:
    for code in (*range(0xC0, 0x180), *range(0x1E00, 0x1EFA)):
        letter = chr(code)
        folded = fold_accents(letter)
        assert folded == letter or measure(letter).encoding == "UCS-2"
        assert 1 <= len(folded) <= 2  # "ij" is one letter
