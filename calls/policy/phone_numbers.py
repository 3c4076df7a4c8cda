"""Find the telephone number in a message, or say what is wrong with it.

A number counts when `phonenumbers` finds it valid for the user's region and it is neither premium rate nor an emergency
number. Order, policy, ID and card numbers, dates, times, amounts and zip codes are not telephone numbers.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType, shortnumberinfo

from calls.policy.languages import phrases, words
from calls.policy.spoken_numbers import SpokenNumber, spoken_numbers
from calls.policy.text import clean, tokens


class PhoneProblem(StrEnum):
    """Why there is no number to call."""

    MISSING = "missing"
    INVALID = "invalid"
    MULTIPLE = "multiple"


class BadNumber(StrEnum):
    """What is wrong with an invalid one."""

    NOT_VALID = "not_valid"
    EMERGENCY = "emergency"
    PREMIUM = "premium"


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """What was meant as a telephone number: as written, where, and in E.164 if it can be called."""

    raw: str
    start: int
    end: int
    e164: str | None
    bad: BadNumber | None = None


@dataclass(frozen=True, kw_only=True)
class PhoneFound:
    """The number (E.164) or the problem; `candidates` are all numbers meant for calling, in the order of the text."""

    e164: str | None
    problem: PhoneProblem | None
    candidates: tuple[Candidate, ...] = ()

    @property
    def bad(self) -> BadNumber | None:
        """What is wrong with the first that is."""
        return next((one.bad for one in self.candidates if one.bad), None)


# Digits with up to three signs between two of them; a letter or a currency before it makes it something else.
DIGITS = re.compile(r"(?<![A-Za-z0-9$₪€£#@_:.,/])(?:\+ ?|\* ?|#)?\(?\d(?:[ .()/-]{0,3}\d)*(?![A-Za-z]{2}|\d|:\d|%)")
# "1-800-FLOWERS", "800 FLOWERS"; "800 napkins" are none: after a blank only what begins with 1 or is in capitals.
_FREE = r"\(?(?:8(?:00|88|77|66|55|44|33)|900)\)?"
VANITY = re.compile(
    rf"(?<![A-Za-z0-9])(?:(?:\+?1[-. ])?{_FREE}[-.]|\+?1[-. ]{_FREE} |{_FREE} (?=[A-Z]{{3}}))"
    r"(?=[A-Za-z0-9-]*[A-Za-z]{3})[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*"
)
NOT_PHONES = tuple(
    re.compile(shape)
    for shape in (
        r"\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})",  # a date
        r"\d{4}[./-]\d{1,2}[./-]\d{1,2}",  # a date
        r"\d{5}-\d{4}",  # a zip code
        r"\d{3}-\d{2}-\d{4}",  # a social security number
        r"(?:\d{4}[ -]){3}\d{1,4}",  # a card
        r"(?!00|011)\d{13,}",  # a card or a serial number
        r"(?:19|20)\d\d ?- ?(?:19|20)\d\d",  # two years
    )
)
LONGEST, SHORTEST = 17, 7
# What international numbers begin with.
ABROAD = ("+", "00", "011")
# A number is written in so many groups of digits at most.
MOST_PIECES = 7
# "No.", "acct.", but not "apartment.".
LONGEST_SHORT_FORM = 5
# So many characters before a number are looked at for what it is.
NEARBY = 80
SIGNS_BEFORE = re.compile(r"[\w'\".]+|[^\w\s]")


def find_number(message: str, region: str) -> PhoneFound:
    """The telephone number in a message whose local numbers belong to `region` (ISO 3166, such as "IL")."""
    text = clean(message)
    spoken = list(_spoken_candidates(text, region))
    candidates = tuple(sorted([*spoken, *_candidates(text, region, spoken)], key=lambda one: one.start))
    valid = list(dict.fromkeys(one.e164 for one in candidates if one.e164))
    if valid:  # "... and bring the rent down to 1800"
        candidates = tuple(one for one in candidates if one.e164 or one.bad is not BadNumber.NOT_VALID or _is_long(one))
    if len(valid) > 1:
        return PhoneFound(e164=None, problem=PhoneProblem.MULTIPLE, candidates=candidates)
    if valid:
        return PhoneFound(e164=valid[0], problem=None, candidates=candidates)
    problem = PhoneProblem.INVALID if candidates else PhoneProblem.MISSING
    return PhoneFound(e164=None, problem=problem, candidates=candidates)


def _is_long(one: Candidate) -> bool:
    """Whether it has the digits of a telephone number, which one in words has, too."""
    return not 0 < len(_digits(one.raw)) < SHORTEST


def _spoken_candidates(text: str, region: str) -> Iterator[Candidate]:
    """The numbers in words; one with digits in between only where it can be called."""
    for readings in spoken_numbers(text):
        judged = [_judged_as_spoken(text, reading, region) for reading in readings]
        found = next((one for one in judged if one.e164), judged[0])
        may_be_wrong = not readings[0].is_mixed and len(readings[0].digits) <= LONGEST
        if (found.e164 or may_be_wrong) and not _is_labelled(text, found.start):
            yield found


def _judged_as_spoken(text: str, spoken: SpokenNumber, region: str) -> Candidate:
    e164, bad = judge(spoken.digits, region)
    return Candidate(raw=text[spoken.start : spoken.end], start=spoken.start, end=spoken.end, e164=e164, bad=bad)


def _candidates(text: str, region: str, spoken: list[Candidate]) -> Iterator[Candidate]:
    """The numbers in digits, other than those within a spoken one."""
    taken = 0
    vanity = {match.start(): match for match in VANITY.finditer(text)}
    matches = sorted([*vanity.values(), *DIGITS.finditer(text)], key=lambda match: (match.start(), -match.end()))
    for match in matches:
        if match.start() < taken or any(one.start <= match.start() < one.end for one in spoken):
            continue
        found = list(_in_run(text, match, region, is_vanity=match.start() in vanity))
        yield from found
        if found or match.start() in vanity:
            taken = match.end()


def _in_run(text: str, match: re.Match[str], region: str, *, is_vanity: bool) -> Iterator[Candidate]:
    """One run of digits is one number, or several beside each other, or none."""
    raw = match[0].rstrip("( -./")
    if is_vanity:
        yield _judged(raw, match.start(), region)
        return
    if any(shape.fullmatch(raw) for shape in NOT_PHONES):
        return
    whole = _judged(raw, match.start(), region)
    count = len(_digits(raw))
    if count < SHORTEST or raw.startswith("#"):
        if _is_dialled(text, match, region):
            yield whole
    elif whole.e164 and not _is_labelled(text, match.start()):
        yield whole
    else:
        yield from _parts(text, match, whole, region)


def _parts(text: str, match: re.Match[str], whole: Candidate, region: str) -> Iterator[Candidate]:
    """A run that is no number as a whole: the valid numbers in it, longest first; else the whole, as an invalid one."""
    pieces = list(re.finditer(r"[^ /]+(?:\) ?[^ /]+)*", whole.raw))
    found: list[Candidate] = []
    place = 0
    while place < len(pieces):
        for last in range(min(len(pieces), place + MOST_PIECES), place, -1):
            start, end = pieces[place].start(), pieces[last - 1].end()
            part = _judged(whole.raw[start:end], whole.start + start, region)
            if part.e164 and (start, end) != (0, len(whole.raw)) and not _is_labelled(text, part.start):
                found.append(part)
                place = last
                break
        else:
            place += 1
    if found and not _is_abroad(whole, found[0], region):
        yield from found
    elif not (_is_labelled(text, whole.start) or _is_amount(text, match.end()) or len(_digits(whole.raw)) > LONGEST):
        yield whole


def _is_abroad(whole: Candidate, part: Candidate, region: str) -> bool:
    """ "44 20 7946 0958", "+44 909 879 0000": one number from abroad, and not a local one with a 44 before it."""
    if part.start == whole.start:
        return False
    e164, bad = judge(f"+{_digits(whole.raw)}", region)
    return whole.raw.startswith(ABROAD) or e164 is not None or bad is BadNumber.PREMIUM


def _judged(raw: str, start: int, region: str) -> Candidate:
    e164, bad = judge(raw, region)
    return Candidate(raw=raw, start=start, end=start + len(raw), e164=e164, bad=bad)


def judge(raw: str, region: str) -> tuple[str | None, BadNumber | None]:
    """(E.164, None) for a number that may be called, else (None, what is wrong with it)."""
    if _is_emergency(raw, region):
        return None, BadNumber.EMERGENCY
    if raw.lstrip().startswith(("*", "#")):
        return None, BadNumber.NOT_VALID
    try:
        number = phonenumbers.parse(raw, region)
    except phonenumbers.NumberParseException:
        return None, BadNumber.NOT_VALID
    if not phonenumbers.is_valid_number(number):
        return None, BadNumber.NOT_VALID
    if phonenumbers.number_type(number) == PhoneNumberType.PREMIUM_RATE:
        return None, BadNumber.PREMIUM
    number.extension = None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164), None


@cache
def _is_emergency(raw: str, region: str) -> bool:
    digits = _digits(raw)
    # A traveller's 911 or 112 is an emergency everywhere.
    return len(digits) <= 6 and (
        digits in {"911", "112", "999"} or shortnumberinfo.connects_to_emergency_number(digits, region)
    )


def _is_dialled(text: str, match: re.Match[str], region: str) -> bool:
    """Whether two to six digits are meant to be dialled: starred, directly after a word of dialling, an emergency's."""
    raw, count = match[0], len(_digits(match[0]))
    if raw.startswith("*"):
        return count >= 3
    if not 3 <= count < SHORTEST or _is_amount(text, match.end()) or _is_labelled(text, match.start()):
        return False
    before = _words_before(text, match.start())
    if before[-1] == "-":  # "ל-911"
        before = before[:-1]
    emergency = _is_emergency(raw, region)
    if emergency and before[-1] in words("numbers", "dialled") | {"", ",", ":", "-"}:
        return True
    if before[-1] in {"at", "on"}:  # "call mom at 530" tells a time
        return emergency
    return before[-1] in words("numbers", "dialled") or (count == 3 and _follows_whom(before, text[match.end() :]))


def _words_before(text: str, start: int) -> list[str]:
    """The last words and signs before a place, at least one: "" at the beginning."""
    signs = SIGNS_BEFORE.findall(text[max(0, start - NEARBY) : start])[-4:]
    return ["", *(sign.casefold() for sign in signs)]


def _follows_whom(before: list[str], after: str) -> bool:
    """ "Call the police 100 now": a short number after whom to call, with nothing behind it that it could count."""
    nearby = before[1:][-3:]
    if not any(sign in words("intent", "call_verb") for sign in nearby) or not all(sign.isalpha() for sign in nearby):
        return False
    following = next(iter(tokens(after[:24])), "")
    # Hebrew writes "and" together with the next word.
    return not following[:1].isalnum() or following in words("numbers", "after_dialled") or following.startswith("ו")


def _is_labelled(text: str, start: int) -> bool:
    """Whether the words directly before say that it is some other number: "order no. 4417...", "פוליסה 5510293"."""
    if text[start] == "+":
        return False
    between = words("numbers", "between")
    before = phrases("numbers", "leads").sub(" ", text[max(0, start - NEARBY) : start].casefold())
    for sign in reversed(SIGNS_BEFORE.findall(before)[-6:]):
        word = sign.strip(".")
        if sign.endswith(".") and len(word) > LONGEST_SHORT_FORM:  # a sentence ends here
            return False
        if _is_label(word):
            return True
        if word and word not in between:
            return False
    return False


def _is_label(word: str) -> bool:
    labels = words("numbers", "labels")
    # Hebrew writes "and", "the", "in", "to" together with the noun.
    is_hebrew = "א" <= word[:1] <= "ת"
    return word in labels or any(word[cut:] in labels for cut in (1, 2) if is_hebrew and len(word) > cut + 2)


def _is_amount(text: str, end: int) -> bool:
    following = tokens(text[end : end + 24])
    return bool(following) and following[0] in words("numbers", "units") | {"%", "$", "₪", "€"}


def _digits(raw: str) -> str:
    return "".join(character for character in raw if character.isdigit())
