"""The decisions of the page: one form each, with its permission, the call into the flow, and what is said after."""

from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.utils import timezone

from approvals.console import claims
from approvals.models import QueuedResponse
from approvals.policy.escalation import Category
from approvals.sms_workflow import decisions
from approvals.sms_workflow.decisions import Decider

MORNING = 9
# What a person may choose; the others are found by the rules alone.
CATEGORIES = {
    Category.MANUAL: "Something else",
    Category.SUPERVISOR_REQUEST: "Wants to speak to a person",
    Category.DISPUTE: "Disputes the amount",
    Category.HOSTILE: "Hostile or threatening",
    Category.LEGAL: "Legal matter",
    Category.ATTORNEY_REPRESENTED: "Has a lawyer",
    Category.BANKRUPTCY: "Bankruptcy",
    Category.SELF_HARM_OR_EMERGENCY: "Emergency, danger to life",
}


class Decision(forms.Form):
    """A decision: its fields are checked here, everything else by the flow."""

    permission: ClassVar[str] = "approvals.approve"
    undoable: ClassVar[bool] = False

    def take(self, response_id: UUID, by: Decider) -> Any:
        """Calls the flow, which raises a Refusal when it will not."""
        raise NotImplementedError

    def said(self, result: Any) -> str:
        """One sentence for the manager about what has happened."""
        raise NotImplementedError


class Approve(Decision):
    """Send the words in the editor: an approval when they are the draft's, else a modification."""

    undoable = True
    text = forms.CharField(max_length=1600, strip=False, required=False)
    override_reason = forms.CharField(max_length=2000, required=False)

    def take(self, response_id: UUID, by: Decider) -> QueuedResponse:
        return decisions.modify(
            response_id,
            by=by,
            text=self.cleaned_data["text"].replace("\r\n", "\n"),
            override_reason=self.cleaned_data["override_reason"],
            after=timedelta(seconds=settings.SEND_UNDO_SECONDS),
        )

    def said(self, result: QueuedResponse) -> str:
        what = "Your words go" if result.manager_action == QueuedResponse.Action.MODIFY else "Approved. It goes"
        return f"{what} to {result.conversation}."


class Escalate(Decision):
    """Nothing is sent; a person takes over."""

    permission = "approvals.escalate"
    category = forms.ChoiceField(choices=[(str(code), words) for code, words in CATEGORIES.items()])
    reason = forms.CharField(max_length=2000)

    def take(self, response_id: UUID, by: Decider) -> QueuedResponse:
        return decisions.escalate(response_id, by=by, **self.cleaned_data)

    def said(self, result: QueuedResponse) -> str:
        return f"Escalated: {result.conversation}. No text was sent."


class Redraft(Decision):
    """A note goes to the model, a new draft comes."""

    note = forms.CharField(max_length=1000)

    def take(self, response_id: UUID, by: Decider) -> Any:
        return decisions.redraft(response_id, by=by, note=self.cleaned_data["note"])

    def said(self, result: Any) -> str:
        return f"A new draft for {result.conversation} is being written."


class Snooze(Decision):
    """Put aside until a time."""

    CHOICES: ClassVar[dict[str, str]] = {
        "hour": "In an hour",
        "three_hours": "In three hours",
        "tomorrow": "Tomorrow at 9",
        "monday": "On Monday at 9",
    }
    until = forms.ChoiceField(choices=list(CHOICES.items()))

    def take(self, response_id: UUID, by: Decider) -> QueuedResponse:
        until = wake_up_time(self.cleaned_data["until"], timezone.now(), ZoneInfo(settings.CONTACT_TIME_ZONE))
        return decisions.snooze(response_id, by=by, until=until)

    def said(self, result: QueuedResponse) -> str:
        return f"Snoozed: {result.conversation}, {self.CHOICES[self.cleaned_data['until']].lower()}."


class Wake(Decision):
    """Take a snoozed card back into the queue."""

    def take(self, response_id: UUID, by: Decider) -> QueuedResponse:
        return decisions.wake_up(response_id, by=by)

    def said(self, result: QueuedResponse) -> str:
        return f"{result.conversation} waits again."


class Close(Decision):
    """No reply is wanted."""

    reason = forms.CharField(max_length=2000, required=False)

    def take(self, response_id: UUID, by: Decider) -> QueuedResponse:
        return decisions.close(response_id, by=by, reason=self.cleaned_data["reason"])

    def said(self, result: QueuedResponse) -> str:
        return f"Closed without a reply: {result.conversation}."


class Undo(Decision):
    """Take a decision back before the text has left."""

    def take(self, response_id: UUID, by: Decider) -> QueuedResponse:
        return decisions.undo(response_id, by=by)

    def said(self, result: QueuedResponse) -> str:
        return f"Taken back: nothing was sent to {result.conversation}."


DECISIONS: dict[str, type[Decision]] = {
    "approve": Approve,
    "escalate": Escalate,
    "redraft": Redraft,
    "snooze": Snooze,
    "wake": Wake,
    "close": Close,
    "undo": Undo,
}


def take(form: Decision, response_id: UUID, by: Decider) -> Any:
    """The decision on a card that nobody else has open; the card is closed behind it."""
    claims.must_be_free(response_id, by=by.name)
    result = form.take(response_id, by)
    claims.release([response_id], by=by.name)
    return result


def wake_up_time(choice: str, now: datetime, zone: ZoneInfo) -> datetime:
    """When a snoozed card comes back, in the house's time zone."""
    local = now.astimezone(zone)
    morning = local.replace(hour=MORNING, minute=0, second=0, microsecond=0)
    if choice == "tomorrow":
        return morning + timedelta(days=1)
    if choice == "monday":
        return morning + timedelta(days=7 - local.weekday())
    return now + timedelta(hours=3 if choice == "three_hours" else 1)
