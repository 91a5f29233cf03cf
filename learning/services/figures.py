"""What the metrics and the operator's page tell of this room: programs, learners, GPUs, endpoints."""

from collections import Counter
from datetime import datetime, timedelta

from django.db.models import Count, Exists, F, Min, OuterRef, Q
from django.utils import timezone

from learning.models import Deployment, Endpoint, EndpointReplica
from learning.services.programs.kinds import KINDS
from marketplace import metrics, stuck
from marketplace.models import Heartbeat
from marketplace.services import heartbeats
from marketplace.stuck import Stuck

SILENT = timedelta(minutes=2)
"""After how long without a heartbeat a run that a learner holds is listed."""

WAITED = timedelta(minutes=10)
"""After how long a run that waits is listed where no learner works."""

UNSERVED = timedelta(minutes=5)
"""After how long an endpoint of which no instance answers is listed."""


def found() -> metrics.Found:
    """The figures. Raises DatabaseError. Only runs that are not over are looked at; each kind has an index of them."""
    now = timezone.now()
    programs: metrics.Values = {}
    oldest: metrics.Values = {}
    for kind in KINDS:
        waiting, stopping = Q(claimed_by=""), Q(status=kind.stopping)
        row = kind.model.objects.filter(status__in=kind.live).aggregate(
            waiting=Count("pk", filter=waiting & ~stopping),
            running=Count("pk", filter=~waiting & ~stopping),
            stopping=Count("pk", filter=stopping),
            oldest=Min("created_at", filter=waiting & ~stopping & Q(started_at=None)),
        )
        programs |= {(kind.name, state): float(row[state]) for state in ("waiting", "running", "stopping")}
        oldest[kind.name,] = (now - row["oldest"]).total_seconds() if row["oldest"] else 0.0
    endpoints = Endpoint.objects.values_list("status").annotate(n=Count("pk")).order_by()
    live = EndpointReplica.objects.filter(status__in=["Creating", "InService", "Deleting"])
    replicas = live.values_list("status").annotate(n=Count("pk")).order_by()
    return [
        (metrics.PROGRAMS, programs),
        (metrics.PROGRAM_OLDEST, oldest),
        (metrics.ENDPOINTS, {(status,): float(n) for status, n in endpoints}),
        (metrics.REPLICAS, {(status,): float(n) for status, n in replicas}),
        *_gpus(now),
    ]


def learners() -> list[Heartbeat]:
    """The learners that live."""
    now = timezone.now()
    return [row for row in heartbeats.every(heartbeats.LEARNER) if heartbeats.lives(row, now)]


def _gpus(now: datetime) -> metrics.Found:
    use: metrics.Values = {}
    memory: metrics.Values = {}
    celsius: metrics.Values = {}
    for learner in learners():
        for number, gpu in enumerate(learner.figures.get("gpus", [])):
            key = (learner.place, str(number))
            if gpu.get("use") is not None:
                use[key] = float(gpu["use"])
            if gpu.get("celsius") is not None:
                celsius[key] = float(gpu["celsius"])
            for of in ("used", "total"):
                if gpu.get(f"memory_{of}") is not None:
                    memory[(*key, of)] = float(gpu[f"memory_{of}"])
    return [(metrics.GPU_USE, use), (metrics.GPU_MEMORY, memory), (metrics.GPU_CELSIUS, celsius)]


def stuck_things() -> list[Stuck]:
    """Runs that nobody runs, and endpoints that nobody serves. Raises DatabaseError."""
    now = timezone.now()
    return [*_silent_runs(now), *([] if learners() else _waiting_runs(now)), *_unserved(now)]


def _silent_runs(now: datetime) -> list[Stuck]:
    found: list[Stuck] = []
    for kind in KINDS:
        rows = kind.model.objects.filter(status__in=kind.live, heartbeat_at__lt=now - SILENT).exclude(claimed_by="")
        for run in rows.order_by("heartbeat_at")[: stuck.MOST]:
            about = f"{kind.model._meta.verbose_name} {run.name!r} is held by a learner that is silent"
            remedy = "start `manage.py run_programs`: it takes the run over and goes on from its last checkpoint"
            found.append(Stuck(stuck.RUN, about, remedy, run.heartbeat_at))
    return found[: stuck.MOST]


def _waiting_runs(now: datetime) -> list[Stuck]:
    waiting: Counter[str] = Counter()
    since: list[datetime] = []
    for kind in KINDS:
        rows = kind.model.objects.filter(status__in=kind.live, claimed_by="", created_at__lt=now - WAITED)
        row = rows.aggregate(n=Count("pk"), since=Min("created_at"))
        waiting[str(kind.model._meta.verbose_name)] += row["n"]
        since += [row["since"]] if row["since"] else []
    if not since:
        return []
    named = ", ".join(f"{n} {name}{'s' if n > 1 else ''}" for name, n in waiting.items() if n)
    remedy = "start `manage.py run_programs` on a machine that reaches the database and the store"
    return [Stuck(stuck.LEARNER, f"{named} waiting, and no learner works", remedy, min(since))]


def _unserved(now: datetime) -> list[Stuck]:
    """Endpoints that are to serve, with variants that want instances, of which none has been ready for a while."""
    serving = Deployment.objects.filter(
        endpoint=OuterRef("pk"), status__in=["Serving", "Shifting"], variants__instance_count__gt=0
    )
    ready = EndpointReplica.objects.filter(variant__deployment__endpoint=OuterRef("pk"), status="InService")
    rows = Endpoint.objects.filter(Exists(serving), ~Exists(ready), status__in=["InService", "Updating", "RollingBack"])
    newest = EndpointReplica.objects.filter(variant__deployment__endpoint=OuterRef("pk")).order_by("-status_changed_at")
    rows = rows.annotate(silent=newest.values("status_changed_at")[:1]).select_related("account")
    late = Q(silent=None, status_changed_at__lt=now - UNSERVED) | Q(silent__lt=now - UNSERVED)
    return [
        Stuck(
            stuck.ENDPOINT,
            f"endpoint {row.name!r} of {row.account.name} has no instance that answers",
            "look whether a learner works and has serving slots left (WAGGLE_LEARNER_SERVING_SLOTS), and at the "
            "endpoint's page for the reason of its instances",
            row.silent or row.status_changed_at,
        )
        for row in rows.filter(late).order_by(F("silent").asc(nulls_first=True))[: stuck.MOST]
    ]
