"""The people of the demonstration: their conversations, their accounts, and what they and we have written."""

import random
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal

from approvals.account import Snapshot
from approvals.policy.plans import suggest_weekly
from approvals.rulebook import current_rules
from conversations.models import Author, Conversation, Delivery, Direction, Message
from integrations.simulators.people import Person


def conversation_of(person: Person, at: datetime, *, old: bool = False) -> Conversation:
    """The tenant's conversation, as it stood when they wrote; `old` makes our copy of their account three days old."""
    conversation, _ = Conversation.objects.get_or_create(
        phone=person.phone,
        defaults={
            "tenant_id": person.id,
            "tenant_name": person.name,
            "property_name": person.building,
            "language": person.language_code,
            "language_source": "monitor",
            "account": _snapshot(person),
            "account_at": at - timedelta(days=3) if old else at,
            "created_at": at - timedelta(days=20),
        },
    )
    Conversation.objects.filter(pk=conversation.pk).update(last_inbound_at=at)
    return conversation


def _snapshot(person: Person) -> Snapshot:
    return {
        "tenant_id": person.id,
        "name": person.name,
        "unit": person.unit,
        "property": person.building,
        "amount_owed": person.owed,
        "portion": person.portion or person.owed,
        "days_late": person.days_late,
        "language": person.language,
        "reliability": None if person.reliability is None else str(person.reliability),
        "failed_plans": person.failed_plans,
        "successful_plans": person.successful_plans,
        "status": None,
    }


def filled(text: str, person: Person) -> str:
    """The words of a scene with the person's name and figures."""
    rules, debt = current_rules(), Decimal(person.owed)

    def whole(amount: Decimal) -> str:
        return f"${max(amount, rules.min_weekly).to_integral_value(rounding=ROUND_CEILING):,}"

    return text.format(
        name=person.name.split()[0],
        owed=f"${debt:,.2f}".removesuffix(".00"),
        w4=whole(debt / 4),
        w10=whole(debt / 10),
        suggest=whole(suggest_weekly(Decimal(person.portion or person.owed), rules)),
    )


def write(conversation: Conversation, body: str, at: datetime, author: str = Author.TENANT) -> Message:
    inbound = author == Author.TENANT
    return Message.objects.create(
        conversation=conversation,
        direction=Direction.INBOUND if inbound else Direction.OUTBOUND,
        author=author,
        body=body,
        dedupe_key=f"demo {conversation.phone} {at.isoformat()} {author}",
        delivery=Delivery.RECEIVED if inbound else Delivery.DELIVERED,
        provider_id="" if inbound else f"SM{random.getrandbits(128):032x}",
        created_at=at,
    )
