from django.apps import AppConfig


class ConversationsConfig(AppConfig):
    """The ledger: who wrote what to whom, and who must not be contacted."""

    name = "conversations"
