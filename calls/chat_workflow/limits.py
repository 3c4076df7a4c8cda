"""Whom a task may contact, how often and when: holds, the weekly cap, the hours of the contacted number's zone."""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count
from django.utils import timezone

from calls.models import RecentCall
from conversations.contact_hours import hours_of, next_opening, zone_for
from conversations.models import ContactHold

WEEK = timedelta(days=7)


def on_hold(phones: Sequence[str]) -> set[str]:
    """Those of the numbers that must not be contacted: the do-not-call list is the list of active contact holds."""
    return set(ContactHold.objects.active().filter(phone__in=phones).values_list("phone", flat=True))


def calls_this_week(phones: Sequence[str]) -> dict[str, int]:
    """How often each of the numbers was called in the last seven days, whoever asked for it."""
    digests = {digest_of(phone): phone for phone in phones}
    recent = RecentCall.objects.filter(phone_digest__in=digests, called_at__gt=timezone.now() - WEEK)
    counted = recent.values_list("phone_digest").annotate(Count("pk"))
    return {digests[digest]: count for digest, count in counted}


def remember_call(phone: str) -> None:
    """Counts a call to a number; who asked for it is not kept."""
    RecentCall.objects.create(phone_digest=digest_of(phone))


def digest_of(phone: str) -> str:
    """A keyed digest: nobody reads the number back without our secret."""
    return hmac.new(settings.SECRET_KEY.encode(), phone.encode(), hashlib.sha256).hexdigest()


def zone_of(phone: str) -> str:
    """The IANA zone of a number's home."""
    return zone_for(phone, settings.CONTACT_TIME_ZONE)


def opening_for(phone: str, now: datetime) -> datetime:
    """The first moment from `now` at which the number may be called; `now` itself inside the contact hours."""
    return next_opening(now, time_zone=zone_of(phone), hours=hours_of(settings.CONTACT_HOURS))
