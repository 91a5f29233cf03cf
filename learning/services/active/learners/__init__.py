"""What a learning loop asks of each family of learners. Adding one is a file beside this one and a line in LEARNERS."""

from typing import Any

from labeling import task_types
from labeling.models import LabelingJob
from learning.families import DETECTOR, IMAGE_CLASSIFIER, SEGMENTER, TEXT_CLASSIFIER
from learning.services.active.learners.boxes import Boxes
from learning.services.active.learners.classes import OneClass, SeveralClasses
from learning.services.active.learners.interface import Learner
from learning.services.active.learners.masks import Masks

# By family, and by whether an object may have several classes.
LEARNERS: dict[tuple[str, bool], Learner[Any]] = {
    (DETECTOR.name, False): Boxes(),
    (IMAGE_CLASSIFIER.name, False): OneClass(),
    (IMAGE_CLASSIFIER.name, True): SeveralClasses(),
    (TEXT_CLASSIFIER.name, False): OneClass(),
    (TEXT_CLASSIFIER.name, True): SeveralClasses(),
    (SEGMENTER.name, False): Masks(),
}


def of(job: LabelingJob) -> Learner[Any]:
    """That of a job's task type."""
    return of_type(job.task_type)


def of_type(task_type: str) -> Learner[Any]:
    """That of a task type. Raises LookupError where no model learns the type."""
    kind = task_types.get(task_type)
    return LEARNERS[kind.learner, kind.several]
