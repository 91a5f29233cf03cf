"""The fitted models of a job's workers: read by consolidation and by the page of its people, and by nothing else."""

import orjson
import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test.utils import CaptureQueriesContext

from labeling.models import WorkerModels
from labeling.queries import people, worker_models
from labeling.services.jobs import advancing
from labeling.services.queue import assignments
from tests.frontend.portal import a_portal, pages, queries_of
from tests.labeling import stories
from tests.labeling.test_work_queue_migration import BEFORE, JOB, fill
from tests.marketplace.old_database import migrate, old_database

TABLE = "labeling_workermodels"


def statements(work) -> list[str]:
    with CaptureQueriesContext(connection) as asked:
        work()
    assert asked.captured_queries
    return [query["sql"] for query in asked.captured_queries]


@pytest.mark.django_db
def test_no_page_list_or_claim_loads_them():
    portal = a_portal()
    worker, owner = portal.workers[0], portal.account.members.order_by("pk")[0]
    WorkerModels.objects.update_or_create(job=portal.job, defaults={"value": {"objects": 1, "models": None}})
    asked = {name: queries_of(user, path) for name, (user, path) in pages(portal).items() if name != "job_people"}
    for name in ("labeling-jobs", f"labeling-jobs/{portal.job.pk}", f"labeling-jobs/{portal.job.pk}/objects"):
        asked[name] = queries_of(owner, f"/api/v1/{name}")
    asked["list of work"] = statements(lambda: stories.work_list(worker))
    asked["claim and submit"] = statements(lambda: stories.claim_and_answer(worker, portal.job))
    assert {name for name, found in asked.items() if any(TABLE in sql for sql in found)} == set()


@pytest.mark.django_db
def test_the_page_of_people_and_consolidation_do():
    job, workers = stories.a_funded_job(objects=24, workers=2, workers_per_object=2)
    advancing.advance_job(job.pk)
    assert worker_models.fitted(job) is None and people.worker_skills(job) == []
    for worker in workers:
        stories.work(worker, job)
    assert any(TABLE in sql for sql in statements(lambda: advancing.advance_job(job.pk)))
    assert worker_models.fitted(job)["objects"] == 24
    assert any(TABLE in sql for sql in statements(lambda: people.worker_skills(job)))
    assert assignments.claim(worker=workers[0], queue=job.queue) is None


@pytest.mark.slow
def test_the_models_of_an_earlier_version_are_kept(django_db_setup, django_db_blocker):
    kept = {"objects": 24, "settled": 0, "algorithm": "a", "models": {"workers": {"w": [1, 2.5]}}}
    with django_db_blocker.unblock(), old_database(*BEFORE) as old:
        with old.cursor() as cursor:
            fill(cursor)
            cursor.execute(
                "UPDATE labeling_labelingjob SET worker_models = %s::jsonb WHERE id = %s",
                [orjson.dumps(kept).decode(), JOB],
            )
        migrate(old, *MigrationExecutor(old).loader.graph.leaf_nodes())
        with old.cursor() as cursor:
            cursor.execute("SELECT value FROM labeling_workermodels")
            rows = cursor.fetchall()
    assert [orjson.loads(value) if isinstance(value, str) else value for (value,) in rows] == [kept]
