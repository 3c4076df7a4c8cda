"""How well the rules read labelled messages: our own, and the sample beside the repository where it exists."""

from pathlib import Path

import pytest

from approvals.corpora import Ratio, Score, score_folder

OURS = Path(__file__).parents[1] / "corpora"
SAMPLE = Path(__file__).parents[3] / "shared" / "corpora"

# The least that is accepted of each ratio; of the held-out messages no rule was made from a single row.
FLOORS = {
    ("payment_plans.jsonl", "exact"): 0.93,
    ("payment_plans.jsonl", "amount precision"): 0.97,
    ("plan_validation.jsonl", "exact"): 1.0,
    ("escalation.jsonl", "precision"): 0.95,
    ("escalation.jsonl", "recall"): 0.90,
    ("escalation.jsonl", "right category, of those caught"): 0.88,
    ("opt_out.jsonl", "opt-out precision"): 0.98,
    ("opt_out.jsonl", "opt-out recall"): 0.98,
}


@pytest.mark.parametrize(
    "folder",
    [pytest.param(OURS / "development", id="development"), pytest.param(OURS / "held_out", id="held-out"),
     pytest.param(SAMPLE, id="sample", marks=pytest.mark.skipif(not SAMPLE.is_dir(), reason=f"no sample in {SAMPLE}"))],
)  # fmt: skip
def test_labelled_messages_are_read_well_enough(folder: Path) -> None:
    reached = {(score.file, ratio.name): ratio for score in score_folder(folder) for ratio in score.ratios}
    missed = [f"{file} {name}: {_value(reached, file, name):.3f} < {floor}" for (file, name), floor in FLOORS.items()
              if (file, name) in reached and _value(reached, file, name) < floor]  # fmt: skip
    assert not missed


def _value(reached: dict[tuple[str, str], Ratio], file: str, name: str) -> float:
    value = reached[file, name].value
    return 1.0 if value is None else value


def test_a_reading_never_looks_at_what_is_expected(tmp_path: Path) -> None:
    row = '{"id": "1", "lang": "en", "message": "stop", "expect": "none"}\n'
    (tmp_path / "opt_out.jsonl").write_text(row, encoding="utf-8")
    (score,) = score_folder(tmp_path)
    assert isinstance(score, Score)
    assert [read.got for read in score.reads] == ["opt_out"]
    assert score.ratios[0] == Ratio(name="exact", hits=0, total=1)
