"""The admin shows everything and changes nothing of the flow."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, User

from orchestrator_site.auth import new_token
from orchestrator_site.models import CircuitBreaker, ServiceToken
from tests.builders import make_response

pytestmark = pytest.mark.django_db
OURS = [
    model
    for label in ("conversations", "approvals", "orchestrator_site")
    for model in apps.get_app_config(label).get_models()
]
SHOWN = [model for model in OURS if model.__name__ not in ("Message", "WorkflowStep", "ConsolePreference")]


@pytest.fixture
def boss(client):
    client.force_login(User.objects.create_superuser("boss"))
    return client


@pytest.mark.parametrize("model", SHOWN, ids=lambda model: model.__name__)
def test_every_table_has_a_page_that_opens(boss, model):
    make_response()
    CircuitBreaker.objects.create(name="openai")
    ServiceToken.objects.create(name="t", role="manager", token_hash=new_token()[1])
    path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    assert boss.get(path).status_code == 200
    row = model.objects.first()
    if row is not None:
        assert boss.get(f"{path}{row.pk}/change/").status_code == 200


@pytest.mark.parametrize("model", SHOWN, ids=lambda model: model.__name__)
def test_not_even_a_superuser_bypasses_the_flow(boss, model):
    response = make_response()
    page = admin.site._registry[model]
    path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    assert boss.get(f"{path}add/").status_code == 403
    row = model.objects.first()
    if row is not None:
        assert boss.post(f"{path}{row.pk}/change/", {"status": "sent"}).status_code == 403
        assert boss.post(f"{path}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert "delete_selected" not in page.get_actions(_request_of(boss))
    response.refresh_from_db()
    assert response.status == "pending"


def _request_of(client):
    from django.test import RequestFactory

    request = RequestFactory().get("/admin/")
    request.user = User.objects.get(username="boss")
    return request


def test_a_token_is_revoked_by_those_who_may(client):
    person = User.objects.create_user("ops", is_staff=True)
    person.groups.add(Group.objects.get(name="Operators"))
    token = ServiceToken.objects.create(name="t", role="manager", token_hash=new_token()[1])
    client.force_login(person)
    path = "/admin/orchestrator_site/servicetoken/"
    client.post(path, {"action": "revoke", "_selected_action": [str(token.pk)]})
    token.refresh_from_db()
    assert token.revoked_at is None
    client.force_login(User.objects.create_superuser("boss"))
    client.post(path, {"action": "revoke", "_selected_action": [str(token.pk)]})
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_a_stranger_sees_no_admin(client):
    assert client.get("/admin/approvals/queuedresponse/").status_code == 302
