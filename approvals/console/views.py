"""The page and its fragments. Reading needs the view permission; whatever changes something is a POST with its own."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.generic import TemplateView, View
from unfold.views import UnfoldModelAdminViewMixin

from approvals.console import bulk, claims, decide
from approvals.console.card import card, words_of
from approvals.console.checking import check_words
from approvals.console.queue import Queue, Wanted, next_after, queue
from approvals.models import ConsolePreference, QueuedResponse
from approvals.sms_workflow.decisions import Decider
from conversations.refusals import Conflict, Invalid, NotFound, Refusal

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

FOLDER = "admin/approvals/queuedresponse"
STATUS_OF = {Invalid: HTTPStatus.BAD_REQUEST, NotFound: HTTPStatus.NOT_FOUND, Conflict: HTTPStatus.CONFLICT}


def urls(admin: "ModelAdmin[QueuedResponse]") -> list[URLPattern]:
    """The addresses of the page, below the list of replies; each behind the admin's own door."""

    def at(route: str, view: type[View], name: str) -> URLPattern:
        return path(route, admin.admin_site.admin_view(view.as_view(model_admin=admin)), name=f"approvals_{name}")

    return [
        at("console/", Page, "console"),
        at("console/queue/", QueuePane, "console_queue"),
        at("console/bulk/", Bulk, "console_bulk"),
        at("console/keys/", Keys, "console_keys"),
        at("console/<uuid:response_id>/", CardPane, "console_card"),
        at("console/<uuid:response_id>/claim/", Claim, "console_claim"),
        at("console/<uuid:response_id>/release/", Release, "console_release"),
        at("console/<uuid:response_id>/check/", Check, "console_check"),
        at("console/<uuid:response_id>/<slug:decision>/", Decide, "console_decide"),
    ]


def decider(request: HttpRequest) -> Decider:
    """The signed-in person, and whether they may send in spite of a red gate."""
    return Decider(name=_me(request), may_override=_person(request).has_perm("approvals.override_gates"))


@method_decorator(ensure_csrf_cookie, name="dispatch")
class Page(UnfoldModelAdminViewMixin, TemplateView):  # type: ignore[misc]
    """The whole page: queue, and the first card (or the one that the address names)."""

    title = "Approvals"
    permission_required = ("approvals.view_queuedresponse",)
    template_name = f"{FOLDER}/console.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        wanted, me = Wanted.of(self.request.GET.dict()), _me(self.request)
        left = queue(wanted, me=me)
        shown = _shown(self.request.GET.get("card"), left)
        return super().get_context_data(
            **kwargs,
            **_card_context(self.request, shown, me),
            queue=left,
            categories=decide.CATEGORIES,
            snoozes=decide.Snooze.CHOICES,
            preference=ConsolePreference.objects.filter(user=self.request.user.pk).first() or ConsolePreference(),
            live_url=settings.LIVE_URL,
            is_fullwidth="1",
        )


def _shown(asked: str | None, left: Queue) -> UUID | None:
    keys = _keys([asked or ""])
    return keys[0] if keys else _first(left)


def _first(left: Queue) -> UUID | None:
    free = [row.reply.pk for row in left.rows if not row.holder]
    return free[0] if free else left.rows[0].reply.pk if left.rows else None


class Piece(UnfoldModelAdminViewMixin, View):  # type: ignore[misc]
    """A fragment of the page. A refusal of the flow is answered as JSON with its code and its sentence."""

    permission_required: Sequence[str] = ("approvals.view_queuedresponse",)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().dispatch(request, *args, **kwargs)
        except Refusal as refusal:
            return refused(refusal)


def refused(refusal: Refusal) -> JsonResponse:
    said = {"code": refusal.code, "message": refusal.message, "fields": refusal.fields}
    return JsonResponse(said, status=STATUS_OF[type(refusal)])


class QueuePane(Piece):
    """The left pane, or its next page (`after`)."""

    def get(self, request: HttpRequest) -> HttpResponse:
        left = queue(Wanted.of(request.GET.dict()), me=_me(request), after=request.GET.get("after", ""))
        template = "rows" if request.GET.get("after") else "queue"
        return render(request, f"{FOLDER}/_{template}.html", {"queue": left})


class CardPane(Piece):
    """The middle and the right pane. Looking claims nothing."""

    def get(self, request: HttpRequest, response_id: UUID) -> HttpResponse:
        return render(request, f"{FOLDER}/_card.html", _card_context(request, response_id, _me(request)))


class Claim(Piece):
    """Open a card to decide it, or keep it open: nobody else can decide it meanwhile."""

    permission_required = ("approvals.view_queuedresponse", "approvals.approve")

    def post(self, request: HttpRequest, response_id: UUID) -> HttpResponse:
        me = _me(request)
        mine = claims.claim(response_id, by=me)
        if request.POST.get("only"):
            return JsonResponse({"mine": mine})
        return render(request, f"{FOLDER}/_card.html", _card_context(request, response_id, me))


class Release(Piece):
    """Close a card without a decision."""

    permission_required = ("approvals.view_queuedresponse", "approvals.approve")

    def post(self, request: HttpRequest, response_id: UUID) -> HttpResponse:
        claims.release([response_id], by=_me(request))
        return HttpResponse(status=HTTPStatus.NO_CONTENT)


class Check(Piece):
    """Gates, figures, parts and differences of the words in the editor. A POST as words are long; changes nothing."""

    def post(self, request: HttpRequest, response_id: UUID) -> HttpResponse:
        replies = QueuedResponse.objects.select_related("conversation", "message")
        reply = replies.filter(pk=response_id).first()
        if reply is None:
            raise NotFound("not_found", "There is no such reply.")
        checked = check_words(reply, request.POST.get("text", "").replace("\r\n", "\n"))
        return JsonResponse(
            {
                "html": render_to_string(f"{FOLDER}/_checked.html", {"checked": checked}, request),
                "figures": [{"text": figure.text, "source": figure.source} for figure in checked.figures],
                "red": [gate.code for gate in checked.reds],
                "hard": any(gate.hard for gate in checked.reds),
                "folded": checked.folded,
                "edited": checked.edited,
            }
        )


class Decide(Piece):
    """One decision, by POST; the answer brings the next card along."""

    def post(self, request: HttpRequest, response_id: UUID, decision: str) -> HttpResponse:
        if decision not in decide.DECISIONS:
            raise NotFound("not_found", "There is no such decision.")
        form = decide.DECISIONS[decision](request.POST)
        if not _person(request).has_perm(form.permission):
            raise PermissionDenied
        if not form.is_valid():
            first = next(iter(form.errors.items()))
            raise Invalid(
                "invalid",
                f"{first[0].replace('_', ' ').capitalize()}: {first[1][0]}",
                fields={name: [str(error) for error in errors] for name, errors in form.errors.items()},
            )
        by = decider(request)
        result = decide.take(form, response_id, by)
        shown = response_id if decision in ("undo", "wake") else self._next(request, by.name)
        context = _card_context(request, shown, by.name, claim=True)
        return JsonResponse(
            {
                "said": form.said(result),
                "undo_seconds": settings.SEND_UNDO_SECONDS if form.undoable and _still_here(result) else 0,
                "card_id": str(shown or ""),
                "card": render_to_string(f"{FOLDER}/_card.html", context, request),
            }
        )

    def _next(self, request: HttpRequest, me: str) -> UUID | None:
        candidates = _keys(request.POST.get("next", "").split(","))[:5]
        return next_after(Wanted.of(QueryDict(request.POST.get("view", "")).dict()), me=me, candidates=candidates)


def _still_here(reply: QueuedResponse) -> bool:
    """Whether it leaves only in a while, so that it can be taken back."""
    return reply.not_before > timezone.now()


class Bulk(UnfoldModelAdminViewMixin, TemplateView):  # type: ignore[misc]
    """Every all-green text of a view in full; the chosen ones are approved by one POST."""

    title = "Approve several"
    permission_required = ("approvals.view_queuedresponse", "approvals.approve")
    template_name = f"{FOLDER}/bulk.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        wanted = Wanted.of(self.request.GET.dict())
        replies = bulk.all_green(wanted, me=_me(self.request))
        kept = {
            "wanted": wanted,
            "replies": [(reply, words_of(reply), bulk.fingerprint(reply)) for reply in replies],
            "undo_seconds": settings.SEND_UNDO_SECONDS,
        }
        return super().get_context_data(**kept, **kwargs)

    def post(self, request: HttpRequest) -> HttpResponse:
        chosen = _keys(request.POST.getlist("response"))
        shown = {key: request.POST.get(f"shown {key}", "") for key in chosen}
        done = bulk.approve_all(shown, by=decider(request))
        left = {
            reply.pk: reply for reply in QueuedResponse.objects.select_related("conversation").filter(pk__in=chosen)
        }
        return self.render_to_response(
            self.get_context_data(done=done, left=[(left.get(key), why) for key, why in done.left])
        )


class Keys(Piece):
    """Switch the single-letter keys on or off, for this person wherever they sign in."""

    def post(self, request: HttpRequest) -> HttpResponse:
        on = request.POST.get("on") == "yes"
        ConsolePreference.objects.update_or_create(user=_person(request), defaults={"keys": on})
        return JsonResponse({"keys": on})


def _keys(texts: Sequence[str]) -> list[UUID]:
    """The texts that are keys; what is none was not sent by our page."""
    return [UUID(text) for text in texts if re.fullmatch(r"[0-9a-f-]{36}", text) and text.count("-") == 4]


def _card_context(request: HttpRequest, shown: UUID | None, me: str, *, claim: bool = False) -> dict[str, Any]:
    person = _person(request)
    may = {
        name: person.has_perm(f"approvals.{name}") for name in ("approve", "escalate", "override_gates", "release_hold")
    }
    if shown is None:
        return {"card": None, "may": may}
    if claim and may["approve"]:
        claims.claim(shown, by=me)
    found = card(shown, me=me)
    return {
        "card": found,
        "may": may,
        "address": f"{reverse('admin:approvals_console')}?card={shown}",
        "words": words_of(found.reply),
        "undo_seconds": settings.SEND_UNDO_SECONDS,
    }


def _person(request: HttpRequest) -> User:
    person: User = request.user  # type: ignore[assignment]
    return person


def _me(request: HttpRequest) -> str:
    return _person(request).get_username()
