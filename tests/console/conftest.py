"""People of every group, and cards for them to decide."""

from collections.abc import Callable
from importlib import import_module
from itertools import count

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.utils import timezone

from approvals.models import QueuedResponse
from tests.builders import make_conversation, make_response

Card = Callable[..., QueuedResponse]
SignedIn = Callable[..., Client]
_phones = count(1)
GROUPS: dict[str, list[str]] = import_module("orchestrator_site.migrations.0002_groups").GROUPS

GREEN = [{"code": "wrong_amount", "level": "green", "message": "", "hard": False}]


def person(name: str, group: str) -> User:
    user, _ = User.objects.get_or_create(username=name, defaults={"is_staff": True})
    user.set_password("secret")
    user.save()
    if group in GROUPS:
        user.groups.set([_group(group)])
    return user


def _group(name: str) -> Group:
    """As the migration made it; a test with real transactions has emptied the tables, perhaps."""
    group, is_new = Group.objects.get_or_create(name=name)
    if is_new:
        wanted = [codename.split(".") for codename in GROUPS[name]]
        group.permissions.set(
            Permission.objects.get(content_type__app_label=label, codename=codename) for label, codename in wanted
        )
    return group


@pytest.fixture
def signed_in(db: None) -> SignedIn:
    """`signed_in("maria")` is a manager's browser; `signed_in("sam", "Supervisors")` another's."""

    def client(name: str = "maria", group: str = "Managers", **options: bool) -> Client:
        browser = Client(**options)
        browser.force_login(person(name, group))
        return browser

    return client


@pytest.fixture
def card(db: None) -> Card:
    """A card in the queue, of a tenant of its own."""

    def make(draft: str = "Thank you, Maria. We will text you today.", **fields: object) -> QueuedResponse:
        number = next(_phones)
        conversation = fields.pop("conversation", None) or make_conversation(
            phone=f"+1415555{number:04d}",
            tenant_name=str(fields.pop("tenant", f"Maria Lopez {number}")),
            property_name=str(fields.pop("property_name", "Elm Court")),
        )
        minutes = fields.pop("waits", 0)
        made = make_response(conversation, draft=draft, **{"gates": GREEN, **fields})
        if minutes:
            moment = timezone.now() - timezone.timedelta(minutes=minutes)
            QueuedResponse.objects.filter(pk=made.pk).update(created_at=moment)
            made.refresh_from_db()
        return made

    return make
