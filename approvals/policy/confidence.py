"""How probable it is that a manager would send a draft unchanged, with the parts that the console shows."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

PLAIN_TEXT_ANSWER = Decimal("0.75")
FRESH_FOR = timedelta(hours=24)
STALE_ACCOUNT = Decimal("-0.10")
INCOMPLETE_ACCOUNT = Decimal("-0.20")
UNCLEAR_MESSAGE = Decimal("-0.10")
GUESSED_LANGUAGE = Decimal("-0.05")
UNKNOWN_TENANT = Decimal("-0.30")


@dataclass(frozen=True, kw_only=True)
class Part:
    """One summand: the model's own figure, or what a weak fact takes away (negative)."""

    code: str
    value: Decimal


@dataclass(frozen=True, kw_only=True)
class Confidence:
    """`score` is the sum of the parts, kept within 0..1."""

    score: Decimal
    parts: tuple[Part, ...]


def estimate(
    *,
    model_figure: Decimal | None,
    account_age: timedelta | None,
    account_complete: bool,
    tenant_message: str,
    language_guessed: bool,
    tenant_known: bool,
) -> Confidence:
    """The confidence in a draft. `model_figure` (0..1) is None for a plain-text answer; `account_age` is None when the
    account could not be fetched and nobody knows how old our copy is."""
    parts = [_start(model_figure)]
    if not tenant_known:
        parts.append(Part(code="unknown_tenant", value=UNKNOWN_TENANT))
    else:
        parts.extend(_weak_account(account_age, account_complete))
    if is_unclear(tenant_message):
        parts.append(Part(code="unclear_message", value=UNCLEAR_MESSAGE))
    if language_guessed:
        parts.append(Part(code="language_guessed", value=GUESSED_LANGUAGE))
    total = sum((part.value for part in parts), Decimal(0))
    return Confidence(score=min(max(total, Decimal(0)), Decimal(1)), parts=tuple(parts))


def is_unclear(message: str) -> bool:
    """Nothing much to go by: no two words of letters ("?", "ok", "👍", "2435")."""
    words = [word for word in message.split() if any(character.isalpha() for character in word)]
    return len(words) < 2


def _start(model_figure: Decimal | None) -> Part:
    if model_figure is None or not 0 <= model_figure <= 1:
        return Part(code="plain_text_answer", value=PLAIN_TEXT_ANSWER)
    return Part(code="model", value=model_figure)


def _weak_account(age: timedelta | None, complete: bool) -> Iterator[Part]:
    if age is None or age > FRESH_FOR:
        yield Part(code="stale_account", value=STALE_ACCOUNT)
    if not complete:
        yield Part(code="incomplete_account", value=INCOMPLETE_ACCOUNT)
