"""Two weeks behind the demonstration's morning, for the charts: some thirty texts a day, most answered by nobody."""

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from approvals.models import QueuedResponse
from conversations.models import Author, Delivery, Direction, Message
from integrations.simulators.people import Person, people
from orchestrator_site.demo.tenants import conversation_of, filled

Status = QueuedResponse.Status
Action = QueuedResponse.Action
HISTORY_DAYS = 14


def fill_history(texts_by_language: Mapping[str, Sequence[str]], chance: random.Random) -> None:
    """Some thirty texts a day, most of them answered without anybody."""
    everybody = people(200)[100:]
    texts: list[Message] = []
    replies: list[QueuedResponse] = []
    for at, person in _past_texts(everybody, chance):
        conversation = conversation_of(person, at)
        said = chance.choice(texts_by_language[person.language_code])
        message = Message(
            conversation=conversation,
            direction=Direction.INBOUND,
            author=Author.TENANT,
            body=said,
            dedupe_key=f"demo {person.phone} {at.isoformat()}",
            delivery=Delivery.RECEIVED,
            created_at=at,
        )
        texts.append(message)
        replies.append(_past_reply(message, person, chance))
    Message.objects.bulk_create(texts)
    QueuedResponse.objects.bulk_create(replies)
    Message.objects.bulk_create(_sent(reply) for reply in replies if reply.status == Status.SENT)


def _past_texts(everybody: list[Person], chance: random.Random) -> Iterator[tuple[datetime, Person]]:
    now = timezone.now()
    for day in range(HISTORY_DAYS, -1, -1):
        morning = (now - timedelta(days=day)).replace(hour=13, minute=0, second=0, microsecond=0)
        weekend = morning.weekday() >= 5
        for _ in range(chance.randint(8, 14) if weekend else chance.randint(24, 42)):
            at = morning + timedelta(minutes=chance.randint(0, 9 * 60), seconds=chance.randint(0, 59))
            if at < now - timedelta(hours=3, minutes=20):
                yield at, chance.choice(everybody)


def _past_reply(message: Message, person: Person, chance: random.Random) -> QueuedResponse:
    """Seven in ten leave by themselves; managers approve most of the others, and change what was less sure."""
    confidence = Decimal(
        chance.choice(["0.93", "0.91", "0.89", "0.88", "0.87", "0.86", "0.84", "0.79", "0.73", "0.66"])
    )
    automatic = confidence > Decimal("0.85")
    draft = filled("Thank you, {name}. We have noted it and will text you today.", person)
    took = timedelta(seconds=2) if automatic else timedelta(seconds=chance.randint(40, 2400))
    action = Action.AUTO_APPROVE
    if not automatic:
        surer = confidence > Decimal("0.75")
        action = chance.choices([Action.APPROVE, Action.MODIFY, Action.ESCALATE], [8, 2, 1] if surer else [3, 5, 2])[0]
    words = draft if action != Action.MODIFY else draft.replace("will text you today", "will call you tomorrow")
    sent = action != Action.ESCALATE
    decided = message.created_at + took
    return QueuedResponse(
        conversation=message.conversation,
        message=message,
        tenant_message=message.body,
        ai_response=draft,
        final_text=words,
        modified_response=words if action == Action.MODIFY else None,
        language=person.language_code,
        confidence_score=confidence,
        confidence_parts=[{"code": "model", "value": str(confidence)}],
        gates=[],
        reasons=["confident" if automatic else "medium_confidence"],
        status=Status.SENT if sent else Status.ESCALATED,
        manager_action=action,
        actioned_by="policy" if automatic else chance.choice(["maria", "james"]),
        actioned_at=decided,
        sent_at=decided + timedelta(seconds=1) if sent else None,
        receipt=f"SM{chance.getrandbits(128):032x}" if sent else "",
        created_at=message.created_at + timedelta(seconds=1),
        updated_at=decided,
        not_before=decided,
    )


def _sent(reply: QueuedResponse) -> Message:
    return Message(
        conversation=reply.conversation,
        direction=Direction.OUTBOUND,
        author=Author.AI if reply.final_text == reply.ai_response else Author.MANAGER,
        body=reply.final_text,
        dedupe_key=f"reply {reply.pk}",
        provider_id=reply.receipt,
        delivery=Delivery.DELIVERED,
        created_at=reply.sent_at or reply.created_at,
    )
