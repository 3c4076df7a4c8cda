"""How the API describes itself: names after the endpoints, the two ways to show who calls, the one shape of errors."""

from typing import Any

from drf_spectacular.authentication import SessionScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction
from rest_framework import serializers


class Schema(AutoSchema):
    """`SmsReceived.Input` and `SmsReceived.Output` stand in the description as `SmsReceived...`, not all as `Input`."""

    def get_serializer_name(self, serializer: serializers.BaseSerializer[Any], direction: Direction) -> str:
        outer, _, inner = type(serializer).__qualname__.rpartition(".")
        # A request's name gets a suffix, behind which "Input" says nothing more.
        return outer.replace(".", "") + inner.replace("Input", "") if outer else inner


class Bearer(OpenApiAuthenticationExtension):
    target_class = "orchestrator_site.auth.BearerToken"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "Made by `manage.py createtoken NAME --role ROLE`"}


class Session(SessionScheme):
    target_class = "orchestrator_site.auth.ManagerSession"
    name = "session"


ERROR = {
    "type": "object",
    "required": ["error", "request_id"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "fields": {"type": "object", "additionalProperties": True},
            },
        },
        "request_id": {"type": "string"},
    },
}


def add_errors(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Every operation answers errors in the envelope."""
    result["components"]["schemas"]["Error"] = ERROR
    answer = {
        "description": "Nothing was changed",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    for path in result["paths"].values():
        for operation in path.values():
            operation["responses"].update({"4XX": answer, "5XX": answer})
    return result
