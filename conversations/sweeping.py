"""What sweeps share: one's fault must not keep the others from their work, least of all the last mesh of the net."""

import logging
from collections.abc import Callable, Iterable

log = logging.getLogger(__name__)


def run_each(sweeps: Iterable[Callable[[], int]]) -> dict[str, int]:
    """Run all of them, whatever happens to any; returns how much each found, by its name."""
    found: dict[str, int] = {}
    for sweep in sweeps:
        try:
            found[sweep.__name__] = sweep()
        except Exception:
            # Whatever it is, it is in the log, and the next sweep has its turn.
            log.exception("sweep: %s failed", sweep.__name__)
    if any(found.values()):
        log.info("sweep: %s", ", ".join(f"{name} {count}" for name, count in found.items() if count))
    return found
