"""Stand-ins of every upstream, with the real wire formats and their odd ways, for the demo and for load tests.

They say what they are: each answer carries `X-Simulator: true`. All of them live in one process (`manage.py simulate`)
and are lean: what they cost is taken from the system that is measured beside them.
"""

import asyncio
from dataclasses import dataclass

from integrations.simulators.call_handler import CallHandlerSimulator
from integrations.simulators.language_model import LanguageModelSimulator
from integrations.simulators.monitor import MonitorSimulator
from integrations.simulators.notifications import NotificationsSimulator
from integrations.simulators.people import people
from integrations.simulators.server import Listener
from integrations.simulators.service import Service
from integrations.simulators.sms_agent import SmsAgentSimulator

__all__ = ["PORTS", "Service", "Simulators"]

PORTS = {"monitor": 8001, "sms_agent": 8002, "notifications": 8003, "call_handler": 5002, "language_model": 8004}


@dataclass(frozen=True)
class Simulators:
    """All stand-ins, which know the same invented tenants."""

    services: dict[str, Service]

    @classmethod
    def with_tenants(cls, count: int) -> "Simulators":
        everybody = people(count)
        services = (
            MonitorSimulator(everybody),
            SmsAgentSimulator({person.phone: person.id for person in everybody}),
            NotificationsSimulator(),
            CallHandlerSimulator(),
            LanguageModelSimulator(),
        )
        siblings: dict[str, Service] = {service.name: service for service in services}
        for service in services:
            service.siblings = siblings
        return cls(siblings)

    async def open(self, host: str, ports: dict[str, int]) -> None:
        """From now on all of them answer; port 0 takes a free one."""
        for name, service in self.services.items():
            service.listener = Listener(service.respond, host=host, port=ports[name])
            await service.listener.open()

    async def close(self) -> None:
        for service in self.services.values():
            if service.listener is not None:
                await service.listener.close()

    async def serve(self, host: str, ports: dict[str, int]) -> None:
        """Answers until it is cancelled."""
        try:
            await self.open(host, ports)
            await asyncio.Event().wait()
        finally:
            await self.close()
