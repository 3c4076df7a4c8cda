"""A text comes in; work that failed is begun again."""

import time
from threading import BoundedSemaphore
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from approvals.api.callers import decider
from approvals.models import Workflow
from approvals.sms_workflow import decisions, intake
from conversations.endpoints import CallersId, Checked


class SmsReceived(Checked):
    """A tenant's text comes in."""

    roles = {"sms-agent"}
    # A waiting caller holds one of the few web threads: one in each process; the others are told to look later.
    _may_wait = BoundedSemaphore(1)
    POLL_SECONDS = 0.1

    class Input(serializers.Serializer[Any]):
        phone_number = serializers.CharField(max_length=40)
        content = serializers.CharField(max_length=1600)
        tenant_id = CallersId(required=False)
        conversation_id = CallersId(required=False)
        message_sid = CallersId(required=False)
        message_id = CallersId(required=False)
        received_at = serializers.DateTimeField(required=False, allow_null=True)

    class Output(serializers.Serializer[Any]):
        status = serializers.ChoiceField(["accepted", "processed"])
        workflow_id = serializers.UUIDField()
        conversation_id = serializers.UUIDField()
        duplicate = serializers.BooleanField()
        outcome = serializers.CharField(required=False, help_text="With Prefer: wait=N")

    @extend_schema(
        request=Input,
        responses={202: Output, 200: Output},
        parameters=[OpenApiParameter("Prefer", str, OpenApiParameter.HEADER, description="wait=N, at most 10 s")],
    )
    def post(self, request: Request) -> Response:
        body = self.checked(request)
        accepted = intake.receive_sms(
            intake.InboundText(
                phone_number=body["phone_number"],
                content=body["content"],
                tenant_id=body.get("tenant_id"),
                conversation_id=body.get("conversation_id"),
                message_id=body.get("message_sid") or body.get("message_id"),
                received_at=body.get("received_at"),
            )
        )
        answer: dict[str, Any] = {
            "status": "accepted",
            "workflow_id": accepted.workflow_id,
            "conversation_id": accepted.conversation_id,
            "duplicate": accepted.duplicate,
        }
        outcome = self._verdict_within(_seconds_to_wait(request), accepted.workflow_id)
        if outcome:
            return Response({**answer, "status": "processed", "outcome": outcome})
        return Response(answer, status=status.HTTP_200_OK if accepted.duplicate else status.HTTP_202_ACCEPTED)

    def _verdict_within(self, seconds: float, workflow_id: UUID) -> str:
        if not seconds or not self._may_wait.acquire(blocking=False):
            return ""
        try:
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                found = Workflow.objects.values("status", "outcome").get(pk=workflow_id)
                if found["status"] not in (Workflow.Status.RECEIVED, Workflow.Status.PROCESSING):
                    return str(found["outcome"] or found["status"])
                time.sleep(self.POLL_SECONDS)
            return ""
        finally:
            self._may_wait.release()


def _seconds_to_wait(request: Request) -> float:
    """`Prefer: wait=N` (RFC 7240), at most ten seconds; anything else is no wish to wait."""
    for preference in request.headers.get("Prefer", "").split(","):
        name, _, value = preference.strip().partition("=")
        if name.lower() == "wait" and value.isascii() and value.isdigit():
            return min(float(value), 10)
    return 0


class Retry(Checked):
    """A failed workflow is tried once more."""

    roles = {"manager", "dashboard"}
    permission = "approvals.retry"

    class Input(serializers.Serializer[Any]):
        reason = serializers.CharField(max_length=2000, required=False, allow_blank=True, allow_null=True)

    class Output(serializers.Serializer[Any]):
        status = serializers.CharField()
        workflow_id = serializers.UUIDField()

    @extend_schema(request=Input, responses={202: Output})
    def post(self, request: Request, workflow_id: UUID) -> Response:
        workflow = decisions.retry(workflow_id, by=decider(request), reason=self.checked(request).get("reason") or "")
        return Response({"status": "retrying", "workflow_id": workflow.pk}, status=status.HTTP_202_ACCEPTED)
