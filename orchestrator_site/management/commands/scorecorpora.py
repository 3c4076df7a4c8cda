"""The scorer of labelled messages with the files of both halves; the assistant's is registered here."""

from approvals.corpora import Job, Ratio, Read, register
from approvals.management.commands.scorecorpora import Command as Scorer
from calls import corpora


class Command(Scorer):
    """See the command of the collections half, which this one stands before."""


def _ratio(name: str, right: list[bool]) -> Ratio:
    return Ratio(name=name, hits=sum(right), total=len(right))


def _ratios(reads: list[Read]) -> list[Ratio]:
    calls = [read for read in reads if read.row["expect"]["intent"] == "place_call"]
    return [
        _ratio("intent", [corpora.intent_is_right(read.row, read.prediction) for read in reads]),
        _ratio("number or its problem", [corpora.phone_is_right(read.row, read.prediction) for read in reads]),
        _ratio("of calls", [corpora.phone_is_right(read.row, read.prediction) for read in calls]),
        _ratio("instructions", [corpora.instructions_are_complete(read.row, read.prediction) for read in calls]),
    ]


def _is_right(read: Read) -> bool:
    checks = (corpora.intent_is_right, corpora.phone_is_right, corpora.instructions_are_complete)
    return all(check(read.row, read.prediction) for check in checks)


register(
    "call_requests.jsonl",
    Job(
        read=corpora.read,
        is_right=_is_right,
        label=lambda row: str(row["expect"]["intent"]),
        ratios=_ratios,
    ),
)
