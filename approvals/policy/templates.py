"""The fixed texts that no model writes: help, and the neutral answer to a wrong number, in the tenant's language.

There is none for STOP and START: the carrier confirms those itself, and a second confirmation would be a text to
somebody who has just forbidden it.
"""

from enum import StrEnum

from approvals.policy.languages import languages, section

# Whoever's language we do not know, or have no texts in, is answered in English.
_FALLBACK = "en"


class Template(StrEnum):
    HELP = "help"
    WRONG_NUMBER = "wrong_number"


def fixed_text(template: Template, *, language: str | None, company: str) -> str:
    """The text to send as it stands: one segment for company names up to 40 characters, no name and no amount."""
    texts = section(language, "templates") if language in languages() else {}
    return str((texts or section(_FALLBACK, "templates"))[template]).format(company=company)
