"""When a text may go out: inside the contact window of the tenant's own clock, or as a direct answer."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from approvals.policy.rules import Rules
from conversations.contact_hours import Window, next_opening, window_of, zone_for

__all__ = ["Window", "next_allowed", "window", "zone_for"]


def next_allowed(now: datetime, *, time_zone: str, rules: Rules, tenant_wrote_at: datetime | None) -> datetime:
    """The first moment from `now` (aware) at which a text may leave; `now` itself when it may leave at once.

    A direct answer within the grace after the tenant's own message may go at any hour.
    """
    if tenant_wrote_at is not None and timedelta(0) <= now - tenant_wrote_at <= rules.answer_grace:
        return now
    return next_opening(now, time_zone=time_zone, hours=rules.contact_hours)


def window(now: datetime, *, time_zone: str, rules: Rules) -> Window:
    """The contact window of the local day on which `now` falls."""
    return window_of(now.astimezone(ZoneInfo(time_zone)).date(), time_zone, rules.contact_hours)
