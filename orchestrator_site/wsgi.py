"""The WSGI entry point of the web processes."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orchestrator_site.settings")
application = get_wsgi_application()

# After Django is set up, before the server forks (`--preload`) and starts its threads.
from approvals.warmup import warm_up  # noqa: E402

warm_up()
