"""Invented tenants: the same ones at every start. All numbers are of the 555-01xx block that is kept for fiction.

Every area code holds a hundred such numbers, so there are as many tenants as a load test asks for.
"""

from dataclasses import dataclass
from itertools import cycle, islice

AREA_CODES = (415, 212, 305, 617, 312, 713, 404, 206, 702, 215, 718, 407, 508, 401, 203, 973, 786, 954, 561, 323)
NUMBERS_PER_AREA = 100

# The Monitor's own words for a language, the odd ones included.
LANGUAGES = (
    "english",
    "es",
    "english",
    "portuguese",
    None,
    "spanish",
    "english",
    "haitian creole",
    "en",
    "ht",
    "Spanish",
    "pt",
)
FIRST_NAMES = {
    "en": ("Maria", "James", "Aisha", "Tom", "Linda", "Derek", "Grace"),
    "es": ("Lucía", "Carlos", "Ana", "José", "Rosa", "Miguel"),
    "pt": ("João", "Beatriz", "Rafael", "Camila", "Paulo"),
    "ht": ("Jean", "Marie", "Wideline", "Frantz", "Nadège"),
}
LAST_NAMES = {
    "en": ("Lopez", "Carter", "Brown", "Nguyen", "O'Neil", "Hall", "Kim", "Walsh", "Reed"),
    "es": ("Fernández", "Ramírez", "Gómez", "Herrera", "Peña", "Torres", "Castillo"),
    "pt": ("Silva", "Souza", "Gonçalves", "Araújo", "Mendes", "Rocha"),
    "ht": ("Baptiste", "Joseph", "Pierre", "Desir", "Louis", "Charles"),
}
PROPERTIES = ("Elm Court", "Harbor View", "Maple Terrace", "Stanton Gardens", "Riverside Lofts")
OWED = ("600.00", "1250.00", "340.50", "95.00", "2100.00", "780.25", "1500.00", "445.00", "3250.75", "180.00")
RELIABILITY = (8.5, 6.0, None, 3.5, 9.0, 7.2, 5.0)


@dataclass(frozen=True, kw_only=True)
class Person:
    """A tenant as the Monitor keeps them; money as strings, as it sends them."""

    id: str
    name: str
    phone: str
    language: str | None
    unit: str
    building: str
    owed: str
    portion: str | None
    days_late: int
    reliability: float | None
    failed_plans: int
    successful_plans: int

    @property
    def language_code(self) -> str:
        return code_of(self.language)


def code_of(language: str | None) -> str:
    return {"sp": "es", "es": "es", "po": "pt", "pt": "pt", "ha": "ht", "ht": "ht"}.get(
        (language or "en")[:2].lower(), "en"
    )


def people(count: int) -> list[Person]:
    """The first `count` tenants, at most 2,000. Ids from "12345" on."""
    count = min(count, len(AREA_CODES) * NUMBERS_PER_AREA)
    languages = list(islice(cycle(LANGUAGES), count))
    return [_person(number, language) for number, language in enumerate(languages)]


def _person(number: int, language: str | None) -> Person:
    first, last = FIRST_NAMES[code_of(language)], LAST_NAMES[code_of(language)]
    owed = OWED[number % len(OWED)]
    return Person(
        id=str(12345 + number),
        name=f"{first[number % len(first)]} {last[number // 3 % len(last)]}",
        phone=f"+1{AREA_CODES[number % len(AREA_CODES)]}55501{number // len(AREA_CODES):02d}",
        language=language,
        unit=f"{number // 12 % 9 + 1}{'ABCDEF'[number % 6]}",
        building=PROPERTIES[number % len(PROPERTIES)],
        owed=owed,
        portion=None if number % 4 == 1 else f"{float(owed) * (1.0, 1.0, 0.6, 0.8)[number % 4]:.2f}",
        days_late=(3, 12, 31, 45, 64, 7)[number % 6],
        reliability=RELIABILITY[number % len(RELIABILITY)],
        failed_plans=number % 3,
        successful_plans=number % 4,
    )
