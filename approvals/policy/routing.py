"""Who has the next word on a draft: nobody (it is sent), a manager, or an escalation."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from approvals.policy.gates import Gate, Level
from approvals.policy.rules import Rules


class Route(StrEnum):
    SEND = "send"
    QUEUE = "queue"
    ESCALATE = "escalate"


class TriggerLike(Protocol):
    """What is read of an escalation trigger: its category code."""

    @property
    def category(self) -> str: ...


class PlanCheckLike(Protocol):
    """What is read of a validated payment plan."""

    @property
    def auto_approvable(self) -> bool: ...


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The way a draft takes, with every reason as a code; the same codes stand in audit log, console and e-mail."""

    route: Route
    reasons: tuple[str, ...]


def choose_route(
    *,
    confidence: Decimal,
    triggers: Sequence[TriggerLike],
    gates: Sequence[Gate],
    plan: PlanCheckLike | None,
    holds: Sequence[str],
    tenant_known: bool,
    model_escalates: bool,
    rules: Rules,
) -> Verdict:
    """The strictest way that anything asks for; a text is sent by itself only when nothing at all speaks against it."""
    against_answering = _reasons_to_escalate(confidence, triggers, tenant_known, model_escalates, rules)
    if against_answering:
        return Verdict(route=Route.ESCALATE, reasons=against_answering)
    against_sending = _reasons_to_ask_a_manager(confidence, gates, plan, holds, rules)
    if against_sending:
        return Verdict(route=Route.QUEUE, reasons=against_sending)
    return Verdict(route=Route.SEND, reasons=("confident",))


def _reasons_to_escalate(
    confidence: Decimal, triggers: Sequence[TriggerLike], tenant_known: bool, model_escalates: bool, rules: Rules
) -> tuple[str, ...]:
    reasons = [str(trigger.category) for trigger in triggers]
    if not tenant_known:
        reasons.append("unknown_tenant")
    if model_escalates:
        reasons.append("model_escalates")
    # Strict: exactly the threshold is not above it.
    if confidence <= rules.manual_approval:
        reasons.append("low_confidence")
    return tuple(dict.fromkeys(reasons))


def _reasons_to_ask_a_manager(
    confidence: Decimal, gates: Sequence[Gate], plan: PlanCheckLike | None, holds: Sequence[str], rules: Rules
) -> tuple[str, ...]:
    reasons = [f"hold_{hold}" for hold in holds]
    reasons += [f"gate_{gate.code}" for gate in gates if gate.level is Level.RED]
    if plan is not None and not plan.auto_approvable:
        reasons.append("plan_needs_a_manager")
    if confidence <= rules.auto_approval:
        reasons.append("medium_confidence")
    if not rules.auto_send_enabled:
        reasons.append("auto_send_disabled")
    return tuple(dict.fromkeys(reasons))
