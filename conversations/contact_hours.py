"""When somebody may be texted or called: inside the contact window of the contacted number's own clock.

The default window follows US Regulation F, 12 CFR 1006.6(b): not before 8 a.m. and not after 9 p.m. local time. Pure:
both halves of the system ask the same clock here, with the hours of their own rules.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone as number_zones

# Local times of a day: opening included, closing excluded. A closing that is not after the opening is on the next
# day: 00:00-00:00 is open round the clock.
Hours = tuple[time, time]


@dataclass(frozen=True, kw_only=True)
class Window:
    """The opening and closing of a local day, aware, in UTC; `closes` itself is outside."""

    opens: datetime
    closes: datetime

    def holds(self, moment: datetime) -> bool:
        return self.opens <= moment < self.closes


def hours_of(setting: str) -> Hours:
    """ "08:00-21:00" -> (time(8), time(21)); raises ValueError for what is no pair of times."""
    opening, _, closing = setting.partition("-")
    return time.fromisoformat(opening.strip()), time.fromisoformat(closing.strip())


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


def next_opening(now: datetime, *, time_zone: str, hours: Hours) -> datetime:
    """The first moment from `now` (aware) inside the window; `now` itself when it is inside."""
    today = now.astimezone(ZoneInfo(time_zone)).date()
    # Yesterday's may still be open: a window can reach over midnight.
    windows = [window_of(today + timedelta(days=days), time_zone, hours) for days in (-1, 0, 1)]
    if any(window.holds(now) for window in windows):
        return now
    return next(window.opens for window in windows if window.opens > now)


def window_of(day: date, time_zone: str, hours: Hours) -> Window:
    """The contact window of a local day."""
    opens, closes = hours
    last_day = day if closes > opens else day + timedelta(days=1)
    return Window(opens=_moment(day, opens, time_zone), closes=_moment(last_day, closes, time_zone))


def _moment(day: date, clock: time, time_zone: str) -> datetime:
    # By way of UTC, so that comparisons count real hours also on the days when the clocks change.
    return datetime.combine(day, clock, tzinfo=ZoneInfo(time_zone)).astimezone(UTC)
