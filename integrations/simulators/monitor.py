"""A stand-in of the Collections Monitor, with its odd ways: amounts are strings, much may be null."""

import re
from dataclasses import dataclass
from typing import Any, ClassVar

from integrations.simulators.people import Person
from integrations.simulators.server import Answer, Request
from integrations.simulators.service import Service, Switches, encoded, not_found

TENANT_ID = re.compile(r"[A-Za-z0-9_-]+")
NOW = "2026-11-21T12:00:00Z"


@dataclass
class MonitorSwitches(Switches):
    """`lookup_miss_status`: how it says that a telephone number is nobody's, 404 or 204."""

    lookup_miss_status: int = 404


class MonitorSimulator(Service):
    name: ClassVar[str] = "monitor"
    switches_type = MonitorSwitches
    switches: MonitorSwitches

    def __init__(self, people: list[Person]) -> None:
        super().__init__()
        self.people = people
        # Encoded once: a load test asks for the same tenants again and again.
        self.long = {person.id: encoded(_envelope({"tenant": _tenant(person)})) for person in people}
        self.short = {person.id: encoded(_envelope(_short_guide(person))) for person in people}
        self.ids = {person.phone: person.id for person in people}

    def answer(self, request: Request) -> Answer:
        if request.path.startswith("/monitor/tenant/"):
            return self.tenant(request.path.removeprefix("/monitor/tenant/"))
        match request.path:
            case "/tenants/lookup":
                return self.lookup(request.query.get("phone", ""))
            case "/monitor/delinquent":
                tenants = [_tenant(person) for person in self.people]
                return Answer(document=_envelope({"tenants": tenants, "total": len(tenants)}))
            case "/monitor/stats":
                owed = sum(float(person.owed) for person in self.people)
                return Answer(document=_envelope({"total_tenants": len(self.people), "total_owed": f"{owed:.2f}"}))
        return not_found()

    def tenant(self, tenant_id: str) -> Answer:
        if not TENANT_ID.fullmatch(tenant_id):
            return Answer(status=400, document={"detail": "Invalid tenant id"})
        known = (self.short if self.switches.older_shape else self.long).get(tenant_id)
        if known is None:
            return Answer(status=404, document={"detail": f"Tenant {tenant_id} not found"})
        return Answer(raw=known)

    def lookup(self, phone: str) -> Answer:
        if phone in self.ids:
            return Answer(document={"tenant_id": self.ids[phone]})
        return Answer(status=self.switches.lookup_miss_status, document={"detail": "No tenant with this phone"})


def _envelope(data: dict[str, Any]) -> dict[str, Any]:
    return {"success": True, "data": data, "timestamp": NOW}


def _tenant(person: Person) -> dict[str, Any]:
    return {
        "id": int(person.id),
        "tenant_id": person.id,
        "tenant_name": person.name,
        "unit_name": person.unit,
        "property_name": person.building,
        "amount_owed": person.owed,
        "tenant_portion": person.portion,
        "days_late": person.days_late,
        "priority_score": round(person.days_late * 1.5, 1),
        "status": "delinquent",
        "language_preference": person.language,
        "created_at": "2024-03-01T09:30:00",
        "phone_numbers": [person.phone],
        "payment_reliability_score": person.reliability,
        "failed_payment_plans": person.failed_plans,
        "successful_payment_plans": person.successful_plans,
    }


def _short_guide(person: Person) -> dict[str, Any]:
    return {
        "tenant_info": {
            "tenant_id": person.id,
            "tenant_name": person.name,
            "current_balance": float(person.owed),
            "days_late": person.days_late,
        },
        "payment_history": {"reliability_score": person.reliability, "failed_plans": person.failed_plans},
    }
