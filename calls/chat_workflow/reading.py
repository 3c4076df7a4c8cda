"""What a turn says, by words alone, in the light of what is being talked about. Pure.

None means that words are not enough: then the language model is asked, and `plainly` is what we make of it without.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from calls.policy.intents import (
    Intent,
    Words,
    about_data,
    after_the_answer,
    asks_for_a_call,
    is_no,
    is_pure_cancel,
    is_small_talk,
    is_undecided,
    is_yes,
)
from calls.policy.phone_numbers import BadNumber, Candidate
from calls.policy.requests import CallRequest, contact_told, read_request
from calls.replies import say
from calls.task_types import all_types
from calls.task_types.base import Parameters, Said, TaskType


class Meaning(StrEnum):
    """What a turn is for."""

    REQUEST = "request"
    DETAIL = "detail"
    YES = "yes"
    NO = "no"
    CANCEL = "cancel"
    STATUS = "status"
    GREETING = "greeting"
    SMALLTALK = "smalltalk"
    ABOUT_DATA = "about_data"
    REMEMBER = "remember"
    HELP = "help"
    UNCLEAR = "unclear"


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What is being talked about when the turn comes in."""

    language: str
    region: str
    # Where else a number may be at home that is none in `region`: the summary shows its country, the user decides.
    other_regions: tuple[str, ...] = ()
    status: str = ""
    task_type: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    asked: str = ""
    summary: str = ""
    offered_retry: bool = False
    known: Mapping[str, str] = field(default_factory=dict)
    first_turn: bool = False


@dataclass(frozen=True, kw_only=True)
class Understood:
    """A turn as it is acted upon. `bad` are numbers that cannot be called, `several` that there is more than one."""

    meaning: Meaning
    task_type: str = ""
    parameters: Parameters = field(default_factory=dict)
    bad: tuple[Candidate, ...] = ()
    several: tuple[str, ...] = ()
    reply: str = ""
    name: str = ""
    phone: str = ""


def read_turn(text: str, situation: Situation) -> Understood | None:
    """The turn by words alone; None when a language model would understand more."""
    said = _said(text, situation)
    if about_data(text) and not situation.asked:
        return Understood(meaning=Meaning.ABOUT_DATA)
    if situation.status == "confirming":
        return _about_the_summary(text, said, situation)
    if situation.status == "collecting":
        return _about_what_is_missing(text, said, situation)
    return _out_of_the_blue(text, said, situation)


def _said(text: str, situation: Situation) -> Said:
    return Said(
        text=text,
        language=situation.language,
        region=situation.region,
        request=_read_at_home_or_elsewhere(text, situation),
        asked=situation.asked,
        about=situation.task_type,
        known=situation.known,
    )


def _read_at_home_or_elsewhere(text: str, situation: Situation) -> CallRequest:
    request = read_request(text, situation.region)
    if request.found.bad is BadNumber.NOT_VALID and request.found.e164 is None:
        for region in situation.other_regions:
            elsewhere = read_request(text, region)
            if elsewhere.found.e164:
                return elsewhere
    return request


def _about_the_summary(text: str, said: Said, situation: Situation) -> Understood | None:
    if is_yes(text, about=situation.summary):
        return Understood(meaning=Meaning.YES)
    if is_no(text):
        return Understood(meaning=Meaning.NO)
    if is_pure_cancel(text):
        return Understood(meaning=Meaning.CANCEL)
    if said.request.intent is Intent.STATUS and "?" in text:
        return Understood(meaning=Meaning.STATUS)
    if is_small_talk(text) or is_undecided(text):
        return Understood(meaning=Meaning.SMALLTALK)
    if kind := _wanted_anew(said):
        return _request(kind, said)
    if said.phone.candidates and not said.request.says_what_beside_the_number:
        return _detail(said, situation)
    return None


def _about_what_is_missing(text: str, said: Said, situation: Situation) -> Understood | None:
    if is_pure_cancel(text):
        return Understood(meaning=Meaning.CANCEL)
    kind = _type(situation.task_type)
    if situation.asked and situation.asked != kind.phone_slot and not said.phone.candidates and not is_yes(text):
        return _detail(said, situation)
    if wanted := (_wanted(said) if situation.asked else _wanted_anew(said)):
        return _request(wanted, said)
    if is_yes(text) or is_no(text):
        return Understood(meaning=Meaning.YES if is_yes(text) else Meaning.NO)
    if said.request.intent is Intent.STATUS and "?" in text and not said.phone.candidates:
        return Understood(meaning=Meaning.STATUS)
    if is_small_talk(text):
        return Understood(meaning=Meaning.SMALLTALK)
    detail = _detail(said, situation)
    if not situation.asked:
        # Nothing is missing: a no has been said to the summary, and this is what shall be different.
        return None if not said.phone.candidates else detail
    return detail


def _out_of_the_blue(text: str, said: Said, situation: Situation) -> Understood | None:
    if situation.offered_retry and (is_yes(text) or is_no(text)):
        return Understood(meaning=Meaning.YES if is_yes(text) else Meaning.NO)
    if told := contact_told(text, situation.region):
        return Understood(meaning=Meaning.REMEMBER, name=told.name, phone=told.e164)
    if kind := _wanted(said):
        return _request(kind, said)
    meaning = {
        Intent.CONFIRM: Meaning.YES,
        Intent.CANCEL: Meaning.CANCEL,
        Intent.STATUS: Meaning.STATUS,
        Intent.SMALLTALK: Meaning.GREETING if situation.first_turn else Meaning.SMALLTALK,
    }.get(said.request.intent)
    return Understood(meaning=meaning) if meaning else None


def plainly(text: str, situation: Situation) -> Understood:
    """What is made of a turn that words cannot settle when there is no language model.

    A change to the summary is added to the instructions in the user's own words, and asked about again.
    """
    if situation.status not in ("confirming", "collecting"):
        return Understood(meaning=Meaning.HELP)
    if text.rstrip().endswith("?"):
        return Understood(meaning=Meaning.UNCLEAR)
    said = _said(text, situation)
    last = _type(situation.task_type).slots[-1].name
    before = situation.parameters.get(last, "").rstrip(". ")
    told = after_the_answer(text.strip())
    changed = say("correction", situation.language, before=before, text=told) if before else told
    found = {**_detail(said, situation).parameters, last: changed}
    return Understood(meaning=Meaning.DETAIL, task_type=situation.task_type, parameters=found)


def _wanted(said: Said) -> TaskType | None:
    return next((kind for kind in all_types() if kind.wants(said)), None)


def _wanted_anew(said: Said) -> TaskType | None:
    """Another task, or this one in other words; "change the number to ..." is neither."""
    kind = _wanted(said)
    only_a_number = kind is not None and kind.code == said.about and not asks_for_a_call(Words.of(said.text))
    return None if only_a_number else kind


def _request(kind: TaskType, said: Said) -> Understood:
    return _with_numbers(
        Understood(meaning=Meaning.REQUEST, task_type=kind.code, parameters=kind.read(said)), kind, said
    )


def _detail(said: Said, situation: Situation) -> Understood:
    kind = _type(situation.task_type)
    found = Understood(meaning=Meaning.DETAIL, task_type=kind.code, parameters=kind.read(said))
    return _with_numbers(found, kind, said)


def _with_numbers(understood: Understood, kind: TaskType, said: Said) -> Understood:
    """With what is wrong about the numbers, where the task contacts one."""
    if not kind.phone_slot or said.phone.e164:
        return understood
    several = tuple(dict.fromkeys(one.e164 for one in said.phone.candidates if one.e164))
    bad = tuple(one for one in said.phone.candidates if one.bad) if not several else ()
    return Understood(
        meaning=understood.meaning,
        task_type=understood.task_type,
        parameters=understood.parameters,
        bad=bad,
        several=several,
    )


def _type(code: str) -> TaskType:
    return next(kind for kind in all_types() if kind.code == code)
