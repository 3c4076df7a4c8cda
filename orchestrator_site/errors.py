"""Every error in one envelope: `{"error": {"code", "message", "fields"?}, "request_id"}`; never a trace."""

import logging
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from rest_framework import exceptions, status
from rest_framework.response import Response

from conversations.refusals import Conflict, Invalid, NotFound, Refusal
from orchestrator_site.middleware import request_id

log = logging.getLogger(__name__)

STATUS_OF = {Invalid: 400, NotFound: 404, Conflict: 409}
CODE_OF = {
    status.HTTP_400_BAD_REQUEST: "invalid",
    status.HTTP_401_UNAUTHORIZED: "not_authenticated",
    status.HTTP_403_FORBIDDEN: "forbidden",
    status.HTTP_404_NOT_FOUND: "not_found",
    status.HTTP_405_METHOD_NOT_ALLOWED: "method_not_allowed",
    status.HTTP_406_NOT_ACCEPTABLE: "not_acceptable",
    status.HTTP_409_CONFLICT: "conflict",
    status.HTTP_413_REQUEST_ENTITY_TOO_LARGE: "too_large",
    status.HTTP_415_UNSUPPORTED_MEDIA_TYPE: "unsupported_media_type",
    status.HTTP_429_TOO_MANY_REQUESTS: "too_many_requests",
    status.HTTP_500_INTERNAL_SERVER_ERROR: "internal",
    status.HTTP_503_SERVICE_UNAVAILABLE: "unavailable",
}


def envelope(code: str, message: str, fields: Any = None) -> dict[str, Any]:
    error: dict[str, Any] = {"code": code, "message": message}
    if fields:
        error["fields"] = fields
    return {"error": error, "request_id": request_id.get()}


def as_envelope(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: what a view raised, as our envelope; what nobody foresaw goes on to `server_error`."""
    if isinstance(error, Refusal):
        return Response(envelope(error.code, error.message, error.fields), status=STATUS_OF[type(error)])
    if isinstance(error, RequestDataTooBig):
        return Response(envelope("too_large", "The body is larger than we take."), status=413)
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    if isinstance(error, DataError):
        return Response(envelope("invalid", "A value is too large, or holds what no text may hold."), status=400)
    if isinstance(error, OperationalError | InterfaceError):
        log.exception("the database failed during a request")
        return Response(envelope("unavailable", "The database does not answer. Try again in a moment."), status=503)
    if isinstance(error, exceptions.APIException):
        return _from_drf(error)
    return None


def _from_drf(error: exceptions.APIException) -> Response:
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = str(error.auth_header)  # type: ignore[attr-defined]
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(int(error.wait) + 1)  # type: ignore[attr-defined]
    code = CODE_OF.get(error.status_code, "error")
    if isinstance(error, exceptions.ValidationError):
        fields = error.detail if isinstance(error.detail, dict) else {"body": error.detail}
        body = envelope(code, "Some fields cannot be used: " + ", ".join(map(str, fields)) + ".", fields)
    elif isinstance(error, exceptions.ParseError):
        body = envelope("not_json", "The body is not valid JSON.")
    else:
        body = envelope(code, str(error.detail))
    return Response(body, status=error.status_code, headers=headers)


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler404."""
    return _answer(request, 404, "not_found", "There is nothing at this address. See /api/docs/.")


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: the trace is in the log under the request id, never in the answer."""
    return _answer(request, 500, "internal", "Something went wrong on our side; the request id finds it.")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler400, for what fails before a view: an unknown host, a body that is too large."""
    return _answer(request, 400, "invalid", "The request cannot be understood.")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler403."""
    return _answer(request, 403, "forbidden", "You may not do this.")


def token_lost(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW: a form that was older than its session, or not ours."""
    return _answer(request, 403, "csrf_failed", "This page is older than your session. Nothing was done.")


# What a person reads in a browser: a title, and what to do now.
PAGES = {
    "invalid": ("This cannot be understood", "Go back and try it another way."),
    "forbidden": ("You may not do this", "Your group has no right to it. A supervisor can tell you who has."),
    "csrf_failed": (
        "This page has grown old",
        "You signed in again, or out, since it was opened. Nothing was done. Go back, reload the page, and repeat it: "
        "what you typed on the approvals page or in a conversation is kept in this browser.",
    ),
    "not_found": ("There is nothing here", "The address is wrong, or what stood here is gone."),
    "internal": (
        "Something went wrong on our side",
        "Nothing of yours is lost. Try again; if it happens again, tell us",
    ),
}


def _answer(request: HttpRequest, status: int, code: str, message: str) -> HttpResponse:
    """A page for a person in a browser, JSON for everybody else."""
    if "text/html" not in request.headers.get("Accept", ""):
        return JsonResponse(envelope(code, message), status=status)
    title, advice = PAGES[code]
    # Plain files and plain words: this page must work when nothing else does.
    page = {"status": status, "title": title, "advice": advice, "request_id": request_id.get()}
    return HttpResponse(render_to_string("error.html", page), status=status)
