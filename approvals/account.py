"""The tenant's account as the Monitor showed it: kept with the conversation, handed to the prompt and to the gates."""

from decimal import Decimal
from typing import Any

from django.conf import settings

from approvals.policy.gates import DraftFacts
from approvals.prompts import AccountFacts
from conversations.phones import NotAPhone, to_e164
from integrations.monitor import Tenant

# A snapshot of the Monitor's facts as JSON: money as text, so that no float comes near it.
Snapshot = dict[str, Any]
# What the conversation's columns hold (characters).
LONGEST = 100


def snapshot_of(tenant: Tenant) -> Snapshot:
    """What we keep of a tenant; `amount_owed`, `portion` and `reliability` are decimal strings or None."""
    facts = {
        "tenant_id": tenant.id,
        "name": tenant.name,
        "unit": tenant.unit,
        "property": tenant.property,
        "amount_owed": _text(tenant.amount_owed),
        "portion": _text(tenant.portion),
        "days_late": tenant.days_late,
        "language": tenant.language,
        "reliability": _text(tenant.reliability),
        "failed_plans": tenant.failed_plans,
        "successful_plans": tenant.successful_plans,
        "status": tenant.status,
        "phones": list(tenant.phones),
    }
    return {name: _storable(value) if isinstance(value, str) else value for name, value in facts.items()}


def _storable(words: str) -> str:
    """Without what Postgres refuses, and no longer than the columns: a strange name must not stop the reply."""
    return words.replace("\0", "")[:LONGEST]


def is_complete(snapshot: Snapshot) -> bool:
    """Whether the facts that a reply about money needs are all there."""
    return snapshot.get("amount_owed") is not None and snapshot.get("days_late") is not None


def owed(snapshot: Snapshot) -> Decimal | None:
    return _decimal(snapshot.get("amount_owed"))


def portion(snapshot: Snapshot) -> Decimal | None:
    """The tenant's own share; the whole debt where the Monitor names no share."""
    own = _decimal(snapshot.get("portion"))
    return owed(snapshot) if own is None else own


def is_on_file(snapshot: Snapshot, phone: str) -> bool:
    """Whether the Monitor knows this number (E.164) as the tenant's; where it lists none, it contradicts nobody."""
    listed = snapshot.get("phones") or []
    return not listed or phone in {_as_e164(written) for written in listed}


def _as_e164(written: str) -> str:
    try:
        return to_e164(written, region=settings.DEFAULT_REGION)
    except NotAPhone:
        return ""


def facts_for_prompt(snapshot: Snapshot) -> AccountFacts | None:
    """None for an unknown tenant: then the prompt holds no account fact at all."""
    if not snapshot:
        return None
    return AccountFacts(
        name=snapshot.get("name"),
        amount_owed=owed(snapshot),
        tenant_portion=portion(snapshot),
        days_late=snapshot.get("days_late"),
        reliability=_decimal(snapshot.get("reliability")),
        failed_plans=snapshot.get("failed_plans"),
    )


def facts_for_gates(
    snapshot: Snapshot,
    *,
    tenant_message: str,
    language: str,
    opted_out: bool = False,
    newer_message_waiting: bool = False,
    by_manager: bool = False,
) -> DraftFacts:
    """What a draft is checked against."""
    return DraftFacts(
        tenant_message=tenant_message,
        language=language or None,
        tenant_name=snapshot.get("name"),
        amount_owed=owed(snapshot),
        tenant_portion=portion(snapshot),
        days_late=snapshot.get("days_late"),
        tenant_known=bool(snapshot),
        opted_out=opted_out,
        newer_message_waiting=newer_message_waiting,
        by_manager=by_manager,
    )


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _decimal(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)
