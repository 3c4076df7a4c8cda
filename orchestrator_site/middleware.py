"""What surrounds every request: its id, an address that can be looked up, and a body that may be read."""

import re
import uuid
from collections.abc import Callable
from contextvars import ContextVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone, translation

# The id of the request or the workflow that the current thread works on; the log lines carry it.
request_id: ContextVar[str] = ContextVar("request_id", default="-")
_ACCEPTABLE = re.compile(r"[A-Za-z0-9._:-]{1,100}")


class RequestId:
    """Takes the caller's X-Request-ID, or makes one, and returns it with every answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        current = given if _ACCEPTABLE.fullmatch(given) else uuid.uuid4().hex
        # It stays until the thread's next request: Django logs what went wrong after the last middleware.
        request_id.set(current)
        response = self.get_response(request)
        response["X-Request-ID"] = current
        return response


class HeadHasNoBody:
    """A probe by HEAD gets the headers of a GET and nothing after them; gunicorn complains of more."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.method == "HEAD" and not response.streaming:
            response.headers.setdefault("Content-Length", str(len(response.content)))
            response.content = b""
        return response


def _refusal(status: int, code: str, message: str) -> JsonResponse:
    return JsonResponse({"error": {"code": code, "message": message}, "request_id": request_id.get()}, status=status)


class PlainAddress:
    """Refuses an address with a NUL in it: Postgres holds no such text, and whatever looks for one fails there."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            return _refusal(400, "invalid", "The address has a NUL character in it.")
        return self.get_response(request)


class BodyLimit:
    """Refuses a body that is larger than MAX_BODY_BYTES before anybody reads it; REST framework's parsers would.

    A body of unsaid length is refused as well: Django would take it for an empty one.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.headers.get("Transfer-Encoding") and not request.META.get("CONTENT_LENGTH"):
            return _refusal(411, "length_required", "Say how long the body is: Content-Length, not chunks.")
        length = request.META.get("CONTENT_LENGTH") or "0"
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if length.isdigit() and int(length) > limit:
            return _refusal(413, "too_large", f"The body has {length} bytes; we take at most {limit}.")
        return self.get_response(request)


class House:
    """People read the admin's pages in the house's own time and in one language; the API speaks UTC.

    The theme would follow the browser's language and our own words would not: half a page in each.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith("/admin/"):
            return self.get_response(request)
        with timezone.override(settings.CONTACT_TIME_ZONE), translation.override("en"):
            response = self.get_response(request)
        response["Content-Language"] = "en"
        return response
