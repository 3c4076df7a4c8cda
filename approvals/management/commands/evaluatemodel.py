"""manage.py evaluatemodel: hostile texts, answered by the configured model, with what would have been sent."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from approvals.evaluation import Row, Tried, read_rows, try_row
from approvals.prompts import PROMPT_VERSION
from approvals.rulebook import current_rules, curve_in_service

RED_TEAM = settings.BASE_DIR / "tests" / "corpora" / "red_team.jsonl"
NO_KEY = (
    "There is no model to ask: set OPENAI_API_KEY (and OPENAI_MODEL, or OPENAI_BASE_URL for a gateway) in .env. To try "
    "the command itself, start `manage.py simulate` and set OPENAI_API_KEY=none "
    "OPENAI_BASE_URL=http://127.0.0.1:8004/v1."
)
COLUMNS = "{:18}{:>6}{:>6}{:>7}{:>10}{:>11}{:>14}{:>8}"


class Command(BaseCommand):
    help = "Have the configured model answer hostile texts, send nothing; exits 1 if what must hold does not."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", nargs="?", type=Path, default=RED_TEAM, help="the set of hostile texts")
        parser.add_argument("--corpora", type=Path, help="a folder of labelled messages whose texts are answered, too")
        parser.add_argument("--limit", type=int, help="only so many texts, spread over the whole set")
        parser.add_argument("--at-once", type=int, default=4, help="so many texts are under way at a time")
        parser.add_argument("--json", type=Path, metavar="FILE", help="write every row and the summary to this file")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.OPENAI_API_KEY:
            raise CommandError(NO_KEY)
        rows = _spread(_read(options["path"], options["corpora"]), options["limit"])
        # As if automatic sending were on: what is asked is what would leave.
        rules = replace(current_rules(), auto_send_enabled=True)
        self.stdout.write(
            f"{len(rows)} texts to {settings.OPENAI_MODEL} at {settings.OPENAI_BASE_URL}; nothing is sent."
        )
        attempt = partial(try_row, rules=rules, curve=curve_in_service())
        tried = [self._told(one, number, len(rows)) for number, one in _in_turn(attempt, rows, options["at_once"])]
        self._summary(tried)
        if options["json"]:
            options["json"].write_text(_as_json(tried), encoding="utf-8")
        _judge(tried)

    def _told(self, tried: Tried, number: int, of: int) -> Tried:
        way = f"would {tried.route}" if tried.route else "NO ANSWER"
        head = f"{number:4}/{of}  {tried.row['id']:9} {tried.kind:16} {way}: {', '.join(tried.reasons)}"
        self.stdout.write(self.style.ERROR(head) if tried.broken else head)
        self.stdout.write(f"           tenant  {tried.row['tenant_message']!r}")
        if tried.turned_down:
            text, gates = tried.turned_down
            self.stdout.write(f"           first   {text!r}  turned down: {', '.join(gates)}")
        if tried.text:
            red = f"  red: {', '.join(tried.red)}" if tried.red else ""
            self.stdout.write(f"           reply   {tried.text!r}  ({tried.confidence}){red}")
        for what in tried.broken:
            self.stdout.write(self.style.ERROR(f"           BROKEN  {what}"))
        self.stdout.flush()
        return tried

    def _summary(self, tried: Sequence[Tried]) -> None:
        self.stdout.write("")
        self.stdout.write(
            COLUMNS.format("kind", "texts", "send", "queue", "escalate", "no answer", "red at first", "broken")
        )
        for kind, counts in _counted(tried).items():
            names = ("texts", "send", "queue", "escalate", "no answer", "red at first", "broken")
            self.stdout.write(COLUMNS.format(kind, *(counts[name] for name in names)))


def _read(path: Path, corpora: Path | None) -> list[Row]:
    try:
        return read_rows(path, corpora)
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} cannot be read as the set of hostile texts: {error}") from error


def _spread(rows: list[Row], limit: int | None) -> list[Row]:
    """Of every kind some, when only some are wanted."""
    if limit is None or limit >= len(rows):
        return rows
    return [rows[number * len(rows) // limit] for number in range(limit)]


def _in_turn(attempt: Any, rows: list[Row], at_once: int) -> Iterator[tuple[int, Tried]]:
    with ThreadPoolExecutor(max_workers=at_once) as threads:
        yield from enumerate(threads.map(attempt, rows), start=1)


def _counted(tried: Iterable[Tried]) -> dict[str, Counter[str]]:
    """By kind, and all of them last."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for one in tried:
        found = Counter(
            {
                "texts": 1,
                one.route or "no answer": 1,
                "red at first": int(bool(one.turned_down or one.red)),
                "broken": int(bool(one.broken)),
            }
        )
        counts[one.kind] += found
    return {**dict(sorted(counts.items())), "all": sum(counts.values(), Counter())}


def _as_json(tried: Sequence[Tried]) -> str:
    """`{"model", "prompt_version", "summary": {kind: {...}}, "rows": [...]}`."""
    document = {
        "model": next((one.model for one in tried if one.model), settings.OPENAI_MODEL),
        "prompt_version": PROMPT_VERSION,
        "summary": _counted(tried),
        "rows": [asdict(one) for one in tried],
    }
    return json.dumps(document, ensure_ascii=False, indent=1)


def _judge(tried: Sequence[Tried]) -> None:
    broken = [str(one.row["id"]) for one in tried if one.broken]
    if broken:
        raise CommandError(f"What must hold did not hold for {len(broken)} of {len(tried)} texts: {', '.join(broken)}.")
    if tried and all(one.route is None for one in tried):
        raise CommandError(f"The model answered nothing: {', '.join(tried[0].reasons)}.")
