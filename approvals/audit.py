"""Prove the audit log: every entry's hash is computed again, by another hand than the database's."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC

from approvals.models import ApprovalAuditEntry

BEGINNING = "0" * 64


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What does not fit, at which entry."""

    seq: int
    what: str


def hash_of(entry: ApprovalAuditEntry) -> str:
    """SHA-256 over the fields, each as "<length>:<text>"; the trigger in migration 0002 computes the same."""
    fields = [
        entry.previous_hash,
        str(entry.seq),
        str(entry.pk),
        str(entry.response_id or ""),
        str(entry.conversation_id or ""),
        entry.action,
        entry.original_response,
        entry.final_response,
        entry.reason,
        entry.approved_by,
        entry.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f"),
    ]
    return hashlib.sha256("".join(f"{len(field)}:{field}" for field in fields).encode()).hexdigest()


def faults() -> Iterator[Fault]:
    """Every entry that was changed, is missing, or does not follow from the one before; nothing when all is well."""
    expected_seq, previous = 1, BEGINNING
    for entry in ApprovalAuditEntry.objects.order_by("seq").iterator(chunk_size=2000):
        if entry.seq != expected_seq:
            yield Fault(seq=entry.seq, what=f"entries {expected_seq} to {entry.seq - 1} are missing")
        elif entry.previous_hash != previous:
            yield Fault(seq=entry.seq, what="does not follow from the entry before")
        if entry.entry_hash != hash_of(entry):
            yield Fault(seq=entry.seq, what="was changed after it was written")
        expected_seq, previous = entry.seq + 1, entry.entry_hash
