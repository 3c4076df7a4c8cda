"""How the console writes times, money and codes for people."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from approvals.console.checking import Checked
from approvals.models import QueuedResponse
from approvals.policy.reliability import WhatIf

register = template.Library()

WORDS_OF = {
    # gates
    "empty": "Not empty",
    "control_text_leak": "No system text",
    "opted_out": "Not opted out",
    "wrong_amount": "Amounts",
    "too_long": "Length",
    "legal_threat": "No legal threat",
    "promise_outside_rules": "Within the rules",
    "debt_forgiveness": "No debt waived",
    "third_party_disclosure": "Privacy",
    "wrong_language": "Language",
    "system_prompt_leak": "No prompt text",
    "unknown_address": "No unknown link",
    "stale": "Up to date",
    # where a figure comes from
    "amount_owed": "balance",
    "tenant_portion": "tenant's portion",
    "min_weekly": "weekly minimum",
    "tenant_message": "tenant's words",
    "suggested": "our suggestion",
    # parts of the confidence
    "model": "The model's own figure",
    "plain_text_answer": "Plain answer without a figure",
    "stale_account": "Account data is old",
    "incomplete_account": "Account data is incomplete",
    "unclear_message": "Short or unclear message",
    "language_guessed": "Language was guessed",
    "unknown_tenant": "Unknown tenant",
    "learned": "Learned from decisions",
    # decisions
    "auto_approve": "sent automatically",
    "approve": "approved",
    "modify": "changed and sent",
    "escalate": "escalated",
    "redraft": "asked for a new draft",
    "close": "closed without a reply",
    "snooze": "snoozed",
    "undo": "took it back",
    "withdraw": "withdrawn",
    "queue": "queued for a decision",
    "hold": "held",
    "wake": "took it back into the queue",
    "assign": "gave an escalation",
    "note": "wrote a note",
    "accept_plan": "accepted a plan",
    "decline_plan": "declined a plan",
    "release_hold": "released a hold",
    "resolve": "resolved an escalation",
    # holds and escalations
    "opt_out": "opted out",
    "attorney_represented": "has a lawyer",
    "bankruptcy": "bankruptcy",
    "cease_contact": "asked not to be contacted",
    "wrong_number": "wrong number",
    "dispute": "disputes the amount",
    "emergency": "emergency",
    "manual": "set by a manager",
    "self_harm_or_emergency": "emergency",
    "supervisor_request": "wants a person",
    "unrealistic_proposal": "unrealistic proposal",
    "low_confidence": "low confidence",
    "no_response": "no answer",
    "send_failed": "could not be sent",
    "ai_failed": "no draft could be written",
    # plan issues
    "duration_too_long": "takes too long",
    "payment_too_low": "too little a week",
    "does_not_cover_debt": "does not cover the debt",
    "debt_unknown": "debt unknown",
    # why it went, or waits
    "confident": "sure enough to go by itself",
    "medium_confidence": "not sure enough to go by itself",
    "plan_needs_a_manager": "a plan that needs a manager",
    "auto_send_disabled": "automatic sending is off",
    "model_escalates": "the model asks for a person",
    "open_escalation": "an escalation is open",
    "too_many_started_texts": "enough texts were started this week",
    # notices
    "reply_waiting": "a reply waits",
    "text_on_hold": "a text on hold",
    "escalation": "an escalation",
    "words_not_sent": "a manager's text was not sent",
    "pending_reminder": "replies still wait",
    # what the work on a text does, and how it ends
    "read": "Read the words",
    "tenant": "Asked for the account",
    "thread": "Asked for the conversation",
    "draft": "Wrote a draft",
    "second draft": "Wrote a second draft",
    "verdict": "Weighed it",
    "sms_reply": "reply to a text",
    "superseded": "answered with a newer text",
    "taken back": "waits: its worker was lost",
    "retry": "waits: tried again by a person",
    "ok": "done",
    "refused": "was refused",
    "unknown": "outcome unknown",
    # where a plan or a language is known from
    "monitor": "the Collections Monitor",
    "detected": "the tenant's words",
    "guessed": "a guess",
    "auto_send": "automatic sending",
    # who
    "policy": "The rules",
}
PREFIXES = {"gate_": "check", "hold_": "hold"}
LANGUAGES = {"en": "English", "es": "Spanish", "pt": "Portuguese", "ht": "Haitian Creole", "he": "Hebrew"}
# How the report of health calls whom we depend on.
UPSTREAMS = {
    "sms_agent": "SMS Agent",
    "collections_monitor": "Collections Monitor",
    "notification_service": "Notification Service",
    "openai": "Language model",
    "call_handler": "Call handler",
    "supabase": "Database",
}


@register.filter
def words(code: str) -> str:
    """What a code is called, as people say it; an unknown code is shown as it stands."""
    for prefix, said in PREFIXES.items():
        if code.startswith(prefix):
            return f"{said}: {words(code.removeprefix(prefix)).lower()}"
    source, _, count = str(code).partition(" ")
    return f"{WORDS_OF.get(source, source.replace('_', ' '))} {count}".strip()


@register.filter
def language(code: str) -> str:
    """English for en; a code that nobody knows as it stands."""
    return LANGUAGES.get(code, code or "unknown")


@register.simple_tag
def languages() -> dict[str, str]:
    return LANGUAGES


@register.filter
def upstream(name: str) -> str:
    return UPSTREAMS.get(name, name.replace("_", " "))


@register.filter
def money(value: Decimal | None) -> str:
    """$1,250 or $340.50; a dash for what nobody knows."""
    if value is None:
        return "–"
    return f"${value:,.2f}".removesuffix(".00")


@register.filter
def percent(value: Decimal | float | None) -> str:
    return "–" if value is None else f"{value * 100:.0f} %"


@register.filter
def points(value: Decimal) -> str:
    """0.85 as 85, for addresses, fields and axes."""
    whole, _, rest = f"{value * 100:f}".partition(".")
    return f"{whole}.{rest}".rstrip("0").rstrip(".") if rest else whole


@register.filter
def whole(value: float) -> str:
    """0.256 as 26: percentage points."""
    return f"{value * 100:.0f}"


@register.filter
def hundred(value: float) -> str:
    """0.8512 as 85.1, for lengths."""
    return f"{value * 100:.1f}"


@register.filter
def signed_percent(value: str) -> str:
    """+86 or -10, for the parts of a sum."""
    return f"{Decimal(value) * 100:+.0f}".replace("-", "−")


@register.filter
def waited(span: timedelta) -> str:
    """12 s, 5 min, 1 h 20, 3 d 4 h."""
    seconds = max(0, int(span.total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 60:
        return f"{seconds} s"
    if hours < 1:
        return f"{minutes} min"
    if days < 1:
        return f"{hours} h {minutes % 60:02d}"
    return f"{days} d {hours % 24} h"


@register.filter
def ago(moment: datetime | None) -> str:
    """How long ago, or how far ahead."""
    if moment is None:
        return "never"
    span = timezone.now() - moment
    if span < timedelta(0):
        return f"in {waited(-span)}"
    return "just now" if span < timedelta(seconds=45) else f"{waited(span)} ago"


@register.filter
def more_than(then: WhatIf, today: WhatIf) -> str:
    """How many more or fewer texts go by themselves than at today's threshold."""
    more = then.by_itself - today.by_itself
    return "as many as today" if not more else f"{abs(more)} {'more' if more > 0 else 'fewer'} than today"


@register.filter
def why_stopped(reply: QueuedResponse) -> str:
    """Why policy withdrew a reply that a person had decided."""
    entry = reply.audit.filter(action=QueuedResponse.Action.WITHDRAW).order_by("-seq").first()
    reason = entry.reason if entry else "stale"
    return "the tenant wrote first" if reason == "stale" else codes(reason)


@register.filter
def gates_in_words(gates: list[dict[str, Any]]) -> str:
    """The codes of the gates that are not green."""
    return ", ".join(words(gate["code"]) for gate in gates if gate["level"] != "green")


@register.filter
def initials(name: str) -> str:
    letters = [part[0] for part in name.split() if part[0].isalpha()]
    return "".join(letters[:1] + letters[-1:] if len(letters) > 1 else letters).upper() or "#"


@register.simple_tag
def icon(name: str) -> SafeString:
    """A symbol of the theme's font; always beside words, so it is hidden from screen readers."""
    return format_html('<span class="material-symbols-outlined" aria-hidden="true">{}</span>', name)


@register.filter
def level(checked: Checked) -> str:
    """The worst of the gates: red, amber or green."""
    return "red" if checked.reds else "amber" if checked.ambers else "green"


@register.filter
def seconds(value: float) -> str:
    """A number of seconds, as people say it."""
    return waited(timedelta(seconds=value))


@register.filter
def codes(reason: str) -> str:
    """A reason that is a list of codes, in words; a person's sentence stays as it is."""
    listed = reason.split(", ")
    known = [code for code in listed if code in WORDS_OF or code.startswith(tuple(PREFIXES))]
    return ", ".join(map(words, listed)) if len(known) == len(listed) else reason
