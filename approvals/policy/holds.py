"""Contact holds that a message itself asks for: every automatic text and call stops until a manager releases them."""

from collections.abc import Iterable
from enum import StrEnum

from approvals.policy.escalation import Category, Trigger
from approvals.policy.opt_out import Consent
from approvals.policy.vocabulary import phrasebook
from approvals.policy.words import read


class HoldReason(StrEnum):
    """Why a person is not contacted automatically, the gravest first."""

    EMERGENCY = "emergency"
    OPT_OUT = "opt_out"
    CEASE_CONTACT = "cease_contact"
    ATTORNEY_REPRESENTED = "attorney_represented"
    BANKRUPTCY = "bankruptcy"
    WRONG_NUMBER = "wrong_number"
    DISPUTE = "dispute"
    MANUAL = "manual"


_FROM_TRIGGER = {
    Category.SELF_HARM_OR_EMERGENCY: HoldReason.EMERGENCY,
    Category.ATTORNEY_REPRESENTED: HoldReason.ATTORNEY_REPRESENTED,
    Category.BANKRUPTCY: HoldReason.BANKRUPTCY,
    Category.DISPUTE: HoldReason.DISPUTE,
}


def holds_asked_for(message: str, *, consent: Consent, triggers: Iterable[Trigger]) -> tuple[HoldReason, ...]:
    """The holds that this message gives cause for; `manual` is only ever set by a manager."""
    asked = {_FROM_TRIGGER[trigger.category] for trigger in triggers if trigger.category in _FROM_TRIGGER}
    if consent is Consent.OPT_OUT:
        asked.add(HoldReason.OPT_OUT)
    asked |= {HoldReason(match.label) for match in phrasebook("holds", "phrases").find(read(message))}
    return tuple(reason for reason in HoldReason if reason in asked)
