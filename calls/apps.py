from django.apps import AppConfig


class CallsConfig(AppConfig):
    """From a chat message to a finished telephone call."""

    name = "calls"
