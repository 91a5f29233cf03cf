"""The suite that every task type passes, whatever people do in it."""

import itertools
import json
from datetime import UTC, datetime

import pytest

from labeling import task_types
from labeling.consolidation.stopping import Stopping
from labeling.formats.answers import AnswerError
from labeling.formats.attribute_names import validate_label_attribute_name
from labeling.formats.label_context import LabelContext
from labeling.formats.shapes import ImageSize
from labeling.services.output import exports
from labeling.task_types.base import PRICES
from labeling.task_types.told import Story
from tests.labeling.task_types import samples, weather
from tests.labeling.task_types.samples import LABELS, SIZE, Sample

# Types that do not merge answers have no majority and no models of workers; they have stories of their own.
TYPES = [one for one in (*map(task_types.get, task_types.names()), weather.TYPE) if one.merges]


@pytest.fixture(params=TYPES, ids=[one.name for one in TYPES])
def sample(request: pytest.FixtureRequest) -> Sample:
    return samples.of(request.param)


def strangers(sample: Sample):
    """Models of workers nobody knows yet."""
    return sample.task_type.load_workers(None)


def consensus_of(sample: Sample, *answers):
    (found,) = sample.task_type.consolidate_many(sample.objects(*answers), labels=LABELS, workers=strangers(sample))
    return found


def test_an_answer_goes_out_and_comes_back_equal(sample):
    for answer in (sample.good, sample.other):
        content = sample.task_type.write_answer(answer, size=SIZE)
        assert list(content) == [sample.task_type.element.name]
        stored = json.loads(json.dumps(content))
        assert sample.task_type.read_answer(stored, labels=LABELS, size=SIZE) == answer


def test_a_bad_answer_is_refused_naming_its_field(sample):
    for content, field in sample.bad:
        with pytest.raises(AnswerError) as refused:
            sample.task_type.read_answer(content, labels=LABELS, size=SIZE)
        assert refused.value.field == field


def test_a_label_is_stored_as_json_and_read_back_equal(sample):
    certain = sample.task_type.certain(sample.good)
    value = json.loads(json.dumps(sample.task_type.value(certain)))
    assert sample.task_type.read_value(value) == certain
    assert sample.task_type.classes(certain) == sample.task_type.classes(sample.good) <= set(LABELS)
    assert sample.task_type.classes(certain)
    assert sample.task_type.summary(value)


def test_classes_can_have_other_names_and_become_one(sample):
    kind, given = sample.task_type, sample.task_type.classes(sample.good)
    names = dict.fromkeys(sorted(given), "insect")
    renamed = kind.renamed(kind.certain(sample.good), names)
    assert kind.classes(renamed) == {"insect"}
    value = json.loads(json.dumps(kind.value(renamed)))
    assert kind.read_value(value) == renamed and kind.unwritable(renamed, labels=["fly", "insect"]) == ""
    content = kind.write_answer(sample.good, size=SIZE)
    read = kind.read_stored(content, labels=["insect"], earlier=names | {"fly": "insect"}, size=SIZE)
    assert kind.classes(read) == {"insect"} and kind.agreement(read, renamed) == 1
    assert kind.renamed(sample.good, {"cow": "insect"}) == sample.good


def test_the_order_of_answers_changes_nothing(sample):
    given = sample.objects(sample.good, sample.other, sample.good, sample.other, sample.good)[0]
    found = []
    for order in itertools.permutations(given.answers):
        one = type(given)(order, SIZE, None, given.key)
        (result,) = sample.task_type.consolidate_many([one], labels=LABELS, workers=strangers(sample))
        found.append(json.dumps([result.value, result.confidence, result.explanation]))
    assert len(set(found)) == 1


def test_an_answer_is_scored_against_the_truth(sample):
    score, truth = sample.task_type.score_against_truth, sample.task_type.certain(sample.good)
    assert score(sample.good, truth) == 1 and score(truth, sample.good) == 1
    assert score(sample.other, truth) == 0


def test_the_majority_is_the_label(sample):
    found = consensus_of(sample, sample.good, sample.other, sample.good)
    label = sample.task_type.read_value(found.value)
    assert sample.task_type.classes(label) == sample.task_type.classes(sample.good)
    assert 0.4 < found.confidence <= 1
    assert sample.task_type.algorithm == found.explanation["algorithm"]


def test_one_more_answer_is_wanted_until_there_are_enough(sample):
    rule = Stopping(max_answers=3, min_answers=2, target_confidence=0.9)
    for answers, wanted in (([sample.good], True), ([sample.good, sample.other, sample.good], False)):
        (decision,) = sample.task_type.decide_many(
            sample.objects(*answers), labels=LABELS, rule=rule, workers=strangers(sample)
        )
        assert decision.ask is wanted and decision.answers == len(answers)


def test_workers_are_learned_stored_and_told_apart(sample):
    objects = sample.objects(sample.good, sample.good, sample.other, count=30, gold=sample.good)
    models = sample.task_type.fit_workers(objects, labels=LABELS)
    stored = json.loads(json.dumps(models.to_json()))
    again = sample.task_type.load_workers(stored)
    assert again.to_json() == models.to_json()

    rows = sample.task_type.skills(again, ["ann", "cy", "stranger"], labels=LABELS)
    main = sample.task_type.skill_columns[0].key
    overall = {row.worker: row.figures for row in rows if not row.label}
    assert overall["ann"][main] > overall["stranger"][main] > overall["cy"][main]
    assert all(column.key in overall["ann"] for column in sample.task_type.skill_columns)
    assert {row.label for row in rows} <= {"", *LABELS}
    by_class = [row for row in rows if row.label]
    assert all(0 <= row.figures[main] <= 1 for row in by_class)
    assert sample.task_type.skills(again, [], labels=LABELS) == []

    sums = sample.task_type.skill_rows(again, labels=LABELS)
    assert {row.worker for row in sums} == {"ann", "bob", "cy"} and {row.label for row in sums} <= {"", *LABELS}
    recall = {row.worker: row.found / row.chances for row in sums if not row.label}
    assert recall["ann"] > recall["cy"]


def test_the_manifest_label_is_read_back_equal(sample):
    kind, created = sample.task_type, datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    label = kind.read_value(consensus_of(sample, sample.good, sample.good, sample.other).value)
    line = samples.line_of(
        sample,
        label,
        LabelContext(labels=LABELS, image_size=ImageSize(*SIZE), job_name="bees", created=created),
    )
    metadata = line["insects-metadata"]
    assert metadata["type"] == sample.manifest_type
    assert kind.manifest_type in ("", sample.manifest_type)
    assert metadata["human-annotated"] == "yes" and metadata["job-name"] == "labeling-job/bees"
    assert metadata["creation-date"] == "2026-03-01T12:30:00.000000"
    read = kind.read_manifest(line, "insects")
    assert read.answer == label
    assert read.origin.human_annotated is True and read.origin.job_name == "labeling-job/bees"
    assert read.image_size in (None, ImageSize(*SIZE))


def test_a_manifest_line_without_the_label_is_refused(sample):
    with pytest.raises(ValueError, match="'insects' is missing"):
        sample.task_type.read_manifest({"source-ref": "s3://b/1.png"}, "insects")
    with pytest.raises(ValueError, match="insects"):
        sample.task_type.read_manifest({"insects": {}}, "insects")


def test_prices_names_and_limits(sample):
    kind = sample.task_type
    assert kind.prices and set(kind.prices) <= set(PRICES) and list(kind.prices) == sorted(kind.prices)
    assert 1 <= kind.fewest_labels <= kind.most_labels
    assert set(kind.exports) <= set(exports.EXTENSION) - set(exports.ALWAYS)
    assert kind.title and all(vars(kind.words).values()) and "{index}" in kind.words.saved
    attribute = "insects-ref" if kind.label_is_file else "insects"
    assert validate_label_attribute_name(attribute, kind.name, is_file=kind.label_is_file) == attribute


def test_the_element_is_a_crowd_element(sample):
    element = sample.task_type.element
    assert element.tag.startswith("crowd-") and element.name and element.labels_attribute
    start = sample.task_type.initial_value(sample.task_type.value(sample.good))
    assert start and json.loads(json.dumps(start)) == start
    assert not sample.task_type.initial_value(None)


def test_labels_and_answers_are_drawn_alike(sample):
    kind = sample.task_type
    label = kind.layer(kind.value(kind.certain(sample.good)))
    answer = kind.answer_layer(kind.write_answer(sample.good, size=SIZE))
    drawn = {"boxes", "polygons", "polylines", "keypoints", "choice", "choices", "spans", "masks"}
    assert label.keys() & drawn and set(label) >= set(answer)
    assert set(kind.answer_layer({})) <= set(label)


def test_the_explanation_names_everybody(sample):
    found = consensus_of(sample, sample.good, sample.other, sample.good)
    story = sample.task_type.story(found.value, found.explanation)
    assert isinstance(story, Story) and story.lead.startswith("3 people answered.")
    assert {finding.kept for finding in story.findings} >= {True}
    said = [member for finding in story.findings for member in finding.members]
    assert {member.worker for member in said} == {"ann", "bob", "cy"}
    assert {member.worker for member in said if member.outvoted} == {"bob"}
    for finding in story.findings:
        assert finding.said and all(
            member.note or len(member.cells) == len(finding.columns) for member in finding.members
        )


def test_one_more_type_is_one_file_and_one_line():
    before = task_types.names()
    task_types.register(weather.TYPE)
    try:
        assert task_types.get("Weather") is weather.TYPE
        assert task_types.names() == [*before, "Weather"]
        with pytest.raises(ValueError, match="there is a task type 'Weather' already"):
            task_types.register(weather.TYPE)
    finally:
        task_types.unregister("Weather")
    assert "Weather" not in task_types.names()


def test_an_unknown_type_is_refused_naming_those_there_are():
    with pytest.raises(task_types.UnknownTaskType, match="'Boxes' found, one of BoundingBox, Polygon, .* expected"):
        task_types.get("Boxes")
    with pytest.raises(task_types.UnknownTaskType, match="'VideoMultiClass' found, video and 3D point"):
        task_types.get("VideoMultiClass")
