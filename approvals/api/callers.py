"""Who calls, and which conversation they mean."""

from django.contrib.auth.models import AbstractUser
from rest_framework.request import Request

from approvals.sms_workflow.decisions import Decider
from conversations.models import Conversation
from conversations.refusals import Conflict, NotFound


def decider(request: Request, manager_id: str = "") -> Decider:
    """Who decides: a signed-in person by name, or a service, for the manager whom it names."""
    if isinstance(request.user, AbstractUser):
        return Decider(name=request.user.get_username(), may_override=request.user.has_perm("approvals.override_gates"))
    name = f"{manager_id} via {request.user}" if manager_id else str(request.user)
    return Decider(name=name[:150], may_override=getattr(request.user, "role", "") == "manager")


def may_escalate(request: Request) -> bool:
    """A person needs a permission of its own for it; a service's role covers all three actions."""
    return not isinstance(request.user, AbstractUser) or request.user.has_perm("approvals.escalate")


def conversation_known_as(any_id: str) -> Conversation:
    """By our id or the caller's own. Raises NotFound; Conflict when several telephones came with that id."""
    found = list(Conversation.objects.known_as(any_id)[:2])
    if not found:
        raise NotFound("not_found", f"There is no conversation {any_id!r}.")
    if len(found) > 1:
        message = f"Several telephones came with the conversation id {any_id!r}. Use our own id of the one meant."
        raise Conflict("ambiguous_conversation", message)
    return found[0]
