"""The tenant's own words: which figures stand together as a plan, and which of them is offered.

Order of events: find the parts, join amounts to their rhythm or their total, ask the cues which of these frames is
offered, take the first (or its correction), then look for its length and its start; what is left may be a one-off.
A plan is taken back when the whole message is unlike every labelled offer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from approvals.policy.calendar import Day, days_named
from approvals.policy.likeness import likeness
from approvals.policy.plans.figures import Amount, Length, Rhythm, amounts, lengths, rhythms
from approvals.policy.plans.proposals import Extraction, OneOff, Proposal, to_cents, whole
from approvals.policy.plans.stance import Cues, Stance
from approvals.policy.vocabulary import phrasebook
from approvals.policy.words import Words, read

FARTHEST = 8  # words between an amount and its rhythm
FEW_WORDS = 2  # "70", "70 then", "70 is ok"
SURELY_A_LENGTH = 4  # "in 6 weeks" spreads an amount, "in 2 weeks" is a day
SMALLEST_BARE = Decimal(10)  # "1 income", "at 9 on monday": without a money sign a small number is none
SURELY_NO_OFFER = 0.15  # below this share what the cues take for an offer is taken back
ABSURD_WEEKLY = Decimal(1_000)  # nobody means it


@dataclass(frozen=True, kw_only=True)
class Frame:
    """An amount with its rhythm, or with the length it is spread over (`weeks`, counted exactly)."""

    amount: Amount
    rhythm: Rhythm | None = None
    length: Length | None = None
    weeks: Fraction | None = None

    @property
    def start(self) -> int:
        return min(part.start for part in (self.amount, self.rhythm) if part)

    @property
    def end(self) -> int:
        return max(part.end for part in (self.amount, self.rhythm, self.length) if part)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Everything found in one message."""

    words: Words
    cues: Cues
    amounts: list[Amount]
    rhythms: list[Rhythm]
    lengths: list[Length]
    days: list[Day]


def offered(message: str, today: date) -> Extraction:
    """The weekly plan and the one-off payment that the tenant's words offer."""
    parts = _find_parts(message, today)
    frames = _frames(parts)
    chosen = _choose(parts, frames)
    plan = _proposal(parts, chosen) if chosen else None
    one_off = _one_off(parts, frames, chosen if plan else None)
    return Extraction(plan=None if plan and _is_unlike_an_offer(parts.words) else plan, one_off=one_off)


def _is_unlike_an_offer(words: Words) -> bool:
    """Whether hardly any labelled message that sounds so is an offer; a false plan is worse than a missed one."""
    return likeness("plans").shares(words)["plan"] < SURELY_NO_OFFER


def _find_parts(message: str, today: date) -> Parts:
    words = read(message)
    found_rhythms, found_lengths = rhythms(words), lengths(words)
    days = [day for day in days_named(words, today) if not _inside(day, found_rhythms)]
    found_lengths = [
        length for length in found_lengths if not _inside(length, found_rhythms) and _is_spread(words, length)
    ]
    days = [day for day in days if not _inside(day, found_lengths) and not _is_amount(day, found_rhythms, words)]
    parts_found: list[Rhythm | Length | Day] = [*found_rhythms, *found_lengths, *days]
    taken = [(part.start, part.end) for part in parts_found]
    return Parts(
        words=words,
        cues=_cues(words, found_rhythms, taken),
        amounts=amounts(words, taken),
        rhythms=found_rhythms,
        lengths=found_lengths,
        days=days,
    )


def _cues(words: Words, found_rhythms: list[Rhythm], taken: list[tuple[int, int]]) -> Cues:
    return Cues(
        words,
        rhythms=tuple((rhythm.start, rhythm.end) for rhythm in found_rhythms),
        terms=frozenset(place for start, end in taken for place in range(start, end)),
    )


def _inside(part: Day | Length, others: Sequence[Rhythm | Length]) -> bool:
    """ "15th" belongs to the rhythm in "on the 1st and 15th", "weekly" to the length in "12 weekly payments"."""
    return any(other.start <= part.start and part.end <= other.end for other in others)


def _is_amount(day: Day, found_rhythms: list[Rhythm], words: Words) -> bool:
    """ "on the 30 a week plan" names no day."""
    last = words.tokens[day.end - 1]
    return last.figure is not None and any(rhythm.start == day.end for rhythm in found_rhythms)


# -- joining


def _frames(parts: Parts) -> list[Frame]:
    totals = [frame for amount in parts.amounts if (frame := _total(parts, amount)) is not None]
    used = {id(frame.amount) for frame in totals}
    pairs = sorted(
        (
            (distance, amount.start, amount, rhythm)
            for amount in parts.amounts
            for rhythm in parts.rhythms
            if id(amount) not in used and (distance := _distance(parts, amount, rhythm)) <= FARTHEST
        ),
        key=lambda pair: pair[:2],
    )
    frames = list(totals)
    for _, _, amount, rhythm in pairs:
        if id(amount) not in used and id(rhythm) not in used:
            used |= {id(amount), id(rhythm)}
            frames.append(Frame(amount=amount, rhythm=rhythm))
    return sorted(frames, key=lambda frame: frame.start)


def _total(parts: Parts, amount: Amount) -> Frame | None:
    """ "600 over 6 weeks", "6 weeks to pay the 600": an amount without own rhythm beside a length it is spread over."""
    if any(0 <= rhythm.start - amount.end <= 1 for rhythm in parts.rhythms):
        return None
    for length in parts.lengths:
        rhythm = next((rhythm for rhythm in parts.rhythms if length.start <= rhythm.start <= length.end + 4), None)
        weeks = _weeks_of(length, rhythm.per_week if rhythm else None)
        if length.spreads and weeks and _is_beside(parts, amount, length):
            return Frame(amount=amount, length=length, rhythm=rhythm, weeks=weeks)
    return None


def _weeks_of(length: Length, per_week: Fraction | None) -> Fraction | None:
    """A length in weeks; a count of payments needs their rhythm to be one."""
    if length.weeks is not None or length.payments is None:
        return length.weeks
    return Fraction(length.payments) / per_week if per_week else None


def _is_beside(parts: Parts, amount: Amount, length: Length) -> bool:
    first, second, reach = (amount, length, 5) if amount.start < length.start else (length, amount, 5)
    if first is length and length.may_be_date:
        reach = 2
    gap = parts.words.tokens[first.end : second.start]
    return len(gap) <= reach and not any((token.figure and token.figure.value) or token.text in ".?!" for token in gap)


def _is_spread(words: Words, length: Length) -> bool:
    """ "in 6 weeks" is a length, "in 2 weeks" the day of a single payment unless something is split up."""
    if not length.may_be_date or (length.weeks or 0) >= SURELY_A_LENGTH:
        return True
    return any(True for _ in phrasebook("plans", "spreading").find(words))


def _distance(parts: Parts, amount: Amount, rhythm: Rhythm) -> int:
    """How far an amount is from a rhythm; a rhythm that comes first is farther, a comma too; over a full stop never."""
    first, second = (amount, rhythm) if amount.start < rhythm.start else (rhythm, amount)
    gap = parts.words.tokens[first.end : second.start]
    if len(gap) > FARTHEST:
        return FARTHEST + 1
    other_amount = any(first.end <= other.start < second.start for other in parts.amounts)
    refused = _is_refused_alone(parts, rhythm, amount)
    if other_amount or refused or any(token.text in ".?!" for token in gap):
        return FARTHEST + 1
    return len(gap) + sum(3 for token in gap if token.text == ",") + (2 if first is rhythm else 0)


def _is_refused_alone(parts: Parts, rhythm: Rhythm, amount: Amount) -> bool:
    """ "cant do weekly but i can pay 450 on the 20th": the rhythm is refused in a clause of its own."""
    first, second = (amount, rhythm) if amount.start < rhythm.start else (rhythm, amount)
    turned = parts.cues.clause_start(second.start) >= first.end
    return turned and parts.cues.stance(rhythm.start, rhythm.end) == Stance.REFUSED


# -- choosing


def _choose(parts: Parts, frames: list[Frame]) -> Frame | None:
    """The first frame that is offered, unless a later one corrects it; a bare counter-offer borrows the rhythm."""
    stances = [(frame, _stance(parts, frame)) for frame in frames]
    standing = [frame for frame, stance in stances if stance in {Stance.OFFERED, Stance.UNSAID}]
    counter = _counter_offer(parts, frames, stances)
    if counter is not None and (not standing or standing[-1].start < counter.start):
        return counter
    if len(standing) > 1 and _is_corrected(parts, standing[0], standing[-1]):
        return standing[-1]
    return standing[0] if standing else None


def _stance(parts: Parts, frame: Frame) -> Stance:
    start, end = frame.amount.start, frame.end
    if frame.weeks is None and (parts.cues.is_told_between(start, end) or parts.cues.is_asked_about(start)):
        return Stance.MENTIONED
    return parts.cues.stance(start, end)


def _counter_offer(parts: Parts, frames: list[Frame], stances: list[tuple[Frame, Stance]]) -> Frame | None:
    """ "150 a week is too much, i can do 60": the rhythm is carried over from the figure it answers or corrects."""
    framed = {id(frame.amount) for frame in frames}
    for amount in parts.amounts:
        if id(amount) in framed or _has_day(parts, amount):
            continue
        said = parts.cues.stance(amount.start, amount.end)
        for frame, stance in stances:
            answers = said == Stance.OFFERED and stance in {Stance.REFUSED, Stance.MENTIONED}
            answers = answers or (said == Stance.UNSAID and stance == Stance.REFUSED and _is_bid(parts, amount, frame))
            corrects = frame.end <= amount.start and _is_corrected(parts, frame, amount) and stance != Stance.MENTIONED
            if frame.rhythm and (answers or (corrects and said != Stance.REFUSED)):
                return Frame(amount=amount, rhythm=replace(frame.rhythm, start=amount.end, end=amount.end))
    return None


def _is_bid(parts: Parts, amount: Amount, frame: Frame) -> bool:
    """ "can we go lower than 100 a week? like 70": a lower figure that ends what is said after the refused one."""
    ends = parts.cues.clause_end(amount.end) - amount.end <= FEW_WORDS
    return ends and frame.end <= amount.start and SMALLEST_BARE <= amount.value < frame.amount.value


def _is_corrected(parts: Parts, earlier: Frame, later: Frame | Amount) -> bool:
    """Does a word of correction ("sorry", "actually", "digo") stand between the two?"""
    return any(
        earlier.end <= match.start and match.end <= later.start + 1
        for match in phrasebook("plans", "corrections").find(parts.words)
    )


def _has_day(parts: Parts, amount: Amount) -> bool:
    clause = parts.cues.clause_start(amount.start), parts.cues.clause_end(amount.end)
    return any(clause[0] <= day.start and day.end <= clause[1] for day in parts.days)


# -- reading the chosen frame


def _proposal(parts: Parts, frame: Frame) -> Proposal | None:
    amount = Fraction(frame.amount.value)
    if frame.weeks:
        return _bounded(amount / frame.weeks, frame.weeks, parts)
    per_week = _payments_a_week(parts, frame)
    if per_week is None:
        return None
    length = _length_of(parts, frame)
    return _bounded(amount * per_week, _weeks_of(length, per_week) if length else None, parts)


def _bounded(weekly: Fraction, weeks: Fraction | None, parts: Parts) -> Proposal | None:
    amount = to_cents(_decimal(weekly))
    if not 0 < amount < ABSURD_WEEKLY:
        return None
    return Proposal(
        weekly_amount=amount, weeks=whole(_decimal(weeks)) if weeks else None, start_date=_start_date(parts)
    )


def _payments_a_week(parts: Parts, frame: Frame) -> Fraction | None:
    """For "each payday" it is the rhythm of the pay, where the message tells it: "i get paid every two weeks"."""
    rhythms_told = [frame.rhythm, *parts.rhythms] if frame.rhythm else []
    return next((rhythm.per_week for rhythm in rhythms_told if rhythm and rhythm.per_week is not None), None)


def _length_of(parts: Parts, frame: Frame) -> Length | None:
    """The stated count nearest to the frame, in the same sentence or in the next one."""
    sentence_start, sentence_end = parts.cues.sentence(frame.start)
    _, next_end = parts.cues.sentence(min(sentence_end + 1, len(parts.words.tokens) - 1))
    inside = [length for length in parts.lengths if sentence_start <= length.start < next_end]
    return min(inside, key=lambda length: _gap(length, frame), default=None)


def _gap(length: Length, frame: Frame) -> int:
    return length.start - frame.end if length.start >= frame.end else frame.start - length.end + 4


def _start_date(parts: Parts) -> date | None:
    """The day that follows a word of beginning: "starting", "first payment on", "a partir de"."""
    for match in sorted(phrasebook("plans", "starts").find(parts.words), key=lambda match: match.start):
        for day in parts.days:
            if 0 <= day.start - match.end <= 2 or match.start <= day.start < match.end:
                return day.date
    return None


def _decimal(fraction: Fraction) -> Decimal:
    return Decimal(fraction.numerator) / Decimal(fraction.denominator)


# -- one-off payments


def _one_off(parts: Parts, frames: list[Frame], plan: Frame | None) -> OneOff | None:
    framed = {id(frame.amount) for frame in frames} | ({id(plan.amount)} if plan else set())
    found = [
        promise
        for amount in parts.amounts
        if id(amount) not in framed and (promise := _promise(parts, amount)) is not None
    ]
    return min(found, key=lambda promise: promise.date or date.max, default=None)


def _promise(parts: Parts, amount: Amount) -> OneOff | None:
    stance = parts.cues.stance(amount.start, amount.end)
    day = _day_of(parts, amount)
    if not amount.is_money and amount.value < SMALLEST_BARE:
        return None
    if stance == Stance.OFFERED or (stance == Stance.UNSAID and day is not None):
        return OneOff(amount=to_cents(amount.value), date=day.date if day else None)
    return None


def _day_of(parts: Parts, amount: Amount) -> Day | None:
    """The day in the amount's clause, else the nearest within five words; a stated start belongs to the plan."""
    starts = [match.end for match in phrasebook("plans", "starts").find(parts.words)]
    days = [day for day in parts.days if not any(0 <= day.start - end <= 2 for end in starts)]
    start, end = parts.cues.sentence(amount.start)
    near = [day for day in days if start <= day.start < end]
    return min(near, key=lambda day: max(day.start - amount.end, amount.start - day.end), default=None)
