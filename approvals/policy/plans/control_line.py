"""The model's `PAYMENT_PLAN: weekly=50, weeks=6, start=2026-12-01` line, read leniently."""

import re
from datetime import date
from decimal import Decimal, InvalidOperation

from approvals.policy.calendar import date_in_digits, days_named
from approvals.policy.plans.proposals import Proposal, to_cents
from approvals.policy.text import strip_invisible
from approvals.policy.words import read

_MARKER = re.compile(r"payment[\\_\s-]{0,3}plan[\s*_`\"'\])}]*[:：]", re.IGNORECASE)
# A tenant who writes "payment plan: 50 a week" makes an offer; only the marker itself is none.
_TYPED = re.compile(r"payment\\?_plan\s*[:：]", re.IGNORECASE)
_FIELD = r"{name}[\s\"'*`]*[=:：]\s*[\"'*`]*"
_WEEKLY = re.compile(
    _FIELD.format(name=r"weekly(?:[\s_]?(?:amount|payment))?") + r"\$?\s*(-?\s*\$?\s*[\d][\d.,]*)", re.IGNORECASE
)
_WEEKS = re.compile(_FIELD.format(name=r"(?:weeks|duration)") + r"(\d+)(?:\.0+)?(?![\d.]*\d)", re.IGNORECASE)
_START = re.compile(_FIELD.format(name=r"start(?:_?date)?") + r"([^,;\n|*`\"']+(?:,\s*\d{4})?)", re.IGNORECASE)


def plan_in_reply(reply: str, today: date) -> Proposal | None:
    """The first control line with a positive weekly amount; a field it lacks, or no real date, is None."""
    lines = _MARKER.split(strip_invisible(reply))[1:]
    return next((plan for line in lines if (plan := _plan_in_line(_fields(line), today)) is not None), None)


def without_control_text(message: str) -> str:
    """A tenant's message without what only looks like a control line: it is neither one nor an offer."""
    return "\n".join(_TYPED.split(line)[0] for line in message.split("\n"))


def _fields(text: str) -> str:
    """The rest of the marker's line, or the whole text when the fields were put on lines of their own."""
    line = text.split("\n", 1)[0]
    return line if line.strip(" *`_") else text


def _plan_in_line(line: str, today: date) -> Proposal | None:
    weekly = _amount(line)
    if weekly is None or weekly <= 0:
        return None
    weeks = _WEEKS.search(line)
    return Proposal(
        weekly_amount=weekly,
        weeks=int(weeks.group(1)) or None if weeks else None,
        start_date=_start(line, today),
        source="control_line",
    )


def _amount(line: str) -> Decimal | None:
    found = _WEEKLY.search(line)
    if found is None:
        return None
    digits = re.sub(r"[\s$]", "", found.group(1)).rstrip(".,")
    # A comma parts thousands here, except where it can only be the decimal comma of a Spanish or Portuguese reply.
    digits = re.sub(r",(?=\d{1,2}$)", ".", digits).replace(",", "") if "." not in digits else digits.replace(",", "")
    try:
        return to_cents(Decimal(digits))
    except InvalidOperation:
        return None


def _start(line: str, today: date) -> date | None:
    found = _START.search(line)
    if found is None:
        return None
    written = found.group(1).strip()
    digits = re.match(r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}/\d{1,2}(?:/\d{2,4})?", written)
    if digits:
        return date_in_digits(digits.group(), today)
    days = days_named(read(written), today)
    year = re.search(r"\b20\d\d\b", written)
    return _in_year(days[0].date, year) if days else None


def _in_year(day: date, year: re.Match[str] | None) -> date | None:
    """The day in the year that was written, if any; February 29 may not exist in it."""
    try:
        return day.replace(year=int(year.group())) if year else day
    except ValueError:
        return None
