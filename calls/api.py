"""The HTTP API of the assistant: each view checks its input and calls one function of the flow."""

import time
from threading import BoundedSemaphore
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from phonenumbers import SUPPORTED_REGIONS
from rest_framework import serializers, status
from rest_framework.exceptions import PermissionDenied
from rest_framework.parsers import FormParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from calls.chat_workflow import context, receiving, results
from calls.chat_workflow.chats import User, chat_of, state_of
from calls.models import CallTask, ChatMessage
from calls.policy.outcomes import ORDER, Report
from calls.task_types import type_of
from conversations.endpoints import CallersId, Checked
from conversations.refusals import Invalid, NotFound
from integrations.twilio import is_signed_by_twilio

# A token that names no user speaks for this one: the specification's endpoints have only one.
SOLE_USER = "default"
USER_ID = OpenApiParameter("user_id", str, description="For tokens: whose chat; a signed-in person is their own user")


def user_of(request: Request, user_id: str | None) -> User:
    """A service speaks for the users whom it names, kept apart per token; a signed-in person for nobody else."""
    service = _service(request)
    if service:
        return User.named_by_token(service.token_id, user_id or SOLE_USER)
    return User.signed_in(str(request.user.pk))


class WhoseChat(serializers.Serializer[Any]):
    """What stands in an address: a parameter that is not meant here is an error, for it may be a user's name."""

    user_id = CallersId(required=False, allow_null=False)

    def to_internal_value(self, data: Any) -> Any:
        if unknown := sorted(set(data) - set(self.fields)):
            raise serializers.ValidationError({name: ["There is no such parameter here."] for name in unknown})
        return super().to_internal_value(data)


def _whose(request: Request) -> User:
    asked = WhoseChat(data=request.query_params.dict())
    asked.is_valid(raise_exception=True)
    return user_of(request, asked.validated_data.get("user_id"))


def _service(request: Request) -> Any:
    """The service that has shown its token; None for a person. (Its class stands above us, in the composition.)"""
    return request.user if hasattr(request.user, "role") else None


class TaskOutput(serializers.ModelSerializer[CallTask]):
    """A task. `missing`: the details that are still asked for; `result`: how it ended."""

    type = serializers.CharField(source="task_type")
    missing = serializers.SerializerMethodField()
    call_sid = serializers.CharField(source="reference")
    result = serializers.SerializerMethodField()

    class Meta:
        model = CallTask
        fields = [
            "id",
            "type",
            "status",
            "parameters",
            "missing",
            "summary",
            "call_sid",
            "result",
            "created_at",
            "confirmed_at",
            "not_before",
            "finished_at",
        ]

    def get_missing(self, task: CallTask) -> list[str]:
        return [slot.name for slot in type_of(task.task_type).missing(task.parameters)]

    def get_result(self, task: CallTask) -> dict[str, Any] | None:
        return {"outcome": task.outcome, **task.result} if task.outcome else None


class MessageOutput(serializers.ModelSerializer[ChatMessage]):
    """One line of a chat. `kind`: turn, reply, update, or notice (the one that tells how a task ended)."""

    text = serializers.CharField(source="body")
    task_id = serializers.UUIDField(allow_null=True)

    class Meta:
        model = ChatMessage
        fields = ["id", "role", "kind", "text", "language", "task_id", "offers_retry", "created_at"]


class Chat(Checked):
    """A person says something to the assistant."""

    roles = {"chat"}
    permission = "calls.use_assistant"
    LOOK_EVERY_SECONDS = 0.02

    class Input(serializers.Serializer[Any]):
        message = serializers.CharField(max_length=4000)
        user_id = CallersId(required=False)
        region = serializers.RegexField(r"^[A-Za-z]{2}$", required=False, allow_null=True, help_text="ISO 3166: US, IL")
        language = serializers.CharField(max_length=10, required=False, allow_null=True, help_text="en or he")

        def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
            # A misspelt user_id must not speak for the user "default".
            unknown = {name: ["There is no such field."] for name in set(self.initial_data) - set(self.fields)}
            if unknown:
                raise serializers.ValidationError(unknown)
            return attrs

        def validate_region(self, value: str | None) -> str | None:
            if value and value.upper() not in SUPPORTED_REGIONS:
                raise serializers.ValidationError("There is no such region.")
            return value and value.upper()

    class Output(serializers.Serializer[Any]):
        user_id = serializers.CharField()
        message_id = serializers.UUIDField(help_text="Of the last message that this answer covers")
        reply = serializers.CharField(allow_null=True)
        state = serializers.ChoiceField(["idle", "collecting", "confirming", "executing"])
        task = TaskOutput(allow_null=True)
        pending = serializers.BooleanField(help_text="The reply is on its way and comes as a message")

    @extend_schema(request=Input, responses=Output)
    def post(self, request: Request) -> Response:
        body = self.checked(request)
        turn = receiving.receive_message(
            user_of(request, body.get("user_id")),
            body["message"],
            region=body.get("region"),
            language=body.get("language"),
        )
        return Response(self.Output(as_json(self._within_budget(turn))).data)

    def _within_budget(self, turn: receiving.Turn) -> receiving.Turn:
        """The reply if a worker has it in time: a turn that words settle has it already."""
        deadline = time.monotonic() + settings.CHAT_REPLY_BUDGET_MS / 1000
        while turn.reply is None and time.monotonic() < deadline:
            time.sleep(self.LOOK_EVERY_SECONDS)
            if ChatMessage.objects.filter(answers=turn.message).exists():
                return receiving.reply_to(turn)
        return turn


def as_json(turn: receiving.Turn) -> dict[str, Any]:
    return {
        "user_id": turn.chat.user_id,
        "message_id": (turn.reply or turn.message).pk,
        "reply": turn.reply.body if turn.reply else None,
        "state": turn.state,
        "task": turn.task,
        "pending": turn.reply is None,
    }


class Messages(APIView):
    """The lines of a chat after one of them; completion notices come here."""

    roles = {"chat"}
    permission = "calls.use_assistant"
    MOST = 200
    LONGEST_WAIT_SECONDS = 25.0
    LOOK_EVERY_SECONDS = 0.25
    # A waiting caller holds one of the few web threads; the others are told to look later.
    _may_wait = BoundedSemaphore(2)

    class Asked(WhoseChat):
        after = serializers.UUIDField(required=False, help_text="Id of a message; one that is gone is before all")
        wait = serializers.IntegerField(required=False, min_value=0, help_text="Seconds to wait for one, at most 25")

    class Output(serializers.Serializer[Any]):
        messages = MessageOutput(many=True)
        state = serializers.ChoiceField(["idle", "collecting", "confirming", "executing"])
        pending = serializers.BooleanField()

    @extend_schema(responses=Output, parameters=[Asked])
    def get(self, request: Request) -> Response:
        asked = self.Asked(
            data={name: value for name, value in request.query_params.items() if value or name == "user_id"}
        )
        asked.is_valid(raise_exception=True)
        user, after = user_of(request, asked.validated_data.get("user_id")), asked.validated_data.get("after")
        found = self._after(user, after)
        if not found and self._may_wait.acquire(blocking=False):
            try:
                found = self._wait_for(user, after, asked.validated_data.get("wait", 0))
            finally:
                self._may_wait.release()
        chat = chat_of(user)
        state, _ = state_of(chat)
        waits = [ChatMessage.Status.WAITING, ChatMessage.Status.READING]
        pending = chat is not None and chat.messages.filter(status__in=waits).exists()
        return Response(self.Output({"messages": found, "state": state, "pending": pending}).data)

    def _wait_for(self, user: User, after: UUID | None, seconds: float) -> list[ChatMessage]:
        deadline = time.monotonic() + min(seconds, self.LONGEST_WAIT_SECONDS)
        while time.monotonic() < deadline:
            time.sleep(self.LOOK_EVERY_SECONDS)
            if found := self._after(user, after):
                return found
        return []

    def _after(self, user: User, after: UUID | None) -> list[ChatMessage]:
        """The newest lines, oldest first; an id that is not there any more is before all of them."""
        lines: QuerySet[ChatMessage] = ChatMessage.objects.filter(chat__owner=user.owner)
        known = lines.filter(pk=after).values_list("seq", flat=True).first() if after else None
        newer = lines.filter(seq__gt=known or 0).order_by("-seq")[: self.MOST]
        return list(reversed(newer))


class Context(APIView):
    """Everything that is stored about a user: seen, or erased."""

    roles = {"chat"}
    permission = "calls.use_assistant"

    class Output(serializers.Serializer[Any]):
        user_id = serializers.CharField()
        language = serializers.CharField(allow_null=True)
        region = serializers.CharField(allow_null=True)
        context = serializers.ListField(child=serializers.DictField())  # type: ignore[assignment]  # the API's name for it
        tasks = serializers.ListField(child=serializers.DictField())
        messages = serializers.ListField(child=serializers.DictField())

    class Erased(serializers.Serializer[Any]):
        status = serializers.CharField()
        user_id = serializers.CharField()
        erased = serializers.DictField(child=serializers.IntegerField())

    @extend_schema(responses=Output, parameters=[USER_ID])
    def get(self, request: Request) -> Response:
        return Response(context.context_of(_whose(request)))

    @extend_schema(responses=Erased, parameters=[USER_ID])
    def delete(self, request: Request) -> Response:
        if request.data:
            raise Invalid("invalid", "Name the user in the address, as ?user_id=; a body is not read.")
        user, service = _whose(request), _service(request)
        through = service.name if service else "the page"
        counts = context.erase(user, asked_through=through)
        return Response({"status": "erased", "user_id": user.user_id, "erased": counts})


class Task(APIView):
    """One task: a service sees those of its own users, a person their own, or all with the right to."""

    roles = {"chat"}
    permission = "calls.use_assistant"

    @extend_schema(responses=TaskOutput)
    def get(self, request: Request, task_id: UUID) -> Response:
        task = _visible_to(request).filter(pk=task_id).first()
        if task is None:
            raise NotFound("not_found", "There is no such task.")
        return Response(TaskOutput(task).data)


def _visible_to(request: Request) -> QuerySet[CallTask]:
    if service := _service(request):
        return CallTask.objects.filter(chat__owner__startswith=f"token:{service.token_id}:")
    if request.user.has_perm("calls.view_calltask"):
        return CallTask.objects.all()
    return CallTask.objects.filter(chat__owner=User.signed_in(str(request.user.pk)).owner)


class CallResults(Checked):
    """The call handler reports what became of a call; repeats and late reports are harmless."""

    roles = {"call-handler"}

    class Input(serializers.Serializer[Any]):
        call_sid = serializers.CharField(max_length=100)
        status = serializers.CharField(max_length=30, help_text="A call status of Twilio's, or voicemail")
        duration = serializers.IntegerField(min_value=0, max_value=1_000_000, required=False, allow_null=True)
        summary = serializers.CharField(max_length=4000, required=False, allow_blank=True, allow_null=True)
        transcript = serializers.CharField(max_length=100_000, required=False, allow_blank=True, allow_null=True)
        answered_by = serializers.CharField(max_length=40, required=False, allow_blank=True, allow_null=True)
        error = serializers.CharField(max_length=4000, required=False, allow_blank=True, allow_null=True)

        def validate_status(self, value: str) -> str:
            word = value.lower().replace("_", "-")
            if word not in (*ORDER, "voicemail"):
                raise serializers.ValidationError(f"One of {', '.join(ORDER)}, voicemail.")
            return word

    class Output(serializers.Serializer[Any]):
        status = serializers.CharField()
        changed = serializers.BooleanField(help_text="False for a repeat, a late report, or a call that is not ours")

    @extend_schema(request=Input, responses=Output)
    def post(self, request: Request) -> Response:
        body = self.checked(request)
        voicemail = body["status"] == "voicemail"
        report = Report(
            reference=body["call_sid"],
            status="completed" if voicemail else body["status"],
            answered_by="voicemail" if voicemail else body.get("answered_by") or "",
            duration=body.get("duration"),
            summary=body.get("summary") or "",
            transcript=body.get("transcript") or "",
            error=body.get("error") or "",
        )
        changed = results.report_result(report, source="the call handler")
        return Response({"status": "accepted", "changed": changed})


class TwilioStatus(APIView):
    """Twilio's status callback. No token: the signature over our public address is the permission."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    parser_classes = (FormParser,)

    @extend_schema(request={"application/x-www-form-urlencoded": dict}, responses={204: None}, auth=[])
    def post(self, request: Request) -> Response:
        form: Any = request.data
        fields = {name: str(value) for name, value in form.items()}
        if not _is_twilios(request, fields):
            raise PermissionDenied("The signature is not Twilio's. Is PUBLIC_URL the address that Twilio calls?")
        duration = fields.get("CallDuration", "")
        report = Report(
            reference=fields.get("CallSid", ""),
            status=fields.get("CallStatus", ""),
            answered_by=fields.get("AnsweredBy", ""),
            duration=int(duration) if duration.isascii() and duration.isdigit() else None,
        )
        if report.reference:
            results.report_result(report, source="Twilio's callback")
        return Response(status=status.HTTP_204_NO_CONTENT)


def _is_twilios(request: Request, fields: dict[str, str]) -> bool:
    return bool(settings.TWILIO_AUTH_TOKEN) and is_signed_by_twilio(
        url=f"{settings.PUBLIC_URL}{request.get_full_path()}",
        fields=fields,
        signature=request.headers.get("X-Twilio-Signature", ""),
        auth_token=settings.TWILIO_AUTH_TOKEN,
    )
