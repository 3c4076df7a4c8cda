"""The real system for the walk: simulators, web and worker as processes, a database of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator_site.demo.once import Stage
from orchestrator_site.demo.system import running

# What takes a minute in earnest takes a moment here.
IMPATIENT = {
    "DRAFT_RETRY_SECONDS": "0.2",
    "SEND_RETRY_SECONDS": "0.2",
    "RETRY_PAUSE_SECONDS": "0.05",
    "LOOK_AFTER_SECONDS": "0.5",
    "BREAKER_OPEN_SECONDS": "2",
    "OUTAGE_PATIENCE_MINUTES": "0",
    "SMS_AGENT_TIMEOUT_SECONDS": "2",
    "SEND_LEASE_SECONDS": "4",
    "LEASE_SECONDS": "6",
    "SWEEP_SECONDS": "1",
    "MANAGER_EMAIL": "maria@example.com",
}


@pytest.fixture
def system(transactional_db: None, tmp_path: Path) -> Iterator[Stage]:
    """Everything runs; the groups of the migrations are not needed here."""
    with running(IMPATIENT, log=tmp_path / "system.log", tenants=400) as it:
        stage = Stage(api=it.web, tokens=it.tokens, simulators=it.simulators)
        try:
            yield stage
        finally:
            stage.http.close()
            print((tmp_path / "system.log").read_text()[-4000:])  # noqa: T201 shown when a test fails
