"""What a message wants, by its words alone, in every language at once.

An imperative to telephone wins over words such as "cancel" or "confirm" inside the task ("call the gym and cancel my
membership"); a pure yes or a pure no is neither more nor less than that.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from calls.policy.languages import phrases, words
from calls.policy.text import plain, tokens

# So many words before "call" are looked at for what makes it a thing ("any update on that pizza call").
LOOK_BACK = 2
# A longer message is about something, whatever pleasantries it holds.
SHORT = 12


class Intent(StrEnum):
    """What the user wants."""

    PLACE_CALL = "place_call"
    CONFIRM = "confirm"
    CANCEL = "cancel"
    STATUS = "status"
    SMALLTALK = "smalltalk"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class Words:
    """A message in its compared form."""

    text: str
    signs: tuple[str, ...]

    @classmethod
    def of(cls, message: str) -> "Words":
        return cls(text=plain(message), signs=tuple(tokens(message)))


def intent_of(message: str, *, has_number: bool) -> Intent:
    """What the message wants when it is read alone; `has_number`: it names a telephone number, good or bad."""
    said = Words.of(message)
    if is_yes(message):
        return Intent.CONFIRM
    if is_no(message):
        return Intent.CANCEL
    if not has_number and _begins(said, "cancel"):
        return Intent.CANCEL
    if _other_channel_first(said) or (_begins(said, "other_wish") and not _tells_of_the_call(said)):
        return Intent.OTHER
    if not has_number and _agrees_to_call(said):
        return Intent.CONFIRM
    if phrases("intent", "about_data").search(said.text) and not has_number:
        return Intent.OTHER
    if not has_number and _whole_or_begin(said, "general_question"):
        return Intent.STATUS if _is_status(said) and _about_the_call(said) else Intent.OTHER
    if asks_for_a_call(said):
        return Intent.PLACE_CALL
    return _without_a_call(message, said, has_number=has_number)


def _without_a_call(message: str, said: Words, *, has_number: bool) -> Intent:
    if has_number:
        return Intent.OTHER if _mentions(said, "other_wish", "about_data") else Intent.PLACE_CALL
    if _whole_or_begin(said, "smalltalk") and not _about_the_call(said) and _only_smalltalk(said):
        return Intent.SMALLTALK
    if begins_with_yes(said):
        return Intent.CONFIRM
    if _mentions(said, "other_wish") and not _tells_of_the_call(said):
        return Intent.OTHER
    if _is_status(said):
        return Intent.STATUS
    if _mentions(said, "cancel") and len(said.signs) <= SHORT:
        return Intent.CANCEL
    if _about_the_call(said) and len(said.signs) <= SHORT:
        return Intent.STATUS
    if (_mentions(said, "smalltalk") and len(said.signs) <= SHORT // 2) or _begins(said, "smalltalk"):
        return Intent.SMALLTALK
    return Intent.OTHER


def is_yes(message: str, about: str = "") -> bool:
    """Whether the message is an explicit yes and nothing but that.

    `about` is the summary that was asked about: naming what stands in it ("yes, call the pizza place") adds nothing to
    the yes. Any other word, any doubt and any "but" makes it no yes: "deliver to Brooklyn" changes something.
    """
    said = Words.of(message)
    if any(sign in words("yes", "no") for sign in said.signs) or "?" in said.signs:
        return False
    rest, agreed = phrases("yes", "yes_phrases").subn(" ", said.text)
    signs = [sign for sign in tokens(rest) if sign[0].isalnum() or sign in words("yes", "yes")]
    plainly = [sign for sign in signs if sign in words("yes", "yes")]
    if not (agreed or plainly) or _is_only_thanks(said, plainly, agreed):
        return False
    known = words("yes", "yes") | words("yes", "around") | frozenset(tokens(about))
    return all(sign in known for sign in signs)


def _is_only_thanks(said: Words, plainly: list[str], agreed: int) -> bool:
    """ "Ok, thanks" is polite, and no explicit yes."""
    weak = not agreed and all(sign in words("yes", "weak") for sign in plainly)
    return weak and bool(phrases("intent", "thanks").search(said.text))


def is_no(message: str) -> bool:
    """Whether the message is a plain no, which says neither what is wrong nor that all is off."""
    parts = [part.strip(" -:") for part in re.split(r"[.!,]+", Words.of(message).text)]
    told = [part for part in parts if part and not phrases("intent", "smalltalk").fullmatch(part)]
    return bool(told) and all(phrases("yes", "plain_no").fullmatch(part) for part in told)


def is_undecided(message: str) -> bool:
    """Whether the user answers and does not decide: "wait", "yes no", "sure, cancel" change nothing."""
    said = Words.of(message)
    parts = [part.strip() for part in re.split(r"[.!,?]+", said.text)]
    if said.signs and all(phrases("yes", "pause").fullmatch(part) for part in parts if part):
        return True
    signs = [sign for sign in said.signs if sign[0].isalnum()]
    no = words("intent", "negation") | words("intent", "plain_negation") | words("intent", "cancel_verb")
    yes = words("yes", "yes") - no
    both = any(sign in yes for sign in signs) and any(sign in no for sign in signs)
    return both and all(sign in yes | no | words("yes", "around") for sign in signs)


def after_the_answer(message: str) -> str:
    """What is said after a yes or a no: "yes, but make it 6 pm" changes the hour, and says no "yes" on the call."""
    rest = re.sub(rf"^\s*(?:{phrases('yes', 'answer_first').pattern})", "", message, flags=re.IGNORECASE)
    return rest.strip(" ,") or message


def is_pure_cancel(message: str) -> bool:
    """Whether the user wants nothing done any more: "cancel my gym membership" is a task, "cancel that call" is not."""
    said = Words.of(message)
    if not _begins(said, "cancel") or is_no(message):
        return False
    if next((sign for sign in said.signs if sign in words("intent", "cancel_verb")), "") == "":
        return True
    beside = words("yes", "around") | words("intent", "call_noun") | words("intent", "makes_noun") | words("yes", "no")
    rest = [sign for sign in said.signs if sign[0].isalnum() and sign not in beside | words("intent", "cancel_verb")]
    return not rest


def is_small_talk(message: str) -> bool:
    """Whether the message is pleasantries and nothing else: "make that in the morning" changes something."""
    rest = phrases("intent", "smalltalk").sub(" ", Words.of(message).text)
    return not any(sign[0].isalnum() for sign in tokens(rest))


def about_data(message: str) -> bool:
    """Whether the user asks what is stored about them, or wants it erased."""
    return _mentions(Words.of(message), "about_data")


def begins_with_yes(said: Words) -> bool:
    """Whether it agrees to something when read alone ("yes, call the dentist"): no doubt and no change follows."""
    first = next((sign for sign in said.signs if sign[0].isalnum()), "")
    starts = first in words("yes", "yes") or phrases("yes", "yes_phrases").match(said.text)
    if first in words("yes", "weak") and phrases("intent", "thanks").search(said.text):
        return False
    return bool(starts) and not any(sign in words("yes", "no") for sign in said.signs) and len(said.signs) <= SHORT


def _agrees_to_call(said: Words) -> bool:
    """Whether it agrees to the call that was talked about; "ok, call my mother" asks for one."""
    first = next((sign for sign in said.signs if sign[0].isalnum()), "")
    return first in words("yes", "strong") and begins_with_yes(said) and len(said.signs) <= SHORT - 4


def asks_for_a_call(said: Words) -> bool:
    """Whether somebody is told to telephone: an imperative, "can you call ...", "give ... a ring"."""
    if phrases("intent", "call_phrase").search(said.text):
        return True
    verbs = [place for place, sign in enumerate(said.signs) if sign in words("intent", "call_verb")]
    return any(_is_a_wish(said.signs, place) for place in verbs)


def _is_a_wish(signs: tuple[str, ...], place: int) -> bool:
    before = signs[max(0, place - 4) : place]
    last = before[-1] if before else ""
    if "".join(signs[place + 1 : place + 2]) in words("intent", "makes_noun_after"):
        return False
    if last in words("intent", "not_a_wish") | words("intent", "negation") | words("intent", "makes_noun"):
        return False
    if any(sign in words("intent", "negation") for sign in before[-2:]):
        return False
    if last == "you" and any(sign in words("intent", "not_a_wish") for sign in before):
        return False
    if last == "to" and "need" in before and "no" in before:
        return False
    if place == len(signs) - 1:
        return True
    nearby = before[-(LOOK_BACK + 1) :]
    named = any(sign in words("intent", "makes_noun") for sign in nearby) and not any(
        sign in ",.;:!?" for sign in nearby
    )
    # "that pizza call": a thing; "the boiler broke, call ...": a wish.
    return not (named and signs[place + 1 : place + 2] and not _has_object(signs[place + 1 :]))


def _has_object(after: tuple[str, ...]) -> bool:
    return bool(after) and (after[0][0].isdigit() or after[0] in words("intent", "makes_noun") or after[0] in "+(*")


def _other_channel_first(said: Words) -> bool:
    """Whether a text or an e-mail is wanted, and no call is asked for before it."""
    other = phrases("intent", "other_channel").search(said.text)
    return other is not None and not asks_for_a_call(Words.of(said.text[: other.start()]))


def _begins(said: Words, name: str) -> bool:
    """Whether the message begins with such words, after a polite word or two."""
    text = said.text
    while opening := re.match(rf"{phrases('intent', 'opening').pattern}[\s,.!:-]+", text):
        text = text[opening.end() :]
    return bool(phrases("intent", name).match(text))


def _whole_or_begin(said: Words, name: str) -> bool:
    return _begins(said, name) or bool(phrases("intent", name).match(said.text))


def _mentions(said: Words, *names: str) -> bool:
    return any(phrases("intent", name).search(said.text) for name in names)


def _is_status(said: Words) -> bool:
    return _begins(said, "status") or _mentions(said, "status")


def _about_the_call(said: Words) -> bool:
    """Whether the telephone call is talked of as a thing: "that call", "השיחה"."""
    return any(sign in words("intent", "call_noun") for sign in said.signs)


def _tells_of_the_call(said: Words) -> bool:
    """ "Tell me how the call went"."""
    return _about_the_call(said) and _mentions(said, "status")


def _only_smalltalk(said: Words) -> bool:
    rest = phrases("intent", "smalltalk").sub(" ", said.text)
    left = [sign for sign in tokens(rest) if sign[0].isalnum()]
    return len(left) <= max(2, len(said.signs) // 2)
