"""Sends a request to a replica of an endpoint: which variant, which replica, and what if that one does not answer.

A prediction changes nothing, so a request that one replica failed to answer is sent to another one: replicas that go,
or that are killed, cost no request. Knows neither where a request comes from nor how endpoints change.
"""

import random
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass

import orjson
import urllib3

from learning.models import Endpoint, EndpointReplica
from learning.services.hosting import capture, review_requests, reviewing, traffic
from learning.services.hosting.replica_tokens import token_of
from learning.services.hosting.replicas import ROUTES_SECONDS
from marketplace.errors import DomainError, EndpointBusy, EndpointNotReady, Invalid, ModelFailed

CONNECT_SECONDS = 2.0
MODEL_SECONDS = 60.0
"""How long a model may take, as SageMaker has it."""
TRIES = 4
MAX_BODY_BYTES = 6_291_456
NOT_HERE = (401, 404)
"""What somebody else says who listens at the address of a replica that is gone."""
_HTTP = urllib3.PoolManager(
    num_pools=64, maxsize=64, retries=False, timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=MODEL_SECONDS)
)


@dataclass(frozen=True)
class Answer:
    """What a replica said: its status (200, or 400, 413, 415 for a request that it cannot use) and its JSON body."""

    status: int
    body: bytes
    variant: str

    @property
    def message(self) -> str:
        """Why the request was refused."""
        try:
            return str(orjson.loads(self.body).get("message", ""))
        except orjson.JSONDecodeError:
            # What stands before the replicas of a cluster says it in plain text.
            return self.body[:300].decode(errors="replace")


@dataclass(frozen=True)
class Target:
    """One replica that takes requests. `weight`: of its variant, in shares of the endpoint's requests.

    `review`: when people are asked about an answer, None for never.
    """

    replica_id: int
    url: str
    variant_id: int
    variant: str
    weight: float
    plan: capture.Plan
    review: review_requests.Plan | None


class Router:
    """The routes of this process, read again after ROUTES_SECONDS, and how busy it keeps each replica."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._routes: dict[int, tuple[float, list[Target]]] = {}
        self._under_way: Counter[int] = Counter()

    def targets(self, endpoint: Endpoint, *, fresh: bool = False) -> list[Target]:
        """The replicas that take requests of the endpoint."""
        now = time.monotonic()
        with self._lock:
            until, found = self._routes.get(endpoint.pk, (0.0, []))
        if fresh or now >= until:
            found = _read(endpoint)
            with self._lock:
                # Endpoints that were deleted are not to stay here for ever.
                self._routes = {pk: kept for pk, kept in self._routes.items() if kept[0] + 60 > now}
                self._routes[endpoint.pk] = now + ROUTES_SECONDS, found
        return found

    def choose(self, targets: list[Target]) -> Target:
        """A variant by its weight, and of its replicas the one with the fewest requests of this process."""
        by_variant: dict[int, list[Target]] = defaultdict(list)
        for target in targets:
            by_variant[target.variant_id].append(target)
        some = list(by_variant.values())
        weights = [group[0].weight for group in some]
        group = random.choices(some, weights)[0] if any(weights) else random.choice(some)
        random.shuffle(group)
        with self._lock:
            return min(group, key=lambda target: self._under_way[target.replica_id])

    def ask(self, target: Target, image: bytes, content_type: str) -> urllib3.BaseHTTPResponse:
        """Send the request. Raises urllib3's errors."""
        with self._lock:
            self._under_way[target.replica_id] += 1
        try:
            headers = {"Content-Type": content_type, "Authorization": f"Bearer {token_of(target.replica_id)}"}
            return _HTTP.request("POST", f"{target.url}/invocations", body=image, headers=headers)
        finally:
            with self._lock:
                self._under_way[target.replica_id] -= 1
                if not self._under_way[target.replica_id]:
                    del self._under_way[target.replica_id]


ROUTER = Router()


def _read(endpoint: Endpoint) -> list[Target]:
    rows = (
        EndpointReplica.objects.filter(
            variant__deployment__endpoint=endpoint,
            variant__deployment__status__in=("Shifting", "Serving"),
            status="InService",
            retire_at=None,
        )
        .exclude(url="")
        .select_related("variant__deployment__config", "variant__model")
        .order_by("pk")
    )
    found = []
    totals: defaultdict[int, float] = defaultdict(float)
    served = {row.variant_id: row.variant for row in rows}
    for variant in served.values():
        totals[variant.deployment_id] += variant.weight
    review = reviewing.of(endpoint)
    plans = {pk: review_requests.plan_of(review, one) for pk, one in served.items()} if review is not None else {}
    for row in rows:
        variant, deployment = row.variant, row.variant.deployment
        weight = variant.weight / totals[deployment.pk] if totals[deployment.pk] else 0.0
        config = deployment.config
        plan = capture.Plan(config.capture_percent, config.capture_uri, tuple(config.capture_modes))
        share, asked = weight * deployment.share, plans.get(variant.pk)
        found.append(Target(row.pk, row.url, variant.pk, variant.name, share, plan, asked))
    return found


def invoke(
    *, endpoint: Endpoint, image: bytes, content_type: str, target_variant: str = "", inference_id: str = ""
) -> Answer:
    """The prediction for an image: a variant by weight, or the one named, answers.

    Raises Invalid for an unknown variant, EndpointNotReady when no replica serves, EndpointBusy when all queues are
    full, ModelFailed when every replica that was tried failed. A request that the model cannot use is no error: its
    Answer says so.
    """
    tried: set[int] = set()
    trouble: DomainError = EndpointNotReady(f"no instance of the endpoint {endpoint.name!r} answers at the moment")
    for attempt in range(TRIES):
        targets = _candidates(endpoint, target_variant, tried, fresh=attempt > 0)
        if not targets:
            break
        target = ROUTER.choose(targets)
        tried.add(target.replica_id)
        started = time.monotonic()
        try:
            response = ROUTER.ask(target, image, content_type)
        except urllib3.exceptions.HTTPError as error:
            trouble = ModelFailed(f"an instance did not answer: {type(error).__name__}")
            # One that is not there has met no request of ours: it has just ended, or its machine has.
            if not isinstance(error, urllib3.exceptions.ConnectTimeoutError | urllib3.exceptions.NewConnectionError):
                traffic.note(target.variant_id, seconds=None, error=True)
            if isinstance(error, urllib3.exceptions.ReadTimeoutError):
                break
            continue
        seconds = time.monotonic() - started
        if response.status == 429:
            trouble = EndpointBusy(
                f"every instance of the endpoint {endpoint.name!r} has as many requests waiting as it takes"
            )
            continue
        if response.status >= 500 or response.status in NOT_HERE:
            traffic.note(target.variant_id, seconds=seconds, error=True)
            trouble = ModelFailed(Answer(response.status, response.data, target.variant).message)
            continue
        return _answered(endpoint, target, response, image, content_type, inference_id, seconds)
    raise trouble


def _candidates(endpoint: Endpoint, variant: str, tried: set[int], *, fresh: bool) -> list[Target]:
    targets = ROUTER.targets(endpoint, fresh=fresh)
    if not targets and not fresh:
        # The replicas may have become ready since the routes were read.
        targets = ROUTER.targets(endpoint, fresh=True)
    if variant:
        known = {target.variant for target in targets}
        if targets and variant not in known:
            raise Invalid(f"{variant!r} found, one of {', '.join(sorted(known))} expected", field="target_variant")
        targets = [target for target in targets if target.variant == variant]
    return [target for target in targets if target.replica_id not in tried]


def _answered(
    endpoint: Endpoint,
    target: Target,
    response: urllib3.BaseHTTPResponse,
    image: bytes,
    content_type: str,
    inference_id: str,
    seconds: float,
) -> Answer:
    answer = Answer(response.status, response.data, target.variant)
    traffic.note(target.variant_id, seconds=seconds, refused=answer.status != 200)
    if answer.status == 200 and target.plan.draws():
        capture.keep(
            capture.Sample(
                plan=target.plan,
                endpoint=endpoint.name,
                variant=target.variant,
                content_type=content_type,
                image=image,
                answer=answer.body,
                inference_id=inference_id,
                at=capture.now(),
            )
        )
    if answer.status == 200 and target.review is not None:
        review_requests.consider(
            plan=target.review,
            endpoint=endpoint,
            variant_id=target.variant_id,
            image=image,
            answer=answer.body,
            inference_id=inference_id,
        )
    return answer
