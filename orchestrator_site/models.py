"""What belongs to the system as a whole: the services' tokens and the circuit breakers' shared state."""

import uuid

from django.db import models
from django.utils import timezone


class Role(models.TextChoices):
    """What a calling service is; each endpoint names the roles that may use it."""

    SMS_AGENT = "sms-agent"
    MANAGER = "manager"
    DASHBOARD = "dashboard"
    CHAT = "chat"
    CALL_HANDLER = "call-handler"


class ServiceToken(models.Model):
    """A bearer token of a service. Only its SHA-256 is kept: who reads this table cannot call us."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100, unique=True)
    role = models.CharField(max_length=20, choices=Role)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "service_tokens"

    def __str__(self) -> str:
        return f"{self.name} ({self.role})"


class CircuitBreaker(models.Model):
    """One row per upstream, shared by all processes; written by `breaker_store`, shown in the admin."""

    class State(models.TextChoices):
        CLOSED = "closed"
        OPEN = "open"
        HALF_OPEN = "half_open"

    name = models.CharField(max_length=50, primary_key=True)
    state = models.CharField(max_length=10, choices=State, default=State.CLOSED)
    failures = models.IntegerField(default=0)
    opened_at = models.DateTimeField(null=True, blank=True)
    probe_until = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "circuit_breakers"
        verbose_name = "upstream"

    def __str__(self) -> str:
        return f"{self.name}: {self.state}"
