"""`manage.py serve` (what `script/server` runs): it answers, it stops, it leaves nobody behind, it starts again."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from django.db import connection

from orchestrator_site.processes import descendants
from tests.runtime.test_processes import alive

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.processes,
    pytest.mark.django_db(transaction=True, available_apps=["django_q"]),
]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def serve(port: int) -> subprocess.Popen[bytes]:
    url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**connection.settings_dict)
    served = subprocess.Popen(
        [sys.executable, "manage.py", "serve", "--bind", f"127.0.0.1:{port}", "--live-port", str(free_port())],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url, "IGNORE_DOTENV": "1", "LOG_DIR": ""},
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 90
    # gunicorn's master with two workers, runworker with six more below it, and live.
    while not (len(descendants(served.pid)) >= 11 and answers(port)):
        assert time.monotonic() < deadline, "it did not start"
        assert served.poll() is None
        time.sleep(0.1)
    return served


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def wait_until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + 20
    while left := [pid for pid in pids if alive(pid)]:
        assert time.monotonic() < deadline, f"{left} were left behind"
        time.sleep(0.05)


def test_it_serves_until_it_is_asked_to_stop() -> None:
    served = serve(free_port())
    processes = descendants(served.pid)
    served.terminate()
    assert served.wait(30) == 0
    wait_until_gone(processes)


def test_after_a_kill_of_everything_it_starts_again_on_the_same_port() -> None:
    port = free_port()
    served = serve(port)
    processes = [*descendants(served.pid), served.pid]
    for pid in processes:
        os.kill(pid, signal.SIGKILL)
    served.wait(30)
    wait_until_gone(processes)
    again = serve(port)
    again.terminate()
    assert again.wait(30) == 0
