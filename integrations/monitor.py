"""The Collections Monitor: who is the tenant, and what is owed.

Source: the recorded answers of the running service (port 8001). Its long document shows `data.tenant`, its short guide
`data.tenant_info` with `data.payment_history`; both are understood.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from typing import Any, ClassVar
from urllib.parse import quote

from integrations.base import Unavailable, Upstream, text_of

# Nobody's id, and in a path another address.
DOTS = (".", "..")
NO_SUCH_TENANT = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY)


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """A tenant's account. Money in dollars; None wherever the Monitor does not know.

    `portion` is the tenant's own part of the debt, all of it when the Monitor names no part. `language` is the
    Monitor's own word for it ("spanish", "es", ...). `reliability` is between 0 and 10.
    """

    id: str
    name: str
    unit: str | None = None
    property: str | None = None
    phones: tuple[str, ...] = ()
    amount_owed: Decimal | None = None
    portion: Decimal | None = None
    days_late: int | None = None
    language: str | None = None
    reliability: Decimal | None = None
    failed_plans: int = 0
    successful_plans: int = 0
    priority: str | None = None
    status: str | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Tenant":
        """From the `data` of an answer, in either shape. Raises KeyError when it names no tenant."""
        tenant = {**_object(data, "tenant_info"), **_object(data, "tenant")}
        past = {**_object(data, "payment_history"), **tenant}
        owed = _decimal(tenant.get("amount_owed", tenant.get("current_balance")))
        portion = _decimal(tenant.get("tenant_portion"))
        tenant_id = text_of(tenant.get("tenant_id")) or text_of(tenant.get("id"))
        if tenant_id is None:
            raise KeyError("tenant_id")
        return cls(
            id=tenant_id,
            name=text_of(tenant.get("tenant_name")) or "",
            unit=text_of(tenant.get("unit_name")),
            property=text_of(tenant.get("property_name")),
            phones=tuple(str(phone) for phone in tenant.get("phone_numbers") or () if phone),
            amount_owed=owed,
            portion=owed if portion is None else portion,
            days_late=_integer(tenant.get("days_late")),
            language=text_of(tenant.get("language_preference")),
            reliability=_decimal(past.get("payment_reliability_score", past.get("reliability_score"))),
            failed_plans=_integer(past.get("failed_payment_plans", past.get("failed_plans"))) or 0,
            successful_plans=_integer(past.get("successful_payment_plans", past.get("successful_plans"))) or 0,
            priority=text_of(tenant.get("priority_score")),
            status=text_of(tenant.get("status")),
        )


class Monitor(Upstream):
    """Reads only, so every call may be repeated."""

    name: ClassVar[str] = "collections_monitor"

    def tenant(self, tenant_id: str, *, request_id: str) -> Tenant | None:
        """The tenant with this id, None when the Monitor knows none (an id it calls malformed is nobody's, too).

        Raises Unavailable, Refused.
        """
        if tenant_id in DOTS:
            return None
        path = f"/monitor/tenant/{quote(tenant_id, safe='')}"
        response = self.ask("GET", path, retry=True, request_id=request_id)
        if response.status_code in NO_SUCH_TENANT:
            return None
        if not response.is_success:
            raise self.refused(response)
        try:
            return Tenant.from_json(_object(self.document(response), "data"))
        except KeyError:
            raise Unavailable(self.name, "its answer names no tenant", status=response.status_code) from None

    def tenant_id_for_phone(self, phone: str, *, request_id: str) -> str | None:
        """The id of the tenant with this telephone number (E.164), None when there is no match.

        A Monitor without this call answers 404, which is no match either. Raises Unavailable, Refused.
        """
        response = self.ask("GET", "/tenants/lookup", params={"phone": phone}, retry=True, request_id=request_id)
        if response.status_code in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND):
            return None
        if not response.is_success:
            raise self.refused(response)
        return text_of(self.document(response).get("tenant_id"))


def _object(data: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _decimal(value: object) -> Decimal | None:
    """Money and scores come as strings ("1,250.00", "$25"), as numbers, or as null."""
    if value is None or isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value).strip().lstrip("$").replace(",", ""))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _integer(value: object) -> int | None:
    number = _decimal(value)
    return None if number is None else int(number)
