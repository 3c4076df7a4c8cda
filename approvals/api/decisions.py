"""What services decide or report: a reply, a payment plan, an escalation."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from approvals.api.callers import conversation_known_as, decider, may_escalate
from approvals.api.lists import PlanOutput
from approvals.models import QueuedResponse
from approvals.policy.escalation import Category, Severity
from approvals.sms_workflow import decisions, offers
from approvals.sms_workflow.decisions import Decider
from approvals.sms_workflow.escalations import hand_over
from conversations.endpoints import CallersId, Checked
from conversations.refusals import Invalid
from conversations.wakeups import wake


class ApproveResponse(Checked):
    """A manager's decision on a waiting reply."""

    roles = {"manager", "dashboard"}
    permission = "approvals.approve"

    class Input(serializers.Serializer[Any]):
        action = serializers.ChoiceField(["approve", "modify", "escalate"])
        response_queue_id = serializers.UUIDField(required=False, allow_null=True)
        conversation_id = CallersId(required=False)
        approved_text = serializers.CharField(max_length=1600, required=False, allow_null=True)
        modified_text = serializers.CharField(max_length=1600, required=False, allow_null=True)
        escalation_reason = serializers.CharField(max_length=2000, required=False, allow_null=True)
        manager_id = CallersId(required=False)
        override_reason = serializers.CharField(max_length=2000, required=False, allow_blank=True, allow_null=True)

        def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
            if not attrs.get("response_queue_id") and not attrs.get("conversation_id"):
                raise serializers.ValidationError({"response_queue_id": ["Name it, or the conversation_id."]})
            needed = {"modify": "modified_text", "escalate": "escalation_reason"}.get(attrs["action"])
            if needed and not attrs.get(needed):
                raise serializers.ValidationError({needed: [f"The action {attrs['action']} needs it."]})
            return attrs

    class Output(serializers.Serializer[Any]):
        status = serializers.CharField()
        response_queue_id = serializers.UUIDField()
        action = serializers.CharField(help_text="As recorded: an approval with other words is a modification")
        final_response = serializers.CharField(allow_null=True)

    @extend_schema(request=Input, responses=Output)
    def post(self, request: Request) -> Response:
        body = self.checked(request)
        if body["action"] == "escalate" and not may_escalate(request):
            raise exceptions.PermissionDenied("Your group may approve, but not escalate.")
        reply_id = _reply_meant(body)
        by = decider(request, body.get("manager_id") or "")
        response = _decide(reply_id, body, by)
        return Response(
            {
                "status": "processed",
                "response_queue_id": response.pk,
                "action": response.manager_action,
                "final_response": response.final_text if body["action"] != "escalate" else None,
            }
        )


def _reply_meant(body: dict[str, Any]) -> UUID:
    """By its own id, else the one that waits in the conversation. Raises Invalid where both are given and disagree."""
    named: UUID | None = body.get("response_queue_id")
    if named is None:
        return decisions.waiting_reply(conversation_known_as(body["conversation_id"])).pk
    of_another = body.get("conversation_id") and not (
        conversation_known_as(body["conversation_id"]).responses.filter(pk=named).exists()
    )
    if of_another:
        message = "This reply belongs to another conversation."
        raise Invalid("invalid", message, fields={"response_queue_id": [message]})
    return named


def _decide(reply_id: UUID, body: dict[str, Any], by: Decider) -> QueuedResponse:
    why = body.get("override_reason") or ""
    if body["action"] == "approve":
        return decisions.approve(reply_id, by=by, text=body.get("approved_text"), override_reason=why)
    if body["action"] == "modify":
        return decisions.modify(reply_id, by=by, text=body["modified_text"], override_reason=why)
    return decisions.escalate(reply_id, by=by, reason=body["escalation_reason"])


class PaymentPlanDetected(Checked):
    """A plan that a service reports in figures, or words in which we look for one."""

    roles = {"sms-agent", "manager", "dashboard"}
    permission = "approvals.approve"

    class Input(serializers.Serializer[Any]):
        conversation_id = CallersId()
        tenant_id = CallersId(required=False)
        message_content = serializers.CharField(max_length=1600, required=False, allow_null=True)
        ai_response = serializers.CharField(max_length=4000, required=False, allow_null=True)
        weekly_amount = serializers.DecimalField(
            max_digits=10, decimal_places=2, min_value=Decimal("0.01"), required=False, allow_null=True
        )
        weeks = serializers.IntegerField(min_value=1, max_value=1000, required=False, allow_null=True)
        start_date = serializers.DateField(required=False, allow_null=True)

        def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
            if not attrs.get("message_content") and attrs.get("weekly_amount") is None:
                raise serializers.ValidationError({"message_content": ["Send it, or weekly_amount and weeks."]})
            return attrs

    class Output(serializers.Serializer[Any]):
        status = serializers.ChoiceField(["detected", "none"])
        payment_plan = PlanOutput(allow_null=True)

    @extend_schema(request=Input, responses=Output)
    def post(self, request: Request) -> Response:
        body = self.checked(request)
        reported = None
        if body.get("weekly_amount") is not None:
            reported = offers.ReportedPlan(
                weekly_amount=body["weekly_amount"], weeks=body.get("weeks"), start_date=body.get("start_date")
            )
        plan = offers.detect_plan(
            conversation_known_as(body["conversation_id"]),
            tenant_id=body.get("tenant_id"),
            message=body.get("message_content") or "",
            ai_reply=body.get("ai_response"),
            reported=reported,
        )
        return Response({"status": "detected" if plan else "none", "payment_plan": plan and PlanOutput(plan).data})


class Escalate(Checked):
    """A service, or a person, hands a conversation to the managers."""

    roles = {"sms-agent", "manager", "dashboard"}
    permission = "approvals.escalate"
    SEVERITY_OF = {
        "critical": Severity.CRITICAL,
        "urgent": Severity.CRITICAL,
        "high": Severity.HIGH,
        "normal": Severity.MEDIUM,
        "medium": Severity.MEDIUM,
        "low": Severity.LOW,
    }

    class Input(serializers.Serializer[Any]):
        conversation_id = CallersId()
        escalation_reason = serializers.CharField(max_length=2000, required=False, allow_null=True)
        reason = serializers.CharField(max_length=2000, required=False, allow_null=True)
        escalation_type = serializers.CharField(max_length=40, required=False, allow_null=True)
        severity = serializers.ChoiceField(["critical", "high", "medium", "low"], required=False, allow_null=True)
        priority = serializers.ChoiceField(
            ["critical", "urgent", "high", "normal", "medium", "low"], required=False, allow_null=True
        )

        def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
            if not attrs.get("escalation_reason") and not attrs.get("reason"):
                raise serializers.ValidationError({"escalation_reason": ["Say why, in a sentence."]})
            return attrs

    class Output(serializers.Serializer[Any]):
        status = serializers.ChoiceField(["created", "open"], help_text="open: it was, and the reason is noted there")
        escalation_id = serializers.UUIDField()

    @extend_schema(request=Input, responses={201: Output, 200: Output})
    def post(self, request: Request) -> Response:
        body = self.checked(request)
        wanted, reason = body.get("escalation_type") or "", body.get("escalation_reason") or body["reason"]
        category = Category(wanted) if wanted in set(Category) else Category.MANUAL
        named = body.get("severity") or body.get("priority")
        escalation, is_new = hand_over(
            conversation_known_as(body["conversation_id"]),
            category=category,
            reason=reason if category == wanted or not wanted else f"{wanted}: {reason}",
            by=decider(request).name,
            severity=self.SEVERITY_OF[named] if named else None,
        )
        wake()
        return Response(
            {"status": "created" if is_new else "open", "escalation_id": escalation.pk},
            status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK,
        )
