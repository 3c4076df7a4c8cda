"""Is it alive, and does everything that it leans on answer?"""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from threading import Lock
from typing import Any

from django.db import DatabaseError, connection
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from integrations import clients
from integrations.base import Health

# The upstreams are asked at most once in this time per process, whoever asks us (seconds).
ASKED_EVERY = 5.0
_lock = Lock()
_last: tuple[float, dict[str, Health]] = (float("-inf"), {})


class Liveness(APIView):
    """This process answers; it says nothing about the others. Open to all."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    class Output(serializers.Serializer[Any]):
        status = serializers.CharField()

    @extend_schema(responses=Output, auth=[])
    def get(self, request: Request) -> Response:
        return Response({"status": "ok"})


class Dependencies(APIView):
    """Every upstream and the database, asked at most every five seconds; 503 only when the database is down."""

    roles = {"manager", "dashboard", "sms-agent", "chat", "call-handler"}
    permission = "approvals.retry"

    class Output(serializers.Serializer[Any]):
        status = serializers.ChoiceField(["healthy", "degraded", "down"])
        sms_agent = serializers.BooleanField()
        collections_monitor = serializers.BooleanField()
        notification_service = serializers.BooleanField()
        supabase = serializers.BooleanField(help_text="Our Postgres, wherever it runs")
        openai = serializers.BooleanField()
        call_handler = serializers.BooleanField()
        details = serializers.DictField()

    @extend_schema(responses={200: Output, 503: Output})
    def get(self, request: Request) -> Response:
        database, upstreams = database_health(), upstreams_health()
        details = {name: asdict(health) for name, health in {**upstreams, "supabase": database}.items()}
        well = all(health.ok for health in upstreams.values())
        overall = "down" if not database.ok else "healthy" if well else "degraded"
        flags = {name: detail["ok"] for name, detail in details.items()}
        return Response({"status": overall, **flags, "details": details}, status=200 if database.ok else 503)


def database_health() -> Health:
    start = time.perf_counter()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return Health(ok=False, latency_ms=_since(start), circuit="closed", error=type(error).__name__)
    return Health(ok=True, latency_ms=_since(start), circuit="closed")


def _since(start: float) -> int:
    return round((time.perf_counter() - start) * 1000)


def upstreams_health() -> dict[str, Health]:
    """By the names of the report. While somebody asks them, others get the last answers instead of waiting."""
    known = _last[1]
    if not _lock.acquire(blocking=not known):
        return known
    try:
        return _asked_of_late()
    finally:
        _lock.release()


def _asked_of_late() -> dict[str, Health]:
    """What is known, if it is fresh; else all are asked at once."""
    global _last
    asked_at, known = _last
    if time.monotonic() - asked_at < ASKED_EVERY:
        return known
    upstreams = clients.all_upstreams()
    with ThreadPoolExecutor(len(upstreams)) as pool:
        answers = list(pool.map(lambda upstream: upstream.health(), upstreams))
    known = {upstream.name: answer for upstream, answer in zip(upstreams, answers, strict=True)}
    _last = (time.monotonic(), known)
    return known
