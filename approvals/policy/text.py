"""What every text goes through: nothing invisible comes in or goes out, and no control line reaches a tenant."""

import re
import unicodedata

ZERO_WIDTH_JOINER = "\u200d"
# Letters and marks that are drawn as nothing although Unicode does not call them format characters.
_BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
# Selectors 15 and 16 choose between a drawn and a coloured emoji; the others can only smuggle data.
_EMOJI_SELECTORS = frozenset("\ufe0e\ufe0f")

_CONTROL_LINE = re.compile(r"^[\s>*_~`#\-•\"'(\[{|\\]*(?:escalate|payment\\?_plan)[\s*_`\"'\])}]*[:：]", re.IGNORECASE)
_FENCE = re.compile(r"^\s*```\w*\s*$")


def strip_invisible(text: str) -> str:
    """The text in NFC without zero-width, bidi, tag and control characters; new lines, tabs and joined emoji stay."""
    composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(
        character for place, character in enumerate(composed) if _is_visible(character) or _joins_emoji(composed, place)
    )


def strip_control_lines(text: str) -> str:
    """A model's reply without the lines that begin with `ESCALATE:` or `PAYMENT_PLAN:`, in any case or dress."""
    lines = text.split("\n")
    if not any(_CONTROL_LINE.match(line) for line in lines):
        return text.strip()
    # The fence of a fenced control line is part of its dress.
    kept = [line for line in lines if not _CONTROL_LINE.match(line) and not _FENCE.match(line)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


def normalise(text: str) -> str:
    """The form in which words are compared: visible, lower case, plain letters without accents, straight quotes."""
    compatible = unicodedata.normalize("NFKD", strip_invisible(text).casefold())
    plain = "".join(character for character in compatible if not unicodedata.combining(character))
    return plain.translate(_STRAIGHT)


_STRAIGHT = str.maketrans(
    {"‘": "'", "’": "'", "ʼ": "'", "`": "'", "´": "'", "“": '"', "”": '"', "–": "-", "—": " , ", "⁄": "/"}
)


def _is_visible(character: str) -> bool:
    if character in "\n\t" or character in _EMOJI_SELECTORS:
        return True
    if character in _BLANK_LETTERS or "\ufe00" <= character <= "\ufe0d" or "\U000e0100" <= character <= "\U000e01ef":
        return False
    return unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def _joins_emoji(text: str, place: int) -> bool:
    """A joiner stays only between two pictures, as in a family; elsewhere it hides something."""
    if text[place] != ZERO_WIDTH_JOINER or not 0 < place < len(text) - 1:
        return False
    return _is_picture(text[place - 1]) and _is_picture(text[place + 1])


def _is_picture(character: str) -> bool:
    return character in _EMOJI_SELECTORS or unicodedata.category(character) in {"So", "Sk"}
