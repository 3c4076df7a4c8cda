"""What every message goes through before it is understood: nothing invisible, one kind of digit, one kind of quote."""

import re
import unicodedata

from conversations.visible import strip_invisible

_STRAIGHT = str.maketrans("‘’ʼ`´׳“”״–‐‑−＋\u00a0", "''''''\"\"\"----+ ")
HEBREW = re.compile(r"[\u0590-\u05ff]")
LATIN = re.compile(r"[A-Za-z]")
WORD = re.compile(r"[\w'\"]+|[^\w\s]")


def clean(message: str) -> str:
    """The message without invisible characters, with ASCII digits and straight quotes; its letters as they were."""
    return "".join(_ascii_digit(character) for character in strip_invisible(message).translate(_STRAIGHT)).strip()


def _ascii_digit(character: str) -> str:
    value = unicodedata.decimal(character, None)
    return character if value is None else str(value)


def plain(message: str) -> str:
    """The form in which words are compared: clean, lower case, without accents and Hebrew points, single blanks."""
    decomposed = unicodedata.normalize("NFKD", clean(message).casefold())
    letters = "".join(character for character in decomposed if not unicodedata.combining(character))
    return re.sub(r"\s+", " ", letters).strip()


def tokens(message: str) -> list[str]:
    """The words and the signs of a message in their compared form."""
    return WORD.findall(plain(message))


def language_of(message: str, default: str) -> str:
    """`he` when at least a third of the letters are Hebrew, `en` when most are Latin, else what it was before."""
    hebrew, latin = len(HEBREW.findall(message)), len(LATIN.findall(message))
    if hebrew + latin < 2:
        return default
    return "he" if hebrew * 2 >= latin else "en"
