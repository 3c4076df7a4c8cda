"""The audit log can be added to, and nothing else; tampering shows."""

from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

import pytest
from django.core.management import CommandError, call_command
from django.db import InternalError, connection, transaction
from django.db.utils import IntegrityError

from approvals.audit import faults, hash_of
from approvals.models import ApprovalAuditEntry
from tests.builders import make_response, until_somebody_waits_for_a_lock

pytestmark = pytest.mark.django_db


@pytest.fixture
def entries():
    response = make_response(draft="¿Podría pagar $50? 🙂")
    for number in range(5):
        ApprovalAuditEntry.of(response, action="approve", by=f"maria {number}", reason="a:b|c").save(force_insert=True)
    return ApprovalAuditEntry.objects.order_by("seq")


def test_the_chain_is_numbered_and_holds(entries):
    assert [entry.seq for entry in entries] == [1, 2, 3, 4, 5]
    assert entries[0].previous_hash == "0" * 64
    assert entries[3].previous_hash == entries[2].entry_hash
    assert list(faults()) == []


def test_entries_written_in_one_statement_are_chained_too(entries):
    of = ApprovalAuditEntry.of
    response = entries[0].response
    ApprovalAuditEntry.objects.bulk_create([of(response, action="close", by="tom") for _ in range(3)])
    assert [entry.seq for entry in entries.all()] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert list(faults()) == []


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("UPDATE approval_audit_log SET reason = 'x' WHERE seq = 2", id="update"),
        pytest.param("DELETE FROM approval_audit_log WHERE seq = 2", id="delete"),
    ],
)
def test_the_database_refuses_to_change_it(entries, statement):
    with (
        pytest.raises((InternalError, IntegrityError), match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_the_database_refuses_to_empty_it(entries):
    """The tests' own database does without that trigger: it is put back as the migration makes it."""
    made = import_module("approvals.migrations.0002_audit_chain").CREATE
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(made[made.index("CREATE TRIGGER audit_log_is_never_emptied") :])
        with pytest.raises((InternalError, IntegrityError), match="TRUNCATE is refused"), transaction.atomic():
            cursor.execute("TRUNCATE approval_audit_log")
    assert entries.count() == 5


@pytest.mark.django_db(transaction=True)
def test_two_who_write_at_the_same_moment_follow_one_another():
    response = make_response()

    def write(who):
        try:
            ApprovalAuditEntry.of(response, action="close", by=who).save(force_insert=True)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as another:
        with transaction.atomic():
            ApprovalAuditEntry.of(response, action="approve", by="maria").save(force_insert=True)
            later = another.submit(write, "tom")
            until_somebody_waits_for_a_lock()
        later.result()
    assert list(ApprovalAuditEntry.objects.order_by("seq").values_list("seq", "approved_by")) == [
        (1, "maria"),
        (2, "tom"),
    ]
    assert list(faults()) == []


def tamper(statement, *values):
    """What only somebody with the database's keys can do."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # nothing may be pending when a table is altered
        cursor.execute("ALTER TABLE approval_audit_log DISABLE TRIGGER audit_log_is_append_only")
        cursor.execute(statement, values)
        cursor.execute("ALTER TABLE approval_audit_log ENABLE TRIGGER audit_log_is_append_only")


def test_who_forges_an_entry_and_its_hash_breaks_the_chain_behind_it(entries):
    forged = entries[1]
    forged.reason = "x"
    tamper("UPDATE approval_audit_log SET reason = 'x', entry_hash = %s WHERE seq = 2", hash_of(forged))
    assert [(fault.seq, fault.what) for fault in faults()] == [(3, "does not follow from the entry before")]


@pytest.mark.parametrize(
    ("tampering", "seen"),
    [
        pytest.param("UPDATE approval_audit_log SET reason = 'x' WHERE seq = 2", [2], id="a-changed-word"),
        pytest.param("UPDATE approval_audit_log SET approved_by = 'tom' WHERE seq = 5", [5], id="the-last-entry"),
        pytest.param("DELETE FROM approval_audit_log WHERE seq = 3", [4], id="a-missing-entry"),
    ],
)
def test_what_somebody_with_the_databases_keys_did_is_found(entries, tampering, seen):
    tamper(tampering)
    assert [fault.seq for fault in faults()] == seen
    with pytest.raises(CommandError, match="tampered"):
        call_command("verifyaudit")


def test_the_command_says_how_far_the_log_goes(entries, capsys):
    call_command("verifyaudit")
    assert "5 entries, unbroken" in capsys.readouterr().out
