"""Labeling jobs: what create_job accepts, batches, stopping conditions, pauses and endings."""

from datetime import timedelta

import pytest
from django.utils import timezone

from labeling import hooks
from labeling.formats.shapes import Box
from labeling.models import AdvanceRequest, Batch, DataObject, Label, LabelingJob, Task
from labeling.queries import progress, spending
from labeling.services.jobs import advancing, creation, finishing
from labeling.services.jobs.batches import open_batch
from labeling.services.queue import assignments, leases
from labeling.services.results import labels
from labeling.services.results.labels import ExternalLabel
from marketplace import storage
from marketplace.errors import InUse, Invalid, LimitExceeded
from marketplace.models import AuditEvent
from marketplace.services import boundaries, earnings, wallets, workteams
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db
EACH = 3 * (stories.PRICE + stories.FEE)


@pytest.fixture
def account():
    return stories.an_account(funds="100")


@pytest.fixture
def team(account):
    return builders.a_team(account=account, workers=[])


def wrong_fields(**design):
    with pytest.raises(Invalid) as refused:
        creation.create_job(**design)
    return [field for field, _ in refused.value.errors]


def test_a_new_job_is_initializing_and_an_advance_is_requested(account, team):
    job = creation.create_job(**stories.a_design(account, team))
    assert (job.status, job.fee_micros, job.label_attribute_name) == ("Initializing", stories.FEE, job.name)
    assert job.task_availability_seconds == 30 * 86_400 and len(job.reference_code) == 32
    assert job.output_uri.endswith(f"/{account.number}/labeling")
    assert AdvanceRequest.objects.get().queue_id == job.queue_id
    assert AuditEvent.objects.filter(object_id=job.pk, because="created", by="user:1").exists()


@pytest.mark.parametrize("there", [True, False])
def test_an_error_does_not_reveal_whether_a_manifest_of_another_account_exists(account, team, there):
    stranger = stories.an_account()
    uri = builders.a_manifest(stranger, [{"source-ref": "s3://bees/0.png"}])
    uri = uri if there else uri.replace("/uploads/", "/nowhere/")
    with pytest.raises(Invalid) as refused:
        creation.create_job(**stories.a_design(account, team, input_manifest_uri=uri))
    assert refused.value.errors == [("input_manifest_uri", f"{uri}: belongs to another account")]
    assert not LabelingJob.objects.filter(account=account).exists()


def test_all_wrong_fields_are_reported_together(account, team):
    design = stories.a_design(
        account,
        team,
        name="no spaces allowed",
        label_attribute_name="boxes-metadata",
        labels=["bee", "bee", ""],
        title="",
        description="x" * 256,
        workers_per_object=10,
        price_micros=-1,
        task_time_limit_seconds=29,
        task_availability_seconds=59,
        max_concurrent_tasks=5001,
        max_percentage_labeled=101,
        max_human_labeled_objects=0,
        expected_seconds=float("inf"),
        selection={"kind": "random", "percent": 0},
        redundancy={"kind": "sometimes"},
        keywords=["one", "two", "three", "four", "five", "six"],
        input_manifest_uri="file:///nowhere/at/all.manifest",
        output_uri="ftp://x/y",
    )
    assert set(wrong_fields(**design)) == {
        "name", "label_attribute_name", "labels[1]", "labels[2]", "title", "description", "workers_per_object", "price",
        "task_time_limit_seconds", "task_availability_seconds", "max_concurrent_tasks", "max_percentage_labeled",
        "max_human_labeled_objects", "expected_seconds", "selection.percent", "redundancy.kind", "keywords",
        "input_manifest_uri", "output_uri",
    }  # fmt: skip
    assert not LabelingJob.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"labels": []}, "labels"),
        ({"labels": ["x" * 257]}, "labels[0]"),
        ({"label_attribute_name": "boxes-ref"}, "label_attribute_name"),
        ({"task_type": "Poetry"}, "task_type"),
        ({"input_manifest_uri": None}, "dataset"),
        ({"task_time_limit_seconds": 28_801}, "task_time_limit_seconds"),
        ({"task_availability_seconds": 2_592_001}, "task_availability_seconds"),
        ({"max_spend_micros": EACH - 1}, "max_spend"),
        ({"redundancy": {"kind": "dynamic", "start": 4}}, "redundancy.start"),
        ({"redundancy": {"kind": "dynamic", "target_confidence": 1.0}}, "redundancy.target_confidence"),
        ({"workers_per_object": True}, "workers_per_object"),
        ({"tags": [{"Key": ""}]}, "tags"),
    ],
)
def test_each_limit_is_checked(account, team, changes, field):
    assert wrong_fields(**stories.a_design(account, team, **changes)) == [field]


def test_the_public_pool_has_a_price_table_and_shorter_availability(account):
    pool = workteams.public_pool()
    assert wrong_fields(**stories.a_design(account, pool, price_micros=24_000)) == ["price"]
    assert wrong_fields(**stories.a_design(account, pool, task_availability_seconds=43_201)) == [
        "task_availability_seconds"
    ]
    assert creation.create_job(**stories.a_design(account, pool)).task_availability_seconds == 21_600


def test_a_team_of_another_account_is_refused(account):
    theirs = builders.a_team(account=stories.an_account(), workers=[])
    assert wrong_fields(**stories.a_design(account, theirs)) == ["workteam"]


def test_names_are_unique_whatever_their_case(account, team):
    creation.create_job(**stories.a_design(account, team, name="Bees"))
    with pytest.raises(InUse, match="a labeling job 'bEES' already"):
        creation.create_job(**stories.a_design(account, team, name="bEES"))
    assert creation.create_job(**stories.a_design(stories.an_account(), workteams.public_pool(), name="bees"))


def test_examples_have_limits_whoever_creates_the_job(account, team):
    uri = storage.join(boundaries.base_of(account), "uploads", "x.png")
    found = wrong_fields(
        **stories.a_design(
            account,
            team,
            instructions={
                "good_examples": [{"uri": uri}] * 21,
                "bad_examples": [{"uri": uri, "caption": "c" * 300}, {"uri": uri, "caption": "c" * 301}],
            },
        )
    )
    assert found == ["instructions.good_examples", "instructions.bad_examples[1].caption"]


def test_scripts_are_removed_from_instructions(account, team):
    job = creation.create_job(
        **stories.a_design(account, team, instructions={"short": "<b>Tight</b> boxes<script>alert(1)</script>"})
    )
    assert job.instructions["short"] == "<b>Tight</b> boxes" and job.instructions["good_examples"] == []


def finish(job, workers):
    """Advance the job and let the workers work until there are no more tasks."""
    for _ in range(50):
        advancing.advance_job(job.pk)
        job.refresh_from_db()
        if job.status != "InProgress" or not sum(stories.work(worker, job) for worker in workers):
            return


def test_a_job_is_completed_in_batches_and_the_money_adds_up():
    job, workers = stories.a_funded_job(objects=5, max_concurrent_tasks=2)
    finish(job, workers)
    assert job.status == "Completed" and job.finished_at
    assert [b.tasks.count() for b in Batch.objects.filter(queue=job.queue).order_by("number")] == [2, 2, 1]
    assert progress.counters(job) == {
        "TotalLabeled": 5, "HumanLabeled": 5, "MachineLabeled": 0, "FailedNonRetryableError": 0, "Unlabeled": 0,
    }  # fmt: skip
    assert wallets.balance(job.account) == 100_000_000 - 5 * EACH
    spent = {"spent_micros": 5 * EACH, "under_review_micros": 0, "reserved_micros": 0}
    assert progress.money(job) == {**spent, "all_human_micros": 5 * EACH}
    assert [earnings.balance(w) for w in workers] == [5 * stories.PRICE] * 3


def test_the_first_batch_for_the_public_pool_has_ten_objects():
    account = stories.an_account(funds="1000")
    job = stories.a_job(account, workteams.public_pool(), objects=30)
    (worker,) = stories.a_crowd(1)
    workteams.join_public_pool(worker)
    advancing.advance_job(job.pk)
    assert Batch.objects.get(queue=job.queue).tasks.count() == 10


def test_listeners_are_called_when_a_batch_closes(monkeypatch):
    told = []
    monkeypatch.setattr(hooks, "batch_done", [told.append])
    job, workers = stories.a_funded_job(objects=2)
    finish(job, workers)
    assert told == [Batch.objects.get(queue=job.queue).pk]


@pytest.mark.parametrize(
    ("limit", "labeled", "because"),
    [
        ({"max_human_labeled_objects": 3}, 3, "the limit is 3"),
        ({"max_percentage_labeled": 50}, 4, "the limit is 50 %"),
        ({"max_spend_micros": 2 * EACH + EACH // 2}, 2, "the spending limit is reached"),
    ],
)
def test_stopping_conditions(limit, labeled, because):
    job, workers = stories.a_funded_job(objects=7, max_concurrent_tasks=2, **limit)
    finish(job, workers)
    assert job.status == "Completed"
    assert progress.counters(job)["HumanLabeled"] == labeled
    assert (
        because
        in AuditEvent.objects.get(object_type=LabelingJob._meta.label, object_id=job.pk, to_status="Completed").because
    )
    assert wallets.held(job.account) == 0


def test_a_job_pauses_while_the_wallet_is_empty():
    job, workers = stories.a_funded_job(objects=3, funds="0")
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    assert job.status == "InProgress" and "deposit money and the job goes on" in job.attention
    assert not Batch.objects.exists()
    wallets.deposit(account=job.account, amount_micros=2 * EACH + 5, reference="deposit:late", by="operator")
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    assert job.attention == "" and Batch.objects.get().tasks.count() == 2
    finish(job, workers)
    assert job.status == "InProgress" and "deposit" in job.attention and wallets.balance(job.account) == 5
    wallets.deposit(account=job.account, amount_micros=EACH, reference="deposit:later", by="operator")
    finish(job, workers)
    assert job.status == "Completed"


def test_a_team_without_members_needs_attention():
    job, _ = stories.a_funded_job(workers=0, objects=1)
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    assert "has no members" in job.attention and wallets.balance(job.account) == 100_000_000


def test_a_job_fails_when_all_objects_failed():
    job, workers = stories.a_funded_job(objects=2)
    ids = DataObject.objects.filter(job=job).values_list("pk", flat=True)
    assert labels.fail_objects(job=job, reasons={pk: "not an image" for pk in ids}) == 2
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    assert job.status == "Failed" and job.failure_reason == "all 2 objects failed; the first: not an image"
    advancing.advance_job(job.pk)


def test_answers_are_kept_when_the_availability_of_tasks_ends():
    job, (worker, *_) = stories.a_funded_job(objects=3)
    advancing.advance_job(job.pk)
    stories.answer(assignments.claim(worker=worker, queue=job.queue))
    held = assignments.claim(worker=worker, queue=job.queue)
    Batch.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    assert job.status == "InProgress" and assignments.claim(worker=worker, queue=job.queue) is None
    assert stories.answer(held).paid_micros == stories.PRICE
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    assert job.status == "Completed"
    assert progress.counters(job)["HumanLabeled"] == 2 and progress.counters(job)["FailedNonRetryableError"] == 1
    failed = DataObject.objects.get(job=job, state="Failed")
    assert failed.failure_reason.startswith("ClientError: Annotation tasks expired")
    assert wallets.balance(job.account) == 100_000_000 - 2 * (stories.PRICE + stories.FEE)


def test_a_stopped_job_keeps_its_labels_and_returns_the_remaining_money():
    job, (worker, *_) = stories.a_funded_job(objects=3)
    advancing.advance_job(job.pk)
    stories.answer(assignments.claim(worker=worker, queue=job.queue))
    creation.stop_job(job=job, by="user:1")
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    assert job.status == "Stopped" and Batch.objects.get().status == "Stopped"
    assert progress.counters(job)["HumanLabeled"] == 1 and progress.counters(job)["Unlabeled"] == 2
    assert not DataObject.objects.filter(state="PendingHuman").exists()
    assert wallets.balance(job.account) == 100_000_000 - stories.PRICE - stories.FEE
    creation.stop_job(job=job, by="user:1")
    advancing.advance_job(job.pk)


def test_tasks_held_when_the_job_stops_may_be_submitted_for_a_while():
    job, (worker, other, *_) = stories.a_funded_job(objects=3)
    advancing.advance_job(job.pk)
    mine, theirs = assignments.claim(worker=worker, queue=job.queue), assignments.claim(worker=other, queue=job.queue)
    creation.stop_job(job=job, by="user:1")
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    assert job.status == "Stopping"
    theirs.refresh_from_db()
    assert theirs.lease_expires_at <= timezone.now() + timedelta(seconds=finishing.STOP_GRACE_SECONDS)
    assert stories.answer(mine).paid_micros == stories.PRICE
    leases.expire_overdue(now=timezone.now() + timedelta(seconds=finishing.STOP_GRACE_SECONDS + 1))
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    assert job.status == "Stopped"
    with pytest.raises(InUse, match="the job ended before"):
        stories.answer(theirs)
    assert earnings.balance(other) == 0
    assert wallets.balance(job.account) == 100_000_000 - stories.PRICE - stories.FEE


def test_a_job_can_be_stopped_before_it_starts(account, team):
    job = creation.create_job(**stories.a_design(account, team))
    creation.stop_job(job=job, by="user:1")
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    assert job.status == "Stopped"
    failed = creation.create_job(**stories.a_design(account, team))
    finishing.fail_job(job=failed, reason="because")
    with pytest.raises(InUse, match="is Failed"):
        creation.stop_job(job=failed, by="user:1")


def test_a_job_ends_after_thirty_days():
    job, _ = stories.a_funded_job(objects=1)
    LabelingJob.objects.update(created_at=timezone.now() - timedelta(days=31))
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    assert job.status == "Stopped"
    assert AuditEvent.objects.filter(object_id=job.pk, because="a job ends after 30 days").exists()


def test_a_failed_job_cancels_its_tasks_and_returns_the_money():
    job, (worker, *_) = stories.a_funded_job(objects=2)
    advancing.advance_job(job.pk)
    seat = assignments.claim(worker=worker, queue=job.queue)
    finishing.fail_job(job=job, reason="the learner gave up", by="system")
    job.refresh_from_db()
    assert (job.status, job.failure_reason) == ("Failed", "the learner gave up")
    assert wallets.balance(job.account) == 100_000_000
    seat.refresh_from_db()
    assert seat.state == "Cancelled" and progress.counters(job)["Unlabeled"] == 2


def test_a_job_with_automated_labeling_opens_no_batches_itself():
    job, workers = stories.a_funded_job(objects=4, automated_labeling={"enabled": True})
    advancing.advance_job(job.pk)
    assert not Batch.objects.exists()
    ids = list(DataObject.objects.filter(job=job).order_by("-index").values_list("pk", flat=True))
    open_batch(job=job, object_ids=ids[:2], purpose="seed", by="system")
    assert assignments.claim(worker=workers[0], queue=job.queue).task.data_object_id == ids[0]
    leases.expire_overdue(now=timezone.now() + timedelta(days=1))
    finish(job, workers)
    assert job.status == "InProgress" and Batch.objects.get().status == "Completed"
    box = Box("bee", 1.0, 2.0, 3.0, 4.0, 0.97)
    rows = [ExternalLabel(pk, [box], 0.97) for pk in ids]
    options = {"job": job, "model_name": "bees-1", "algorithm": "ssd", "by": "system"}
    assert labels.record_labels(rows=rows, **options) == 2
    assert labels.record_labels(rows=rows, **options) == 0
    assert Label.objects.filter(source="machine", model_name="bees-1").count() == 2
    finishing.complete_job(job=job, by="system")
    assert progress.counters(job)["MachineLabeled"] == 2
    with pytest.raises(InUse, match="is Completed"):
        labels.record_labels(rows=rows, **options)


def test_batches_that_cannot_be_opened():
    job, _ = stories.a_funded_job(objects=3, funds=f"{2 * EACH / 1e6}")
    ids = list(DataObject.objects.filter(job=job).order_by("pk").values_list("pk", flat=True))
    assert spending.affordable_objects(job) == 2
    with pytest.raises(LimitExceeded):
        open_batch(job=job, object_ids=ids, by="system")
    assert not Task.objects.exists() and not DataObject.objects.exclude(state="Unlabeled").exists()
    with pytest.raises(Invalid, match="each once"):
        open_batch(job=job, object_ids=[ids[0], ids[0]], by="system")
    DataObject.objects.filter(pk=ids[2]).update(width=None)
    with pytest.raises(Invalid, match="was not inspected"):
        open_batch(job=job, object_ids=ids[2:], by="system")
    open_batch(job=job, object_ids=ids[:1], by="system")
    with pytest.raises(InUse, match="batch 1 is still open"):
        open_batch(job=job, object_ids=ids[1:2], by="system")
    assert Batch.objects.count() == 1


def test_a_free_job_moves_no_money():
    job, workers = stories.a_funded_job(objects=2, funds="0", price_micros=0)
    finish(job, workers)
    assert job.status == "Completed" and progress.money(job)["spent_micros"] == 0
