"""What became of a call: the provider's status, who answered and for how long, told as one outcome."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How a task ended."""

    ANSWERED = "answered"
    VOICEMAIL = "voicemail"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    FAILED = "failed"
    REFUSED = "refused"
    DONE = "done"
    NOT_REPORTED = "not_reported"
    PERHAPS = "perhaps"


# A try later may succeed; it is offered, never done unasked.
WORTH_ANOTHER_TRY = frozenset({Outcome.BUSY, Outcome.NO_ANSWER, Outcome.VOICEMAIL})
SUCCESSES = frozenset({Outcome.ANSWERED, Outcome.VOICEMAIL, Outcome.DONE})
# The provider's words in the order in which they happen: a late one never moves a call backwards.
ORDER = ("queued", "initiated", "ringing", "in-progress", "completed", "busy", "failed", "no-answer", "canceled")
FINAL = frozenset(ORDER[4:])


@dataclass(frozen=True, kw_only=True)
class Report:
    """What somebody reports of a call. `duration` in seconds; `status` and `answered_by` in the provider's words."""

    reference: str
    status: str
    answered_by: str = ""
    duration: int | None = None
    summary: str = ""
    transcript: str = ""
    error: str = ""


def outcome_of(report: Report) -> Outcome | None:
    """The outcome, or None while the call is still going on. A voicemail, too, ends as `completed`."""
    status = report.status.lower().replace("_", "-")
    if status not in FINAL:
        return None
    if status == "busy":
        return Outcome.BUSY
    if status == "no-answer":
        return Outcome.NO_ANSWER
    if status != "completed":
        return Outcome.FAILED
    who = report.answered_by.lower()
    if who.startswith("machine") or who == "voicemail":
        return Outcome.VOICEMAIL
    return Outcome.FAILED if who == "fax" else Outcome.ANSWERED


def is_news(status: str, known: str) -> bool:
    """Whether a status of a call that goes on comes after the one we know."""
    status, known = (word.lower().replace("_", "-") for word in (status, known))
    return status in ORDER and (known not in ORDER or ORDER.index(status) > ORDER.index(known))
