"""The chat page: rendered here, usable without JavaScript, made live by `static/assistant/chat.js`."""

from contextlib import suppress
from typing import Any

from django.conf import settings
from django.contrib.auth.mixins import LoginRequiredMixin, PermissionRequiredMixin
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.generic import TemplateView

from calls.chat_workflow.chats import User, chat_of, state_of
from calls.chat_workflow.receiving import receive_message
from calls.models import ChatMessage
from calls.replies import RIGHT_TO_LEFT, languages, page_words
from conversations.refusals import Invalid

# The page shows the newest lines; the others stay in the context, where everything is.
LINES = 100
LONGEST_MESSAGE = 4000


class SignIn(LoginView):
    """For people who use the assistant and have nothing to do in the admin."""

    template_name = "assistant/sign_in.html"
    next_page = "assistant"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, **_spoken(_first_language(self.request)))


class Assistant(LoginRequiredMixin, PermissionRequiredMixin, TemplateView):
    """A signed-in person's own chat, in the language that is spoken in it."""

    template_name = "assistant/chat.html"
    login_url = "assistant-sign-in"
    permission_required = "calls.use_assistant"

    def handle_no_permission(self) -> Any:
        # Who is signed in and may not is told so; a sign-in page would send them round in circles.
        self.raise_exception = self.request.user.is_authenticated
        return super().handle_no_permission()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        chat = chat_of(_user(self.request))
        language = chat.language if chat else _first_language(self.request)
        lines = list(chat.messages.order_by("-seq")[:LINES])[::-1] if chat else []
        state, _ = state_of(chat)
        return super().get_context_data(
            **kwargs,
            **_spoken(language),
            lines=lines,
            last=lines[-1] if lines else None,
            state=state,
            state_words=page_words(language)[state],
            pending=any(line.status != ChatMessage.Status.SETTLED for line in lines),
            all_words={code: page_words(code) for code in languages()},
            longest=LONGEST_MESSAGE,
            live_url=settings.LIVE_URL,
            simulated=settings.SIMULATED_UPSTREAMS,
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        """Without JavaScript: takes the message in and shows the page again."""
        # An empty message says nothing, and nothing is answered.
        with suppress(Invalid):
            receive_message(_user(request), request.POST.get("message", "")[:LONGEST_MESSAGE])
        return redirect("assistant")


def _user(request: HttpRequest) -> User:
    return User.signed_in(str(request.user.pk))


def _spoken(language: str) -> dict[str, Any]:
    """What every page in a language needs."""
    direction = "rtl" if language in RIGHT_TO_LEFT else "ltr"
    return {"language": language, "direction": direction, "words": page_words(language)}


def _first_language(request: HttpRequest) -> str:
    wanted = str(getattr(request, "LANGUAGE_CODE", "en"))[:2]
    return wanted if wanted in languages() else "en"
