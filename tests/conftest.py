"""What all tests share: the one fake outside world, tokens, and a database that may be emptied between tests."""

from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.db import connection
from rest_framework.test import APIClient

from orchestrator_site.auth import new_token
from orchestrator_site.middleware import request_id
from orchestrator_site.models import ServiceToken
from tests.outside_world import outside_server, world

__all__ = ["outside_server", "world"]


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    """Tokens are kept for a while in a process, and the last request's id in its thread; not from test to test."""
    cache.clear()
    request_id.set("-")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: object) -> None:
    """Tests with real transactions empty all tables afterwards; the audit log would refuse, so here it may not."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:  # type: ignore[attr-defined]
        cursor.execute("DROP TRIGGER IF EXISTS audit_log_is_never_emptied ON approval_audit_log")


@pytest.fixture
def api(db: None) -> Callable[[str], APIClient]:
    """A client of the API with a token of a role: `api("manager").post(...)`; `api("")` has none."""

    def client(role: str) -> APIClient:
        http = APIClient()
        if role:
            token, token_hash = new_token()
            ServiceToken.objects.create(name=f"test {role} {token[:6]}", role=role, token_hash=token_hash)
            http.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        return http

    return client
