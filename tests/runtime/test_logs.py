"""What stands in the logs, and what never does."""

import json
import logging
import logging.config
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator_site import logs
from orchestrator_site.middleware import request_id


@pytest.fixture
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[logging.Logger]:
    """A logger with the file handler of production, alone."""
    config = logs.config(level="INFO", json=request.param == "json", directory=tmp_path)
    configured = logging.config.DictConfigurator(config)
    handler = logs.DailyFile(tmp_path)
    handler.setFormatter(configured.configure_formatter(config["formatters"]["line"]))
    handler.addFilter(logs.Context())
    logger = logging.getLogger("tests.log")
    logger.addHandler(handler)
    logger.setLevel("INFO")
    yield logger
    logger.removeHandler(handler)
    handler.close()


def written(directory: Path) -> str:
    return (directory / f"{datetime.now(UTC).date()}.log").read_text()


@pytest.mark.parametrize("log", ["text"], indirect=True)
def test_a_line_carries_time_level_place_and_the_id_of_its_work(log: logging.Logger, tmp_path: Path) -> None:
    token = request_id.set("workflow-7")
    log.warning("sent after %s tries", 2)
    request_id.reset(token)
    line = written(tmp_path)
    assert line.startswith(f"{datetime.now(UTC).date()} ")
    assert line.endswith("Z WARNING tests.log [workflow-7] sent after 2 tries\n")


@pytest.mark.parametrize("log", ["json"], indirect=True)
def test_json_lines_have_the_same_as_fields(log: logging.Logger, tmp_path: Path) -> None:
    log.info("sent to %s", "+14155550100", extra={"status": 201, "phone": "+14155550100"})
    line = json.loads(written(tmp_path))
    assert line.pop("time").startswith(str(datetime.now(UTC).date()))
    assert line == {
        "levelname": "INFO",
        "name": "tests.log",
        "request_id": "-",
        "message": "sent to +1415…00",
        "status": 201,
        "phone": "+1415…00",
    }


@pytest.mark.parametrize("log", ["text", "json"], indirect=True)
def test_the_trace_of_an_exception_is_clean_as_well(log: logging.Logger, tmp_path: Path) -> None:
    try:
        raise ValueError("POST /send to=%2B14155550100 Authorization: Bearer abc.def")
    except ValueError:
        log.exception("it failed")
    assert "ValueError" in written(tmp_path)
    assert "4155550100" not in written(tmp_path)
    assert "abc.def" not in written(tmp_path)


@pytest.mark.parametrize(
    "phone",
    [
        pytest.param("+14155550100", id="E.164"),
        pytest.param("+972541234567", id="Israel"),
        pytest.param("%2B14155550100", id="in-a-URL"),
        pytest.param("(860) 555-0100", id="with-brackets"),
        pytest.param("860-555-0100", id="with-dashes"),
        pytest.param("860.555.0100", id="with-dots"),
        pytest.param("054-1234567", id="Israel-as-written"),
        pytest.param("8605550100", id="digits"),
    ],
)
def test_telephone_numbers_are_masked(phone: str) -> None:
    assert phone not in logs.clean(f"calling {phone} now")
    assert phone not in logs.clean(f"number={phone}")


@pytest.mark.parametrize(
    "harmless",
    [
        pytest.param("workflow 3f2504e0-4f89-41d3-9a0c-030512345678", id="uuid"),
        pytest.param("2026-11-21 23:06:40.123Z", id="time"),
        pytest.param("host:24531:9f8e7d6c worked", id="worker"),
        pytest.param("paid 1,250.00 of 2,500.00 in 12 weeks", id="money"),
        pytest.param("took 1234.5678 ms", id="duration"),
        pytest.param("http://localhost:8002/conversations/12345", id="url"),
    ],
)
def test_other_numbers_stay(harmless: str) -> None:
    assert logs.clean(harmless) == harmless


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ("Authorization: Bearer 7f3a.b-c", "7f3a.b-c"),
        ("Incorrect API key provided: sk-proj-12ab", "proj-12ab"),
        ("postgres://orchestrator:hunter2@127.0.0.1/db", "hunter2"),
        ("{'api_key': 'hunter2', 'x': 1}", "hunter2"),
        ("password=hunter2", "hunter2"),
    ],
)
def test_credentials_are_struck_out(line: str, secret: str) -> None:
    assert secret not in logs.clean(line)


def test_a_new_day_begins_a_new_file(tmp_path: Path) -> None:
    handler = logs.DailyFile(tmp_path)
    for day in (1, 2):
        record = logging.makeLogRecord({"msg": f"day {day}"})
        record.created = datetime(2026, 3, day, 23, 59, tzinfo=UTC).timestamp()
        handler.emit(record)
    handler.close()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "2026-03-01.log": "day 1\n",
        "2026-03-02.log": "day 2\n",
    }


def test_a_folder_that_cannot_be_written_is_said_and_stops_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    handler = logs.DailyFile(tmp_path / "file" / "logs")
    handler.emit(logging.makeLogRecord({"msg": "one"}))
    handler.emit(logging.makeLogRecord({"msg": "two"}))
    assert capsys.readouterr().err.count("No log file in") == 1
