"""What a loop asks of each family of learners: labels of predictions, classes that move, outcomes that are merged."""

import numpy as np
import pytest

from labeling import task_types
from labeling.formats import segments
from labeling.formats.label_context import LabelContext
from labeling.formats.shapes import Box, Segmentation, Vote
from learning.contract import PredictedBox, PredictedClass, PredictedSegment, Prediction
from learning.selection.uncertainty import Certainty, Curve
from learning.services.active import learners, loop_settings
from learning.services.active.learners.masks import overlaps
from learning.services.active.loop_settings import measure_of
from marketplace.errors import Invalid

LABELS = ["bee", "wasp", "fly"]
CURVE = Curve(1.0, 0.0)
KINDS = [task_types.get(name) for name in task_types.names() if task_types.get(name).learner]


def of(name):
    return learners.of_type(name)


def classes(*chances):
    found = [PredictedClass(place, chance) for place, chance in enumerate(chances)]
    return Prediction(0, 1, "", None, [], [], classes=found)


def masked(values):
    """A prediction of these pixels, (h, w), where the class at place k is k + 1."""
    found = segments.from_pixels(np.asarray(values, np.uint8), {1: "0", 2: "1", 3: "2"})
    parts = [PredictedSegment(int(one.label), one.counts, 0.8) for one in found.segments]
    size = {"width": found.size[0], "height": found.size[1], "depth": 3}
    return Prediction(0, 1, "", size, [], [], segments=parts)


def truth(values):
    return segments.from_pixels(np.asarray(values, np.uint8), {1: "bee", 2: "wasp", 3: "fly"})


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_type_that_a_model_learns_has_a_learner_and_a_target(kind):
    assert of(kind.name).columns(LABELS) in (1, 3)
    settings = loop_settings.read({"enabled": True}, task_type=kind.name)
    assert settings.architecture == loop_settings.family_of(kind.name).architectures[0]
    assert 0.5 < settings.target(measure_of(kind.name)) < 1
    given = settings.hyperparameters(task_type=kind.name, labels=LABELS, label_attribute_name="x", round_number=1)
    assert bool(given.get("multi_label")) == kind.several


@pytest.mark.parametrize(
    ("given", "task_type", "said"),
    [
        ({"architecture": "resnet18"}, "TextMultiClass", "one of tfidf_logistic_regression expected"),
        ({"architecture": "compact"}, "ImageMultiClass", "one of resnet18, .* expected"),
        ({"target_iou": 0.7}, "ImageMultiClass", "measured by accuracy: give target_quality"),
        ({"target_quality": 1.5}, "ImageMultiClass", "1.5 found"),
        ({"image_size": 2000}, "ImageMultiClass", "'image_size' is 2000; allowed: 0 to 1024"),
        ({"augmentation": "wild"}, "SemanticSegmentation", "'augmentation' is 'wild'"),
    ],
)
def test_settings_that_do_not_fit_the_task_type_are_named_before_people_begin(given, task_type, said):
    with pytest.raises(Invalid, match=said):
        loop_settings.read(given, task_type=task_type)


def test_one_class_is_the_most_likely_one_as_sure_as_such_labels_are_right():
    learner = of("TextMultiClass")
    prediction = classes(0.1, 0.7, 0.2)
    assert learner.truth(Vote(("fly",)), LABELS) == 2
    assert learner.sure(CURVE, prediction, LABELS) == pytest.approx(0.7)
    label = learner.label(CURVE, prediction, LABELS, 0.93)
    assert label == Vote(("wasp",), (0.93,))
    value, metadata = task_types.get("TextMultiClass").manifest_label(
        label, LabelContext(labels=LABELS, job_name="j", human_annotated=False, model_name="m")
    )
    assert (value, metadata["confidence"], metadata["human-annotated"]) == (1, 0.93, "no")
    assert learner.label(CURVE, Prediction(0, 1, "", None, [], []), LABELS, 0.1) is None


def test_of_several_classes_those_above_their_own_cuts_are_written_as_above_the_cut_of_every_reader():
    learner = of("ImageMultiClassMultiLabel")
    rule = Certainty(np.array([0.3, 0.7, 0.5]), 1.0, 0.0, 0.5)
    label = learner.label(rule, classes(0.3, 0.65, 0.9), LABELS, 0.8)
    assert label.labels == ("bee", "fly")
    assert label.confidences == pytest.approx((0.5001, 0.9))
    kind = task_types.get("ImageMultiClassMultiLabel")
    assert kind.classes(label) == {"bee", "fly"}
    assert learner.truth(label, LABELS).tolist() == [True, False, True]
    none = learner.label(rule, classes(0.1, 0.1, 0.1), LABELS, 0.8)
    assert kind.classes(none) == frozenset() and kind.summary(kind.value(none)) == "None of the above"
    assert learner.explained(rule, LABELS) == {"score_cuts": {"bee": 0.3, "wasp": 0.7, "fly": 0.5}}


def test_masks_become_labels_of_the_type_and_are_measured_class_by_class():
    learner = of("SemanticSegmentation")
    found, true = masked([[1, 1, 0, 2], [1, 1, 0, 2]]), truth([[1, 1, 1, 0], [1, 1, 1, 3]])
    assert learner.sure(CURVE, found, LABELS) == pytest.approx(0.8)
    label = learner.label(CURVE, found, LABELS, 0.77)
    assert isinstance(label, Segmentation) and label.confidence == 0.77
    assert [one.label for one in label.segments] == ["bee", "wasp"]
    assert task_types.get("SemanticSegmentation").unwritable(label, labels=LABELS) == ""
    iou, there = overlaps(label, true, LABELS)
    assert iou.tolist() == pytest.approx([4 / 6, 0, 0]) and there.tolist() == [1, 1, 1]
    assert overlaps(None, true, LABELS)[1].tolist() == [1, 0, 1]
    decision = learner.choose(
        [found] * 12, [learner.truth(true, LABELS)] * 12,
        labels=LABELS, target=0.9, confidence=0.9, earlier=None, seed=0,
    )  # fmt: skip
    assert decision.threshold is None


def test_predictions_follow_classes_that_were_merged_or_are_gone():
    merged = {0: 0, 1: 0, 2: None}
    one = of("TextMultiClass").placed(classes(0.3, 0.5, 0.2), merged)
    assert one.classes == [PredictedClass(0, 0.8)]
    several = of("TextMultiClassMultiLabel").placed(classes(0.3, 0.5, 0.2), merged)
    assert several.classes == [PredictedClass(0, 0.5)]
    masks = of("SemanticSegmentation").placed(masked([[1, 2, 0, 3]]), merged)
    assert [one.class_id for one in masks.segments] == [0]
    assert overlaps(of("SemanticSegmentation").label(CURVE, masks, LABELS, 1), truth([[1, 1, 0, 0]]), LABELS)[0][0] == 1


def test_outcomes_of_merged_classes_are_never_better_than_they_were():
    assert of("BoundingBox").merged([[0.5, 1.5], [1, 2]], gone=0, kept=1) == [[2.0], [3]]
    assert of("TextMultiClass").merged([[0.0], [1.0]], gone=0, kept=1) == [[0.0], [1.0]]
    assert of("TextMultiClassMultiLabel").merged([[0, 1], [1, 1]], gone=0, kept=1) == [[1], [1]]
    assert of("SemanticSegmentation").merged([[0.0, 0.9], [1, 1]], gone=0, kept=1) == [[0.0], [1]]
    assert of("SemanticSegmentation").merged([[0.0, 0.9], [0, 1]], gone=0, kept=1) == [[0.9], [1]]


def test_how_wrong_a_label_is_as_a_whole_and_by_what_it_says():
    one, several, painted = of("ImageMultiClass"), of("ImageMultiClassMultiLabel"), of("SemanticSegmentation")

    def loss(learner, found, true, kind="image", iou=0.5):
        return learner.loss(found, true, labels=LABELS, kind=kind, iou=iou)

    assert [loss(one, 1, true, kind) for true in (1, 2) for kind in ("image", "objects")] == [0, 0, 1, 1]
    assert one.compared(1, 2, LABELS) == [[0.0], [1.0]]
    said, true = np.array([True, True, False]), np.array([True, False, True])
    assert (loss(several, said, true), loss(several, said, true, "objects")) == (1, pytest.approx(2 / 3))
    assert loss(several, ~np.ones(3, bool), ~np.ones(3, bool), "objects") == 0
    assert several.compared(said, true, LABELS) == [[1.0, 0.0, 0.0], [1.0, 1.0, 1.0]]
    # A third of the bee is wrong, the wasp is right: by the overlap that is asked for.
    mine, theirs = truth([[1, 1, 0, 2]]), truth([[1, 1, 1, 2]])
    assert painted.compared(mine, theirs, LABELS) == [[pytest.approx(2 / 3), 1.0, 0.0], [1.0, 1.0, 0.0]]
    assert [loss(painted, mine, theirs, iou=iou) for iou in (0.5, 0.7)] == [0, 1]
    assert loss(painted, mine, theirs, "objects", 0.7) == 0.5


def test_every_learner_says_what_it_doubts_and_expects_of_each_class():
    boxes = Prediction(0, 1, "", None, [PredictedBox(1, 0, 0, 5, 5, 0.6), PredictedBox(1, 9, 9, 5, 5, 0.02)], [])
    detector = of("BoundingBox")
    assert detector.doubts(boxes, LABELS).round(2).tolist() == [0, 0.59, 0]
    assert detector.expected(boxes, LABELS).tolist() == [0, 0.62, 0]
    drawn = detector.truth([Box("fly", 0, 0, 5, 5), Box("fly", 9, 9, 5, 5)], LABELS)
    assert detector.amounts(drawn, LABELS).tolist() == [0, 0, 2]
    sure, unsure = classes(0.98, 0.01, 0.01), classes(0.4, 0.35, 0.25)
    for name in ("ImageMultiClass", "ImageMultiClassMultiLabel", "TextMultiClass"):
        assert of(name).doubts(unsure, LABELS).sum() > 3 * of(name).doubts(sure, LABELS).sum() > 0
        assert of(name).expected(unsure, LABELS).tolist() == [0.4, 0.35, 0.25]
    assert of("ImageMultiClass").amounts(1, LABELS).tolist() == [0, 1, 0]
    assert of("ImageMultiClassMultiLabel").amounts(np.array([True, False, True]), LABELS).tolist() == [1, 0, 1]
    masks = of("SemanticSegmentation")
    assert masks.doubts(masked([[1, 0], [3, 3]]), LABELS).round(2).tolist() == [0.2, 0, 0.2]
    assert masks.expected(masked([[1, 0], [3, 3]]), LABELS).tolist() == [1, 0, 1]
    assert masks.amounts(truth([[2, 2]]), LABELS).tolist() == [0, 1, 0]


def test_what_counts_as_one_more_answer_has_the_scores_of_the_model():
    assert of("ImageMultiClass").proposed(classes(0.2, 0.7, 0.1), LABELS) == Vote(("wasp",), (0.7,))
    assert of("ImageMultiClass").proposed(classes(), LABELS) is None
    several = of("TextMultiClassMultiLabel").proposed(classes(0.9, 0.3, 0.6), LABELS)
    # Also of those that it does not name: how sure it is of that.
    assert several == Vote(tuple(LABELS), (0.9, 0.3, 0.6))
    assert task_types.get("TextMultiClassMultiLabel").classes(several) == {"bee", "fly"}
