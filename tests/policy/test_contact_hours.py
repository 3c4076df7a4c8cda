"""When a text may go out, also on the nights when the clocks change."""

from datetime import UTC, datetime, time, timedelta

import pytest

from approvals.policy.contact_hours import next_allowed, window, zone_for
from approvals.policy.rules import Rules

NEW_YORK = "America/New_York"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("phone", "zone"),
    [
        pytest.param("+12125551234", NEW_YORK, id="one-zone"),
        pytest.param("+14155550100", "America/Los_Angeles", id="another-zone"),
        pytest.param("+18005551234", "Pacific/Honolulu", id="toll-free-is-everywhere"),
        pytest.param("nonsense", "Pacific/Honolulu", id="no-number"),
    ],
)
def test_an_unambiguous_number_tells_the_zone(phone: str, zone: str) -> None:
    assert zone_for(phone, "Pacific/Honolulu") == zone


@pytest.mark.parametrize(
    ("now", "allowed"),
    [
        pytest.param("2026-11-23T12:00-05:00", "2026-11-23T12:00-05:00", id="noon"),
        pytest.param("2026-11-23T08:00-05:00", "2026-11-23T08:00-05:00", id="opening"),
        pytest.param("2026-11-23T07:59-05:00", "2026-11-23T08:00-05:00", id="a-minute-too-early"),
        pytest.param("2026-11-23T20:59-05:00", "2026-11-23T20:59-05:00", id="a-minute-before-closing"),
        pytest.param("2026-11-23T21:00-05:00", "2026-11-24T08:00-05:00", id="closing-is-outside"),
        pytest.param("2026-11-23T23:30-05:00", "2026-11-24T08:00-05:00", id="night"),
        pytest.param("2026-11-24T04:30+00:00", "2026-11-24T08:00-05:00", id="our-day-is-not-the-tenants-day"),
        pytest.param("2026-03-07T22:00-05:00", "2026-03-08T08:00-04:00", id="the-night-that-loses-an-hour"),
        pytest.param("2026-10-31T22:00-04:00", "2026-11-01T08:00-05:00", id="the-night-that-gains-an-hour"),
    ],
)
def test_a_text_waits_for_the_tenants_own_morning(now: str, allowed: str) -> None:
    assert next_allowed(at(now), time_zone=NEW_YORK, rules=Rules(), tenant_wrote_at=None) == at(allowed)


@pytest.mark.parametrize(
    ("minutes_ago", "at_once"),
    [
        pytest.param(0, True, id="just-written"),
        pytest.param(60, True, id="at-the-end-of-the-grace"),
        pytest.param(61, False, id="after-the-grace"),
        pytest.param(-5, False, id="a-clock-that-runs-ahead"),
    ],
)
def test_a_direct_answer_may_go_at_night(minutes_ago: int, at_once: bool) -> None:
    now = at("2026-11-23T23:30-05:00")
    wrote = now - timedelta(minutes=minutes_ago)
    allowed = next_allowed(now, time_zone=NEW_YORK, rules=Rules(), tenant_wrote_at=wrote)
    assert (allowed == now) is at_once


def test_the_window_follows_the_rules_and_the_local_day() -> None:
    rules = Rules(contact_hours=(time(9, 30), time(18)))
    today = window(at("2026-11-24T03:00+00:00"), time_zone="America/Los_Angeles", rules=rules)
    assert (today.opens, today.closes) == (at("2026-11-23T09:30-08:00"), at("2026-11-23T18:00-08:00"))
