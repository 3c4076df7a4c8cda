from django.apps import AppConfig


class ApprovalsConfig(AppConfig):
    """Every reply's way to being sent."""

    name = "approvals"
