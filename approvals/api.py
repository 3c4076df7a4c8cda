"""The HTTP API of the collections half: each view checks its input and calls one function of the flow."""

import time
from decimal import Decimal
from threading import BoundedSemaphore
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AbstractUser
from django.db.models import QuerySet
from drf_spectacular.plumbing import resolve_type_hint
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import exceptions, generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from approvals import reports
from approvals.models import Escalation, PaymentPlan, QueuedResponse, Workflow
from approvals.policy.escalation import Category, Severity
from approvals.sms_workflow import decisions, intake, offers
from approvals.sms_workflow.decisions import Decider
from approvals.sms_workflow.escalations import hand_over
from conversations.endpoints import CallersId, Checked
from conversations.models import Conversation
from conversations.refusals import Conflict, Invalid, NotFound
from conversations.wakeups import wake


def decider(request: Request, manager_id: str = "") -> Decider:
    """Who decides: a signed-in person by name, or a service, for the manager whom it names."""
    if isinstance(request.user, AbstractUser):
        return Decider(name=request.user.get_username(), may_override=request.user.has_perm("approvals.override_gates"))
    name = f"{manager_id} via {request.user}" if manager_id else str(request.user)
    return Decider(name=name[:150], may_override=getattr(request.user, "role", "") == "manager")


def conversation_known_as(any_id: str) -> Conversation:
    """By our id or the caller's own. Raises NotFound; Conflict when several telephones came with that id."""
    found = list(Conversation.objects.known_as(any_id)[:2])
    if not found:
        raise NotFound("not_found", f"There is no conversation {any_id!r}.")
    if len(found) > 1:
        message = f"Several telephones came with the conversation id {any_id!r}. Use our own id of the one meant."
        raise Conflict("ambiguous_conversation", message)
    return found[0]


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
        if body["action"] == "escalate" and not _may_escalate(request):
            raise exceptions.PermissionDenied("Your group may approve, but not escalate.")
        reply_id = (
            body.get("response_queue_id") or decisions.waiting_reply(conversation_known_as(body["conversation_id"])).pk
        )
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


def _may_escalate(request: Request) -> bool:
    """A person needs a permission of its own for it; a service's role covers all three actions."""
    return not isinstance(request.user, AbstractUser) or request.user.has_perm("approvals.escalate")


def _decide(reply_id: UUID, body: dict[str, Any], by: Decider) -> QueuedResponse:
    why = body.get("override_reason") or ""
    if body["action"] == "approve":
        return decisions.approve(reply_id, by=by, text=body.get("approved_text"), override_reason=why)
    if body["action"] == "modify":
        return decisions.modify(reply_id, by=by, text=body["modified_text"], override_reason=why)
    return decisions.escalate(reply_id, by=by, reason=body["escalation_reason"])


class PlanOutput(serializers.ModelSerializer[PaymentPlan]):
    """A payment plan; dollars as decimal strings."""

    issues = serializers.ListField(child=serializers.DictField())

    class Meta:
        model = PaymentPlan
        fields = [
            "id",
            "conversation_id",
            "weekly_amount",
            "weeks",
            "start_date",
            "total",
            "one_off_amount",
            "one_off_date",
            "valid",
            "issues",
            "auto_approvable",
            "status",
            "source",
            "created_at",
        ]


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


class WorkflowStatus(APIView):
    """Where the newest text of a conversation stands."""

    roles = {"sms-agent", "manager", "dashboard"}
    permission = "approvals.view_workflow"

    @extend_schema(responses=reports.WorkflowReport)
    def get(self, request: Request, conversation_id: str) -> Response:
        report = reports.workflow_report(conversation_known_as(conversation_id))
        return Response(reports.WorkflowReport(report).data)


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


class Metrics(APIView):
    """The specification's figures, counted in the database, so they are true across processes."""

    roles = {"manager", "dashboard"}
    permission = "approvals.view_workflow"

    @extend_schema(responses=OpenApiResponse(resolve_type_hint(reports.MetricsReport)))
    def get(self, request: Request) -> Response:
        return Response(reports.metrics_report())


class ResponseOutput(serializers.ModelSerializer[QueuedResponse]):
    """A reply in the queue."""

    reasons = serializers.ListField(child=serializers.CharField())
    gates = serializers.ListField(child=serializers.DictField())
    phone_number = serializers.CharField(source="conversation.phone")
    tenant_name = serializers.CharField(source="conversation.tenant_name")

    class Meta:
        model = QueuedResponse
        fields = [
            "id",
            "conversation_id",
            "workflow_id",
            "phone_number",
            "tenant_name",
            "tenant_message",
            "ai_response",
            "final_text",
            "language",
            "confidence_score",
            "gates",
            "reasons",
            "status",
            "manager_action",
            "modified_response",
            "actioned_by",
            "actioned_at",
            "not_before",
            "sent_at",
            "receipt",
            "error_message",
            "created_at",
        ]


class EscalationOutput(serializers.ModelSerializer[Escalation]):
    """An escalation."""

    class Meta:
        model = Escalation
        fields = [
            "id",
            "conversation_id",
            "response_id",
            "category",
            "severity",
            "reason",
            "status",
            "created_by",
            "created_at",
            "due_at",
            "assigned_to",
            "resolved_by",
            "resolved_at",
        ]


class Listing(generics.ListAPIView[Any]):
    """A read-only list, newest first; `filters` names the query parameters that narrow it."""

    roles = {"manager", "dashboard"}
    filters: tuple[str, ...] = ("status",)
    everything: QuerySet[Any]

    def get_queryset(self) -> QuerySet[Any]:
        rows = self.everything.all()
        for name in self.filters:
            if value := self.request.query_params.get(name):
                rows = rows.filter(**{name: self._known(name, value)})
        if any_id := self.request.query_params.get("conversation_id"):
            rows = rows.filter(conversation=conversation_known_as(any_id))
        return rows.order_by("-created_at", "pk")

    def _known(self, name: str, value: str) -> str:
        """A misspelt status would look like an empty list."""
        choices = [choice for choice, _ in self.everything.model._meta.get_field(name).flatchoices]
        if choices and value not in choices:
            raise Invalid("invalid", f"There is no {name} {value!r}.", fields={name: [f"One of {', '.join(choices)}."]})
        return value


CONVERSATION = OpenApiParameter("conversation_id", str, description="Ours or the caller's")


def narrowed_by(*names: str) -> list[OpenApiParameter]:
    return [*(OpenApiParameter(name, str) for name in names), CONVERSATION]


@extend_schema(parameters=narrowed_by("status", "language"))
class Responses(Listing):
    """Replies: waiting, decided, sent."""

    permission = "approvals.view_queuedresponse"
    serializer_class = ResponseOutput
    filters = ("status", "language")
    everything = QueuedResponse.objects.select_related("conversation")


@extend_schema(parameters=narrowed_by("status", "severity", "category"))
class Escalations(Listing):
    """Escalations: open and resolved."""

    permission = "approvals.view_escalation"
    serializer_class = EscalationOutput
    filters = ("status", "severity", "category")
    everything = Escalation.objects.all()


@extend_schema(parameters=narrowed_by("status"))
class PaymentPlans(Listing):
    """Payment plans, with what the rules say of them."""

    permission = "approvals.view_paymentplan"
    serializer_class = PlanOutput
    everything = PaymentPlan.objects.all()
