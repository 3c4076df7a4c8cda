"""The window of a number's own clock, also where it reaches over midnight or the clocks change."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from conversations.contact_hours import hours_of, next_opening

ZONE = "America/New_York"


def local(day: int, hour: int, month: int = 6) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=ZoneInfo(ZONE))


@pytest.mark.parametrize(
    ("hours", "now", "opening"),
    [
        pytest.param("20:00-02:00", local(10, 1), local(10, 1), id="still-open-after-midnight"),
        pytest.param("20:00-02:00", local(10, 2), local(10, 20), id="closed-at-its-end"),
        pytest.param("20:00-02:00", local(10, 23), local(10, 23), id="open-before-midnight"),
        pytest.param("08:00-21:00", local(10, 1), local(10, 8), id="before-the-opening"),
        pytest.param("08:00-21:00", local(10, 21), local(11, 8), id="after-the-closing"),
        pytest.param("00:00-00:00", local(10, 3), local(10, 3), id="round-the-clock"),
        pytest.param("08:00-21:00", local(7, 22, month=3), local(8, 8, month=3), id="the-night-the-clocks-go-forward"),
    ],
)
def test_the_next_opening(hours, now, opening):
    assert next_opening(now, time_zone=ZONE, hours=hours_of(hours)) == opening
