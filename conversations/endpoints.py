"""What the endpoints of both halves share: a body that is checked, ids that are the caller's own, pages of lists."""

from typing import Any

from rest_framework import serializers
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request
from rest_framework.views import APIView


class CallersId(serializers.CharField):
    """An id of the caller's: a number or a string, kept as text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=100, **{"allow_null": not kwargs.get("required", True), **kwargs})


class Pages(LimitOffsetPagination):
    """`?limit=` and `?offset=`; nobody gets a whole table in one answer."""

    max_limit = 200


class Checked(APIView):
    """An endpoint with a body: `Input` says what it takes."""

    Input: type[serializers.Serializer[Any]]

    def checked(self, request: Request) -> dict[str, Any]:
        body = self.Input(data=request.data)
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)
