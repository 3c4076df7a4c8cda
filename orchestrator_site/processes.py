"""Processes that belong together: started together, stopped together, none left behind."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with_parent(signum: signal.Signals = signal.SIGKILL, parent: int | None = None) -> None:
    """Have the kernel send `signum` to this process when its parent dies (Linux; elsewhere nothing is done).

    `parent` is the expected one: if it is gone already, the signal is sent here.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(signum), 0, 0, 0)
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), signum)
