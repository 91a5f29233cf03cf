"""Only what was parsed is stored: hostile values anywhere in an answer or a label are refused or dropped."""

import json
import math

import orjson
import pytest

from labeling import task_types
from labeling.formats.answers import AnswerError
from labeling.formats.label_context import LabelContext
from labeling.formats.shapes import LARGEST_SIDE, ImageSize
from labeling.services.results import answering
from marketplace.errors import Invalid
from tests.labeling.task_types import hostile, samples
from tests.labeling.task_types.samples import LABELS, SIZE


def reading(kind):
    """What says how answers and labels of the type are read: the same for all verdicts that one element gives."""
    parts = ("read_answer", "write_answer", "value", "read_value", "read_manifest", "manifest_label")
    return kind.element.name, kind.adjusts and kind.audited.name, *(getattr(type(kind), part) for part in parts)


TYPES = list({reading(kind): kind for kind in map(task_types.get, task_types.names()) if kind.merges}.values())


@pytest.fixture(params=TYPES, ids=[one.name for one in TYPES])
def sample(request):
    return samples.of(request.param)


def numbers(document):
    """Every number in the document."""
    inner = document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    own = [document] if isinstance(document, int | float) else []
    return own + [number for value in inner for number in numbers(value)]


def assert_storable(document, allowed):
    """PostgreSQL can store it, every reader of JSON can read it, and nothing is in it that nobody reads."""
    text = json.dumps(document, allow_nan=False)
    assert orjson.loads(orjson.dumps(document)) == json.loads(text) == document
    assert hostile.keys(document) <= allowed
    assert all(math.isfinite(number) and abs(number) <= LARGEST_SIDE for number in numbers(document))
    assert "\x00" not in str(document)


@pytest.mark.parametrize("value", hostile.VALUES.values(), ids=hostile.VALUES)
def test_an_answer_is_refused_or_only_what_was_read_of_it_is_stored(sample, value):
    kind = sample.task_type
    contents = [kind.write_answer(one, size=SIZE) for one in (sample.good, sample.other)]
    allowed = set().union(*map(hostile.keys, contents))
    kept = refused = 0
    for content in contents:
        for path in hostile.places(content):
            sent = hostile.changed(content, path, value)
            try:
                text = answering.checked(sent, task_type=kind.name, labels=LABELS, size=SIZE).text
            except Invalid as error:
                assert error.field.startswith("answer")
                with pytest.raises(AnswerError):
                    kind.read_answer(sent, labels=LABELS, size=SIZE)
                refused += 1
                continue
            stored = json.loads(text)
            assert_storable(stored, allowed)
            again = answering.checked(stored, task_type=kind.name, labels=LABELS, size=SIZE)
            assert json.loads(again.text) == stored, "what was stored is read and stored as it is"
            assert answering.as_stored(text, task_type=kind.name, labels=LABELS, earlier={}, size=SIZE) == stored
            kept += 1
    assert kept > 0 and refused > 0


@pytest.mark.parametrize("value", hostile.VALUES.values(), ids=hostile.VALUES)
def test_what_is_read_of_a_hostile_answer_can_be_consolidated_and_written(sample, value):
    kind = sample.task_type
    content = kind.write_answer(sample.good, size=SIZE)
    for path in hostile.places(content):
        try:
            answer = kind.read_answer(hostile.changed(content, path, value), labels=LABELS, size=SIZE)
        except AnswerError:
            continue
        given = sample.objects(answer, sample.other, answer)
        (found,) = kind.consolidate_many(given, labels=LABELS, workers=kind.load_workers(None))
        json.dumps([found.value, found.confidence, found.explanation], allow_nan=False)
        assert kind.unwritable(kind.read_value(found.value), labels=LABELS) == ""


@pytest.mark.parametrize("value", hostile.VALUES.values(), ids=hostile.VALUES)
def test_a_label_of_a_manifest_is_refused_or_within_bounds(sample, value):
    kind = sample.task_type
    label = kind.certain(sample.good)
    line = samples.line_of(
        sample,
        label,
        LabelContext(labels=LABELS, image_size=ImageSize(*SIZE), job_name="bees", model_name="m"),
    )
    allowed = hostile.keys(kind.value(label))
    refused = 0
    for path in hostile.places(line):
        try:
            read = kind.read_manifest(hostile.changed(line, path, value), "insects")
        except ValueError:
            refused += 1
            continue
        assert read.image_size is None or all(0 <= side <= LARGEST_SIDE for side in read.image_size)
        if kind.classes(read.answer) <= set(LABELS):
            assert kind.unwritable(read.answer, labels=LABELS) == ""
            assert_storable(kind.value(read.answer), allowed)
            json.dumps(kind.layer(kind.value(read.answer)), allow_nan=False)
        else:
            assert kind.unwritable(read.answer, labels=LABELS)
    assert refused > 0 or type(value) is int, "a number that is no confidence says nothing"


def test_a_comment_is_kept_as_it_is_written():
    """The escape sequence of NUL, typed as text, is no NUL."""
    for text, kept in (("costs \\u0000 nothing", True), ("\\\\u0000", True), ("\x00", False), ("\ud800", False)):
        content = {"crowd-image-classifier": {"label": "bee", "workerComment": text}}
        try:
            found = json.loads(answering.checked(content, task_type="ImageMultiClass", labels=LABELS, size=SIZE).text)
        except Invalid as error:
            assert not kept and error.field == "answer.crowd-image-classifier.workerComment"
        else:
            assert kept and found == content
