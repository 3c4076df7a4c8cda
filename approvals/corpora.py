"""How well the rules read: runs them over a folder of labelled messages and counts.

One `Job` a file says how a row is read, when the reading is right, and which ratios are worth printing. The jobs of
this module are registered below; a layer above adds its own with `register` (call requests belong to the assistant).
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from approvals.policy.escalation import Category, find_triggers
from approvals.policy.gates import DraftFacts, Level, check_gates
from approvals.policy.language import detect
from approvals.policy.opt_out import read_consent
from approvals.policy.plans import OneOff, Proposal, check_plan, extract
from approvals.policy.rules import Rules

Row = Mapping[str, Any]
Prediction = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """`hits` of `total`; a ratio of nothing is shown as none."""

    name: str
    hits: int
    total: int

    @property
    def value(self) -> float | None:
        return self.hits / self.total if self.total else None


@dataclass(frozen=True, kw_only=True)
class Read:
    """One row and what the rules made of it: `{"got": ...}` in the shape of the row's `expect`."""

    row: Row
    prediction: Prediction

    @property
    def got(self) -> Any:
        return self.prediction["got"]


@dataclass(frozen=True, kw_only=True)
class Job:
    """How one file is read and judged. `read` never looks at `expect`."""

    read: Callable[[Row], Prediction]
    is_right: Callable[[Read], bool]
    label: Callable[[Row], str]
    ratios: Callable[[list[Read]], list[Ratio]] = lambda reads: []


@dataclass(frozen=True, kw_only=True)
class Score:
    """The result for one file: overall, the file's own ratios, and exactness by language and by label."""

    file: str
    reads: list[Read]
    ratios: list[Ratio]
    by_language: list[Ratio]
    by_label: list[Ratio]
    wrong: list[Read]


_JOBS: dict[str, Job] = {}


def register(file: str, job: Job) -> None:
    """Makes a file of that name readable; a second registration replaces the first."""
    _JOBS[file] = job


def score_folder(folder: Path) -> Iterator[Score]:
    """The scores of every file in the folder that a job is registered for."""
    for file, job in _JOBS.items():
        if (folder / file).exists():
            yield _score(file, job, [Read(row=row, prediction=job.read(row)) for row in rows(folder / file)])


def rows(path: Path) -> list[Row]:
    """The rows of a corpus file: one JSON object a line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def prediction_line(score: Score, read: Read) -> str:
    """One line of a predictions file."""
    return json.dumps({"file": score.file, "id": read.row["id"], **read.prediction}, ensure_ascii=False)


def _score(file: str, job: Job, reads: list[Read]) -> Score:
    wrong = [read for read in reads if not job.is_right(read)]
    exact = Ratio(name="exact", hits=len(reads) - len(wrong), total=len(reads))
    return Score(
        file=file,
        reads=reads,
        ratios=[exact, *job.ratios(reads)],
        by_language=_grouped(
            reads, wrong, lambda row: str(row.get("lang") or row.get("tenant", {}).get("language", ""))
        ),
        by_label=_grouped(reads, wrong, job.label),
        wrong=wrong,
    )


def _grouped(reads: list[Read], wrong: list[Read], group: Callable[[Row], str]) -> list[Ratio]:
    totals: dict[str, list[bool]] = defaultdict(list)
    wrong_ids = {read.row["id"] for read in wrong}
    for read in reads:
        if name := group(read.row):
            totals[name].append(read.row["id"] not in wrong_ids)
    return [Ratio(name=name, hits=sum(right), total=len(right)) for name, right in sorted(totals.items())]


def _share(name: str, reads: Iterable[Read], holds: Callable[[Read], bool]) -> Ratio:
    listed = list(reads)
    return Ratio(name=name, hits=sum(map(holds, listed)), total=len(listed))


# -- payment_plans.jsonl


def _read_plan(row: Row) -> Prediction:
    found = extract(row["message"], ai_reply=row["ai_reply"], today=date.fromisoformat(row["today"]))
    return {"got": _plan_doc(found.plan), "one_off": _one_off_doc(found.one_off)}


def _plan_doc(plan: Proposal | None) -> dict[str, Any] | None:
    if plan is None:
        return None
    start = plan.start_date.isoformat() if plan.start_date else None
    return {"weekly_amount": f"{plan.weekly_amount:.2f}", "weeks": plan.weeks, "start_date": start}


def _one_off_doc(one_off: OneOff | None) -> dict[str, Any] | None:
    if one_off is None:
        return None
    return {"amount": f"{one_off.amount:.2f}", "date": one_off.date.isoformat() if one_off.date else None}


def _plan_ratios(reads: list[Read]) -> list[Ratio]:
    expected = [read for read in reads if read.row["expect"]]
    given = [read for read in reads if read.got]
    return [
        _share("amount precision", given, lambda read: _same(read, "weekly_amount")),
        _share("amount recall", expected, lambda read: _same(read, "weekly_amount")),
        _share("weeks, of plans found", [r for r in expected if r.got], lambda read: _same(read, "weeks")),
        _share("start_date, of plans found", [r for r in expected if r.got], lambda read: _same(read, "start_date")),
        _share("one_off", reads, lambda read: bool(read.prediction["one_off"] == read.row["one_off"])),
    ]


def _same(read: Read, name: str) -> bool:
    return bool(read.got and read.row["expect"] and read.got[name] == read.row["expect"][name])


# -- plan_validation.jsonl


def _read_validation(row: Row) -> Prediction:
    check = check_plan(
        weekly_amount=Decimal(row["plan"]["weekly_amount"]),
        weeks=row["plan"]["weeks"],
        amount_owed=Decimal(row["tenant"]["amount_owed"]),
        tenant_portion=Decimal(row["tenant"]["tenant_portion"]),
        rules=Rules(max_weeks=row["rules"]["max_weeks"], min_weekly=Decimal(row["rules"]["min_weekly"])),
    )
    codes = [issue.code for issue in check.issues]
    return {"got": {"valid": check.valid, "auto_approvable": check.auto_approvable, "issue_codes": codes}}


def _validates_right(read: Read) -> bool:
    want = read.row["expect"]
    same_codes = set(read.got["issue_codes"]) == set(want["issue_codes"])
    return same_codes and all(read.got[name] == want[name] for name in ("valid", "auto_approvable"))


# -- escalation.jsonl


def _read_escalation(row: Row) -> Prediction:
    today = date.fromisoformat(row.get("today", "2026-11-23"))  # a weekday word needs some day; none is escalated by it
    plan = extract(row["message"], today=today).plan
    triggers = find_triggers(row["message"], plan=plan, rules=Rules())
    return {"got": {"escalate": bool(triggers), "category": triggers[0].category.value if triggers else "none"}}


def _escalates_right(read: Read) -> bool:
    return read.got["category"] in {read.row["expect"]["category"], *read.row.get("also_ok", ())}


def _escalation_ratios(reads: list[Read]) -> list[Ratio]:
    expected = [read for read in reads if read.row["expect"]["escalate"]]
    given = [read for read in reads if read.got["escalate"]]
    caught = [read for read in expected if read.got["escalate"]]
    return [
        _share("precision", given, lambda read: _may_escalate(read.row)),
        _share("recall", expected, lambda read: bool(read.got["escalate"])),
        _share("right category, of those caught", caught, _escalates_right),
    ]


def _may_escalate(row: Row) -> bool:
    return bool(row["expect"]["escalate"] or any(label in set(Category) for label in row.get("also_ok", ())))


# -- opt_out.jsonl


def _consent_ratios(reads: list[Read]) -> list[Ratio]:
    expected = [read for read in reads if read.row["expect"] == "opt_out"]
    given = [read for read in reads if read.got == "opt_out"]
    return [
        _share("opt-out precision", given, lambda read: bool(read.row["expect"] == "opt_out")),
        _share("opt-out recall", expected, lambda read: bool(read.got == "opt_out")),
    ]


# -- language.jsonl and drafts.jsonl


# A gate of ours that the labels know nothing of.
UNLABELLED = frozenset({"unknown_address"})


def _read_draft(row: Row) -> Prediction:
    tenant = row["tenant"]
    facts = DraftFacts(
        tenant_message=row["tenant_message"],
        language=tenant["language"],
        tenant_name=tenant["name"],
        amount_owed=Decimal(tenant["amount_owed"]),
        tenant_portion=Decimal(tenant["tenant_portion"]),
        days_late=tenant["days_late"],
    )
    rules = Rules(max_weeks=row["rules"]["max_weeks"], min_weekly=Decimal(row["rules"]["min_weekly"]))
    red = [gate.code for gate in check_gates(row["draft"], facts, rules) if gate.level is Level.RED]
    problems = [code for code in red if code not in UNLABELLED]
    return {"got": {"ok": not problems, "problems": problems}}


def _judges_right(read: Read) -> bool:
    also_ok = set(read.row.get("also_ok", ()))
    return set(read.got["problems"]) - also_ok == set(read.row["expect"]["problems"]) - also_ok


def _draft_ratios(reads: list[Read]) -> list[Ratio]:
    bad = [read for read in reads if not read.row["expect"]["ok"]]
    good = [read for read in reads if read.row["expect"]["ok"]]
    found = [code in read.got["problems"] for read in bad for code in read.row["expect"]["problems"]]
    return [
        Ratio(name="problems found", hits=sum(found), total=len(found)),
        _share("bad drafts stopped", bad, lambda read: not read.got["ok"]),
        _share("good drafts let through", good, lambda read: bool(read.got["ok"])),
    ]


register(
    "payment_plans.jsonl",
    Job(
        read=_read_plan,
        is_right=lambda read: read.got == read.row["expect"],
        label=lambda row: str(row.get("tag", "")),
        ratios=_plan_ratios,
    ),
)
register(
    "plan_validation.jsonl",
    Job(
        read=_read_validation,
        is_right=_validates_right,
        label=lambda row: "valid" if row["expect"]["valid"] else "with issues",
    ),
)
register(
    "escalation.jsonl",
    Job(
        read=_read_escalation,
        is_right=_escalates_right,
        label=lambda row: str(row["expect"]["category"]),
        ratios=_escalation_ratios,
    ),
)
register(
    "opt_out.jsonl",
    Job(
        read=lambda row: {"got": read_consent(row["message"]).value},
        is_right=lambda read: bool(read.got == read.row["expect"]),
        label=lambda row: str(row["expect"]),
        ratios=_consent_ratios,
    ),
)
register(
    "language.jsonl",
    Job(
        read=lambda row: {"got": detect(row["message"]).code},
        is_right=lambda read: bool(read.got == read.row["expect"]),
        label=lambda row: str(row["expect"]),
    ),
)
register(
    "drafts.jsonl",
    Job(
        read=_read_draft,
        is_right=_judges_right,
        label=lambda row: "ok" if row["expect"]["ok"] else ", ".join(row["expect"]["problems"]),
        ratios=_draft_ratios,
    ),
)
