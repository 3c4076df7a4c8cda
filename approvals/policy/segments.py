"""How many text messages a text costs, by the arithmetic of GSM 03.38, and how to make it cheaper."""

import unicodedata
from dataclasses import dataclass
from typing import Literal

# GSM 03.38 (3GPP TS 23.038), default alphabet; the characters of the extension table cost an escape and count two.
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")

# Characters outside the alphabet whose nearest neighbour inside is not their unaccented letter.
_NEIGHBOURS = {
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "´": "'", "`": "'",
    "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "″": '"',
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-", "•": "-", "·": "-",
    "…": "...", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\t": " ", "ª": "a", "º": "o", "×": "x", "ç": "c",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Segments:
    """`units` are septets (GSM-7) or UTF-16 units (UCS-2); `left` is what the last part still has room for."""

    encoding: Literal["GSM-7", "UCS-2"]
    units: int
    parts: int
    left: int


def measure(text: str) -> Segments:
    """The cost of a text. GSM-7: 160 alone, then 153 a part; with any other character all of it is UCS-2: 70, then 67.

    An empty text has no parts.
    """
    characters = set(text)
    if characters <= _BASIC | _EXTENDED:
        widths = [2 if character in _EXTENDED else 1 for character in text]
        return _segments("GSM-7", widths, alone=160, joined=153)
    widths = [2 if ord(character) > 0xFFFF else 1 for character in text]
    return _segments("UCS-2", widths, alone=70, joined=67)


def fold_accents(text: str) -> str:
    """The text with every character outside GSM-7 replaced by a near one inside, where there is one ("más" -> "mas").

    Characters inside stay as they are (é, ñ, ¿); what has no near one (emoji, Hebrew) stays, too.
    """
    return "".join(map(_folded, unicodedata.normalize("NFC", text)))


def _segments(encoding: Literal["GSM-7", "UCS-2"], widths: list[int], *, alone: int, joined: int) -> Segments:
    units = sum(widths)
    if units <= alone:
        return Segments(encoding=encoding, units=units, parts=min(units, 1), left=alone - units)
    parts, used = 1, 0
    for width in widths:
        # An escape pair or a surrogate pair is never torn apart by the end of a part.
        if used + width > joined:
            parts, used = parts + 1, 0
        used += width
    return Segments(encoding=encoding, units=units, parts=parts, left=joined - used)


def _folded(character: str) -> str:
    if character in _BASIC or character in _EXTENDED:
        return character
    if character in _NEIGHBOURS:
        return _NEIGHBOURS[character]
    plain = "".join(part for part in unicodedata.normalize("NFKD", character) if not unicodedata.combining(part))
    return plain if plain and set(plain) <= _BASIC else character
