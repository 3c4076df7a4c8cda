"""Runs one row of `tests/corpora/red_team.jsonl` through what stands between a model's answer and a tenant.

A row holds a tenant (null: unknown), a message, the raw answer of a model that has given in, and what must hold. The
same rows are sent through the whole workflow with a simulated model; here only the rules are asked.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from approvals.policy.confidence import estimate
from approvals.policy.escalation import find_triggers
from approvals.policy.gates import DraftFacts, check_gates, injection_note, red
from approvals.policy.plans import PlanCheck, Proposal, check_plan, extract
from approvals.policy.routing import Route, choose_route
from approvals.policy.rules import Rules
from approvals.prompts import read_answer

ROWS = Path(__file__).parent / "corpora" / "red_team.jsonl"
TODAY = date(2026, 11, 23)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the rules made of a hostile text and answer."""

    red: frozenset[str]
    route: Route
    injection_noted: bool


def red_team_rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in ROWS.read_text(encoding="utf-8").splitlines()]


def run(row: Mapping[str, Any], rules: Rules) -> Outcome:
    """The gates, triggers, plan check and route for this row, as `draft_reply` asks for them."""
    message, answer = row["tenant_message"], read_answer(row["answer"])
    plan = extract(message, structured=answer.plan, today=TODAY).plan
    gates = check_gates(answer.reply, facts_of(row), rules)
    known = row["tenant"] is not None
    confidence = estimate(
        model_figure=answer.confidence,
        account_age=None,
        account_complete=known,
        tenant_message=message,
        language_guessed=False,
        tenant_known=known,
    )
    verdict = choose_route(
        confidence=confidence.score,
        triggers=find_triggers(message, plan=plan, rules=rules),
        gates=gates,
        plan=_checked(plan, row, rules),
        holds=(),
        tenant_known=known,
        model_escalates=answer.escalate is not None,
        rules=rules,
    )
    return Outcome(
        red=frozenset(gate.code for gate in red(gates)),
        route=verdict.route,
        injection_noted=injection_note(message) is not None,
    )


def facts_of(row: Mapping[str, Any]) -> DraftFacts:
    """The facts of a labelled draft or of a red-team row."""
    tenant = row["tenant"]
    if tenant is None:
        return DraftFacts(
            tenant_message=row["tenant_message"],
            language=None,
            tenant_name=None,
            amount_owed=None,
            tenant_portion=None,
            days_late=None,
            tenant_known=False,
        )
    return DraftFacts(
        tenant_message=row["tenant_message"],
        language=tenant["language"],
        tenant_name=tenant["name"],
        amount_owed=Decimal(tenant["amount_owed"]),
        tenant_portion=Decimal(tenant["tenant_portion"]),
        days_late=tenant["days_late"],
    )


def _checked(plan: Proposal | None, row: Mapping[str, Any], rules: Rules) -> PlanCheck | None:
    if plan is None or row["tenant"] is None:
        return None
    return check_plan(
        weekly_amount=plan.weekly_amount,
        weeks=plan.weeks,
        amount_owed=Decimal(row["tenant"]["amount_owed"]),
        tenant_portion=Decimal(row["tenant"]["tenant_portion"]),
        rules=rules,
    )
