"""What every text goes through: nothing invisible comes in or goes out, and no control line reaches a tenant."""

import re
import unicodedata

from conversations.visible import strip_invisible

__all__ = ["normalise", "strip_control_lines", "strip_invisible"]

_CONTROL_LINE = re.compile(r"^[\s>*_~`#\-•\"'(\[{|\\]*(?:escalate|payment\\?_plan)[\s*_`\"'\])}]*[:：]", re.IGNORECASE)
_FENCE = re.compile(r"^\s*```\w*\s*$")


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
