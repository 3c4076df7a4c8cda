"""What the flows answer when they will not do what was asked; the edges turn it into their own words.

Refusal
├── Invalid     what was sent cannot be used: change it
├── NotFound    there is no such thing
└── Conflict    it could be used, but not now: somebody or something came first
"""

from collections.abc import Mapping, Sequence


class Refusal(Exception):
    """Nothing was changed. `code` is for programs, the message for people, `fields` says which part is meant."""

    def __init__(self, code: str, message: str, *, fields: Mapping[str, Sequence[str]] | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.fields = code, message, dict(fields or {})


class Invalid(Refusal):
    """What was sent cannot be used."""


class NotFound(Refusal):
    """There is no such row, or the asker may not see it."""


class Conflict(Refusal):
    """The row is no longer in the state that the asker saw."""
