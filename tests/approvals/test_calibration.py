"""Managers' decisions teach what the confidence is worth; a curve goes into service only if it beats none."""

import random
import subprocess
import sys
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError
from django.utils import timezone

from approvals import judged, rulebook
from approvals.learning import CannotLearn, learn
from approvals.models import ConfidenceCurve, QueuedResponse
from approvals.policy.reliability import Drafts, End
from tests.builders import approved, make_conversation, make_response, plan_a_good_day, receive, work
from tests.console.conftest import person

LONG_AGO = timezone.now() - timezone.timedelta(days=30)


def decisions(*, slope: float, count: int = 400, seed: int = 1) -> list[Drafts]:
    """Figures all over 0.5..1, sent unchanged with `slope` times the figure's probability."""
    chance = random.Random(seed)
    made = []
    for _ in range(count):
        figure = Decimal(chance.randint(500, 1000)) / 1000
        end = End.UNCHANGED if chance.random() < slope * float(figure) else End.CHANGED
        made.append(Drafts(figure=figure, end=end, count=1))
    return made


# --- learning


def test_a_figure_that_promises_too_much_is_brought_down_to_what_happened() -> None:
    learned = learn(decisions(slope=0.6), at_least=200)
    assert learned.is_better
    assert learned.after.brier < learned.before.brier
    assert learned.after.calibration_error < learned.before.calibration_error
    assert Decimal("0.45") < learned.curve.at(Decimal("0.9")) < Decimal("0.65")


def test_a_thousand_decisions_may_draw_any_rising_curve() -> None:
    steps = [
        Drafts(figure=Decimal(figure), end=end, count=count)
        for figure, end, count in [
            ("0.6", End.CHANGED, 380),
            ("0.6", End.UNCHANGED, 20),
            ("0.7", End.CHANGED, 370),
            ("0.7", End.UNCHANGED, 30),
            ("0.8", End.UNCHANGED, 395),
            ("0.8", End.REFUSED, 5),
        ]
    ]
    learned = learn(steps, at_least=200)
    assert (learned.method, learned.decisions) == ("isotonic", 1200)
    assert learned.curve.at(Decimal("0.7")) == pytest.approx(Decimal("0.075"), abs=Decimal("0.001"))


def test_a_figure_that_is_honest_already_gains_nothing_and_the_curve_is_not_wanted() -> None:
    learned = learn(decisions(slope=1.0, count=300, seed=2), at_least=200)
    assert not learned.is_better
    assert 0 < learned.after.brier - learned.before.brier < 0.01


@pytest.mark.parametrize(
    ("drafts", "missing"),
    [
        pytest.param(decisions(slope=0.6, count=120), "120 decisions of managers, of 200", id="too-few"),
        pytest.param([Drafts(figure=Decimal("0.8"), end=End.UNCHANGED, count=400)], "0 drafts changed", id="one-sided"),
        pytest.param(
            [
                Drafts(figure=Decimal("0.6"), end=End.UNCHANGED, count=300),
                Drafts(figure=Decimal("0.9"), end=End.CHANGED, count=300),
            ],
            "says nothing to them",
            id="the-surer-the-worse",
        ),
        pytest.param([], "0 decisions of managers, of 200", id="none"),
    ],
)
def test_what_does_not_suffice_is_said(drafts: list[Drafts], missing: str) -> None:
    with pytest.raises(CannotLearn, match=missing):
        learn(drafts, at_least=200)


def test_what_nobody_judged_teaches_nothing() -> None:
    sent = [Drafts(figure=Decimal("0.95"), end=End.WENT_OUT, count=5000)]
    with pytest.raises(CannotLearn, match="0 decisions"):
        learn(sent, at_least=200)


def test_the_library_stays_out_of_web_and_worker() -> None:
    code = (
        "import sys, django; django.setup(); import orchestrator_site.urls, orchestrator_site.wsgi, "
        "orchestrator_site.worker.steps, approvals.warmup; sys.exit('sklearn' in sys.modules or 'numpy' in sys.modules)"
    )
    environment = {"DJANGO_SETTINGS_MODULE": "orchestrator_site.settings", "DATABASE_URL": "postgres://x@127.0.0.1:9/x"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# --- which rows are labels


def decide(action: str | None, *, by: str | None = "maria", **fields: Any) -> QueuedResponse:
    """A draft that was kept back by the threshold alone, and what became of it."""
    number = QueuedResponse.objects.count()
    status = {"approve": "sent", "modify": "sent", "escalate": "escalated", "close": "closed", "redraft": "withdrawn"}
    defaults = {
        "confidence_score": "0.750",
        "reasons": ["medium_confidence"],
        "manager_action": action,
        "actioned_by": by,
        "actioned_at": timezone.now() if by else None,
        "status": status.get(action or "", "pending"),
        "receipt": f"SM{number}",
    }
    return make_response(make_conversation(phone=f"+1415555{number:04d}"), **{**defaults, **fields})


def ends(drafts: tuple[Drafts, ...]) -> dict[str, int]:
    return {str(draft.end): draft.count for draft in drafts}


@pytest.mark.django_db
def test_only_a_persons_free_decision_is_a_label() -> None:
    decide("approve")
    decide("approve", reasons=["plan_needs_a_manager", "auto_send_disabled", "prompt_injection"])
    decide("modify")
    for action in ("escalate", "close", "redraft"):
        decide(action)
    # And none of these:
    decide("auto_approve", by="policy", reasons=["confident"])
    decide("approve", reasons=["confident"])  # it had gone out by itself, and was only tried again
    decide("modify", reasons=["medium_confidence", "gate_wrong_amount"])  # nobody was free to send it as it was
    decide("close", reasons=["hold_opt_out"])
    decide("escalate", by="policy", reasons=["low_confidence"])
    decide("close", tried_at=timezone.now())  # approved before, and given up when it could not be sent
    decide(None, by=None)
    decide("modify", ai_response="", reasons=[])  # a text by hand
    assert ends(judged.decided(LONG_AGO)) == {"unchanged": 2, "changed": 1, "refused": 3}


@pytest.mark.django_db
def test_the_figure_before_the_curve_is_learned_from_and_the_one_shown_is_judged() -> None:
    decide("approve", confidence_score="0.400", raw_confidence="0.800")
    decide("approve", confidence_score="0.700")
    assert [draft.figure for draft in judged.decided(LONG_AGO)] == [Decimal("0.4"), Decimal("0.7")]
    assert [draft.figure for draft in judged.decided(LONG_AGO, figure=judged.RAW)] == [Decimal("0.7"), Decimal("0.8")]


@pytest.mark.django_db
def test_what_if_counts_only_what_nothing_but_the_threshold_kept_back() -> None:
    decide("auto_approve", by="policy", reasons=["confident"], status="sent")
    decide("approve")
    decide("modify", reasons=["medium_confidence", "prompt_injection"])
    decide("close")
    decide(None, by=None)
    for other in ("gate_legal_threat", "hold_dispute", "plan_needs_a_manager"):
        decide("approve", reasons=["medium_confidence", other])
    decide("approve", reasons=["medium_confidence", "auto_send_disabled"])
    decide("approve", reasons=["confident", "hold_manual"])  # approved by policy, brought back by a hold
    decide("escalate", by="policy", reasons=["low_confidence"])
    decide("auto_approve", by="policy", reasons=["help"], status="sent")  # a fixed text
    counted = {"went_out": 1, "unchanged": 1, "changed": 1, "refused": 1, "undecided": 1}
    assert ends(judged.kept_by_threshold(LONG_AGO)) == counted
    assert ends(judged.kept_by_threshold(LONG_AGO, switched_off=True)) == {"unchanged": 1}


# --- the command


@pytest.fixture
def _many_decisions(db: None, settings: Any) -> None:
    """Managers send a third of what the figure calls four fifths, and half of what it calls nine tenths."""
    settings.CALIBRATION_MIN_DECISIONS = 40
    for figure, action, count in (
        ("0.8", "approve", 10),
        ("0.8", "modify", 20),
        ("0.9", "approve", 10),
        ("0.9", "close", 10),
    ):
        for _ in range(count):
            decide(action, confidence_score=figure, reasons=["auto_send_disabled"])


def calibrate(*arguments: str) -> str:
    out = StringIO()
    call_command("calibrate", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.usefixtures("_many_decisions")
def test_it_says_what_it_found_and_changes_nothing_when_only_asked() -> None:
    said = calibrate("--dry-run")
    assert "50 decisions of managers, 20 of them unchanged, about figures from 0.8" in said
    assert "brier" in said
    assert "log loss" in said
    assert "calibration error" in said
    assert rulebook.curve_in_service() is None
    assert not ConfidenceCurve.objects.exists()


@pytest.mark.usefixtures("_many_decisions")
def test_who_puts_a_curve_into_service_stands_beside_it_and_there_is_a_way_back() -> None:
    person("sam", "Supervisors")
    calibrate("--by", "sam", "--reason", "first three months")
    row = ConfidenceCurve.objects.get()
    assert (row.turned_by, row.reason, row.method, row.decisions) == ("sam", "first three months", "logistic", 50)
    curve = rulebook.curve_in_service()
    assert curve is not None
    assert curve.at(Decimal("0.9")) < Decimal("0.65")
    calibrate("--off", "--by", "sam", "--reason", "a new model")
    assert rulebook.curve_in_service() is None
    assert ConfidenceCurve.objects.count() == 2


@pytest.mark.usefixtures("_many_decisions")
@pytest.mark.parametrize("arguments", [(), ("--off",), ("--by", "maria"), ("--by", "nobody")])
def test_only_who_may_change_the_rules_may(arguments: tuple[str, ...]) -> None:
    person("maria", "Managers")
    with pytest.raises(CommandError, match=r"--by NAME|may not change the rules"):
        calibrate(*arguments)
    assert not ConfidenceCurve.objects.exists()


@pytest.mark.django_db
def test_with_too_few_decisions_the_written_rule_stands() -> None:
    person("sam", "Supervisors")
    decide("approve")
    with pytest.raises(CommandError, match="1 decisions of managers, of 200 that it takes"):
        calibrate("--by", "sam")
    assert rulebook.curve_in_service() is None


@pytest.mark.usefixtures("_many_decisions")
def test_a_curve_that_is_worse_than_none_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    person("sam", "Supervisors")
    from approvals.learning import Learned

    monkeypatch.setattr(Learned, "is_better", False)
    with pytest.raises(CommandError, match="worse than none"):
        calibrate("--by", "sam")
    assert not ConfidenceCurve.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("after", [0.3, None])
def test_the_database_refuses_a_curve_that_is_worse_or_was_not_measured(after: float | None) -> None:
    with pytest.raises(IntegrityError, match="a_curve_in_service_is_no_worse_than_none"):
        ConfidenceCurve.objects.create(
            method="logistic",
            points=[["0.5", "0.5"]],
            brier_before=0.2,
            brier_after=after,
            log_loss_before=0.5,
            log_loss_after=0.4,
            turned_by="sam",
        )


# --- in the flow


def curve_of(*points: tuple[str, str]) -> None:
    ConfidenceCurve.objects.create(
        method="isotonic",
        points=[list(point) for point in points],
        brier_before=0.2,
        brier_after=0.1,
        log_loss_before=0.5,
        log_loss_after=0.4,
        turned_by="sam",
    )


@pytest.mark.django_db
def test_a_draft_that_the_rules_call_sure_waits_where_managers_know_better(world: Any) -> None:
    curve_of(("0", "0"), ("1", "0.8"))
    plan_a_good_day(world, confidence=0.95)
    receive("how much do i owe you")
    work("draft")
    reply = QueuedResponse.objects.get()
    assert (reply.status, reply.reasons) == ("pending", ["medium_confidence"])
    assert (reply.raw_confidence, reply.confidence_score) == (Decimal("0.95"), Decimal("0.76"))
    assert reply.confidence_parts[-1] == {"code": "learned", "value": "-0.190"}


@pytest.mark.django_db
def test_the_way_back_counts_from_the_next_draft_on(world: Any) -> None:
    curve_of(("0", "0"), ("1", "0.8"))
    rulebook.take_out_of_service(by="sam", reason="a new model")
    plan_a_good_day(world, confidence=0.95)
    receive("how much do i owe you")
    work("draft")
    reply = QueuedResponse.objects.get()
    assert (reply.status, reply.confidence_score, reply.raw_confidence) == (
        "approved",
        Decimal("0.95"),
        Decimal("0.95"),
    )


@pytest.mark.django_db
def test_a_persons_approval_of_a_waiting_draft_becomes_a_label(world: Any) -> None:
    plan_a_good_day(world, confidence=0.8)
    receive("how much do i owe you")
    work("draft")
    approved(QueuedResponse.objects.get())
    (one,) = judged.decided(LONG_AGO)
    assert (one.figure, one.end, one.count) == (Decimal("0.8"), End.UNCHANGED, 1)
