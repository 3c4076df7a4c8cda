"""`GET /metrics` for Prometheus: gauges read from the database at the scrape, so they are true across processes."""

from collections.abc import Iterator
from typing import cast

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from rest_framework.request import Request
from rest_framework.views import APIView

from approvals.reports import MetricsReport, metrics_report
from orchestrator_site.models import CircuitBreaker


class Prometheus(APIView):
    """Text in the Prometheus exposition format."""

    roles = {"manager", "dashboard"}
    permission = "approvals.retry"

    @extend_schema(responses={(200, "text/plain"): str})
    def get(self, request: Request) -> HttpResponse:
        registry = CollectorRegistry()
        registry.register(Figures(metrics_report()))
        return HttpResponse(generate_latest(registry), content_type="text/plain; version=0.0.4; charset=utf-8")


class Figures(Collector):
    """The report's figures under Prometheus names, and the state of every circuit breaker."""

    def __init__(self, report: MetricsReport) -> None:
        self.report = report

    def collect(self) -> Iterator[Metric]:
        for period, figures in self.report.items():
            for name, value in cast(dict[str, float | None], figures).items():
                gauge = GaugeMetricFamily(
                    f"orchestrator_{period}_{name}", f"{name}, {period}: see GET /orchestrate/metrics"
                )
                if value is not None:
                    gauge.add_metric([], float(value))
                yield gauge
        opened = GaugeMetricFamily(
            "orchestrator_circuit_open", "1 while the upstream is left in peace", labels=["upstream"]
        )
        for breaker in CircuitBreaker.objects.all():
            opened.add_metric([breaker.name], float(breaker.state != CircuitBreaker.State.CLOSED))
        yield opened
