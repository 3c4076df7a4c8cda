"""How well languages are told and drafts are checked on labelled rows, and how fast."""

from pathlib import Path
from statistics import quantiles
from time import process_time
from typing import Any

import pytest

from approvals.corpora import Score, score_folder
from approvals.policy.gates import check_gates
from approvals.policy.language import detect
from approvals.policy.rules import Rules
from approvals.policy.words import read, read_as_written
from tests.red_team import facts_of

OURS = Path(__file__).parents[1] / "corpora"
SHARED = Path(__file__).parents[3] / "shared" / "corpora"
FOLDERS = [
    pytest.param(OURS / "development", id="development"),
    pytest.param(OURS / "held_out", id="held-out"),
    pytest.param(
        SHARED, id="shared-sample", marks=pytest.mark.skipif(not SHARED.exists(), reason="no shared sample here")
    ),
]


def scored(folder: Path, file: str, tmp_path: Path) -> tuple[Score, dict[str, float]]:
    (tmp_path / file).symlink_to(folder / file)  # this file alone, not all of the folder
    (score,) = score_folder(tmp_path)
    return score, {ratio.name: ratio.value or 0.0 for ratio in score.ratios}


def wrong_rows(score: Score) -> str:
    return "\n".join(f"{read.row['id']} {read.prediction} {read.row}" for read in score.wrong)


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_language_of_short_messages_is_told(folder: Path, tmp_path: Path) -> None:
    score, ratios = scored(folder, "language.jsonl", tmp_path)
    assert ratios["exact"] >= 0.97, wrong_rows(score)


@pytest.mark.parametrize("folder", FOLDERS)
def test_problems_are_found_and_clean_drafts_pass(folder: Path, tmp_path: Path) -> None:
    score, ratios = scored(folder, "drafts.jsonl", tmp_path)
    assert ratios["problems found"] >= 0.95, wrong_rows(score)
    assert ratios["good drafts let through"] >= 0.95, wrong_rows(score)


def test_checking_one_draft_takes_a_few_milliseconds(tmp_path: Path) -> None:
    score, _ = scored(OURS / "development", "drafts.jsonl", tmp_path)  # also builds what is built once a process
    took = [_seconds(read_row.row) for read_row in score.reads]
    assert quantiles(took, n=20)[-1] < 0.010  # measured 2 ms of the processor; a busy machine takes a few times that


def _seconds(row: Any) -> float:
    for remembered in (read, read_as_written, check_gates):
        remembered.cache_clear()
    began = process_time()
    detect(row["tenant_message"])
    check_gates(row["draft"], facts_of(row), Rules())
    return process_time() - began
