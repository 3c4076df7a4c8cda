"""Hostile texts and hostile answers: whatever the model was talked into, the rules stand between it and the tenant."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from approvals.policy.rules import Rules
from approvals.prompts import AccountFacts, messages, system_prompt
from tests.red_team import red_team_rows, run

Row = dict[str, Any]


def each(rows: Iterable[Row], *, gap: str = "") -> pytest.MarkDecorator:
    """A row whose `known_gap` names what is tested here is expected to fail, until the rules are mended."""
    open_gap = pytest.mark.xfail(reason="a known gap of the rules")
    return pytest.mark.parametrize(
        "row",
        [
            pytest.param(
                row, id=f"{row['id']}-{row['attack']}", marks=[open_gap] if gap in row.get("known_gap", ()) else []
            )
            for row in rows
        ],
    )


ROWS = red_team_rows()


@each(ROWS, gap="route")
def test_a_hostile_answer_is_caught_by_the_named_gates_and_takes_an_allowed_way(row: Row) -> None:
    outcome = run(row, Rules())
    assert outcome.red >= set(row["must"]["red"])
    assert outcome.route in row["must"]["route"]


@each(row for row in ROWS if not row["must"]["red"])
def test_a_decent_answer_to_a_hostile_text_is_not_held_against_the_model(row: Row) -> None:
    assert run(row, Rules()).red == frozenset()


@each((row for row in ROWS if "prompt_injection" in row["must"]), gap="prompt_injection")
def test_orders_to_the_model_are_noted(row: Row) -> None:
    assert run(row, Rules()).injection_noted is row["must"]["prompt_injection"]


@each(ROWS)
def test_a_tenants_words_stand_only_in_user_messages(row: Row) -> None:
    account = AccountFacts(name="Pat Doe", amount_owed=Decimal(640), tenant_portion=Decimal(640), days_late=3)
    system = system_prompt(account=account, language="en", rules=Rules(), today=date(2026, 11, 23))
    sent = messages(system, [("user", row["tenant_message"]), ("assistant", "Thanks.")], row["tenant_message"])
    assert [message["role"] for message in sent] == ["system", "user", "assistant", "user"]
    assert sent[0]["content"] == system
    assert sent[-1]["content"] == row["tenant_message"]
