"""The days that tenants name. Today is Monday, 23 November 2026."""

from datetime import date

import pytest

from approvals.policy.calendar import days_named
from approvals.policy.words import read

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("message", "day"),
    [
        pytest.param("on friday", date(2026, 11, 27), id="weekday"),
        pytest.param("on monday", date(2026, 11, 30), id="the-same-weekday-is-in-a-week"),
        pytest.param("on the 15th", date(2026, 12, 15), id="day-of-the-month"),
        pytest.param("on the 23rd", date(2026, 12, 23), id="strictly-after-today"),
        pytest.param("april 2", date(2027, 4, 2), id="month-and-day-next-year"),
        pytest.param("by 12/11", date(2026, 12, 11), id="us-order"),
        pytest.param("friday the 4th", date(2026, 12, 4), id="the-date-decides-over-its-weekday"),
        pytest.param("tonight", TODAY, id="tonight"),
        pytest.param("in 2 weeks", date(2026, 12, 7), id="in-weeks"),
        pytest.param("at the end of the month", date(2026, 11, 30), id="month-end"),
        pytest.param("new years day", date(2027, 1, 1), id="holiday"),
        pytest.param("el 3 de noviembre", date(2027, 11, 3), id="spanish"),
        pytest.param("pasado mañana", date(2026, 11, 25), id="the-day-after-tomorrow"),
        pytest.param("eu pago dia 25", date(2026, 11, 25), id="portuguese"),
        pytest.param("le 5 desanm", date(2026, 12, 5), id="creole"),
    ],
)
def test_a_named_day_is_found(message: str, day: date) -> None:
    assert [named.date for named in days_named(read(message), TODAY)] == [day]


@pytest.mark.parametrize("message", ["next week", "when i get paid", "100 for now", "on 2/30", "someday"])
def test_no_day_is_invented(message: str) -> None:
    assert days_named(read(message), TODAY) == []
