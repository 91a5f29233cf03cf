"""`/metrics`, for a Prometheus server that knows WAGGLE_METRICS_TOKEN, and for operators who are signed in."""

from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.samples import Sample

from frontend import figures
from marketplace import metric_files, metrics


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Every metric in Prometheus' text format; 401 for others, and 404 where no token is set."""
    if not _may_read(request):
        if not settings.METRICS_TOKEN:
            return HttpResponse("not found\n", status=404, content_type="text/plain")
        return HttpResponse(
            "the token of WAGGLE_METRICS_TOKEN is needed\n",
            status=401,
            content_type="text/plain",
            headers={"WWW-Authenticate": "Bearer"},
        )
    registry = CollectorRegistry()
    registry.register(_Everything())
    return HttpResponse(
        generate_latest(registry), content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"}
    )


def _may_read(request: HttpRequest) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if given:
        known = bool(settings.METRICS_TOKEN) and constant_time_compare(given.strip(), settings.METRICS_TOKEN)
        return scheme.lower() == "bearer" and known
    return request.user.is_authenticated and request.user.is_operator and request.user.is_active


class _Everything:
    """A collector of prometheus-client: what processes have counted, and what the database knows."""

    def describe(self) -> list[Metric]:
        """Nothing beforehand: a registry that asks would collect twice."""
        return []

    def collect(self) -> Iterable[Metric]:
        """Every metric now."""
        yield from counted()
        for figure, values in figures.found(figures.stuck_things()):
            metric = Metric(figure.name, figure.help, figure.kind)
            name = f"{figure.name}_total" if figure.kind == "counter" else figure.name
            metric.samples = [
                Sample(name, dict(zip(figure.labels, labels, strict=True)), value) for labels, value in values.items()
            ]
            yield metric


def counted() -> list[Metric]:
    """What the processes that share WAGGLE_VAR have counted; this one alone where it counts without files."""
    found = metric_files.read(Path(settings.VAR_DIR))
    if settings.METRICS_FOLDER:
        return found
    mine = {metric.name: metric for metric in metric_files.of_kind(metrics.COUNTS.collect(), "web")}
    for metric in found:
        if metric.name in mine:
            mine[metric.name].samples += metric.samples
    return list(mine.values())
