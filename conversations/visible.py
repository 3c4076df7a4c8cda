"""Nothing invisible comes in or goes out: such characters hide words from people and from rules. Pure."""

import unicodedata

ZERO_WIDTH_JOINER = "\u200d"
# Letters and marks that are drawn as nothing although Unicode does not call them format characters.
_BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
# Selectors 15 and 16 choose between a drawn and a coloured emoji; the others can only smuggle data.
_EMOJI_SELECTORS = frozenset("\ufe0e\ufe0f")


def strip_invisible(text: str) -> str:
    """The text in NFC without zero-width, bidi, tag and control characters; new lines, tabs and joined emoji stay."""
    composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(
        character for place, character in enumerate(composed) if _is_visible(character) or _joins_emoji(composed, place)
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
