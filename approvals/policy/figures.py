"""Where every money figure of a draft comes from: the account, the rules, or the tenant's own words.

A figure has a source when it is the amount owed, the tenant's portion, the weekly minimum, our suggestion or a number
of the tenant's message, or one of these times or spread over a number of weeks that draft or message name.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from approvals.policy.numbers import figure_from_digits
from approvals.policy.plans import suggest_weekly
from approvals.policy.rules import Rules
from approvals.policy.words import read

_CENT = Decimal("0.01")
_NO_DEBT = Decimal(10) ** 12
_MONEY = re.compile(
    r"\$\s?(?P<after>\d[\d.,]*)|(?<![\w$.,])(?P<before>\d[\d.,]*)\s?(?:dollars?|bucks|usd|d[oó]lar(?:es)?|dol[aà])\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d[\d.,]*")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A money figure at `text[start:end]` of the draft; `source` says where it comes from, None when from nowhere."""

    start: int
    end: int
    text: str
    value: Decimal
    source: str | None


def money_figures(text: str, known: dict[Decimal, str]) -> tuple[Figure, ...]:
    """Every money figure of a draft, in order, each with its source among the `known` values."""
    return tuple(
        Figure(start=start, end=end, text=text[start:end], value=value, source=known.get(_cents(value)))
        for start, end, value in _money(text)
    )


def known_values(
    *,
    amount_owed: Decimal | None,
    tenant_portion: Decimal | None,
    tenant_message: str,
    weeks: Iterable[int],
    rules: Rules,
) -> dict[Decimal, str]:
    """Every value that may be said, with the source to show; the plainest source wins. `weeks` are the counts named."""
    plain_values: dict[Decimal, str] = {}
    for value, source in _origins(amount_owed, tenant_portion, tenant_message, rules):
        plain_values.setdefault(_cents(value), source)
    known = dict(plain_values)
    for count in sorted(set(weeks)):
        for value, source in plain_values.items():
            known.setdefault(_cents(value * count), f"{source} x {count}")
            known.setdefault(_cents(value / count), f"{source} / {count}")
    return known


def _origins(
    amount_owed: Decimal | None, tenant_portion: Decimal | None, tenant_message: str, rules: Rules
) -> Iterator[tuple[Decimal, str]]:
    if amount_owed is not None:
        yield amount_owed, "amount_owed"
    if tenant_portion is not None:
        yield tenant_portion, "tenant_portion"
    yield rules.min_weekly, "min_weekly"
    for match in _NUMBER.finditer(tenant_message):
        yield figure_from_digits(match.group()).value, "tenant_message"
    for token in read(tenant_message).tokens:
        if token.figure is not None:
            yield token.figure.value, "tenant_message"
    portion = amount_owed if tenant_portion is None else tenant_portion
    if portion is not None and portion > 0:
        yield suggest_weekly(portion, rules), "suggested"


def _cents(value: Decimal) -> Decimal:
    """To the cent, halves up; a figure that no debt can have stays as it is, because it cannot be rounded."""
    return value.quantize(_CENT, rounding=ROUND_HALF_UP) if abs(value) < _NO_DEBT else value


def _money(text: str) -> Iterator[tuple[int, int, Decimal]]:
    for match in _MONEY.finditer(text):
        # A full stop behind the figure ends the sentence, not the figure.
        end = match.start() + len(match.group().rstrip(".,"))
        yield match.start(), end, figure_from_digits(match["after"] or match["before"]).value
