"""What `manage.py check --deploy` says of a production that would start, but not do its work."""

from typing import Any

from django.conf import settings
from django.core.checks import Tags, Warning, register


@register(Tags.compatibility, deploy=True)
def somebody_is_told(app_configs: Any, **_: Any) -> list[Warning]:
    if settings.MANAGER_EMAIL:
        return []
    return [
        Warning("Nobody is told of waiting replies and escalations.", hint="Set MANAGER_EMAIL.", id="orchestrator.W001")
    ]


@register(Tags.compatibility, deploy=True)
def a_model_drafts(app_configs: Any, **_: Any) -> list[Warning]:
    if settings.OPENAI_API_KEY:
        return []
    return [
        Warning(
            "No reply can be drafted.", hint="Set OPENAI_API_KEY, or any word for a gateway.", id="orchestrator.W002"
        )
    ]
