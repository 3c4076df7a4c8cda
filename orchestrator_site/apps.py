from django.apps import AppConfig


class OrchestratorSiteConfig(AppConfig):
    """Composition: it puts the rooms together and owns what is nobody else's (tokens, breakers' state)."""

    name = "orchestrator_site"
    verbose_name = "System"

    def ready(self) -> None:
        from orchestrator_site import checks  # noqa: F401 registers itself
