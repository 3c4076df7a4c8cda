"""Who calls: a service with a bearer token, or a manager with a session; and what each may call.

A view says so itself: `roles = {Role...}` for tokens and `permission = "app.codename"` for people. A view that says
nothing is closed to everybody.
"""

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.cache import cache
from rest_framework import authentication, exceptions, permissions
from rest_framework.request import Request

from orchestrator_site.models import ServiceToken

if TYPE_CHECKING:  # REST framework imports this module while it makes its views
    from rest_framework.views import APIView

# A token is looked up once in this time per process; a revoked one works that much longer at the most.
TOKEN_CACHE_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class Service:
    """A service that has shown its token; stands where Django has a user."""

    token_id: str
    name: str
    role: str
    is_authenticated: bool = True

    def __str__(self) -> str:
        return self.name


def new_token() -> tuple[str, str]:
    """A fresh token and the hash under which it is stored: 256 bits, so a plain SHA-256 is enough."""
    token = secrets.token_urlsafe(32)
    return token, hash_of(token)


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def service_for(token: str) -> Service | None:
    """The service of a token that is not revoked, else None."""
    key = f"token:{hash_of(token)}"
    service: Service | None = cache.get(key)
    if service is None:
        row = ServiceToken.objects.filter(token_hash=hash_of(token), revoked_at=None).first()
        if row is None:
            return None
        service = Service(token_id=str(row.pk), name=row.name, role=row.role)
        cache.set(key, service, TOKEN_CACHE_SECONDS)
    return service


class BearerToken(authentication.BaseAuthentication):
    """`Authorization: Bearer TOKEN`, made by `manage.py createtoken`."""

    def authenticate(self, request: Request) -> tuple[Service, None] | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        service = service_for(token.strip())
        if service is None:
            raise exceptions.AuthenticationFailed("This token is unknown or revoked. Make one: manage.py createtoken.")
        return service, None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class ManagerSession(authentication.SessionAuthentication):
    """A signed-in person, with CSRF; the browser's own way."""

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class MayCall(permissions.BasePermission):
    """Services by role, people by permission; nobody where a view names neither."""

    message = "This token's role, or your group, may not call this."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not request.user:
            raise exceptions.NotAuthenticated("Send `Authorization: Bearer TOKEN`, or sign in.")
        if isinstance(request.user, Service):
            return request.user.role in getattr(view, "roles", ())
        permission: str | None = getattr(view, "permission", None)
        return permission is not None and request.user.has_perm(permission)
