"""What was done for a task, step by step: a row for the admin, and a line in the log file.

The line carries the time, the user's id, the task's id and the upstream's status; no words, no number, no secret.
"""

import logging

from calls.models import CallStep, CallTask

log = logging.getLogger("calls.steps")


def step(
    task: CallTask,
    name: str,
    *,
    upstream_status: str | int | None = None,
    duration_ms: int = 0,
    detail: str = "",
    error: BaseException | None = None,
) -> None:
    """Writes down one step. `upstream_status`: what the upstream answered, if it was asked; `error`: for its trace."""
    status = "" if upstream_status is None else str(upstream_status)
    CallStep.objects.create(task=task, name=name, duration_ms=duration_ms, upstream_status=status[:40], detail=detail)
    log.log(
        logging.ERROR if error else logging.INFO,
        "step=%s user=%s task=%s type=%s status=%s upstream=%s ms=%s",
        name,
        task.chat.user_id,
        task.pk,
        task.task_type,
        task.status,
        status or "-",
        duration_ms,
        exc_info=error,
    )
