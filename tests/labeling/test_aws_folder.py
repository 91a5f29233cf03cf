"""What of a folder downloaded from Ground Truth and A2I runs here, what not, and why."""

import json

import pytest

from labeling.formats.aws_folder.check import FolderError, check_folder
from labeling.formats.aws_folder.things import (
    CATEGORIES,
    DIFFERS,
    FLOW,
    LABELING_JOB,
    MODEL,
    OUTPUT,
    RUNS,
    STOPS,
    TASK_UI,
    TEMPLATE,
    Thing,
)
from labeling.services.migration.plans import known
from tests.labeling import aws_folders


def check(folder) -> dict[tuple[str, str], Thing]:
    return {(one.kind, one.name): one for one in check_folder(folder, known())}


def only(folder) -> Thing:
    (found,) = check_folder(folder, known())
    return found


def said(thing: Thing, level: str) -> str:
    return "\n".join(str(one) for one in thing.findings if one.level == level)


def test_the_output_of_a_job_says_which_labels_are_read(tmp_path):
    lines = [
        aws_folders.box_line("s3://b/1.jpg", (0, 1, 2, 10, 8)),
        aws_folders.box_line("s3://b/2.jpg"),
        aws_folders.failed_line("s3://b/3.jpg"),
        {"source-ref": "s3://b/4.jpg"},
    ]
    base = aws_folders.job_output(tmp_path, "bees", lines)
    with (base / "manifests/output/output.manifest").open("ab") as stream:
        stream.write(b"{broken\n")
    thing = only(tmp_path)
    assert (thing.kind, thing.name, thing.verdict) == (OUTPUT, "bees", DIFFERS)
    assert thing.data["labels"] == {"bees": "BoundingBox"}
    assert "2 labels of the type BoundingBox under 'bees', read here" in said(thing, RUNS)
    assert f"1 object failed there, unlabeled here: {aws_folders.EXPIRED}" in said(thing, RUNS)
    assert "1 file of workers' answers left" in said(thing, RUNS)
    assert "output.manifest:5: is left out" in said(thing, DIFFERS)
    assert "data objects in s3://b" in said(thing, DIFFERS) and "WAGGLE_S3_INPUT_BUCKETS" in said(thing, DIFFERS)


@pytest.mark.parametrize(
    ("kind", "verdict", "reason"),
    [
        ("groundtruth/video-object-tracking", STOPS, "which nothing here reads"),
        ("groundtruth/label-verification", RUNS, "which stay in the lines, unread"),
        ("groundtruth/custom", RUNS, "which stay in the lines, unread"),
    ],
)
def test_labels_that_are_not_read_are_named(tmp_path, kind, verdict, reason):
    line = {"source-ref": "file:///x/1.jpg", "x": "1", "x-metadata": {"type": kind, "job-name": "labeling-job/x"}}
    aws_folders.job_output(tmp_path, "x", [line])
    thing = only(tmp_path)
    assert (thing.verdict == STOPS) == (verdict == STOPS)
    assert reason in "\n".join(map(str, thing.findings))


def test_masks_are_found_beside_the_manifest(tmp_path):
    base = aws_folders.segmented(tmp_path, "s3://b/1.png")
    thing = only(tmp_path)
    assert thing.data["labels"] == {"city-ref": "SemanticSegmentation"}
    (path,) = thing.data["masks"].values()
    assert path.parent == base / "annotations/consolidated-annotation/output"
    path.unlink()
    assert "1 mask missing in the folder" in said(only(tmp_path), DIFFERS)


@pytest.mark.parametrize(
    ("x", "changes", "verdict", "reason"),
    [
        ("BoundingBox", {}, RUNS, "is a job of the type BoundingBox"),
        ("AdjustmentSemanticSegmentation", {}, RUNS, "AdjustmentSemanticSegmentation"),
        ("VideoObjectTracking", {}, STOPS, "video and 3D point clouds are not labeled here"),
        ("3DPointCloudObjectDetection", {}, STOPS, "video and 3D point clouds are not labeled here"),
        ("BoundingBox", {"LabelingJobStatus": "InProgress"}, DIFFERS, "LabelingJobStatus: is not over"),
        (
            "BoundingBox",
            {"InputConfig": {"DataSource": {"SnsDataSource": {"SnsTopicArn": "arn:aws:sns:us-east-1:1:x"}}}},
            STOPS,
            "streaming input",
        ),
        ("BoundingBox", {"OutputConfig": {"KmsKeyId": "k"}}, DIFFERS, "OutputConfig.KmsKeyId: has no effect here"),
        (
            "ImageMultiClassMultiLabel",
            {"LabelingJobAlgorithmsConfig": {"LabelingJobAlgorithmSpecificationArn": "arn:x"}},
            RUNS,
            "automated labeling",
        ),
        (
            "BoundingBox",
            {"LabelingJobAlgorithmsConfig": {"InitialActiveLearningModelArn": "arn:x"}},
            DIFFERS,
            "models of SageMaker's algorithms are not read",
        ),
    ],
)
def test_a_described_labeling_job_is_judged_member_by_member(tmp_path, x, changes, verdict, reason):
    aws_folders.saved(tmp_path, "job.json", aws_folders.labeling_job(x=x, **changes))
    thing = only(tmp_path)
    assert (thing.kind, thing.verdict) == (LABELING_JOB, verdict)
    assert reason in said(thing, verdict)


def test_a_function_of_ones_own_is_named_with_its_place(tmp_path):
    job = aws_folders.labeling_job()
    own = f"arn:aws:lambda:us-east-1:{aws_folders.ACCOUNT}:function:sagemaker-mine"
    job["HumanTaskConfig"]["PreHumanTaskLambdaArn"] = own
    aws_folders.saved(tmp_path, "job.json", job)
    thing = only(tmp_path)
    assert thing.verdict == STOPS
    (finding,) = [one for one in thing.findings if one.level == STOPS]
    assert finding.place == "HumanTaskConfig.PreHumanTaskLambdaArn"
    assert own in finding.message and "docs/functions.md" in finding.message


def test_a_task_ui_gets_its_template_by_the_digest_and_a_flow_its_task_ui(tmp_path):
    aws_folders.saved(tmp_path, "ui.json", aws_folders.task_ui())
    aws_folders.saved(tmp_path, "flow.json", aws_folders.flow())
    found = check(tmp_path)
    assert "its template is not in the folder" in said(found[TASK_UI, "verdict"], STOPS)
    assert "the human task UI verdict will not run" in said(found[FLOW, "review"], STOPS)
    aws_folders.saved(tmp_path, "templates/any-name.liquid.html", aws_folders.TEMPLATE)
    found = check(tmp_path)
    assert found[TASK_UI, "verdict"].data["content"] == aws_folders.TEMPLATE
    assert found[TEMPLATE, "any-name"].verdict == found[TASK_UI, "verdict"].verdict == RUNS
    assert found[FLOW, "review"].verdict == RUNS, found[FLOW, "review"].findings


@pytest.mark.parametrize(
    ("changes", "place", "reason"),
    [
        (
            {
                "HumanLoopActivationConfig": {
                    "HumanLoopActivationConditionsConfig": {
                        "HumanLoopActivationConditions": json.dumps({"Conditions": [{"ConditionType": "Mood"}]})
                    }
                }
            },
            "HumanLoopActivationConditions.Conditions[0].ConditionType",
            "Mood",
        ),
        ({"HumanLoopConfig": {"TaskTitle": "t"}}, "HumanLoopConfig.WorkteamArn", "is missing"),
    ],
)
def test_what_a_flow_cannot_have_is_named(tmp_path, changes, place, reason):
    aws_folders.saved(tmp_path, "flow.json", aws_folders.flow(**changes))
    stops = {one.place: one.message for one in only(tmp_path).findings if one.level == STOPS}
    assert reason in stops[place]


def test_unknown_elements_and_filters_of_a_template_are_named_with_their_lines(tmp_path):
    cloud = '<crowd-3d-point-cloud name="x"></crowd-3d-point-cloud>'
    text = f"<crowd-form>\n{cloud}\n{{{{ task.input.x | shout }}}}\n</crowd-form>"
    aws_folders.saved(tmp_path, "custom.liquid.html", text)
    thing = only(tmp_path)
    assert thing.verdict == STOPS
    assert "line 2: <crowd-3d-point-cloud>" in said(thing, STOPS)
    assert "line 3:" in said(thing, DIFFERS) and "shout" in said(thing, DIFFERS)


def test_label_categories_and_models_are_told_by_what_they_hold(tmp_path):
    labels = {"document-version": "2018-11-28", "labels": [{"label": "bee"}, {"label": "wasp"}]}
    aws_folders.saved(tmp_path, "labels.json", labels)
    aws_folders.saved(tmp_path, "twice.json", labels | {"labels": [{"label": "bee"}, {"label": "bee"}]})
    mxnet = {"model_algo_1-symbol.json": b"{}", "model_algo_1-0000.params": b"x", "hyperparams.json": b"{}"}
    aws_folders.archive(tmp_path, "ssd-job/output/model.tar.gz", mxnet)
    aws_folders.archive(tmp_path, "pickled.tar.gz", {"model.pth": b"x"})
    aws_folders.archive(tmp_path, "detector.tar.gz", {"model.onnx": b"x", "config.json": b"{}"})
    aws_folders.saved(tmp_path, "damaged.tar.gz", "no archive")
    found = check(tmp_path)
    assert found[CATEGORIES, "labels"].verdict == RUNS
    assert "bee" in said(found[CATEGORIES, "twice"], STOPS)
    assert "MXNet" in said(found[MODEL, "ssd-job"], STOPS)
    assert "no pickled model is ever loaded" in said(found[MODEL, "pickled"], STOPS)
    assert found[MODEL, "detector"].verdict == RUNS
    assert "cannot be unpacked" in said(found[MODEL, "damaged"], STOPS)


def test_what_is_none_of_it_is_said(tmp_path):
    with pytest.raises(FolderError, match="is no folder"):
        check_folder(tmp_path / "missing", known())
    with pytest.raises(FolderError, match="holds nothing of Ground Truth"):
        check_folder(tmp_path, known())
    aws_folders.saved(tmp_path, "list.json", {"FlowDefinitionSummaries": [{"FlowDefinitionName": "review"}]})
    assert "a list of names only" in said(only(tmp_path), DIFFERS)
    aws_folders.saved(tmp_path, "list.json", "{")
    assert "is not JSON" in said(only(tmp_path), STOPS)
    output = {"flowDefinitionArn": "a", "humanAnswers": [], "humanLoopName": "l", "inputContent": {"source": "text"}}
    (tmp_path / "list.json").write_text(json.dumps(output))
    assert "a record of finished work" in said(only(tmp_path), RUNS)
