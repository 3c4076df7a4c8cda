"""What can go wrong with an upstream. Whoever calls one has three cases to think of, and no fourth.

    UpstreamError
    ├── Refused            it will never be done: do not ask again, tell a person
    ├── Unavailable        it was surely not done: try again, after `retry_after` seconds if it says so
    │   └── CircuitOpen    we did not even ask
    └── OutcomeUnknown     it may have been done: look first, or ask a person; never just repeat it

Messages are plain sentences for logs and for the managers' console. They hold no secret, no telephone number and no
text of a tenant's.
"""


class UpstreamError(Exception):
    """`upstream`: its name as in the health report. `status`: what it, or its provider, answered with."""

    def __init__(self, upstream: str, message: str, *, status: int | None = None) -> None:
        super().__init__(f"{upstream}: {message}")
        self.upstream = upstream
        self.message = message
        self.status = status


class Refused(UpstreamError):
    """It will never be done."""


class Unavailable(UpstreamError):
    """It was surely not done. `retry_after`: seconds that the upstream asks us to wait, if it does."""

    def __init__(
        self, upstream: str, message: str, *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(upstream, message, status=status)
        self.retry_after = retry_after


class CircuitOpen(Unavailable):
    """Not asked: the upstream has failed several times in a row and is left in peace for a while."""

    def __init__(self, upstream: str, *, retry_after: float) -> None:
        super().__init__(upstream, "circuit open", retry_after=retry_after)


class OutcomeUnknown(UpstreamError):
    """It may have been done, or not."""
