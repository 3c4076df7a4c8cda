"""The rules as they stand now: the settings' figures, and the switch that managers turn."""

from datetime import timedelta

from django.conf import settings

from approvals.models import RuleSwitch
from approvals.policy.rules import Rules
from conversations.contact_hours import hours_of

AUTO_SEND = "auto_send"


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
    newest = RuleSwitch.objects.filter(name=AUTO_SEND).order_by("-turned_at").first()
    return newest is None or newest.value


def turn_auto_send(on: bool, *, by: str, reason: str) -> RuleSwitch:
    """A manager turns automatic sending on or off; every turn is kept, the newest counts from the next draft on."""
    return RuleSwitch.objects.create(name=AUTO_SEND, value=on, turned_by=by, reason=reason)
