"""Models in groups with versions, their approval, lineage, uses and deletion."""

import json

import pytest

from learning.contract import FOREIGN, MODEL, ModelConfig
from learning.models import Model, ModelGroup, TransformJob
from learning.services import lineage, model_approval, model_groups, registry, training, transforms
from learning.services.active import loops
from learning.services.model_uses import uses_of
from marketplace import storage
from marketplace.errors import InUse, Invalid, NotFound
from marketplace.models import AuditEvent
from tests import builders
from tests.labeling import label_files

pytestmark = pytest.mark.django_db
CONFIG = ModelConfig("compact", {"0": "bee"}, 64, {}, {"nms": 0.45, "score": 0.02}, {}, {"mAP_50": 0.5})


@pytest.fixture
def account():
    return builders.an_account()


def a_model(account, name, *, config=CONFIG, **more) -> Model:
    """A registered model with its files in the store."""
    base = registry._base(account, name)
    for part in registry.CONTENT_TYPES:
        storage.write(storage.join(base, part), b"x")
    artifact = storage.join(base, registry.ARCHIVE)
    return registry.register(account=account, name=name, config=config, artifact_uri=artifact, parts_uri=base, **more)


def a_transform(account, model, manifest, name="p") -> TransformJob:
    return transforms.create_transform(account=account, name=name, model=model, manifest_uri=manifest, by="user:1")


@pytest.fixture
def manifest(account, settings):
    uri = storage.join(settings.STORE_URL, "accounts", account.number, "a.manifest")
    storage.write(uri, b'{"source-ref": "file:///nowhere/a.png"}\n')
    return uri


def test_models_become_versions_of_their_group(account):
    first, second = a_model(account, "bees-7-round-1"), a_model(account, "bees-7-round-2")
    other = a_model(account, "wasps", group_name="insects")
    assert [(one.group.name, one.version) for one in (first, second, other)] == [
        ("bees-7", 1), ("bees-7", 2), ("insects", 1),
    ]  # fmt: skip
    # The same call again, as after a kill, makes no further version.
    assert a_model(account, "bees-7-round-2").version == 2

    model_groups.move(model=other, group_name="bees-7", by="user:1")
    assert (other.group.name, other.version) == ("bees-7", 3)
    model_approval.delete(model=other, by="user:1")
    assert a_model(account, "bees-7-round-3").version == 4, "a number is never given again"
    assert AuditEvent.objects.filter(because="moved from insects version 1 to bees-7 version 3").exists()
    with pytest.raises(Invalid):
        model_groups.move(model=first, group_name="no name", by="user:1")
    assert ModelGroup.objects.count() == 2


def test_approval_is_decided_with_a_comment_and_recorded(account):
    model = a_model(account, "bees")
    assert model.status == "PendingManualApproval"
    model_approval.decide(model=model, status="Approved", comment="better on wasps", by="user:1")
    model_approval.decide(model=model, status="Approved", comment="on bees, too", by="user:2")
    assert (model.status, model.comment, model.decided_by) == ("Approved", "on bees, too", "user:2")
    model_approval.decide(model=model, status="Rejected", by="user:3")
    assert (model.status, model.comment, model.decided_by) == ("Rejected", "", "user:3")
    rows = AuditEvent.objects.filter(object_type="learning.Model", object_id=model.pk).order_by("pk")
    assert list(rows.values_list("to_status", "by", "because")) == [
        ("Approved", "user:1", "better on wasps"),
        ("", "user:2", "Approved again: on bees, too"),
        ("Rejected", "user:3", ""),
    ]
    with pytest.raises(Invalid, match="'Fine' found, one of PendingManualApproval, Approved, Rejected"):
        model_approval.decide(model=model, status="Fine", by="user:1")
    with pytest.raises(Invalid, match="at most 1024 characters"):
        model_approval.decide(model=model, status="Approved", comment="x" * 1025, by="user:1")
    assert model.status == "Rejected"


def test_a_model_in_use_is_not_deleted_and_the_use_is_named(account, manifest):
    model = a_model(account, "bees")
    run = a_transform(account, model, manifest)
    training.create_training(
        account=account,
        name="next",
        hyperparameters={"label_attribute_name": "bees"},
        channels={"train": {"manifest_uri": manifest}, MODEL: {"name": registry.arn(model)}},
        by="user:1",
    )
    assert uses_of(model) == ["the transform job p", "the training job next"]
    with pytest.raises(InUse, match="used by the transform job p; the training job next"):
        model_approval.delete(model=model, by="user:1")
    assert storage.exists(model.artifact_uri) and registry.get(account=account, name="bees") == model

    transforms.stop(transform_job=run, by="user:1")
    training.stop(training_job=account_trainings(account)[0], by="user:1")
    assert uses_of(model) == []


def account_trainings(account):
    from learning import queries

    return list(queries.trainings(account))


def test_a_deleted_model_leaves_its_name_to_those_that_come_from_it(
    account, manifest, django_capture_on_commit_callbacks
):
    parent = a_model(account, "bees")
    done = a_transform(account, parent, manifest)
    transforms.stop(transform_job=done, by="user:1")
    child = a_model(account, "bees-2", parent=parent, lineage={"parent": "bees"})

    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(2):
            model_approval.delete(model=parent, by="user:1")

    assert not any(storage.exists(uri) for uri in registry.parts(parent).values())
    with pytest.raises(NotFound):
        registry.get(account=account, name="bees")
    child.refresh_from_db()
    assert (child.parent.name, child.lineage["parent"]) == ("bees", "bees")
    done.refresh_from_db()
    assert done.model.name == "bees", "what it has predicted still says by which model"
    assert AuditEvent.objects.filter(object_type="learning.Model", object_id=parent.pk, because="deleted").count() == 1


def test_lineage_names_the_revision_of_the_labels_the_parent_and_the_code(account):
    content = b"".join(
        json.dumps({"source-ref": uri, "boxes": _label(), "boxes-metadata": {"class-map": {"0": "bee"}}}).encode()
        + b"\n"
        for uri in builders.tiny_images(3, account=account)
    )
    row = label_files.an_import(account, content)
    parent = a_model(account, "bees")
    run = training.train_on_dataset(account=account, dataset=row.dataset, name="more", by="user:1")
    run.channels[MODEL] = {"name": "bees"}
    run.save()
    run.refresh_from_db()

    found = lineage.of_training(run)

    (channel,) = lineage.shown(found)
    assert (found["training_job"], found["parent"], channel["channel"]) == ("more", "bees", "train")
    assert (channel["dataset"], channel["lines"], channel["job"]) == (row.dataset.name, 3, None)
    assert len(channel["sha256"]) == 64 and len(found["code_version"]) == 12
    assert lineage.parent(run) == parent
    storage.write(row.dataset.manifest_uri, storage.read(row.dataset.manifest_uri) + b"\n")
    assert lineage.of_training(run)["channels"]["train"]["sha256"] != channel["sha256"]


def _label():
    box = {"class_id": 0, "left": 1, "top": 1, "width": 5, "height": 5}
    return {"image_size": [{"width": 32, "height": 24, "depth": 3}], "annotations": [box]}


def test_a_model_of_elsewhere_is_nothing_to_train_on(account, manifest):
    a_model(account, "theirs", config=ModelConfig(FOREIGN, {"0": "bee"}, 64, {}, {}, {}, {}))
    with pytest.raises(Invalid, match="'theirs' was trained elsewhere and has no weights"):
        training.create_training(
            account=account,
            name="next",
            hyperparameters={"label_attribute_name": "bees"},
            channels={"train": {"manifest_uri": manifest}, MODEL: {"name": "theirs"}},
            by="user:1",
        )
    with pytest.raises(Invalid, match="'theirs' was trained elsewhere"):
        loops.check_settings(account=account, automated_labeling={"enabled": True, "initial_model": "theirs"})
    assert set(registry.parts(registry.get(account=account, name="theirs"))) == {
        "model.tar.gz", "config.json", "model.onnx",
    }  # fmt: skip
