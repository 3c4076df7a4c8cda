"""The rules as they stand now: the settings' figures, the managers' switch, and what their decisions taught."""

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings

from approvals.models import ConfidenceCurve, RuleSwitch
from approvals.policy.confidence import Curve
from approvals.policy.rules import Rules
from conversations.contact_hours import hours_of

if TYPE_CHECKING:
    # It brings scikit-learn along, which belongs into neither web nor worker.
    from approvals.learning import Learned

AUTO_SEND = "auto_send"
log = logging.getLogger(__name__)


def current_rules() -> Rules:
    """The settings as one value; automatic sending is on only if the setting and the managers' switch both say so."""
    return Rules(
        auto_approval=settings.AUTO_APPROVAL_CONFIDENCE,
        manual_approval=settings.MANUAL_APPROVAL_CONFIDENCE,
        auto_send_enabled=settings.AUTO_SEND_ENABLED and auto_send_switched_on(),
        max_weeks=settings.MAX_PAYMENT_WEEKS,
        min_weekly=settings.MIN_WEEKLY_PAYMENT,
        unrealistic_weeks=settings.UNREALISTIC_WEEKS,
        contact_hours=hours_of(settings.CONTACT_HOURS),
        contact_time_zone=settings.CONTACT_TIME_ZONE,
        answer_grace=timedelta(minutes=settings.ANSWER_GRACE_MINUTES),
        max_started_per_week=settings.MAX_STARTED_TEXTS_PER_WEEK,
        opt_out_footer=settings.OPT_OUT_FOOTER,
        ai_disclosure=settings.AI_DISCLOSURE,
        company_name=settings.COMPANY_NAME,
    )


def auto_send_switched_on() -> bool:
    """Whether the managers' switch is on; it is until somebody turns it off."""
    newest = newest_switch()
    return newest is None or newest.value


def newest_switch() -> RuleSwitch | None:
    """Who turned automatic sending on or off last, and why; None while nobody has."""
    return RuleSwitch.objects.filter(name=AUTO_SEND).order_by("-turned_at").first()


def turn_auto_send(on: bool, *, by: str, reason: str) -> RuleSwitch:
    """A manager turns automatic sending on or off; every turn is kept, the newest counts from the next draft on."""
    return RuleSwitch.objects.create(name=AUTO_SEND, value=on, turned_by=by, reason=reason)


def curve_in_service() -> Curve | None:
    """What managers' decisions have taught about the confidence; None while the written rules' figure stands alone."""
    newest = newest_curve()
    return newest.curve if newest else None


def newest_curve() -> ConfidenceCurve | None:
    """What was put into service, or taken out of it, last; None while nothing was."""
    return ConfidenceCurve.objects.order_by("-turned_at").first()


def put_into_service(learned: "Learned", *, since: datetime, by: str, reason: str) -> ConfidenceCurve:
    """From the next draft on the confidence goes through this curve; the database refuses one worse than none."""
    log.warning("%s puts a learned curve into service: %s of %s decisions", by, learned.method, learned.decisions)
    return ConfidenceCurve.objects.create(
        method=learned.method,
        points=[[str(figure), str(probability)] for figure, probability in learned.curve.points],
        decisions=learned.decisions,
        unchanged=learned.unchanged,
        learned_since=since,
        brier_before=learned.before.brier,
        brier_after=learned.after.brier,
        log_loss_before=learned.before.log_loss,
        log_loss_after=learned.after.log_loss,
        calibration_error_before=learned.before.calibration_error,
        calibration_error_after=learned.after.calibration_error,
        reason=reason,
        turned_by=by,
    )


def take_out_of_service(*, by: str, reason: str) -> ConfidenceCurve:
    """The way back: from the next draft on the figure of the written rules stands alone."""
    log.warning("%s takes the learned curve out of service", by)
    return ConfidenceCurve.objects.create(method=ConfidenceCurve.Method.OFF, reason=reason, turned_by=by)
