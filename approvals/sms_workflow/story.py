"""What a workflow did, step by step, with times: filled while a thread works, written when the work is recorded."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter
from typing import Final

from django.utils import timezone

from approvals.models import Workflow, WorkflowStep
from integrations.errors import OutcomeUnknown, Refused, Unavailable

OUTCOME_OF: Final = {Unavailable: "unavailable", Refused: "refused", OutcomeUnknown: "unknown"}


@dataclass(frozen=True, kw_only=True)
class StepDone:
    """One step: `outcome` is ok, skipped, unavailable, refused, unknown or failed; `detail` a sentence for a person."""

    name: str
    started_at: datetime
    duration_ms: int
    outcome: str = "ok"
    detail: str = ""


@dataclass
class Story:
    """The steps of one attempt, in order."""

    clock: Callable[[], datetime] = timezone.now
    steps: list[StepDone] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[list[str]]:
        """Times what stands inside; sentences appended to the yielded list become the detail. Errors pass through."""
        started_at, start, said = self.clock(), perf_counter(), list[str]()
        outcome = "failed"
        try:
            yield said
            outcome = "ok"
        except (Unavailable, Refused, OutcomeUnknown) as error:
            outcome = next(word for kind, word in OUTCOME_OF.items() if isinstance(error, kind))
            said.append(str(error))
            raise
        finally:
            took = round((perf_counter() - start) * 1000)
            self.steps.append(
                StepDone(name=name, started_at=started_at, duration_ms=took, outcome=outcome, detail=" ".join(said))
            )

    def skip(self, name: str, why: str) -> None:
        self.steps.append(StepDone(name=name, started_at=self.clock(), duration_ms=0, outcome="skipped", detail=why))


def rows(workflow: Workflow, steps: Sequence[StepDone]) -> list[WorkflowStep]:
    """The steps as rows, not yet saved."""
    return [
        WorkflowStep(
            workflow=workflow,
            name=step.name,
            attempt=workflow.attempts,
            started_at=step.started_at,
            duration_ms=step.duration_ms,
            outcome=step.outcome,
            detail=step.detail,
        )
        for step in steps
    ]
