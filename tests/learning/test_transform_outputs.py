"""What predictions leave: labels in a manifest, AWS's JSON, a data set; and where two models' predictions differ."""

import json

import pytest
from PIL import Image

from labeling.formats.augmented_reading import label_state, read_boxes, read_origin
from labeling.services.intake import datasets
from learning.contract import JobFolder, ModelConfig
from learning.models import TransformJob
from learning.services import comparison, registry, transform_outputs, transforms
from learning.services.programs import kinds
from learning.serving import predict
from marketplace import storage
from marketplace.errors import Invalid, NameTaken, NotFound, WrongState
from tests import builders
from tests.learning.serving.foreign_models import described, taken_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def account():
    return builders.an_account()


@pytest.fixture
def dataset(account, settings, tmp_path):
    """Three pictures of 128 x 64, the second damaged: red, broken, dark."""
    base, lines = storage.join(settings.STORE_URL, "accounts", account.number, "pictures"), []
    for name, red in (("red", 255), ("broken", 255), ("dark", 51)):
        Image.new("RGB", (128, 64), (red, 0, 0)).save(tmp_path / "a.jpg", quality=95)
        content = (tmp_path / "a.jpg").read_bytes()
        uri = storage.join(base, f"{name}.jpg")
        storage.write(uri, content if name != "broken" else content[:300])
        lines.append(json.dumps({"source-ref": uri, "note": name}))
    uri = storage.join(base, "in.manifest")
    storage.write(uri, "\n".join(lines).encode())
    return builders.a_dataset(account=account, kind="manifest", uri=uri)


def a_model(account, tmp_path, name, **description):
    folder = taken_in(tmp_path / name, description=described(**description))
    artifact, parts = registry.upload(account=account, name=name, folder=folder)
    config = ModelConfig.read(folder)
    return registry.register(account=account, name=name, config=config, artifact_uri=artifact, parts_uri=parts)


def predicted(account, model, dataset, tmp_path, **more) -> TransformJob:
    """A prediction that is Completed, by the real program in this process."""
    run = transforms.predict_dataset(
        account=account, name=f"on-{model.name}", model=model, dataset=dataset, by="user:1", **more
    )
    return completed(run, tmp_path / f"job-{run.pk}")


def completed(run, root) -> TransformJob:
    folder = JobFolder(root)
    kinds.of(run).stage(run, folder)
    folder.start()
    predict.work(folder, lambda: False)
    kinds.of(run).keep_result(run, folder)()
    TransformJob.objects.filter(pk=run.pk).update(status="Completed")
    run.refresh_from_db()
    return run


def read(uri: str) -> list[dict]:
    return [json.loads(line) for line in storage.read(uri).splitlines()]


def test_predictions_become_scored_labels_and_awss_json(account, dataset, tmp_path):
    model = a_model(account, tmp_path, "theirs")
    run = predicted(account, model, dataset, tmp_path, label_attribute_name="found")

    assert list(transform_outputs.parts(run)) == ["predictions.jsonl", "output.manifest", "annotations.jsonl"]
    lines = [
        json.loads(line)
        for line in storage.read(transform_outputs.found_part(run, "output.manifest")).split(b"\n")
        if line
    ]
    assert [line["note"] for line in lines] == ["red", "broken", "dark"], "the input's own members stay"
    assert [label_state(line, "found") for line in lines] == ["labeled", "failed", "labeled"]
    label, metadata = read_boxes(lines[0], "found"), lines[0]["found-metadata"]
    assert [(box.label, box.left, box.width) for box in label.boxes] == [("wasp", 32, 64), ("bee", 0, 40)]
    assert [one["confidence"] for one in metadata["objects"]] == pytest.approx([0.8, 0.4], abs=0.01)
    assert (metadata["human-annotated"], metadata["type"]) == ("no", "groundtruth/object-detection")
    assert metadata["job-name"] == "transform-job/on-theirs" and not read_origin(metadata).human_annotated
    assert "damaged" in lines[1]["found-metadata"]["failure-reason"]
    assert read_boxes(lines[2], "found").boxes == (), "0.16 is less than the least score"

    answers = [
        json.loads(line) for line in storage.read(transform_outputs.part_uri(run, "annotations.jsonl")).splitlines()
    ]
    assert answers[0]["image_size"] == [{"width": 128, "height": 64, "depth": 3}]
    first = answers[0]["annotations"][0]
    assert first | {"score": 0} == {"class_id": 3, "score": 0, "left": 32, "top": 8, "width": 64, "height": 32}
    assert answers[1]["annotations"] == [] and "damaged" in answers[1]["failure-reason"]
    with pytest.raises(NotFound, match="no part 'x'; there are predictions.jsonl, output.manifest"):
        transform_outputs.found_part(run, "x")


def test_the_labels_become_a_data_set(account, dataset, tmp_path):
    model = a_model(account, tmp_path, "theirs")
    run = transforms.predict_dataset(account=account, name="p", model=model, dataset=dataset, by="user:1")
    with pytest.raises(WrongState, match="transform job is InProgress"):
        transform_outputs.make_dataset(run=run, name="labeled", by="user:1")
    assert transform_outputs.parts(run) == {}
    completed(run, tmp_path / "job")
    made = transform_outputs.make_dataset(run=run, name="labeled", by="user:1")
    datasets.advance_dataset(made.pk)
    made.refresh_from_db()
    assert (made.status, made.objects_total) == ("Completed", 3)
    first = json.loads(storage.read(made.manifest_uri).splitlines()[0])
    assert read_boxes(first, transforms.DEFAULT_ATTRIBUTE).boxes[0].label == "wasp"


def test_what_cannot_be_predicted_is_refused(account, dataset, tmp_path):
    model = a_model(account, tmp_path, "theirs")

    def create(**changes):
        given = {"name": "p", "model": model, "dataset": dataset, **changes}
        return transforms.predict_dataset(account=account, by="user:1", **given)

    with pytest.raises(Invalid, match="must not end in '-ref'") as refused:
        create(label_attribute_name="boxes-ref")
    assert refused.value.field == "label_attribute_name"
    with pytest.raises(Invalid, match="score_threshold"):
        create(hyperparameters={"score_threshold": 2})
    assert not TransformJob.objects.exists()
    create()
    with pytest.raises(NameTaken):
        create()


def test_two_models_are_compared_over_a_data_set(account, dataset, tmp_path):
    left = a_model(account, tmp_path, "bright")
    # Half as sure: the only box above the cut-off of the comparison is gone.
    right = a_model(account, tmp_path, "dim", input_scale=1 / 510)
    left.metrics, right.metrics = {"mAP_50": 0.5, "AP_50:bee": 0.4}, {"mAP_50": 0.75, "AP_50:wasp": 0.9}

    assert comparison.figures(left, right) == [
        {"name": "mAP", "left": None, "right": None, "difference": None},
        {"name": "mAP_50", "left": 0.5, "right": 0.75, "difference": 0.25},
        {"name": "bee", "left": 0.4, "right": None, "difference": None},
        {"name": "wasp", "left": None, "right": 0.9, "difference": None},
    ]
    with pytest.raises(Invalid, match="two different models"):
        comparison.start(account=account, left=left, right=left, dataset=dataset, by="user:1")
    runs = comparison.start(account=account, left=left, right=right, dataset=dataset, by="user:1")
    assert comparison.start(account=account, left=left, right=right, dataset=dataset, by="user:1") == runs
    assert list(comparison.found(left, right, dataset)) == runs
    with pytest.raises(WrongState):
        comparison.differences(*runs)
    for run in runs:
        completed(run, tmp_path / run.name)

    found = comparison.differences(*runs)

    assert (found["images"], found["differ"], found["boxes"]) == (2, 1, 1), "the damaged picture counts for neither"
    (worst,) = found["worst"]
    assert worst["index"] == 0 and worst["image_uri"].endswith("/red.jpg") and worst["right"] == []
    assert worst["left"][0][:5] == ["wasp", 32, 8, 64, 32]
    assert comparison.image_of(left, right, dataset, 0) == worst["image_uri"]
    with pytest.raises(NotFound):
        comparison.image_of(left, right, dataset, 1)
