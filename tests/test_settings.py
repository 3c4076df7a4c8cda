"""`.env.example` lists every setting with its default, and a half-configured production does not start."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# Defaults that depend on where it runs stand there empty.
EXAMPLE = dict(re.findall(r"^#([A-Z][A-Z0-9_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.M))
SHOW = """
import json
from orchestrator_site import settings
shown = {name: repr(value) for name, value in vars(settings).items() if name.isupper()}
print(json.dumps(shown))
"""
PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "x" * 60,
    "ALLOWED_HOSTS": "rent.example.com",
    "DATABASE_URL": "postgres://nobody@127.0.0.1:9/none",
}


def run_settings(**environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    return subprocess.run(
        [sys.executable, "-c", SHOW],
        env={"IGNORE_DOTENV": "1", **kept, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def settings_with(**environment: str) -> dict[str, str]:
    done = run_settings(**environment)
    assert done.returncode == 0, done.stderr
    shown: dict[str, str] = json.loads(done.stdout)
    return shown


def names_read() -> set[str]:
    tree = ast.parse((ROOT / "orchestrator_site" / "settings.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    readers = [call for call in calls if re.match(r"env\.[a-z]+$|decimal$", ast.unparse(call.func))]
    return {str(call.args[0].value) for call in readers if isinstance(call.args[0], ast.Constant)}


def test_every_setting_is_listed_and_nothing_else() -> None:
    assert names_read() ^ set(EXAMPLE) == set()


@pytest.mark.parametrize(
    "surroundings",
    [
        pytest.param({"DATABASE_URL": PRODUCTION["DATABASE_URL"]}, id="development"),
        pytest.param(PRODUCTION, id="production"),
    ],
)
def test_the_listed_values_are_the_defaults(surroundings: dict[str, str]) -> None:
    listed = {name: value for name, value in EXAMPLE.items() if value and name != "IGNORE_DOTENV"}
    assert settings_with(**{**listed, **surroundings}) == settings_with(**surroundings)


def test_an_empty_value_is_no_default_in_disguise() -> None:
    """What stands there empty is empty by default, or depends on where it runs."""
    empty = {name for name, value in EXAMPLE.items() if not value} - {"SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL"}
    assert settings_with(**PRODUCTION, **dict.fromkeys(empty, "")) == settings_with(**PRODUCTION)


@pytest.mark.parametrize("missing", ["SECRET_KEY", "DATABASE_URL"])
def test_production_does_not_start_without(missing: str) -> None:
    done = run_settings(**{name: value for name, value in PRODUCTION.items() if name != missing})
    assert done.returncode != 0
    assert f"Set {missing}: production does not start without one. See .env.example." in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("ENVIRONMENT", "prod", "ENVIRONMENT must be development or production, not 'prod'."),
        ("LOG_FORMAT", "xml", "LOG_FORMAT must be text or json, not 'xml'."),
        ("MIN_WEEKLY_PAYMENT", "cheap", "MIN_WEEKLY_PAYMENT must be a number such as 25, not 'cheap'."),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str, message: str) -> None:
    done = run_settings(**{"DATABASE_URL": PRODUCTION["DATABASE_URL"], name: value})
    assert done.returncode != 0
    assert message in done.stderr


def test_commands_that_need_no_database_start_none() -> None:
    code = "import sys; sys.argv = ['manage.py', 'simulate']\n" + SHOW
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    done = subprocess.run(
        [sys.executable, "-c", code], env={"IGNORE_DOTENV": "1", **kept}, cwd=ROOT, capture_output=True, text=True
    )
    assert "127.0.0.1:9/none" in json.loads(done.stdout)["DATABASE_URL"]
