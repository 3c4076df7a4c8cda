"""The tests' database: `settings.py` starts a private server under `var/test`; when the tests are over, it stops."""

from pathlib import Path

import pytest

from orchestrator_site import devdb


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    # Another run in this checkout may still be using it: then that one stops it.
    devdb.stop(Path(__file__).parent / "var" / "test")
