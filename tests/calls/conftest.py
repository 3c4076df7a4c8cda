"""Tests of the assistant run at any hour: the contact window is open round the clock unless a test sets it."""

import pytest
from pytest_django import Settings


@pytest.fixture(autouse=True)
def _open_round_the_clock(settings: Settings) -> None:
    settings.CONTACT_HOURS = "00:00-00:00"
    settings.CALL_RETRY_SECONDS = 0.0
