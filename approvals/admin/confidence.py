"""What the confidence is worth: how often managers sent what it foretold, what another threshold would have done.

All is counted by the database in groups of one figure; the address carries what is asked (`?threshold=80&view=rules`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.cache import cache
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.generic import TemplateView
from unfold.views import UnfoldModelAdminViewMixin

from approvals import judged
from approvals.admin.columns import column
from approvals.models import ConfidenceCurve
from approvals.policy.confidence import THOUSANDTH
from approvals.policy.reliability import Bin, Drafts, WhatIf, calibration_error, reliability, what_if
from approvals.policy.rules import Rules
from approvals.rulebook import current_rules, newest_curve
from conversations.admin import ReadOnly

# The last 30 days say what a threshold would have done; the figure is judged by three months.
WHAT_IF_DAYS, JUDGED_DAYS = 30, 90
KEPT_SECONDS = 60
VIEWS = {"shown": "As managers saw it", "rules": "Written rules alone", "curve": "Since the learned curve"}
HUNDRED = Decimal(100)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One threshold of the table. Widths are per cent of all texts that nothing but the threshold keeps back."""

    then: WhatIf
    chosen: bool
    today: bool
    widths: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Foretold:
    """The reliability of one view; `error` is the mean distance between foretold and found."""

    bins: tuple[Bin, ...]
    of: int
    error: float | None


class Reliability(UnfoldModelAdminViewMixin, TemplateView):  # type: ignore[misc]
    """The page. It changes nothing: the threshold is a setting, the curve a command's."""

    title = "Confidence"
    permission_required = ("approvals.view_queuedresponse",)
    template_name = "admin/approvals/confidencecurve/reliability.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rules, newest = current_rules(), newest_curve()
        view = _view(self.request.GET.get("view", ""), newest)
        return super().get_context_data(
            **kwargs,
            **_what_if(_threshold(self.request.GET.get("threshold", ""), rules), rules, newest),
            rules=rules,
            newest=newest,
            foretold=_foretold(view, newest),
            view=view,
            views=_views(newest),
            days={"what_if": WHAT_IF_DAYS, "judged": JUDGED_DAYS, "learned": settings.CALIBRATION_DAYS},
            least=settings.CALIBRATION_MIN_DECISIONS,
            may_see_history=self.request.user.has_perm("approvals.view_confidencecurve"),
        )


# --- what if


def _what_if(chosen: Decimal, rules: Rules, newest: ConfidenceCurve | None) -> dict[str, Any]:
    since, curve = timezone.now() - timedelta(days=WHAT_IF_DAYS), newest.curve if newest else None
    drafts = _kept("what-if", lambda: judged.kept_by_threshold(since))
    switched_off = _kept("what-if-off", lambda: judged.kept_by_threshold(since, switched_off=True))

    def at(threshold: Decimal, drafts: tuple[Drafts, ...] = drafts) -> WhatIf:
        return what_if(drafts, threshold=threshold, lower=rules.manual_approval, curve=curve)

    return {
        "curve": curve,
        "chosen": at(chosen),
        "today": at(rules.auto_approval),
        "switched_off": at(chosen, switched_off),
        "rows": [_row(at(step), drafts, chosen, rules) for step in _steps(chosen, rules)],
    }


def _threshold(asked: str, rules: Rules) -> Decimal:
    """A percentage from the address; today's where it is none. At or below the lower threshold drafts are escalated."""
    try:
        wanted = Decimal(asked) / HUNDRED
        return min(max(wanted, rules.manual_approval), Decimal(1)).quantize(THOUSANDTH)
    except ArithmeticError:
        return rules.auto_approval


def _steps(chosen: Decimal, rules: Rules) -> list[Decimal]:
    """Every five per cent from the lower threshold on, with today's and the chosen one among them."""
    steps = {Decimal(number) / 20 for number in range(20)} | {chosen, rules.auto_approval}
    return sorted(step for step in steps if step >= rules.manual_approval)


def _row(then: WhatIf, drafts: tuple[Drafts, ...], chosen: Decimal, rules: Rules) -> Row:
    total = sum(draft.count for draft in drafts) or 1
    today = then.threshold == rules.auto_approval
    return Row(then=then, chosen=then.threshold == chosen, today=today, widths=_widths(then, total))


def _widths(then: WhatIf, total: int) -> dict[str, float]:
    names = ("went_out", "unchanged", "undecided", "changed", "refused")
    return {name: round(100 * getattr(then, name) / total, 2) for name in names}


# --- does the figure keep its word?


def _views(newest: ConfidenceCurve | None) -> dict[str, str]:
    return {name: title for name, title in VIEWS.items() if name != "curve" or (newest and newest.points)}


def _view(asked: str, newest: ConfidenceCurve | None) -> str:
    return asked if asked in _views(newest) else "shown"


def _foretold(view: str, newest: ConfidenceCurve | None) -> Foretold:
    since, figure = timezone.now() - timedelta(days=JUDGED_DAYS), judged.RAW if view == "rules" else judged.SHOWN
    if view == "curve" and newest:
        since = newest.turned_at
    name = f"judged-{view}-{newest.pk if newest else 0}"
    bins = reliability(_kept(name, lambda: judged.decided(since, figure=figure)))
    return Foretold(bins=bins, of=sum(one.of for one in bins), error=calibration_error(bins))


def _kept(name: str, count: Callable[[], tuple[Drafts, ...]]) -> tuple[Drafts, ...]:
    """Counted once a minute, however often the slider is moved."""
    known: tuple[Drafts, ...] | None = cache.get(f"confidence-{name}")
    if known is None:
        known = count()
        cache.set(f"confidence-{name}", known, KEPT_SECONDS)
    return known


@admin.register(ConfidenceCurve)
class ConfidenceCurveAdmin(ReadOnly):
    """What was put into service when, by whom and why; `manage.py calibrate` writes it."""

    list_display = ["turned_at", "kind", "decisions", "brier", "surprise", "turned_by", "reason"]
    ordering = ["-turned_at"]
    list_before_template = "admin/approvals/confidencecurve/lead.html"

    @column("Curve", ordering="method", label={"off": "warning", "logistic": "success", "isotonic": "success"})
    def kind(self, curve: ConfidenceCurve) -> tuple[str, str]:
        return curve.method, curve.get_method_display()

    @column("Brier score")
    def brier(self, curve: ConfidenceCurve) -> str:
        return _from_to(curve.brier_before, curve.brier_after)

    @column("Log loss")
    def surprise(self, curve: ConfidenceCurve) -> str:
        return _from_to(curve.log_loss_before, curve.log_loss_after)

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(Reliability.as_view(model_admin=self))
        return [path("reliability/", page, name="approvals_reliability"), *super().get_urls()]


def _from_to(before: float | None, after: float | None) -> str:
    return "–" if before is None or after is None else f"{before:.3f} → {after:.3f}"
