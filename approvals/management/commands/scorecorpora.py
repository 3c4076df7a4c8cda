"""manage.py scorecorpora PATH [--predictions FILE] [--wrong]: how well the rules read a folder of labelled messages."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from approvals.corpora import Ratio, Score, prediction_line, score_folder


class Command(BaseCommand):
    help = "Runs the rules over a folder of labelled messages and prints the score of each file."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="a folder with payment_plans.jsonl, escalation.jsonl, ...")
        parser.add_argument("--predictions", type=Path, help="write one JSON line a row to this file")
        parser.add_argument("--wrong", action="store_true", help="print the rows that were read wrongly")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["path"]
        if not folder.is_dir():
            raise CommandError(f"{folder} is no folder")
        scores = list(score_folder(folder))
        if not scores:
            raise CommandError(f"{folder} holds no file that we can read")
        for score in scores:
            self._print(score, with_wrong=options["wrong"])
        if options["predictions"]:
            lines = [prediction_line(score, read) for score in scores for read in score.reads]
            options["predictions"].write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def _print(self, score: Score, *, with_wrong: bool) -> None:
        self.stdout.write(self.style.MIGRATE_HEADING(f"{score.file}  {len(score.reads)} rows"))
        for ratio in score.ratios:
            self.stdout.write(f"  {_shown(ratio)}")
        for title, ratios in (("language", score.by_language), ("label", score.by_label)):
            if ratios:
                self.stdout.write(f"  by {title}: " + ", ".join(map(_shown, ratios)))
        for read in score.wrong if with_wrong else ():
            self.stdout.write(f"    {read.row['id']} {read.row.get('message', '')!r}")
            self.stdout.write(f"      got {read.prediction}, expected {read.row['expect']}")


def _shown(ratio: Ratio) -> str:
    return f"{ratio.name} {'none' if ratio.value is None else f'{ratio.value:.3f}'} ({ratio.hits}/{ratio.total})"
