"""Every client, made once per process at its first use, from the settings.

All of them share one HTTP client. After a fork the child makes its own: two processes must not write into one
connection.
"""

import os
from functools import cache
from typing import Any

import httpx2
from django.conf import settings
from django.utils.module_loading import import_string

from integrations.base import Upstream
from integrations.breaker import Breaker, Store
from integrations.call_handler import Api, CallHandler
from integrations.http import new_client
from integrations.language_model import LanguageModel
from integrations.monitor import Monitor
from integrations.notifications import Notifications
from integrations.sms_agent import SmsAgent
from integrations.twilio import Twilio


@cache
def monitor() -> Monitor:
    return Monitor(base_url=settings.MONITOR_URL, timeout=settings.MONITOR_TIMEOUT_SECONDS, **_shared(Monitor.name))


@cache
def sms_agent() -> SmsAgent:
    return SmsAgent(
        base_url=settings.SMS_AGENT_URL, timeout=settings.SMS_AGENT_TIMEOUT_SECONDS, **_shared(SmsAgent.name)
    )


@cache
def notifications() -> Notifications:
    return Notifications(
        base_url=settings.NOTIFICATION_URL,
        timeout=settings.NOTIFICATION_TIMEOUT_SECONDS,
        **_shared(Notifications.name),
    )


@cache
def language_model() -> LanguageModel:
    return LanguageModel(
        base_url=settings.OPENAI_BASE_URL,
        api_key=settings.OPENAI_API_KEY,
        model=settings.OPENAI_MODEL,
        timeout=settings.OPENAI_TIMEOUT_SECONDS,
        **_shared(LanguageModel.name),
    )


@cache
def call_handler() -> CallHandler:
    return CallHandler(
        base_url=settings.CALL_HANDLER_URL,
        api=Api(settings.CALL_HANDLER_API),
        timeout=settings.CALL_HANDLER_TIMEOUT_SECONDS,
        **_shared(CallHandler.name),
    )


@cache
def twilio() -> Twilio | None:
    """None without credentials: then nobody can be asked what became of a call."""
    if not (settings.TWILIO_ACCOUNT_SID and settings.TWILIO_AUTH_TOKEN):
        return None
    return Twilio(
        base_url=settings.TWILIO_API_URL,
        account_sid=settings.TWILIO_ACCOUNT_SID,
        auth_token=settings.TWILIO_AUTH_TOKEN,
        timeout=settings.TWILIO_TIMEOUT_SECONDS,
        **_shared(Twilio.name),
    )


def all_upstreams() -> tuple[Upstream, ...]:
    """In the order of the health report; Twilio only when it is configured."""
    asked = twilio()
    return (
        sms_agent(),
        monitor(),
        notifications(),
        language_model(),
        call_handler(),
        *((asked,) if asked is not None else ()),
    )


def forget() -> None:
    """The next use makes new clients: after a fork, and after a change of the settings."""
    if _http.cache_info().currsize:
        _http().close()
    for made in (monitor, sms_agent, notifications, language_model, call_handler, twilio, _http, _store):
        made.cache_clear()


os.register_at_fork(after_in_child=forget)


@cache
def _http() -> httpx2.Client:
    return new_client()


@cache
def _store() -> Store:
    store: Store = import_string(settings.BREAKER_STORE)()
    return store


def _shared(name: str) -> dict[str, Any]:
    """What all clients are made with."""
    breaker = Breaker(name, _store(), failures=settings.BREAKER_FAILURES, open_seconds=settings.BREAKER_OPEN_SECONDS)
    return {
        "http": _http(),
        "breaker": breaker,
        "connect_timeout": settings.CONNECT_TIMEOUT_SECONDS,
        "retry_pause": settings.RETRY_PAUSE_SECONDS,
    }
