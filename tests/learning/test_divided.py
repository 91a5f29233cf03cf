"""How the manifest of a long prediction is divided into pieces, without a cluster."""

import json

import pytest

from learning.contract import PREDICT, JobFolder
from learning.nodes import parcels
from learning.services.programs.cluster.divided import pieces_of


@pytest.fixture
def staged(tmp_path):
    """A function that fills the folder of a prediction over so many images of its channel, as the learner does."""

    def make(name, count=5):
        folder = JobFolder(tmp_path / name)
        folder.prepare(hyperparameters={}, channels={PREDICT: {}, "model": {}})
        images = folder.channel(PREDICT) / "images"
        images.mkdir()
        lines = []
        for number in range(count):
            (images / f"{number}.png").write_text("picture")
            lines.append(json.dumps({"source-ref": f"{images}/{number}.png", "waggle-object-id": number}) + "\n")
        folder.manifest(PREDICT).write_text("".join(lines))
        (folder.channel("model") / "model.onnx").write_text("model")
        return folder

    return make


def test_a_manifest_that_is_no_longer_than_a_piece_stays_whole(staged):
    folder = staged("transformjob-1")
    assert pieces_of(folder.root, 0) == pieces_of(folder.root, 5) == []


def test_pieces_follow_each_other_and_have_the_images_of_their_lines(staged):
    folder = staged("transformjob-1")
    pieces = pieces_of(folder.root, 2)
    assert [(one.number, one.first, one.lines) for one in pieces] == [(0, 0, 2), (1, 2, 2), (2, 4, 1)]
    manifest = folder.manifest(PREDICT).read_bytes()
    assert b"".join(next(iter(one.input()[1].values())) for one in pieces) == manifest
    wanted, texts = pieces[1].input()
    assert list(texts) == ["input/data/predict/manifest.jsonl"]
    sent = {str(name) for name, _, _ in parcels.files(folder.root, wanted)}
    assert sent >= {"input/data/predict/images/2.png", "input/data/predict/images/3.png", "input/data/model/model.onnx"}
    assert not sent & {"input/data/predict/images/1.png", "input/data/predict/manifest.jsonl"}


def test_a_piece_has_the_same_name_at_another_learner_and_another_one_for_other_lines(staged):
    here, there = (pieces_of(staged(name).root, 2) for name in ("transformjob-1", "transformjob-1-ab12cd"))
    assert [one.key for one in here] == [one.key for one in there]
    changed = staged("transformjob-2")
    changed.manifest(PREDICT).write_text(changed.manifest(PREDICT).read_text().replace("/3.png", "/0.png"))
    assert [one.key == other.key for one, other in zip(here, pieces_of(changed.root, 2), strict=True)] == [
        True,
        False,
        True,
    ]
