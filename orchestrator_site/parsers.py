"""How a request's body is read, and in which form it is answered."""

from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import JSONParser
from rest_framework.renderers import BaseRenderer


class Json(JSONParser):
    """JSON; what is nested too deeply to be read is the caller's fault, not ours."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError("The body is nested too deeply.") from error


class Negotiation(DefaultContentNegotiation):
    """A `?format=` that an endpoint does not speak is no reason to say nothing: it gets JSON."""

    def filter_renderers(self, renderers: Iterable[BaseRenderer], format: str) -> list[BaseRenderer]:
        known = list(renderers)
        return [renderer for renderer in known if renderer.format == format] or known
