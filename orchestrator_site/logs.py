"""What is logged, and how: one line per event with the id of the request or workflow, without anybody's secrets.

Lines go to the console and to `YYYY-MM-DD.log` (UTC), as text or as JSON. Telephone numbers are masked and credentials
are struck out of every line, whoever wrote it, exceptions with their traces included.
"""

import logging
import re
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from pythonjsonlogger.json import JsonFormatter

from conversations.phones import masked
from orchestrator_site.middleware import request_id

# E.164 (as it is, or in a URL), and what people write: (860) 555-0100, 860-555-0100, 054-123-4567, 8605550100.
PHONE = re.compile(
    r"(?:\+|%2B)[1-9]\d{7,14}\b"
    r"|(?<![\w.+-])(?:\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}\b"
    r"|(?<![\w.+-])0\d{1,2}-\d{7}\b"
    r"|(?<![\w.+-])\d{10,11}(?![\w.-])"
)
SECRET = re.compile(
    r"(\bBearer\s+|\bBasic\s+|\bsk-|://[^/\s:@]*:(?=[^/\s@]+@)|(?:password|secret|token|api_key)['\"]?\s*[=:]\s*['\"]?)[^\s'\"@&,]+",
    re.I,
)
TEXT = "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"


def config(*, level: str, json: bool, directory: Path | None) -> dict[str, Any]:
    """Django's LOGGING. Without `directory` there is no file."""
    handlers: dict[str, Any] = {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["context"]},
    }
    if directory:
        handlers["file"] = {"()": DailyFile, "directory": directory, "formatter": "line", "filters": ["context"]}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"context": {"()": Context}},
        "formatters": {"line": {"()": JsonLine if json else TextLine}},
        "handlers": handlers,
        "root": {"level": level, "handlers": list(handlers)},
        "loggers": {
            # The handlers above serve Django, too.
            "django": {"handlers": [], "level": level, "propagate": True},
            # One line or more for every wake-up, and for every call with its URL: we write our own.
            "django-q": {"level": "WARNING"},
            "httpx": {"level": "WARNING"},
            "httpx2": {"level": "WARNING"},
            "openai": {"level": "WARNING"},
        },
    }


def clean(line: str) -> str:
    """The line without full telephone numbers and without credentials."""
    return SECRET.sub(r"\1…", PHONE.sub(lambda found: masked(found[0].replace("%2B", "+")), line))


class Context(logging.Filter):
    """Adds the id of the request or the workflow that the current thread works on."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        if record.levelno < logging.ERROR and record.name == "django.request":
            # Somebody was refused: the line says what; a trace of our own code says nothing more.
            record.exc_info = record.exc_text = None
        return True


class TextLine(logging.Formatter):
    converter = staticmethod(time.gmtime)
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__(TEXT)

    def format(self, record: logging.LogRecord) -> str:
        return clean(super().format(record))


class JsonLine(JsonFormatter):
    def __init__(self) -> None:
        super().__init__(["levelname", "name", "request_id", "message"], timestamp="time")

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        return {key: clean(value) if isinstance(value, str) else value for key, value in log_data.items()}


class DailyFile(logging.Handler):
    """Appends to the file of the day. Many processes may do so at once: a line is one write at the end of the file."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._directory = directory
        self._day, self._file = "", None

    _file: TextIO | None

    def emit(self, record: logging.LogRecord) -> None:
        day = datetime.fromtimestamp(record.created, UTC).date().isoformat()
        if day != self._day:
            self._day, self._file = day, self._open(day)
        if self._file:
            try:
                self._file.write(f"{self.format(record)}\n")
                self._file.flush()
            except (OSError, ValueError):
                self.handleError(record)

    def close(self) -> None:
        if self._file:
            self._file.close()
        self._file = None
        super().close()

    def _open(self, day: str) -> TextIO | None:
        if self._file:
            self._file.close()
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            return (self._directory / f"{day}.log").open("a", encoding="utf-8")
        except OSError as error:
            # Said once a day; the console has every line as well.
            sys.stderr.write(f"No log file in {self._directory}: {error}. Set LOG_DIR, or leave it empty.\n")
            return None
