"""New texts keep coming while the demonstration runs: through the API, as the SMS Agent would hand them over."""

import random
import threading
import time

import httpx2

from integrations.simulators.people import people
from orchestrator_site.demo.fill import FIRST_PERSON, coming_texts
from orchestrator_site.demo.system import System
from orchestrator_site.models import Role

# The first ones soon, so that a newcomer sees the queue move; then at a pace that one can follow (seconds).
FIRST_PAUSES = (4.0, 3.0, 3.0, 6.0)
PAUSE = (7.0, 16.0)


def keep_texts_coming(system: System, *, seed: int = 7) -> threading.Thread:
    """Starts a thread that ends with the process. It is the outside world: it only talks HTTP."""
    thread = threading.Thread(target=_write_for_ever, args=(system, random.Random(seed)), daemon=True)  # noqa: S311
    thread.start()
    return thread


def _write_for_ever(system: System, chance: random.Random) -> None:
    texts, tenants = coming_texts(), people(60)[FIRST_PERSON:]
    headers = {"Authorization": f"Bearer {system.tokens[Role.SMS_AGENT]}"}
    for number in range(10_000):
        time.sleep(FIRST_PAUSES[number] if number < len(FIRST_PAUSES) else chance.uniform(*PAUSE))
        tenant = chance.choice(tenants)
        body = {"phone_number": tenant.phone, "content": chance.choice(texts[tenant.language_code])}
        try:
            httpx2.post(f"{system.web}/orchestrate/sms-received", json=body, headers=headers, timeout=10)
        except httpx2.HTTPError:
            continue  # the system is busy or about to stop; the next text tells
