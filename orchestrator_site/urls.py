"""Every address of the system; each view says itself who may call it."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from orchestrator_site import dashboard, health, metrics, theme

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("orchestrate/", include("approvals.urls")),
    path("", include("calls.urls")),
    path("favicon.ico", theme.favicon_ico),
    path("health", health.Liveness.as_view()),
    path("health/dependencies", health.Dependencies.as_view()),
    path("metrics", metrics.Prometheus.as_view()),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("admin/auto-send/", admin.site.admin_view(dashboard.turn_auto_send), name="turn-auto-send"),
    path("admin/", admin.site.urls),
]

handler400 = "orchestrator_site.errors.bad_request"
handler403 = "orchestrator_site.errors.forbidden"
handler404 = "orchestrator_site.errors.page_not_found"
handler500 = "orchestrator_site.errors.server_error"
