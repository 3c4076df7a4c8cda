"""What a kind of task is: its slots and their questions, the words that ask for it, how it is done and told.

A new kind is one class in one file of this folder; nothing else names the kinds (docs/assistant.md shows one).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from calls.policy.outcomes import Outcome, Report
from calls.policy.phone_numbers import PhoneFound
from calls.policy.requests import CallRequest, same_name
from calls.replies import phone_as_written

# Texts by language code; English stands in for a language that is not there.
Texts = Mapping[str, str]
Parameters = dict[str, str]


def in_language(texts: Texts, language: str) -> str:
    return texts.get(language) or texts["en"]


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One thing that must be known before the task can be done, and the question that asks for it."""

    name: str
    ask: Texts


@dataclass(frozen=True, kw_only=True)
class Said:
    """One message as a kind of task reads it.

    `asked`: the slot that our last question asked for, if any. `about`: the kind of task that is being talked about.
    """

    text: str
    language: str
    region: str
    request: CallRequest
    asked: str = ""
    about: str = ""
    known: Mapping[str, str] = field(default_factory=dict)

    @property
    def phone(self) -> PhoneFound:
        return self.request.found


@dataclass(frozen=True, kw_only=True)
class Order:
    """A confirmed task, as the thread that does it gets it: no row, no database."""

    task_id: UUID
    parameters: Parameters
    tried_at: datetime
    known_references: frozenset[str] = frozenset()

    @property
    def request_id(self) -> str:
        return str(self.task_id)


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """Proof that an upstream took the order: its own id and its word for the state."""

    reference: str
    status: str = ""


class TaskType(ABC):
    """One kind of task. All of it is plain: `execute` and `look` talk to upstreams, the rest are pure functions."""

    code: ClassVar[str]
    slots: ClassVar[tuple[Slot, ...]]
    # What the assistant says that it can do, and how a task of this kind is named, by language.
    ability: ClassVar[Texts]
    # The slot with the telephone number that is contacted: holds, limits and contact hours apply to it.
    phone_slot: ClassVar[str] = ""
    # True: it rings somebody's telephone, and one of MAX_ACTIVE_CALLS lines is taken until its outcome is known.
    takes_a_line: ClassVar[bool] = False
    # True: the receipt is only the beginning, and the outcome is reported later.
    reports_later: ClassVar[bool] = False

    @abstractmethod
    def wants(self, said: Said) -> bool:
        """Whether these words ask for a task of this kind."""

    @abstractmethod
    def read(self, said: Said) -> Parameters:
        """What these words say about it: slot by slot, only what they do say."""

    @abstractmethod
    def describe(self, parameters: Parameters, language: str, region: str) -> str:
        """What will be done, in a sentence that the user says yes to: everything that leaves the house is in it."""

    @abstractmethod
    def brief(self, parameters: Parameters, language: str, region: str) -> str:
        """The same in a few words, without a full stop: "the call to the pizza place"."""

    @abstractmethod
    def execute(self, order: Order) -> Receipt:
        """Do it, once. Raises Refused, Unavailable, OutcomeUnknown. Runs in a thread, without a database."""

    def can_ask(self) -> bool:
        """Whether some upstream can tell what became of an order: then `look` and `poll` are there."""
        return False

    def look(self, order: Order) -> Receipt | None:
        """After an unknown outcome: the receipt if it was done after all, None if it surely was not.

        Raises UpstreamError when the one who knows does not answer.
        """
        raise NotImplementedError

    def poll(self, reference: str, request_id: str) -> Report | None:
        """How a task that `reports_later` stands, None when the upstream does not know it. Raises UpstreamError."""
        raise NotImplementedError

    @abstractmethod
    def tell(self, outcome: Outcome, report: Report | None, parameters: Parameters, language: str, region: str) -> str:
        """The one message that tells the user how it ended."""

    def missing(self, parameters: Parameters) -> list[Slot]:
        """The slots that are still empty, in the order in which they are asked."""
        return [slot for slot in self.slots if not parameters.get(slot.name)]


def contact_named(name: str, known: Mapping[str, str]) -> Parameters:
    """Somebody whom the user has named before ("the pizza place"): the number and the name, or nothing."""
    for contact, number in known.items():
        if name and same_name(contact, name):
            return {"phone_number": number, "who": contact}
    return {}


def whom(parameters: Parameters, language: str, region: str) -> str:
    """Whom a task contacts, for people: the name with the number, or the number alone."""
    number = phone_as_written(parameters["phone_number"], region=region, language=language)
    return f"{parameters['who']}, {number}" if parameters.get("who") else number
