"""What travels between a learner and the nodes of a cluster, without a cluster."""

import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from learning.contract import MODEL, PREDICT, JobFolder
from learning.models import TrainingJob
from learning.nodes import parcels
from learning.services.programs import kinds
from learning.serving import shards
from marketplace import settings_checks
from marketplace.settings_cluster import EXECUTOR, RAY_TRAINING
from marketplace.settings_kinds import SettingError
from tests.learning.serving import quadrants
from tests.learning.serving.test_serve import picture

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path):
    """The folder of a prediction that has got to its first shard."""
    made = JobFolder(tmp_path / "here")
    made.prepare(hyperparameters={}, channels={PREDICT: {}})
    for name in ("output/metrics.jsonl", "output/log.txt", "output/shards/000000.jsonl", "checkpoints/newest.pt"):
        path = made.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (made.model / "model.onnx").write_text("model")
    (made.checkpoints / ".newest.pt.1.tmp").write_text("half of the next one")
    made.manifest(PREDICT).write_text(f'{{"source-ref": "{made.root}/input/data/predict/é.jpg"}}\n', encoding="utf-8")
    return made


def sent(folder, wanted, target, **options):
    """The names of the files that arrive, and the texts."""
    spool = io.BytesIO()
    parcels.pack(folder.root, wanted, spool, **options)
    spool.seek(0)
    texts = parcels.unpack(spool, target)
    return {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()}, texts


def test_each_parcel_has_what_its_reader_needs(folder, tmp_path):
    shard, checkpoint, metrics = "output/shards/000000.jsonl", "checkpoints/newest.pt", "output/metrics.jsonl"
    live, _ = sent(folder, parcels.is_live, tmp_path / "live", gzip=True)
    assert live == {metrics}
    state, _ = sent(folder, parcels.is_state, tmp_path / "state")
    assert state == {metrics, shard, checkpoint}
    result, texts = sent(folder, parcels.is_result, tmp_path / "result", texts={parcels.EXIT: "2"})
    assert (result, texts) == ({metrics, "model/model.onnx"}, {parcels.EXIT: "2"})
    given, _ = sent(folder, parcels.is_input, tmp_path / "input")
    assert "input/data/predict/manifest.jsonl" in given and checkpoint in given
    assert not [name for name in given if name.startswith("output/") or ".tmp" in name]


def test_manifests_name_the_images_where_they_lie_and_predictions_where_they_lay(folder, tmp_path):
    there = JobFolder(tmp_path / "there")
    sent(folder, parcels.is_input, there.root)
    parcels.move_manifests(there.root, str(folder.root))
    line = there.manifest(PREDICT).read_text(encoding="utf-8")
    assert line == f'{{"source-ref": "{there.root}/input/data/predict/é.jpg"}}\n'
    there.output.mkdir(exist_ok=True)
    there.predictions.write_text(line, encoding="utf-8")
    sent(there, parcels.is_result, folder.root)
    parcels.move_predictions(folder.root, str(there.root))
    assert folder.predictions.read_text(encoding="utf-8") == folder.manifest(PREDICT).read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_prediction_that_was_begun_on_another_node_goes_on(tmp_path):
    def run(folder):
        command = [sys.executable, "-m", "learning.serving.predict", str(folder.root)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr
        return done.stderr

    begun, whole, there = (JobFolder(tmp_path / name) for name in ("begun", "whole", "there"))
    begun.prepare(hyperparameters={"processes": 1}, channels={PREDICT: {}, MODEL: {}})
    quadrants.write_model(begun.channel(MODEL))
    lines = []
    for number in range(6):
        path = begun.channel(PREDICT) / f"{number}.jpg"
        path.write_bytes(picture("JPEG"))
        lines.append(json.dumps({"source-ref": str(path), "waggle-object-id": number}))
    begun.manifest(PREDICT).write_text("\n".join(lines))
    sent(begun, parcels.is_input, whole.root)
    parcels.move_manifests(whole.root, str(begun.root))
    run(whole)
    made = whole.predictions.read_text().replace(str(whole.root), str(begun.root)).splitlines(keepends=True)
    plan = shards.plan(begun, total=6, processes=1, channel=PREDICT)
    plan.path(0).write_text("".join(made[: plan.size]) + made[plan.size][:50])
    # As a node does it: the state after the input.
    sent(begun, parcels.is_input, there.root)
    parcels.move_manifests(there.root, str(begun.root))
    sent(begun, parcels.is_state, there.root)
    parcels.move_predictions(there.root, str(begun.root))
    assert f"{6 - plan.size} of 6 images" in run(there)
    assert there.predictions.read_text() == "".join(made).replace(str(begun.root), str(there.root))


@pytest.mark.parametrize("name", ["../outside", "output/../../outside", "/outside"])
def test_nothing_is_written_outside_of_the_folder(tmp_path, name):
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = 4
        archive.addfile(member, io.BytesIO(b"evil"))
    spool.seek(0)
    (tmp_path / "inside").mkdir()
    with pytest.raises((tarfile.FilterError, OSError)):
        parcels.unpack(spool, tmp_path / "inside")
    assert not list(tmp_path.glob("*outside*")) and not Path("/outside").exists()


def test_what_runs_on_a_node_loads_neither_django_nor_the_store():
    check = (
        "import sys, learning.nodes.run; "
        "found = {'django', 'boto3', 'psycopg', 'torch', 'marketplace', 'ray'} & set(sys.modules); "
        "assert not found, found"
    )
    subprocess.run([sys.executable, "-c", check], check=True, cwd=ROOT)


def test_a_cluster_is_named_by_the_address_of_its_dashboard_and_needs_a_store_in_s3():
    ray, s3 = {"WAGGLE_EXECUTOR": "ray://head:8265"}, {"WAGGLE_STORE_URL": "s3://bees/store"}
    assert EXECUTOR.read({}) == "local" and EXECUTOR.read(ray) == "ray://head:8265"
    for wrong in ("ray://head", "http://head:8265", "ray", "ray://head:8265/jobs"):
        with pytest.raises(SettingError, match="local or ray://HOST:PORT expected"):
            EXECUTOR.read({"WAGGLE_EXECUTOR": wrong})
    assert any("WAGGLE_STORE_URL is no s3:// address" in one for one in settings_checks.complaints(ray))
    assert not settings_checks.complaints(ray | s3)


def test_what_a_program_needs_of_a_node():
    found = RAY_TRAINING.read({"WAGGLE_RAY_TRAINING": "cpus=4, gpus=0.5 memory_gib=16 fast-disk=1"})
    assert (found.cpus, found.gpus, found.memory_gib, dict(found.others)) == (4, 0.5, 16, {"fast-disk": 1})
    for wrong in ("4", "cpus", "cpus=", "cpus=many", "cpus=0", "cpus=1 cpus=2", "cpus=-1", "cpus=nan"):
        with pytest.raises(SettingError, match="WAGGLE_RAY_TRAINING"):
            RAY_TRAINING.read({"WAGGLE_RAY_TRAINING": wrong})


@pytest.mark.parametrize(
    ("asked", "allowed", "nodes"), [({}, 8, 1), ({"num_nodes": "3"}, 8, 3), ({"num_nodes": "3"}, 2, 2)]
)
def test_a_training_has_the_nodes_that_it_asks_for_and_the_operator_allows(asked, allowed, nodes, settings):
    settings.RAY_TRAINING_NODES = allowed
    given = {"label_attribute_name": "bees"}
    assert kinds.get("trainingjob").nodes(TrainingJob(hyperparameters=given | asked)) == nodes
    other = {"architecture": "resnet18"}
    assert kinds.get("trainingjob").nodes(TrainingJob(hyperparameters=given | other)) == 1
