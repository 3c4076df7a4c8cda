"""Every error in one envelope: `{"error": {"code", "message", "fields"?}, "request_id"}`; never a trace."""

import logging
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
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


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    """Django's handler404."""
    return JsonResponse(envelope("not_found", "There is nothing at this address. See /api/docs/."), status=404)


def server_error(request: HttpRequest) -> JsonResponse:
    """Django's handler500: the trace is in the log under the request id, never in the answer."""
    return JsonResponse(envelope("internal", "Something went wrong on our side; the request id finds it."), status=500)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    """Django's handler400, for what fails before a view: an unknown host, a body that is too large."""
    return JsonResponse(envelope("invalid", "The request cannot be understood."), status=400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    """Django's handler403."""
    return JsonResponse(envelope("forbidden", "You may not do this."), status=403)
