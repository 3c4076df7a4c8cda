"""What follows from a turn: a question, a summary, a yes, a cancellation. The chat is locked; no network here."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from calls.chat_workflow import limits
from calls.chat_workflow.chats import HOME_OF, begin, open_task
from calls.chat_workflow.reading import Meaning, Situation, Understood
from calls.chat_workflow.steps import step
from calls.models import CallTask, Chat, ChatMessage, ContextItem
from calls.policy.phone_numbers import BadNumber, Candidate
from calls.replies import END, ISOLATE, RIGHT_TO_LEFT, phone_as_written, say
from calls.task_types import all_types, type_of
from conversations.wakeups import wake, wake_at
from integrations.call_handler import MAX_INSTRUCTIONS

Status = CallTask.Status
LINE_OF = {
    BadNumber.EMERGENCY: "emergency_number",
    BadNumber.PREMIUM: "premium_number",
    BadNumber.NOT_VALID: "invalid_number",
}


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What is said, and the task that it is about."""

    text: str
    task: CallTask | None = None


def situation_of(chat: Chat) -> Situation:
    """What is being talked about in a chat."""
    task = open_task(chat)
    known = dict(chat.context.filter(kind=ContextItem.Kind.CONTACT).values_list("name", "value"))
    missing = type_of(task.task_type).missing(task.parameters) if task else []
    return Situation(
        language=chat.language,
        region=chat.region,
        other_regions=tuple({settings.DEFAULT_REGION, HOME_OF.get(chat.language, "US")} - {chat.region}),
        status=task.status if task else "",
        task_type=task.task_type if task else "",
        parameters=task.parameters if task else {},
        asked=missing[0].name if missing else "",
        summary=task.summary if task else "",
        offered_retry=task is None and _offer(chat) is not None,
        known=known,
        first_turn=chat.last_seq == 0,
    )


def _offer(chat: Chat) -> ChatMessage | None:
    """The offer to try again later, if that is the last thing that we said."""
    if chat.last_seq == 0:
        return None
    last = chat.messages.filter(role="assistant").order_by("-seq").first()
    return last if last is not None and last.offers_retry else None


def answer(chat: Chat, understood: Understood) -> Reply:
    """Acts on what was understood; the reply is still to be written down."""
    return ACTIONS[understood.meaning](chat, understood)


def _request(chat: Chat, understood: Understood) -> Reply:
    """A new task, or another wish for the one that is being talked about."""
    task = open_task(chat)
    if task is None:
        task = CallTask(chat=chat, task_type=understood.task_type, language=chat.language)
    elif task.task_type != understood.task_type:
        kept = {slot.name for slot in type_of(understood.task_type).slots} | {"who"}
        task.parameters = {name: value for name, value in task.parameters.items() if name in kept}
        task.task_type = understood.task_type
    return _take_in(chat, task, understood)


def _detail(chat: Chat, understood: Understood) -> Reply:
    task = open_task(chat)
    return _request(chat, understood) if task is None else _take_in(chat, task, understood)


def _take_in(chat: Chat, task: CallTask, understood: Understood) -> Reply:
    """What was said goes into the task; then the next question, or the summary and the request for a yes."""
    kind = type_of(task.task_type)
    parameters = {**task.parameters, **understood.parameters}
    before, now = task.parameters.get(kind.phone_slot), understood.parameters.get(kind.phone_slot)
    if before and now and before != now and not understood.parameters.get("who"):
        parameters.pop("who", None)  # another number is somebody else's
    complaint = _complaint(chat, kind.phone_slot, parameters, understood)
    task.parameters, task.language = parameters, chat.language
    task.phone = parameters.get(kind.phone_slot, "")
    missing = kind.missing(parameters)
    if missing:
        question = missing[0].ask.get(chat.language) or missing[0].ask["en"]
        return _go_on(task, Status.COLLECTING, "", complaint or question)
    described = kind.describe(parameters, chat.language, chat.region)
    return _go_on(task, Status.CONFIRMING, described, f"{described} {say('confirm_question', chat.language)}")


def _go_on(task: CallTask, status: str, summary: str, text: str) -> Reply:
    changes = {
        "parameters": task.parameters,
        "phone": task.phone,
        "summary": summary,
        "language": task.language,
        "task_type": task.task_type,
    }
    if task._state.adding:
        task.status, task.summary = status, summary
        begin(task)
        step(task, "asked")
    elif task.status == status:
        CallTask.objects.filter(pk=task.pk).update(**changes, updated_at=timezone.now())
        task.summary = summary
    else:
        task.move(status, **changes)
    step(task, "summed_up" if status == Status.CONFIRMING else "question")
    return Reply(text=text, task=task)


def _complaint(chat: Chat, slot: str, parameters: dict[str, str], understood: Understood) -> str:
    """What is wrong with what was said, if anything: then that slot is empty again, and another value is asked for."""
    language = chat.language
    if len(parameters.get("instructions", "")) > MAX_INSTRUCTIONS:
        return say("too_long", language, length=len(parameters.pop("instructions")), limit=MAX_INSTRUCTIONS)
    if understood.several:
        parameters.pop(slot, None)
        return say("several_numbers", language, numbers=", ".join(_written(chat, one) for one in understood.several))
    if understood.bad:
        parameters.pop(slot, None)
        return _about_bad_number(understood.bad[0], language)
    return _forbidden(chat, slot, parameters)


def _about_bad_number(bad: Candidate, language: str) -> str:
    number = f"{ISOLATE}{bad.raw.strip()}{END}" if language in RIGHT_TO_LEFT else bad.raw.strip()
    return say(LINE_OF[bad.bad or BadNumber.NOT_VALID], language, number=number)


def _forbidden(chat: Chat, slot: str, parameters: dict[str, str]) -> str:
    phone = parameters.get(slot, "") if slot else ""
    if not phone:
        return ""
    if limits.on_hold([phone]):
        parameters.pop(slot)
        return say("on_hold", chat.language, number=_written(chat, phone))
    count = limits.calls_this_week([phone]).get(phone, 0)
    if count >= settings.MAX_CALLS_PER_NUMBER:
        parameters.pop(slot)
        return say("called_too_often", chat.language, number=_written(chat, phone), count=count)
    return ""


def _written(chat: Chat, phone: str) -> str:
    return phone_as_written(phone, region=chat.region, language=chat.language)


def _yes(chat: Chat, understood: Understood) -> Reply:
    """The explicit yes: only here does a task become confirmed."""
    task = open_task(chat)
    if task is None:
        return _yes_to_retry(chat)
    if task.status != Status.CONFIRMING:
        missing = type_of(task.task_type).missing(task.parameters)
        line = missing[0].ask.get(chat.language) if missing else None
        return Reply(text=line or say("one_moment", chat.language), task=task)
    now = timezone.now()
    due = limits.opening_for(task.phone, now) if task.phone else now
    task.move(Status.CONFIRMED, confirmed_at=now, not_before=due)
    step(task, "confirmed")
    _remember_contact(chat, task)
    if due > now:
        wake_at(due)
        return Reply(text=_later(chat, task, due), task=task)
    wake()
    return Reply(text=say("confirmed", chat.language, what=_brief(chat, task)), task=task)


def _later(chat: Chat, task: CallTask, due: datetime) -> str:
    zone = limits.zone_of(task.phone)
    return say("confirmed_later", chat.language, when=_clock(due, zone), zone=zone, what=_brief(chat, task))


def _clock(moment: datetime, zone: str) -> str:
    return f"{moment.astimezone(ZoneInfo(zone)):%d.%m. %H:%M}"


def _remember_contact(chat: Chat, task: CallTask) -> None:
    name = task.parameters.get("who", "").strip()
    if name and task.phone:
        _remember(chat, name, task.phone)


def _remember(chat: Chat, name: str, phone: str) -> None:
    item = ContextItem(chat=chat, kind=ContextItem.Kind.CONTACT, name=name[:100], value=phone)
    ContextItem.objects.bulk_create(
        [item],
        update_conflicts=True,
        unique_fields=["chat", "kind", "name"],
        update_fields=["value", "updated_at"],
    )


def _yes_to_retry(chat: Chat) -> Reply:
    """A yes to our offer to try again later: now, and not before, there is another task."""
    offer = _offer(chat)
    if offer is None or offer.task is None:
        return Reply(text=say("nothing_to_confirm", chat.language))
    now, earlier = timezone.now(), offer.task
    due = now + timedelta(minutes=settings.CALL_AGAIN_MINUTES)
    due = limits.opening_for(earlier.phone, due) if earlier.phone else due
    task = CallTask(
        chat=chat,
        task_type=earlier.task_type,
        status=Status.CONFIRMED,
        parameters=earlier.parameters,
        phone=earlier.phone,
        language=chat.language,
        summary=earlier.summary,
        retry_of=earlier,
        confirmed_at=now,
        not_before=due,
    )
    begin(task)
    step(task, "planned_again")
    wake_at(due)
    when = _clock(due, limits.zone_of(task.phone) if task.phone else settings.CONTACT_TIME_ZONE)
    return Reply(text=say("retry_planned", chat.language, when=when), task=task)


def _no(chat: Chat, understood: Understood) -> Reply:
    task = open_task(chat)
    if task is None:
        return Reply(text=say("retry_declined" if _offer(chat) else "nothing_to_cancel", chat.language))
    if task.status == Status.CONFIRMING:
        task.move(Status.COLLECTING)
        step(task, "turned_down")
    return Reply(text=say("what_to_change", chat.language), task=task)


def _cancel(chat: Chat, understood: Understood) -> Reply:
    """What is talked about is cancelled, else what was confirmed last and has not been placed."""
    confirmed = [task for task in chat.tasks_at_hand if task.status == Status.CONFIRMED]
    task = open_task(chat) or next(iter(confirmed), None)
    if task is None:
        under_way = any(task.status in (Status.PLACING, Status.PLACED) for task in chat.tasks_at_hand)
        return Reply(text=say("too_late_to_cancel" if under_way else "nothing_to_cancel", chat.language))
    task.move(Status.CANCELLED, finished_at=timezone.now())
    step(task, "cancelled")
    others = any(one is not task and one.finished_at is None for one in chat.tasks_at_hand)
    if others and not type_of(task.task_type).missing(task.parameters):
        return Reply(text=say("cancelled_one", chat.language, what=_brief(chat, task)), task=task)
    return Reply(text=say("cancelled", chat.language), task=task)


def _status(chat: Chat, understood: Understood) -> Reply:
    task = open_task(chat)
    if task is not None:
        return Reply(text=f"{say(f'status_{task.status}', chat.language)} {_again(chat, task)}", task=task)
    under_way = [one for one in reversed(chat.tasks_at_hand) if one.finished_at is None]
    if under_way:
        return Reply(text=" ".join(_standing(chat, one) for one in under_way), task=under_way[-1])
    notice = chat.messages.filter(kind=ChatMessage.Kind.NOTICE).order_by("-seq").select_related("task").first()
    if notice is None:
        return Reply(text=say("status_none", chat.language))
    return Reply(text=say("status_finished", chat.language, notice=notice.body), task=notice.task)


def _standing(chat: Chat, task: CallTask) -> str:
    what = _brief(chat, task)
    if task.status == Status.CONFIRMED and task.not_before > timezone.now():
        zone = limits.zone_of(task.phone) if task.phone else settings.CONTACT_TIME_ZONE
        return say("status_confirmed_later", chat.language, what=what, when=_clock(task.not_before, zone))
    return say(f"status_{task.status}", chat.language, what=what)


def _brief(chat: Chat, task: CallTask) -> str:
    return type_of(task.task_type).brief(task.parameters, chat.language, chat.region)


def _again(chat: Chat, task: CallTask) -> str:
    """The question that is open, once more."""
    missing = type_of(task.task_type).missing(task.parameters)
    if missing:
        return missing[0].ask.get(chat.language) or missing[0].ask["en"]
    if task.status == Status.CONFIRMING:
        return f"{task.summary} {say('confirm_question', chat.language)}"
    return say("what_to_change", chat.language)


def _small_talk(chat: Chat, understood: Understood) -> Reply:
    task = open_task(chat)
    if task is not None:
        return Reply(text=_again(chat, task), task=task)
    greeting = understood.meaning is Meaning.GREETING
    return Reply(text=understood.reply or say("greeting" if greeting else "smalltalk", chat.language))


def _about_data(chat: Chat, understood: Understood) -> Reply:
    """What is kept; then the open question again, for a yes must be a yes to the summary and to nothing else."""
    known = chat.context.order_by("name").values_list("name", "value")
    items = ", ".join(f"{name} {_written(chat, value)}" for name, value in known)
    told = say("about_data" if known else "about_data_nothing", chat.language, items=items)
    task = open_task(chat)
    return Reply(text=f"{told} {_back_to_summary(chat, task)}" if task else told, task=task)


def _remembered(chat: Chat, understood: Understood) -> Reply:
    _remember(chat, understood.name, understood.phone)
    number = _written(chat, understood.phone)
    return Reply(text=say("remembered", chat.language, name=understood.name, number=number))


def _help(chat: Chat, understood: Understood) -> Reply:
    task = open_task(chat)
    if task is not None:
        return Reply(text=_back_to_summary(chat, task), task=task)
    joint = " או " if chat.language == "he" else " or "
    tasks = joint.join(kind.ability.get(chat.language) or kind.ability["en"] for kind in all_types())
    return Reply(text=understood.reply or say("help", chat.language, tasks=tasks))


def _back_to_summary(chat: Chat, task: CallTask) -> str:
    """A turn that changed nothing: the summary is asked about again."""
    kind = type_of(task.task_type)
    if task.status == Status.COLLECTING and not kind.missing(task.parameters):
        task.move(Status.CONFIRMING, summary=kind.describe(task.parameters, chat.language, chat.region))
    return _again(chat, task)


ACTIONS = {
    Meaning.REQUEST: _request,
    Meaning.DETAIL: _detail,
    Meaning.YES: _yes,
    Meaning.NO: _no,
    Meaning.CANCEL: _cancel,
    Meaning.STATUS: _status,
    Meaning.GREETING: _small_talk,
    Meaning.SMALLTALK: _small_talk,
    Meaning.ABOUT_DATA: _about_data,
    Meaning.REMEMBER: _remembered,
    Meaning.HELP: _help,
    Meaning.UNCLEAR: _help,
}
