"""Small functions that build what a test is about, and fill in the rest."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

from django.db import connection
from django.utils import timezone

from approvals.models import QueuedResponse, Workflow
from approvals.sms_workflow import intake
from conversations.models import Author, Conversation, Delivery, Direction, Message
from orchestrator_site.worker.steps import STEPS
from tests.outside_world import ALWAYS, World

PHONE = "+14155550100"
_numbers = count(1)

TENANT = {
    "id": 12345,
    "tenant_id": "12345",
    "tenant_name": "Maria Lopez",
    "unit_name": "2B",
    "property_name": "Elm Court",
    "amount_owed": "600.00",
    "tenant_portion": "600.00",
    "days_late": 12,
    "language_preference": "english",
    "phone_numbers": [PHONE],
    "payment_reliability_score": 7.5,
    "failed_payment_plans": 0,
    "successful_payment_plans": 1,
}


def make_conversation(**fields: Any) -> Conversation:
    """A conversation with a known tenant, whose own text came in a minute ago."""
    account = {
        "tenant_id": "12345",
        "name": "Maria Lopez",
        "amount_owed": "600.00",
        "portion": "600.00",
        "days_late": 12,
    }
    defaults = {
        "phone": PHONE,
        "tenant_id": "12345",
        "tenant_name": "Maria Lopez",
        "language": "en",
        "language_source": "monitor",
        "account": account,
        "account_at": timezone.now(),
        "last_inbound_at": timezone.now() - timedelta(minutes=1),
    }
    return Conversation.objects.create(**{**defaults, **fields})


def make_message(conversation: Conversation, body: str = "Hello", **fields: Any) -> Message:
    defaults = {
        "direction": Direction.INBOUND,
        "author": Author.TENANT,
        "delivery": Delivery.RECEIVED,
        "dedupe_key": f"test {next(_numbers)}",
    }
    return Message.objects.create(conversation=conversation, body=body, **{**defaults, **fields})


def make_response(
    conversation: Conversation | None = None,
    *,
    draft: str = "Could you pay $50 a week?",
    asked: str = "hi",
    **fields: Any,
) -> QueuedResponse:
    """A draft that waits for a decision, on a text that the tenant wrote."""
    conversation = conversation or make_conversation()
    message = make_message(conversation, asked)
    workflow = Workflow.objects.create(
        conversation=conversation, message=message, status=Workflow.Status.COMPLETED, outcome="queued"
    )
    defaults = {
        "workflow": workflow,
        "message": message,
        "tenant_message": asked,
        "ai_response": draft,
        "final_text": draft,
        "language": "en",
        "confidence_score": "0.800",
    }
    return QueuedResponse.objects.create(conversation=conversation, **{**defaults, **fields})


def approved(response: QueuedResponse, by: str = "maria", **fields: Any) -> QueuedResponse:
    """The same, approved by a person and due."""
    for name, value in {"manager_action": "approve", **fields}.items():
        setattr(response, name, value)
    response.status, response.actioned_by, response.actioned_at = "approved", by, timezone.now()
    response.save()
    return response


def receive(words: str, phone: str = PHONE, **fields: Any) -> intake.Accepted:
    return intake.receive_sms(intake.InboundText(phone_number=phone, content=words, **fields))


def plan_a_good_day(world: World, *, reply: str = "You owe $600. Could you pay $50 a week?", **answer: Any) -> None:
    """Every upstream answers well: a known tenant, no history yet, this reply, a receipt."""
    knows_tenant(world)
    world.sms_agent.answers({"detail": "none"}, to="GET /conversations/*", status=404, times=ALWAYS)
    model_says(world, reply, **answer)
    takes_texts(world)


def knows_tenant(world: World, **fields: Any) -> None:
    tenant = {"success": True, "data": {"tenant": {**TENANT, **fields}}, "timestamp": "2026-11-21T12:00:00"}
    world.monitor.answers({"tenant_id": "12345"}, to="GET /tenants/lookup", times=ALWAYS)
    world.monitor.answers(tenant, to="GET /monitor/tenant/*", times=ALWAYS)


def takes_texts(world: World) -> None:
    world.sms_agent.answers(
        {"id": "2", "twilio_sid": "SM123", "conversation_id": 1}, to="POST /sms/send", status=202, times=ALWAYS
    )


def model_says(world: World, reply: str, *, confidence: float = 0.95, times: int = ALWAYS, **fields: Any) -> None:
    answer = {
        "reply": reply,
        "confidence": confidence,
        "language": "en",
        "escalate": None,
        "escalate_reason": "",
        "payment_plan": None,
        **fields,
    }
    model_answers(world, json.dumps(answer), times=times)


def model_answers(world: World, text: str, times: int = ALWAYS, **message: Any) -> None:
    choice = {"message": {"role": "assistant", "content": text, **message}, "finish_reason": "stop"}
    world.language_model.answers(
        {"model": "test-model", "choices": [choice], "usage": {}}, to="POST /chat/completions", times=times
    )


def work(*names: str, rounds: int = 10) -> None:
    """What the workers' drain does, here and now: claim, act, record, until nothing is ready any more.

    The network's side may not touch the database: it would be in a thread without a connection.
    """
    for _ in range(rounds):
        busy = False
        for step in STEPS:
            if names and step.name not in names:
                continue
            claimed = step.claim(25, "test-worker")
            busy = busy or bool(claimed)
            with connection.execute_wrapper(_no_database):
                finished = [(facts, _act(step.act, facts)) for facts in claimed]
            step.record(finished)
        if not busy:
            return
    raise AssertionError("the work does not come to an end")


def _act(act: Callable[[Any], Any], facts: Any) -> Any:
    try:
        return act(facts)
    except AssertionError:
        raise
    except Exception as error:  # noqa: BLE001 what a thread raises is recorded, as in the drain
        return error


def _no_database(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    raise AssertionError(f"a thread that talks to the network asked the database: {sql}")


def until_somebody_waits_for_a_lock() -> None:
    """Until another connection waits for what this one holds."""
    deadline = time.monotonic() + 20
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
            time.sleep(0.02)
    raise AssertionError("nobody waits")


def everything_stored_with(*traces: str) -> list[str]:
    """Every table in which one of the words stands somewhere."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            for trace in traces:
                cursor.execute(f'SELECT count(*) FROM "{table}" t WHERE t::text ILIKE %s', [f"%{trace}%"])
                if cursor.fetchone()[0]:
                    found.append(f"{table}: {trace}")
    return found
