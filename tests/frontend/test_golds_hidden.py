"""Nothing that a worker's browser or program receives tells a gold from any other task."""

import itertools
import re

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from frontend.images import image_url, read_token
from labeling.models import Assignment, Gold, GoldResult, Task
from labeling.services.golds import scoring
from labeling.services.jobs import advancing
from marketplace.errors import NotFound
from marketplace.services import reputation
from tests.labeling import stories
from tests.labeling.golds import TRUE, a_job_with_golds

pytestmark = pytest.mark.django_db
PAGES = ("worker:jobs", "worker:history", "worker:earnings", "worker:conduct")
LISTS = ("work", "worker/answers", "earnings", "assignments", "worker/accuracies", "worker/findings")


@pytest.fixture
def unlike_ids():
    """Keys of tasks, objects, batches and golds that no other number in a response can be taken for."""
    with connection.cursor() as cursor:
        for place, table in enumerate(("task", "dataobject", "batch", "gold", "goldresult")):
            cursor.execute(f"SELECT setval('labeling_{table}_id_seq', {7_310_000 + 10_000 * place})")


def shape(value):
    """The value without what differs between any two tasks: numbers, times, keys and addresses."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    if isinstance(value, list):
        return [shape(one) for one in value]
    if isinstance(value, str):
        return re.sub(r"\d|/images/[\w-]{43}$", lambda m: "#" if len(m[0]) == 1 else "/images/#", value)
    return type(value).__name__


def said(response):
    """Everything in a response, as one text."""
    return "\n".join(f"{name}: {value}" for name, value in response.headers.items()) + response.content.decode()


class Watcher:
    """A worker who keeps everything they are sent about each of their tasks."""

    def __init__(self, worker, job):
        self.worker, self.job, self.client = worker, job, Client()
        self.client.force_login(worker.user)
        self.texts = []
        # Golds and other tasks are ended in the same ways, each kind in turn.
        self.ends = {gold: itertools.cycle(["submit", "decline", "submit", "return"]) for gold in (True, False)}

    def ask(self, method, path, **more):
        response = getattr(self.client, method)(path if path.startswith("/") else f"/api/v1/{path}", **more)
        assert response.status_code == 200, (path, response.content[:300])
        self.texts.append(said(response))
        return response

    def post(self, path, body=None, **more):
        return self.ask("post", path, data=body or {}, content_type="application/json", **more)

    def one_task(self):
        """Take a task and end it; returns if it was a gold, how it ended, the shapes of what was sent, and more."""
        before = self.ask("get", "work").json()["results"]
        claimed = self.post(f"work-queues/{self.job.queue_id}/claim?hint=true")
        seat = claimed.json()["assignment"]
        gold = Assignment.objects.get(pk=seat["id"]).task.gold_id is not None
        end = next(self.ends[gold])
        held = self.ask("get", f"assignments/{seat['id']}")
        if end == "submit":
            ended = self.post(f"assignments/{seat['id']}/submit", {"answer": TRUE, "seconds": 5})
        else:
            ended = self.post(f"assignments/{seat['id']}/{end}")
        lists = {name: self.ask("get", name).json() for name in LISTS}
        answered = [row for row in lists["worker/answers"]["results"] if row["assignment_id"] == seat["id"]]
        paid = lists["earnings"]["results"][:1] if answered else []
        everything = {
            "claim": claimed.json(),
            "claim headers": sorted(claimed.headers.items()),
            "held": held.json(),
            "ended": ended.json(),
            "ended headers": sorted(ended.headers.items()),
            "answers": answered,
            "earnings": paid,
        }
        return gold, end, shape(everything), seat, (before, lists["work"]["results"])


@pytest.mark.parametrize("review_days", [None, 3])
def test_golds_and_other_tasks_look_alike_in_every_answer(unlike_ids, review_days):
    job, (worker, *_), _ = a_job_with_golds(golds=12, objects=60, rate=40, review_days=review_days)
    watcher = Watcher(worker, job)
    shapes = {True: {}, False: {}}
    seats = []
    for _ in range(24):
        gold, end, seen, seat, (before, after) = watcher.one_task()
        shapes[gold].setdefault(end, []).append(seen)
        seats.append(seat)
        if end == "submit":
            assert after[0]["tasks_left"] == before[0]["tasks_left"] - 1
            assert {**after[0], "tasks_left": 0} == {**before[0], "tasks_left": 0}
    for end in ("submit", "decline", "return"):
        kinds = [{repr(one) for one in shapes[gold].get(end, [])} for gold in (True, False)]
        assert kinds[0] and kinds[0] == kinds[1], end
    for page in PAGES:
        watcher.ask("get", reverse(page))
    # The ids of assignments are drawn at the claim; those of tasks and objects, which would tell, are nowhere.
    tasks = Task.objects.filter(queue=job.queue)
    keys = {str(pk) for row in tasks.values_list("pk", "data_object", "batch", "gold") for pk in row if pk}
    text = "\n".join(watcher.texts)
    assert len(keys) > 140 and not {key for key in keys if key in text}
    numbers = [seat["task_id"] for seat in seats]
    assert len(set(numbers)) > 15 and numbers != sorted(numbers)
    # The one field that will tell of it, later, is null for all.
    assert "gold" not in text.lower().replace('"gold":null', "")


def test_the_image_named_ahead_is_that_of_the_next_task():
    job, (worker, *_), _ = a_job_with_golds(golds=8, objects=30, rate=40)
    watcher, named = Watcher(worker, job), None
    for _ in range(20):
        claimed = watcher.post(f"work-queues/{job.queue_id}/claim?hint=true").json()
        assert named in (None, claimed["assignment"]["image_url"])
        named = claimed["next"]["image_url"]
        watcher.post(f"assignments/{claimed['assignment']['id']}/submit", {"answer": TRUE, "seconds": 5})
    assert GoldResult.objects.filter(worker=worker, assignment__isnull=False).count() == 8


def test_scores_change_nothing_that_the_worker_sees_while_the_gold_is_in_use():
    job, (worker, *_), _ = a_job_with_golds(golds=8, objects=30, rate=40)
    watcher = Watcher(worker, job)
    for _ in range(10):
        watcher.one_task()
    before = [watcher.ask("get", f"/api/v1/{name}").json() for name in LISTS]
    advancing.advance_job(job.pk)
    assert GoldResult.objects.filter(worker=worker, score__isnull=False).exists()
    assert reputation.sums_of(worker).exists()
    assert [watcher.ask("get", f"/api/v1/{name}").json() for name in LISTS] == before


def test_the_address_of_an_image_is_stable_and_cannot_be_made():
    one, other = image_url(5, 7), image_url(6, 7)
    assert one == image_url(5, 7) and read_token(one.rsplit("/", 1)[1]) == (5, 7)
    token, another = (address.rsplit("/", 1)[1] for address in (one, other))
    for wrong in (token[:-1], token[:20] + another[20:], "", "é", "a" * 43, "*" * 43):
        with pytest.raises(NotFound):
            read_token(wrong)
    # Objects that follow each other have addresses that have nothing in common.
    assert sum(a == b for a, b in zip(token, another, strict=True)) < 10


def test_their_accuracy_tells_a_worker_of_golds_only_when_these_are_not_in_use():
    job, (worker, *_), golds = a_job_with_golds(golds=4, objects=20, rate=40)
    stories.work(worker, job)
    scoring.score_new(job)
    client = Client()
    client.force_login(worker.user)

    def told():
        rows = client.get("/api/v1/worker/accuracies").json()["results"]
        return {row["label"]: row["pieces"] for row in rows}

    assert told() == {} and "Bounding" not in client.get(reverse("worker:conduct")).content.decode()
    Gold.objects.filter(pk__in=[golds[0].pk, golds[1].pk]).update(state="Retired")
    assert told() == {"": 2, "bee": 2}
    assert {row.pieces for row in reputation.accuracies(worker)} == {4}
