"""When a text may go out: inside the contact window of the tenant's own clock, or as a direct answer.

The default window follows US Regulation F, 12 CFR 1006.6(b): not before 8 a.m. and not after 9 p.m. local time.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone as number_zones

from approvals.policy.rules import Rules


@dataclass(frozen=True, kw_only=True)
class Window:
    """The opening and closing of a local day, aware, in UTC; `closes` itself is outside."""

    opens: datetime
    closes: datetime

    def holds(self, moment: datetime) -> bool:
        return self.opens <= moment < self.closes


@lru_cache(maxsize=4096)
def zone_for(phone_e164: str, default: str) -> str:
    """The IANA zone that a number belongs to, or `default` where the number leaves it open (toll-free, wide areas)."""
    try:
        number = phonenumbers.parse(phone_e164)
    except phonenumbers.NumberParseException:
        return default
    zones = number_zones.time_zones_for_number(number)
    certain = len(zones) == 1 and zones[0] != number_zones.UNKNOWN_TIMEZONE
    return str(zones[0]) if certain else default


def next_allowed(now: datetime, *, time_zone: str, rules: Rules, tenant_wrote_at: datetime | None) -> datetime:
    """The first moment from `now` (aware) at which a text may leave; `now` itself when it may leave at once.

    A direct answer within the grace after the tenant's own message may go at any hour.
    """
    if tenant_wrote_at is not None and timedelta(0) <= now - tenant_wrote_at <= rules.answer_grace:
        return now
    today = window(now, time_zone=time_zone, rules=rules)
    if today.holds(now):
        return now
    if now < today.opens:
        return today.opens
    tomorrow = now.astimezone(ZoneInfo(time_zone)).date() + timedelta(days=1)
    return _window_of(tomorrow, time_zone, rules).opens


def window(now: datetime, *, time_zone: str, rules: Rules) -> Window:
    """The contact window of the local day on which `now` falls."""
    return _window_of(now.astimezone(ZoneInfo(time_zone)).date(), time_zone, rules)


def _window_of(day: date, time_zone: str, rules: Rules) -> Window:
    opens, closes = rules.contact_hours
    return Window(opens=_moment(day, opens, time_zone), closes=_moment(day, closes, time_zone))


def _moment(day: date, clock: time, time_zone: str) -> datetime:
    # By way of UTC, so that comparisons count real hours also on the days when the clocks change.
    return datetime.combine(day, clock, tzinfo=ZoneInfo(time_zone)).astimezone(UTC)
