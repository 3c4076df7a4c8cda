"""The documents say what is true: diagrams, links, commands, settings, endpoints, codes are held to the code."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import get_commands
from django.db import models
from drf_spectacular.generators import SchemaGenerator

from approvals.models import Escalation, Notification, QueuedResponse, Workflow
from approvals.policy.escalation import Category
from approvals.policy.gates import DraftFacts, check_gates
from approvals.policy.rules import Rules
from approvals.sms_workflow.holds import STOPS_MANAGERS_TOO
from approvals.sms_workflow.reading import AI_STOPS
from approvals.sms_workflow.recording import STATUS_OF
from conversations.models import ContactHold
from conversations.moves import Moving
from orchestrator_site.metrics import Figures

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
WORKFLOWS = ROOT / "docs" / "workflows.md"
API = ROOT / "docs" / "api.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"

# In capitals, and no setting of ours: whose they are.
NOT_OUR_SETTINGS = {
    "POSTGRES_PASSWORD": "compose.yaml",
    "PIP_INDEX_URL": "pip",
    "SUPABASE_URL": "named in order to say that it is not needed",
    "SUPABASE_KEY": "named in order to say that it is not needed",
    "CONN_MAX_AGE": "Django",
    "AUDIT_ENTRY": "an example's own variable",
}


def each(documents: list[Path]) -> list[Any]:
    return [pytest.param(document, id=str(document.relative_to(ROOT))) for document in documents]


def section(document: Path, heading: str) -> str:
    """What stands under a heading, down to the next of its rank or above."""
    text = document.read_text()
    found = re.search(rf"^(#+) {re.escape(heading)}\n(.*?)(?=^#{{1,2}} |\Z)", text, re.M | re.S)
    assert found, f"{document.name} has no chapter {heading!r}"
    rank = len(found[1])
    return re.split(rf"^#{{1,{rank}}} ", found[2], flags=re.M)[0]


def diagram(name: str) -> set[tuple[str, str]]:
    """The arrows of the state diagram under a heading; [*] is where it begins and ends."""
    drawn = re.search(r"```mermaid\nstateDiagram-v2\n(.*?)```", section(WORKFLOWS, f"`{name}`"), re.S)
    assert drawn, f"no state diagram of {name}"
    return set(re.findall(r"^\s*(\S+) --> (\S+?)(?:$|\s*:)", drawn[1], re.M))


def first_column(document: Path, heading: str) -> list[str]:
    """The codes in the first column of the first table under a heading."""
    return re.findall(r"^\| `([a-z_]+)`", section(document, heading), re.M)


@pytest.mark.parametrize(
    ("model", "beginnings"),
    [
        pytest.param(Workflow, {Workflow.Status.RECEIVED}, id="workflow"),
        pytest.param(QueuedResponse, set(STATUS_OF.values()), id="reply"),
        pytest.param(Notification, {Notification.Status.PENDING}, id="notification"),
    ],
)
def test_a_state_diagram_shows_exactly_the_moves(model: type[Moving], beginnings: set[str]) -> None:
    moves = {(str(start), str(end)) for start, ends in model.MOVES.items() for end in ends}
    ends = {(str(status), "[*]") for status, onwards in model.MOVES.items() if not onwards}
    assert diagram(model.__name__) == moves | ends | {("[*]", str(status)) for status in beginnings}


def test_the_diagram_of_an_escalation_shows_its_two_states() -> None:
    first, last = Escalation.Status.OPEN, Escalation.Status.RESOLVED
    assert diagram("Escalation") == {("[*]", first), (first, last), (last, "[*]")}
    assert set(Escalation.Status) == {first, last}


@pytest.mark.parametrize("document", each(DOCUMENTS))
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", document.read_text()):
        path, _, anchor = target.partition("#")
        there = (document.parent / path) if path else document
        assert there.exists(), target
        if anchor:
            assert anchor in {slug(title) for title in re.findall(r"^#+ (.+)$", there.read_text(), re.M)}, target


def slug(title: str) -> str:
    """A heading's anchor, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


@pytest.mark.parametrize("document", each(DOCUMENTS))
def test_every_command_exists(document: Path) -> None:
    text = document.read_text()
    scripts = set(re.findall(r"(?<![\w/])script/([a-z]+)", text))
    assert scripts <= {path.name for path in (ROOT / "script").iterdir()}
    assert set(re.findall(r"manage\.py (?!help\b)([a-z_]+)", text)) <= set(get_commands())
    for module in re.findall(r"-m (benchmarks\.\w+)", text):
        assert find_spec(module), module


@pytest.mark.parametrize("document", each(DOCUMENTS))
def test_every_setting_is_in_the_example(document: Path) -> None:
    listed = set(re.findall(r"^#([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.M))
    named = set(re.findall(r"(?<![\w/])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?!\w)", document.read_text()))
    assert named - listed - NOT_OUR_SETTINGS.keys() == set()


@pytest.mark.parametrize("document", each(DOCUMENTS))
def test_every_file_named_exists(document: Path) -> None:
    named = set(re.findall(r"`([\w.-]+(?:/[\w.-]+)+\.(?:py|md|toml|yaml|txt))`", document.read_text()))
    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_the_api_document_has_every_endpoint_and_no_other() -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    ours = {
        f"{method.upper()} {path}"
        for path, operations in schema["paths"].items()
        for method in operations
        if not path.startswith("/api/")
    }
    assert set(re.findall(r"^### `([A-Z]+ /\S+)`", API.read_text(), re.M)) == ours


def test_the_constraints_named_are_those_of_the_database() -> None:
    ours = {
        constraint.name
        for label in ("conversations", "approvals", "calls")
        for model in apps.get_app_config(label).get_models()
        for constraint in model._meta.constraints
        if isinstance(constraint, models.UniqueConstraint | models.CheckConstraint)
    }
    assert set(first_column(ARCHITECTURE, "What is never false")) == ours


def test_the_table_of_holds_says_what_each_of_them_stops() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| .*? \| (yes|no) \| (yes|no) \|$", section(WORKFLOWS, "Contact holds"), re.M)
    assert {reason for reason, _, _ in rows} == set(ContactHold.Reason)
    assert {reason for reason, silences_ai, _ in rows if silences_ai == "yes"} == AI_STOPS
    assert {reason for reason, _, stops_managers in rows if stops_managers == "yes"} == STOPS_MANAGERS_TOO


def test_the_table_of_escalations_has_every_category() -> None:
    assert first_column(WORKFLOWS, "Escalations") == list(Category)


def test_the_table_of_gates_has_every_gate() -> None:
    facts = DraftFacts(
        tenant_message="", language=None, tenant_name=None, amount_owed=None, tenant_portion=None, days_late=None
    )
    gates = {gate.code: gate.hard for gate in check_gates("Hello", facts, Rules())}
    rows = re.findall(r"^\| `([a-z_]+)`( \*hard\*)? \|", section(WORKFLOWS, "Gates"), re.M)
    assert {code: bool(hard) for code, hard in rows} == gates


@pytest.mark.django_db
@pytest.mark.parametrize("document", each(DOCUMENTS))
def test_every_metric_named_exists(document: Path) -> None:
    from approvals.reports import metrics_report

    ours = {metric.name for metric in Figures(metrics_report()).collect()}
    named = set(re.findall(r"\borchestrator_(?:last_hour|today|now|circuit)_\w+", document.read_text()))
    assert named <= ours
