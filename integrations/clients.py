"""Every client, made once per process at its first use, from the settings.

All of them share one HTTP client. After a fork the child makes its own: two processes must not write into one
connection.
"""

import os
import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

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

Made = TypeVar("Made")

_made: dict[str, Any] = {}
_making = threading.RLock()


def once(make: Callable[[], Made]) -> Callable[[], Made]:
    """Makes it at its first use. Unlike `functools.cache`, which lets threads that come together make one each."""
    name = make.__name__

    @wraps(make)
    def get() -> Made:
        if name not in _made:
            with _making:
                if name not in _made:
                    _made[name] = make()
        return cast(Made, _made[name])

    return get


@once
def monitor() -> Monitor:
    return Monitor(base_url=settings.MONITOR_URL, timeout=settings.MONITOR_TIMEOUT_SECONDS, **_shared(Monitor.name))


@once
def sms_agent() -> SmsAgent:
    return SmsAgent(
        base_url=settings.SMS_AGENT_URL, timeout=settings.SMS_AGENT_TIMEOUT_SECONDS, **_shared(SmsAgent.name)
    )


@once
def notifications() -> Notifications:
    return Notifications(
        base_url=settings.NOTIFICATION_URL,
        timeout=settings.NOTIFICATION_TIMEOUT_SECONDS,
        **_shared(Notifications.name),
    )


@once
def language_model() -> LanguageModel:
    return LanguageModel(
        base_url=settings.OPENAI_BASE_URL,
        api_key=settings.OPENAI_API_KEY,
        model=settings.OPENAI_MODEL,
        timeout=settings.OPENAI_TIMEOUT_SECONDS,
        **_shared(LanguageModel.name),
    )


@once
def call_handler() -> CallHandler:
    return CallHandler(
        base_url=settings.CALL_HANDLER_URL,
        api=Api(settings.CALL_HANDLER_API),
        timeout=settings.CALL_HANDLER_TIMEOUT_SECONDS,
        **_shared(CallHandler.name),
    )


@once
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
    """Closes everything; the next use makes new clients. For a change of the settings."""
    if "_http" in _made:
        _http().close()
    if "_store" in _made:
        _store().hang_up()
    _made.clear()


def _forget_in_child() -> None:
    """After a fork the connections are the parent's: they are let go of, but not closed."""
    global _making
    _making = threading.RLock()  # the old one may be held by a thread that the child does not have
    _made.clear()


os.register_at_fork(after_in_child=_forget_in_child)


@once
def _http() -> httpx2.Client:
    return new_client()


@once
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
