"""What can be read: how far a text is, figures, and lists of replies, escalations and plans."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.plumbing import resolve_type_hint
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from approvals import reports
from approvals.api.callers import conversation_known_as
from approvals.models import Escalation, PaymentPlan, QueuedResponse
from conversations.refusals import Invalid


class WorkflowStatus(APIView):
    """Where the newest text of a conversation stands."""

    roles = {"sms-agent", "manager", "dashboard"}
    permission = "approvals.view_workflow"

    @extend_schema(responses=reports.WorkflowReport)
    def get(self, request: Request, conversation_id: str) -> Response:
        report = reports.workflow_report(conversation_known_as(conversation_id))
        return Response(reports.WorkflowReport(report).data)


class Metrics(APIView):
    """The specification's figures, counted in the database, so they are true across processes."""

    roles = {"manager", "dashboard"}
    permission = "approvals.view_workflow"

    @extend_schema(responses=OpenApiResponse(resolve_type_hint(reports.MetricsReport)))
    def get(self, request: Request) -> Response:
        return Response(reports.metrics_report())


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
