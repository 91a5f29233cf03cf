"""Deleting trainings, predictions and searches: what goes, what stays, and what keeps them."""

import pytest
from django.conf import settings
from django.db import transaction
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from labeling.models import Dataset
from learning import background
from learning.models import (
    HyperParameterTuningJob,
    LearningLoop,
    Model,
    Round,
    TrainingJob,
    TrainingMetric,
    TransformJob,
    TuningTrial,
)
from learning.services import run_deletion, run_records, transform_outputs
from learning.services.tuning import config, describing, studies
from marketplace import storage
from marketplace.errors import InUse, WrongState
from marketplace.models import AuditEvent
from tests import builders
from tests.labeling import stories as labeling_stories
from tests.learning.hosting_stories import a_model
from tests.learning.tuning import stories

pytestmark = pytest.mark.django_db
BY = "user:1"


@pytest.fixture
def account(db):
    return builders.an_account()


@pytest.fixture
def training(account):
    """A training that has made a model, with a curve, a log and a sample."""
    run = TrainingJob.objects.create(account=account, name="bees", model=a_model(account, "bees"), status="Completed")
    TrainingMetric.objects.create(training_job=run, name="train:loss", step=1, value=1.0, at=run.created_at)
    for names in (("log.txt",), ("samples", "0.jpg")):
        storage.write(run_records.uri(run, *names), b"kept")
    return run


@pytest.fixture
def transform(account):
    """A prediction that has left its output."""
    output = storage.join(settings.STORE_URL, "transforms", account.number, "bees", "predictions.jsonl")
    run = TransformJob.objects.create(
        account=account, name="bees", model=a_model(account, "old"), status="Completed", output_uri=output,
        label_attribute_name="predicted",
    )  # fmt: skip
    for uri in (*transform_outputs.parts(run).values(), run_records.uri(run, "log.txt")):
        storage.write(uri, b"kept")
    return run


def delivered():
    """Every message to delete what is left is delivered, twice, as the queue may."""
    sent = [SignedPackage.loads(row.payload) for row in OrmQ.objects.order_by("pk")]
    for message in (*sent, *sent):
        if message["func"] in (run_deletion.DELETE_FILES, run_deletion.FORGET_STUDY):
            getattr(background, message["func"].rpartition(".")[2])(*message["args"])


def there(uri):
    return [item.uri for item in storage.list(f"{uri}/")]


def test_a_training_goes_with_its_records_and_leaves_its_model(training):
    kept, pk, model = run_records.uri(training), training.pk, training.model
    model.lineage = {"training_job": "bees", "channels": {}}
    model.save()
    run_deletion.delete_training(training_job=training, by=BY)
    assert not TrainingJob.objects.exists() and not TrainingMetric.objects.exists()
    assert len(there(kept)) == 2
    delivered()
    assert there(kept) == [] and storage.exists(model.artifact_uri)
    model = Model.objects.get()
    assert model.lineage["training_job"] == "bees" and model.deleted_at is None
    event = AuditEvent.objects.get(object_type="learning.TrainingJob", object_id=pk)
    assert (event.by, event.because, event.account_id) == (BY, "deleted bees", model.account_id)


def test_what_has_not_ended_is_not_deleted(account, training, transform):
    tuning = stories.a_tuning(account)
    TrainingJob.objects.update(status="InProgress")
    TransformJob.objects.update(status="Stopping")
    for call in (
        lambda: run_deletion.delete_training(training_job=training, by=BY),
        lambda: run_deletion.delete_transform(transform_job=transform, by=BY),
        lambda: run_deletion.delete_tuning(tuning_job=tuning, by=BY),
    ):
        with pytest.raises(WrongState, match="only what has ended is deleted"):
            call()
    assert TrainingJob.objects.exists() and TransformJob.objects.exists() and HyperParameterTuningJob.objects.exists()
    assert not AuditEvent.objects.filter(because__startswith="deleted").exists()


def test_a_transform_goes_with_its_output_and_no_other_of_a_like_name(account, transform):
    like = storage.join(settings.STORE_URL, "transforms", account.number, "bees-2", "predictions.jsonl")
    storage.write(like, b"another's")
    kept = [run_records.uri(transform), transform.output_uri.rpartition("/")[0]]
    assert [len(there(uri)) for uri in kept] == [1, 3]
    run_deletion.delete_transform(transform_job=transform, by=BY)
    delivered()
    assert [there(uri) for uri in kept] == [[], []] and storage.exists(like)


def test_the_output_of_a_new_transform_of_the_same_name_is_left_alone(account, transform):
    uri, model = transform.output_uri, transform.model
    run_deletion.delete_transform(transform_job=transform, by=BY)
    TransformJob.objects.create(account=account, name="bees", model=model, output_uri=uri)
    delivered()
    assert storage.exists(uri)


def test_an_output_that_is_being_read_is_kept(account, transform):
    manifest = transform_outputs.part_uri(transform, "output.manifest")
    dataset = Dataset.objects.create(account=account, name="set", source={"kind": "manifest", "uri": manifest})
    with pytest.raises(InUse, match="the output of the transform job bees is used by the data set set"):
        run_deletion.delete_transform(transform_job=transform, by=BY)
    Dataset.objects.filter(pk=dataset.pk).update(status="Completed")
    run = TrainingJob.objects.create(account=account, name="again", channels={"train": {"manifest_uri": manifest}})
    with pytest.raises(InUse, match="used by the training job again"):
        run_deletion.delete_transform(transform_job=transform, by=BY)
    TrainingJob.objects.filter(pk=run.pk).update(status="Stopped")
    run_deletion.delete_transform(transform_job=transform, by=BY)


def test_what_a_loop_has_done_is_kept(training, transform):
    job, _ = labeling_stories.a_funded_job(objects=1)
    loop = LearningLoop.objects.create(job=job, status="Completed")
    Round.objects.create(loop=loop, number=1, training_job=training, transform_job=transform)
    said = f"bees is part of the learning loop of the labeling job {job.name}"
    with pytest.raises(InUse, match=said):
        run_deletion.delete_training(training_job=training, by=BY)
    with pytest.raises(InUse, match=said):
        run_deletion.delete_transform(transform_job=transform, by=BY)


def test_a_search_goes_with_its_study_and_leaves_its_trainings(account):
    tuning = stories.a_tuning(account)
    stories.drive(tuning, most=2)
    run = tuning.trials.order_by("number")[0].training_job
    with pytest.raises(InUse, match="the training job hive-001-.* is used by the tuning job hive"):
        run_deletion.delete_training(training_job=run, by=BY)
    stories.drive(tuning)
    asked = config.TuningConfig.load(tuning.config)
    with studies.opened(name=tuning.study_name, asked=asked) as search:
        assert len(search.study.trials) == 6
    with transaction.atomic():
        run_deletion.delete_tuning(tuning_job=tuning, by=BY)
    delivered()
    assert not HyperParameterTuningJob.objects.exists() and not TuningTrial.objects.exists()
    assert TrainingJob.objects.count() == 6
    with studies.opened(name=tuning.study_name, asked=asked) as search:
        assert search.study.trials == []
    run_deletion.delete_training(training_job=run, by=BY)


@pytest.mark.slow
def test_a_search_that_another_one_begins_with_is_kept_until_that_has_ended(account):
    first = stories.a_tuning(account)
    stories.drive(first)
    start = {"type": "IdenticalDataAndAlgorithm", "parents": ["hive"]}
    second = stories.a_tuning(account, name="second", warm_start=start, channels=first.channels)
    with pytest.raises(InUse, match="the tuning job hive is used by the tuning job second"):
        run_deletion.delete_tuning(tuning_job=first, by=BY)
    stories.drive(second)
    run_deletion.delete_tuning(tuning_job=first, by=BY)
    # Another one of its name is no parent.
    again = stories.a_tuning(account)
    stories.drive(again, lambda values: 0.99)
    assert describing.overall_best(second).tuning_job == second
