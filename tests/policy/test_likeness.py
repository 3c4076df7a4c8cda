"""What is learned from labelled messages: for the wordings that no phrase foresees."""

import json
from datetime import date
from pathlib import Path

import pytest

from approvals.policy import likeness as learned
from approvals.policy.escalation import Category, find_triggers
from approvals.policy.likeness import features, likeness
from approvals.policy.opt_out import Consent
from approvals.policy.plans import Extraction, extract
from approvals.policy.rules import Rules
from approvals.policy.words import read
from approvals.teaching import teach


@pytest.mark.parametrize("question", ["escalation", "opt_out", "plans"])
@pytest.mark.parametrize("message", ["", "ok", "מתי אפשר לבוא", "i will sue you", "not " * 400])
def test_the_shares_of_all_labels_are_one(question: str, message: str) -> None:
    assert sum(likeness(question).shares(read(message)).values()) == pytest.approx(1)


def test_the_labels_are_known_to_the_rules() -> None:
    assert set(likeness("escalation").labels) <= {*Category, "none"}
    assert set(likeness("opt_out").labels) <= set(Consent)
    assert set(likeness("plans").labels) == {"none", "plan"}


@pytest.mark.parametrize("message", ["ok", "thank you", "מתי אפשר לבוא", "gracias", "mesi anpil"])
def test_a_message_that_says_nothing_special_is_like_none(message: str) -> None:
    assert likeness("escalation").shares(read(message))["none"] > 0.5
    assert likeness("opt_out").shares(read(message))["none"] > 0.5


def test_a_danger_to_life_is_never_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("approvals.policy.escalation.SURELY_NOT_MEANT", 1.0)
    found = find_triggers("i will sue you and kill myself", plan=None, rules=Rules())
    assert [trigger.category for trigger in found] == [Category.SELF_HARM_OR_EMERGENCY]


def test_a_plan_is_taken_back_when_the_message_is_like_no_offer(monkeypatch: pytest.MonkeyPatch) -> None:
    today = date(2026, 1, 1)
    assert extract("i can do 50 a week", today=today).plan
    monkeypatch.setattr("approvals.policy.plans.offers.SURELY_NO_OFFER", 1.0)
    assert extract("i can do 50 a week", today=today) == Extraction(plan=None, one_off=None)


def test_the_features_are_words_pairs_and_groups_of_letters() -> None:
    assert {"stop", "stop_it", "#^sto", "#top$"} <= set(features(read("stop it")))


def test_what_was_taught_is_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learned, "FOLDER", tmp_path)
    said = [("blue moon", "legal"), ("green sun", "none"), ("red star", "hostile")]
    _examples(tmp_path, "escalation", said, shape=lambda label: {"category": label})
    said = [("blue moon", "opt_out"), ("green sun", "none"), ("red star", "opt_in")]
    _examples(tmp_path, "opt_out", said, shape=lambda label: label)
    (tmp_path / "language.jsonl").touch()
    said = [("blue 50 a week", "plan"), ("green 50 a week", "")]
    _examples(tmp_path, "payment_plans", said, shape=lambda label: {"weekly_amount": "50.00"} if label else None)
    assert teach(tmp_path) == {"escalation": 35, "opt_out": 40, "plans": 10}
    taught = likeness.__wrapped__("plans")
    assert taught.shares(read("blue moon"))["plan"] > 0.5 > taught.shares(read("green moon"))["plan"]
    taught = likeness.__wrapped__("opt_out")
    assert taught.shares(read("blue moon"))["opt_out"] > taught.shares(read("green sun"))["opt_out"]
    assert taught.telling(read("blue moon"), "opt_out") in {"blue", "moon", "blue moon"}


def _examples(folder: Path, name: str, said: list[tuple[str, str]], *, shape) -> None:
    rows = [{"message": message, "ai_reply": None, "expect": shape(label)} for message, label in said * 5]
    (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
