"""The operator's page of the system: which parts work, what is going on, and what does not go on by itself."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from prometheus_client import Metric

from frontend import automation, figures, metrics_page, words
from frontend.session import operator_page
from marketplace import metrics
from marketplace.services import condition, heartbeats

SLOW = 0.95
"""The share of requests that are answered within the time that is shown."""

WORDS = {
    "queue": _("Queue"),
    "target": _("Webhook or event target"),
    "workers": _("No workers"),
    "attempts": _("Background work"),
    "learner": _("Learner"),
    "run": _("Program"),
    "endpoint": _("Endpoint"),
    "part": _("Part of the installation"),
}
PROGRAM_WORDS = {
    "modelimport": gettext_noop("Model imports"),
    "transformjob": gettext_noop("Predictions"),
    "trainingjob": gettext_noop("Trainings"),
    "endpointreplica": gettext_noop("Endpoint instances"),
}


@dataclass(frozen=True)
class Machine:
    """A queue or a learner of a machine, as its heartbeat tells."""

    kind: str
    place: str
    seen_at: Any
    lives: bool
    figures: dict[str, Any]

    @property
    def gpus(self) -> list[dict[str, Any]]:
        """Its GPUs, with the use and the filled part of the memory in percent."""
        return [
            {
                **gpu,
                "use_percent": None if gpu.get("use") is None else round(100 * gpu["use"]),
                "gib_used": None if gpu.get("memory_used") is None else gpu["memory_used"] / 2**30,
                "gib_total": None if gpu.get("memory_total") is None else gpu["memory_total"] / 2**30,
            }
            for gpu in self.figures.get("gpus", [])
        ]


@operator_page
def page(request: HttpRequest) -> HttpResponse:
    """The whole page."""
    return render(request, "operator/system.html", _now())


@operator_page
def now(request: HttpRequest) -> HttpResponse:
    """Its part that is asked for again every few seconds."""
    return render(request, "operator/system_now.html", _now())


def _now() -> dict[str, Any]:
    stuck = figures.stuck_things()
    found = {figure.name: values for figure, values in figures.found(stuck)}
    programs: dict[str, dict[str, int]] = defaultdict(dict)
    for (kind, state), number in found.get(metrics.PROGRAMS.name, {}).items():
        programs[gettext(PROGRAM_WORDS.get(kind, kind))][state] = int(number)
    micros, entries = found.get(metrics.LEDGER_MICROS.name, {}), found.get(metrics.LEDGER_ENTRIES.name, {})
    return {
        "at": timezone.now(),
        "parts": condition.parts(),
        "stuck": [(WORDS[one.what], one) for one in stuck],
        "depth": {key[0]: int(value) for key, value in found.get(metrics.QUEUE_DEPTH.name, {}).items()},
        "oldest": found.get(metrics.QUEUE_OLDEST.name, {}).get((), 0.0),
        "leases": {key[0]: int(value) for key, value in found.get(metrics.LEASES.name, {}).items()},
        "open_queues": int(found.get(metrics.JOBS.name, {}).get((), 0)),
        "programs": dict(programs),
        "endpoints": {key[0]: int(value) for key, value in found.get(metrics.ENDPOINTS.name, {}).items()},
        "replicas": {key[0]: int(value) for key, value in found.get(metrics.REPLICAS.name, {}).items()},
        "spending": [(words.ENTRIES.get(kind, kind), micros[kind,], int(entries[kind,])) for (kind,) in sorted(micros)],
        "machines": _machines(),
        "learning": automation.installed(),
        **_counted(metrics_page.counted()),
    }


def _machines() -> list[Machine]:
    at = timezone.now()
    return [
        Machine(row.kind, row.place, row.seen_at, heartbeats.lives(row, at), row.figures) for row in heartbeats.every()
    ]


def _counted(counted: Iterable[Metric]) -> dict[str, Any]:
    """What the processes have counted since they were started, added up."""
    sums: dict[tuple[str, str], float] = defaultdict(float)
    buckets: dict[float, float] = defaultdict(float)
    for metric in counted:
        for sample in metric.samples:
            kind = sample.labels.get("outcome") or sample.labels.get("status", "")[:1]
            sums[sample.name, kind] += sample.value
            if sample.name == "waggle_request_seconds_bucket":
                buckets[float(sample.labels["le"])] += sample.value
    requests = {status: number for (name, status), number in sums.items() if name == "waggle_requests_total"}
    return {
        "requests": int(sum(requests.values())),
        "request_errors": int(requests.get("5", 0)),
        "within": _within(buckets),
        "claims": int(sums["waggle_claims_total", "given"]),
        "submits": int(sums["waggle_submits_total", "accepted"]),
        "errors": int(sums["waggle_errors_total", ""]),
        "messages_done": int(sums["waggle_queue_messages_total", "done"]),
        "messages_failed": int(sums["waggle_queue_messages_total", "failed"]),
    }


def _within(buckets: dict[float, float]) -> str:
    """In how many seconds most requests were answered, by the bounds of the histogram."""
    total = buckets.get(float("inf"), 0.0)
    if not total:
        return ""
    bound = min(le for le, number in buckets.items() if number >= SLOW * total)
    largest = max(le for le in buckets if le != float("inf"))
    return gettext("over {bound} s").format(bound=f"{largest:g}") if bound == float("inf") else f"{bound:g} s"
