"""manage.py calibrate: learn from managers' decisions what the confidence is worth, and put that into service."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from approvals import judged, rulebook
from approvals.learning import CannotLearn, Learned, learn
from approvals.policy.reliability import what_if

# The effect is shown on the texts of so many days.
SHOWN_DAYS = 30
MAY_CHANGE = "approvals.change_rules"
LINE = "{:28}{:>10}{:>10}"
EFFECT = {"by_itself": "leave by themselves", "kept": "wait for a manager", "escalated": "are escalated"}


class Command(BaseCommand):
    help = "Learn from managers' decisions how probable it is that a draft is sent unchanged; --off is the way back."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--by", help="who changes the rules: a person who may (change_rules)")
        parser.add_argument("--reason", default="", help="why; it stands in the admin beside the curve")
        way = parser.add_mutually_exclusive_group()
        way.add_argument("--dry-run", action="store_true", help="only say what would be learned")
        way.add_argument("--off", action="store_true", help="back to the figure of the written rules")

    def handle(self, *args: Any, by: str | None, reason: str, dry_run: bool, off: bool, **options: Any) -> None:
        if not dry_run:
            _must_be_allowed(by)
        if off:
            rulebook.take_out_of_service(by=by or "", reason=reason)
            self.stdout.write("From the next draft on the figure of the written rules stands alone.")
            return
        since = timezone.now() - timedelta(days=settings.CALIBRATION_DAYS)
        learned = _learned(since)
        self._tell(learned)
        self._tell_effect(learned)
        if not learned.is_better:
            raise CommandError("The curve is worse than none on decisions that it has not seen: it is not used.")
        if dry_run:
            self.stdout.write("Nothing was changed. Put it into service with --by NAME.")
            return
        rulebook.put_into_service(learned, since=since, by=by or "", reason=reason)
        self.stdout.write("In service from the next draft on. The way back: calibrate --off --by NAME.")

    def _tell(self, learned: Learned) -> None:
        self.stdout.write(
            f"A {learned.method} curve of {learned.decisions} decisions of managers, {learned.unchanged} of them "
            f"unchanged, about figures from {learned.lowest} to {learned.highest}."
        )
        self.stdout.write(LINE.format("on unseen decisions", "before", "after"))
        for name in ("brier", "log_loss", "calibration_error"):
            before, after = getattr(learned.before, name), getattr(learned.after, name)
            self.stdout.write(LINE.format(name.replace("_", " "), f"{before:.4f}", f"{after:.4f}"))

    def _tell_effect(self, learned: Learned) -> None:
        """What the curve does to the texts that nothing but the threshold keeps back."""
        drafts = judged.kept_by_threshold(timezone.now() - timedelta(days=SHOWN_DAYS))
        auto, manual = settings.AUTO_APPROVAL_CONFIDENCE, settings.MANUAL_APPROVAL_CONFIDENCE
        curves = rulebook.curve_in_service(), learned.curve
        today, then = (what_if(drafts, threshold=auto, lower=manual, curve=curve) for curve in curves)
        self.stdout.write(LINE.format(f"texts of {SHOWN_DAYS} days", "today", "then"))
        for name in ("by_itself", "kept", "escalated"):
            self.stdout.write(LINE.format(EFFECT[name], getattr(today, name), getattr(then, name)))
        if learned.highest <= Decimal(auto):
            self.stdout.write(
                self.style.WARNING(
                    f"No draft above {auto} was judged by anybody, so what the curve says there is a guess. With "
                    "automatic sending switched off for a while, managers judge those, too."
                )
            )


def _must_be_allowed(by: str | None) -> None:
    if not by:
        raise CommandError("Say who changes the rules with --by NAME, or look first with --dry-run.")
    person = get_user_model().objects.filter(username=by, is_active=True).first()
    if person is None or not person.has_perm(MAY_CHANGE):
        raise CommandError(
            f"{by} may not change the rules: the permission {MAY_CHANGE} is missing (Supervisors have it)."
        )


def _learned(since: datetime) -> Learned:
    drafts = judged.decided(since, figure=judged.RAW)
    try:
        return learn(drafts, at_least=settings.CALIBRATION_MIN_DECISIONS)
    except CannotLearn as why:
        raise CommandError(f"{why} Looked at: the decisions of {settings.CALIBRATION_DAYS} days.") from why
