"""The figures of the house rules, as one value that every rule takes as an argument."""

from dataclasses import dataclass
from datetime import time, timedelta
from decimal import Decimal


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What the settings say; the defaults are those of the written rules, so a test names only what it is about.

    `auto_approval` and `manual_approval` are probabilities in 0..1 (compared strictly), `min_weekly` is dollars a
    week, `unrealistic_weeks` is the length beyond which a proposal goes to a person, `contact_hours` is local time
    (opening included, closing excluded), `contact_time_zone` an IANA name for tenants whose own zone is unknown.
    """

    auto_approval: Decimal = Decimal("0.85")
    manual_approval: Decimal = Decimal("0.60")
    auto_send_enabled: bool = True
    max_weeks: int = 12
    min_weekly: Decimal = Decimal("25")
    unrealistic_weeks: int = 20
    contact_hours: tuple[time, time] = (time(8), time(21))
    contact_time_zone: str = "America/New_York"
    answer_grace: timedelta = timedelta(minutes=60)
    max_started_per_week: int = 7
    opt_out_footer: str = ""
    ai_disclosure: str = ""
    company_name: str = "Stanton Management"
