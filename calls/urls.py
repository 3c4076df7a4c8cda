from django.contrib.auth.views import LogoutView
from django.urls import path

from calls import api, views

urlpatterns = [
    path("assistant/", views.Assistant.as_view(), name="assistant"),
    path("assistant/sign-in/", views.SignIn.as_view(), name="assistant-sign-in"),
    path("assistant/sign-out/", LogoutView.as_view(next_page="assistant-sign-in"), name="assistant-sign-out"),
    path("chat", api.Chat.as_view()),
    path("chat/messages", api.Messages.as_view()),
    path("context", api.Context.as_view()),
    path("calls/tasks/<uuid:task_id>", api.Task.as_view()),
    path("calls/results", api.CallResults.as_view()),
    # As the older guide of the call handler spells it.
    path("calls/result", api.CallResults.as_view()),
    path("calls/twilio/status", api.TwilioStatus.as_view()),
]
