"""`manage.py migrate_from_aws`: the exit status says what runs here; what is imported twice is there once."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from labeling.models import DataObject, Dataset, FlowDefinition, HumanTaskUi, Label, LabelImport, WorkerTemplate
from learning.models import ModelImport
from marketplace import storage
from marketplace.models import Workteam
from marketplace.services import boundaries
from tests import builders
from tests.labeling import aws_folders, stories

pytestmark = pytest.mark.django_db


@pytest.fixture
def account():
    return stories.an_account()


def run(*options) -> tuple[int, str]:
    """(exit status, what was printed)."""
    out = io.StringIO()
    try:
        call_command("migrate_from_aws", *map(str, options), stdout=out)
    except SystemExit as end:
        return int(end.code), out.getvalue()
    return 0, out.getvalue()


def imported(folder, account, *options) -> dict[str, tuple[str, str]]:
    """{kind name: (outcome, message)} of an import; twice the same kind and name would be lost."""
    _, printed = run("--import", folder, "--account", account.number, "--json", *options)
    rows = json.loads(printed)["done"]
    assert len({(row["kind"], row["name"]) for row in rows}) == len(rows)
    return {f"{row['kind']} {row['name']}": (row["outcome"], row["message"]) for row in rows}


def test_a_check_says_what_runs_by_its_exit_status_and_stores_nothing(tmp_path):
    aws_folders.job_output(tmp_path, "bees", [aws_folders.box_line("file:///x/1.jpg", (0, 1, 2, 3, 4))])
    status, printed = run("--check", tmp_path)
    assert (status, printed.splitlines()[0]) == (0, "ok    job output bees (bees): runs")
    aws_folders.saved(tmp_path, "clips.json", aws_folders.labeling_job("clips", "VideoObjectTracking"))
    status, printed = run("--check", tmp_path)
    assert status == 1
    assert "FAIL  labeling job clips (clips.json): will not run" in printed
    assert printed.splitlines()[-1] == "1 as they are, 0 with the differences noted, 1 will not run"
    status, printed = run("--check", tmp_path, "--json")
    told = json.loads(printed)
    assert (status, told["runs"]) == (1, False)
    assert {(one["kind"], one["name"]): one["verdict"] for one in told["things"]} == {
        ("job output", "bees"): "runs",
        ("labeling job", "clips"): "will not run",
    }
    assert not Dataset.objects.exists() and not LabelImport.objects.exists()


def test_labels_of_a_job_become_a_data_set_once(tmp_path, account):
    base = storage.join(boundaries.base_of(account), "copied")
    builders.tiny_images(3, account=account, folder=base)
    lines = [aws_folders.box_line("s3://b/00000.png", (0, 1, 2, 10, 8), (1, 5, 5, 9, 9))]
    lines += [aws_folders.box_line("s3://b/00001.png"), aws_folders.failed_line("s3://b/00002.png")]
    aws_folders.job_output(tmp_path, "bees", lines)
    options = ("--map", f"s3://b/={base}/")
    outcome, message = imported(tmp_path, account, *options)["job output bees"]
    assert outcome == "imported" and message.endswith("2 of 3 objects labeled"), message
    dataset = Dataset.objects.get(account=account)
    assert (dataset.name, dataset.status, dataset.objects_total) == ("bees", "Completed", 3)
    first, empty, failed = [json.loads(line) for line in storage.read(dataset.manifest_uri).splitlines()]
    assert first["source-ref"] == f"{base}/00000.png"
    assert [box["class_id"] for box in first["bees"]["annotations"]] == [0, 1]
    assert first["bees-metadata"]["class-map"] == {"0": "bee", "1": "wasp"}
    assert empty["bees"]["annotations"] == [] and "bees" not in failed
    assert LabelImport.objects.get().labels == ["bee", "wasp"]
    assert imported(tmp_path, account, *options)["job output bees"][0] == "there already"
    assert Dataset.objects.count() == LabelImport.objects.count() == 1
    Dataset.objects.update(status="Failed")
    assert imported(tmp_path, account, *options)["job output bees-2"][0] == "imported"
    assert imported(tmp_path, account, *options)["job output bees-2"][0] == "there already"


def test_masks_come_along_with_their_manifest(tmp_path, account):
    (uri,) = builders.tiny_images(1, account=account)
    aws_folders.segmented(tmp_path, uri)
    outcome, message = imported(tmp_path, account)["job output city"]
    assert (outcome, message.endswith("1 of 1 objects labeled")) == ("imported", True), message
    line = json.loads(storage.read(Dataset.objects.get().manifest_uri))
    assert line["city-ref"].startswith(boundaries.base_of(account))
    colors = line["city-ref-metadata"]["internal-color-map"]
    assert "meadow" in {one["class-name"] for one in colors.values()}


def test_data_objects_that_cannot_be_read_here_are_named(tmp_path, account, settings):
    settings.S3_INPUT_BUCKETS = frozenset()
    aws_folders.job_output(tmp_path, "bees", [aws_folders.box_line("s3://b/1.png", (0, 1, 2, 10, 8))])
    status, printed = run("--import", tmp_path, "--account", account.number)
    assert status == 1
    assert "failed         job output bees: " in printed and "WAGGLE_S3_INPUT_BUCKETS" in printed


def test_a_store_that_does_not_answer_is_asked_again_later(tmp_path, account, settings):
    settings.S3_ENDPOINT_URL, settings.S3_INPUT_BUCKETS = "http://127.0.0.1:9", frozenset({"b"})
    settings.S3_ACCESS_KEY_ID = settings.S3_SECRET_ACCESS_KEY = "x"
    aws_folders.job_output(tmp_path, "bees", [aws_folders.box_line("s3://b/1.png", (0, 1, 2, 10, 8))])
    outcome, message = imported(tmp_path, account)["job output bees"]
    assert outcome == "failed" and message.endswith("it is tried again in the background")
    assert LabelImport.objects.get().status == "InProgress"


def test_a_manifest_without_labels_becomes_a_data_set_once(tmp_path, account):
    uris = builders.tiny_images(2, account=account)
    aws_folders.saved(tmp_path, "input.manifest", "".join(json.dumps({"source-ref": uri}) + "\n" for uri in uris))
    assert imported(tmp_path, account)["manifest input"][0] == "imported"
    assert Dataset.objects.get(name="input").objects_total == 2
    assert imported(tmp_path, account)["manifest input"][0] == "there already"
    assert Dataset.objects.count() == 1


def test_labels_become_golds_of_a_job_that_is_named(tmp_path, account):
    team = builders.a_team(account=account, workers=1)
    job = stories.a_job(account, team, objects=2, name="hive")
    uris = builders.tiny_images(2, account=account)
    for row, uri in zip(DataObject.objects.filter(job=job).order_by("index"), uris, strict=True):
        DataObject.objects.filter(pk=row.pk).update(source_ref=uri, width=48, height=32)
    lines = [aws_folders.box_line(uri, (0, 1, 2, 10, 8)) for uri in uris]
    aws_folders.job_output(tmp_path, "bees", lines)
    for expected in ("imported", "there already"):
        found = imported(tmp_path, account, "--golds", "bees=hive")
        assert found["job output golds of hive"][0] == expected, found
    assert Label.objects.filter(data_object__job=job, source="adjudicated").count() == 2
    with pytest.raises(CommandError, match="no labels of wasps"):
        run("--import", tmp_path, "--account", account.number, "--golds", "wasps=hive")
    with pytest.raises(CommandError, match="no labeling job meadow"):
        run("--import", tmp_path, "--account", account.number, "--golds", "bees=meadow")


@pytest.fixture
def review(tmp_path):
    """What was downloaded of a human review."""
    aws_folders.saved(tmp_path, "team.json", aws_folders.team())
    aws_folders.saved(tmp_path, "ui.json", aws_folders.task_ui())
    aws_folders.saved(tmp_path, "flow.json", aws_folders.flow())
    aws_folders.saved(tmp_path, "verdict.liquid.html", aws_folders.TEMPLATE)
    return tmp_path


def test_a_review_needs_a_team_that_is_named_or_made(review, account, settings):
    settings.S3_INPUT_BUCKETS = frozenset()
    found = imported(review, account)
    assert found["work team keepers"][0] == "left out"
    assert found["human task UI verdict"][0] == found["template verdict"][0] == "imported"
    assert found["flow definition review"][0] == "failed"
    assert "name one with --team" in found["flow definition review"][1]
    assert not FlowDefinition.objects.exists()
    found = imported(review, account, "--make-teams")
    assert found["work team keepers"][0] == found["flow definition review"][0] == "imported"
    assert "may not write to s3://b/a2i" in found["flow definition review"][1]
    flow = FlowDefinition.objects.get()
    assert (flow.status, flow.human_task_ui.text) == ("Active", aws_folders.TEMPLATE)
    assert (flow.queue.max_seats, flow.queue.task_time_limit_seconds) == (2, 600)
    assert flow.queue.workteam.name == "keepers"
    again = imported(review, account, "--make-teams")
    assert {outcome for outcome, _ in again.values()} == {"there already"}
    assert (HumanTaskUi.objects.count(), WorkerTemplate.objects.count(), Workteam.objects.count()) == (1, 1, 1)


def test_a_team_of_the_account_works_in_place_of_the_one_of_before(review, account):
    team = builders.a_team(account=account, workers=1, name="others")
    assert imported(review, account, "--team", "others")["flow definition review"][0] == "imported"
    assert FlowDefinition.objects.get().queue.workteam == team
    with pytest.raises(CommandError, match="no team nobody"):
        run("--import", review, "--account", account.number, "--team", "nobody")


def test_templates_of_one_name_are_both_kept(tmp_path, account):
    aws_folders.saved(tmp_path, "one/template.liquid.html", aws_folders.TEMPLATE)
    aws_folders.saved(tmp_path, "two/template.liquid.html", aws_folders.TEMPLATE.replace("verdict", "opinion"))
    for _ in range(2):
        imported(tmp_path, account)
    assert sorted(WorkerTemplate.objects.values_list("name", flat=True)) == ["template", "template-2"]


def test_a_model_in_onnx_is_taken_in_and_one_of_mxnet_left_out(tmp_path, account):
    config = {"architecture": "foreign", "classes": ["bee"]}
    files = {"model/model.onnx": b"onnx", "model/config.json": json.dumps(config).encode()}
    aws_folders.archive(tmp_path, "detector.tar.gz", files)
    aws_folders.archive(tmp_path, "old.tar.gz", {"model_algo_1-symbol.json": b"{}"})
    found = imported(tmp_path, account)
    assert (found["model detector"][0], found["model old"][0]) == ("imported", "left out")
    given = ModelImport.objects.get().channels["model"]
    assert storage.read(given["onnx_uri"]) == b"onnx" and json.loads(storage.read(given["config_uri"])) == config
    assert imported(tmp_path, account)["model detector"][0] == "there already"
    assert ModelImport.objects.count() == 1


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ((), "--account is missing"),
        (("--account", "999999999999"), "there is no account 999999999999"),
        (("--map", "s3://b/"), "a pair with = between expected"),
    ],
)
def test_options_that_lead_nowhere_are_named(review, account, options, reason):
    more = options if "--account" in options or not options else ("--account", account.number, *options)
    with pytest.raises(CommandError, match=reason):
        run("--import", review, *more)
    assert not Workteam.objects.exists()
