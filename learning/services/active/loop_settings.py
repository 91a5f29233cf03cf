"""What a requester may set about automated labeling, and the sizes that follow from the number of objects.

Knows numbers only: neither jobs' state nor models.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from labeling import task_types
from learning import families
from learning.contract import LEAST_IMAGE_SIZE, BadInput
from learning.families import DETECTOR, Measure
from learning.family_hyperparameters import known, parse_training
from learning.hyperparameters import AUGMENTATIONS, WEIGHTS
from learning.selection import bounds, losses
from learning.selection.thresholds import MIN_IMAGES
from marketplace.errors import Invalid
from marketplace.ranges import Range

# The requester's keys that are not settings of the loop itself.
OTHERS = frozenset({"enabled", "algorithm_specification_arn", "initial_model", "resource_config"})
SMALL_JOB = 5000
MIN_VALIDATION = 30
ERROR_CONFIDENCE = 0.95
"""The usual confidence of a promised share of wrong labels."""
SPARE = 1.7
"""So many times the least number of validation objects allow for a wrong one, and for some that do not pass."""


@dataclass(frozen=True)
class LoopSettings:
    """Automated labeling of one job; sizes are numbers of objects. `with_sizes` replaces the sizes that are 0.

    People label `seed_size` objects before the first training and `batch_size` in each further round. The validation
    split is `validation_share` of the seed and the whole random part of further batches, which is `random_share` of
    them. The target is promised with `confidence`: `target_quality`, by the measure of the task type, or for boxes
    `target_iou`; 0 is the usual target of the measure. With a `target_error` the promise is about the share of wrong
    labels in its place (selection/error_rates.py): the mean of `error_loss`, where an object is right at an overlap of
    `right_iou`. After `max_rounds` trainings people label what is left. `train_seconds` 0: as the recipe says.
    `random_share` is the most that is set aside: fewer when the plan finds that more cost more than they save
    (planning.py), and people label the rest at once when further rounds are expected to save less than `least_saving`
    of it; 0: rounds go on as long as they can. `box_cost` is the price of drawing a box over that of opening an image,
    by which images are compared, and `batch_boxes` the most boxes that a batch after the seed is expected to have, 0
    for any number. With `overlap` people get the next batch while a model is trained on the one before, which is faster
    and a little more expensive. At most
    `audit_share` of the machine's labels (0: none), and no more than an interval of `audit_width` of their error takes,
    are audited (selection/audits.py).
    """

    seed_size: int = 0
    batch_size: int = 0
    validation_share: float = 0.0
    random_share: float = 0.2
    target_iou: float = DETECTOR.measure.target
    target_quality: float = 0.0
    confidence: float = 0.9
    target_error: float = 0.0
    error_loss: str = "image"
    right_iou: float = losses.RIGHT_IOU
    max_rounds: int = 10
    train_seconds: int = 0
    epochs: int = 0
    architecture: str = "compact"
    image_size: int = 0
    augmentation: str = "auto"
    weights: str = "auto"
    seed: int = 0
    overlap: bool = False
    audit_share: float = 0.05
    audit_width: float = 0.1
    least_saving: float = 0.02
    box_cost: float = 0.0
    batch_boxes: int = 0

    def with_sizes(self, *, objects: int, largest_batch: int) -> "LoopSettings":
        """These settings with every size filled in, for a job of so many objects."""
        seed = self.seed_size or max(20, round(objects * 0.25))
        batch = self.batch_size or max(10, round(objects * 0.1))
        share = self.validation_share or (0.2 if objects < SMALL_JOB else 0.1)
        sizes = {"seed_size": min(seed, largest_batch, objects), "batch_size": min(batch, largest_batch)}
        return LoopSettings(**asdict(self) | sizes | {"validation_share": share})

    def validation_size(self) -> int:
        """The number of validation objects of the seed: its share, but enough for a promise, and at most half of it."""
        wanted = max(
            round(self.seed_size * self.validation_share), min(MIN_VALIDATION, self.seed_size * 2 // 5), MIN_IMAGES
        )
        if self.target_error:
            wanted = max(wanted, round(SPARE * self.least_validation()))
        return min(wanted, self.seed_size // 2)

    def calibration_size(self, batch: int) -> int:
        """The most objects of a batch after the seed that are set aside for validation."""
        return min(round(batch * self.random_share), batch)

    def least_validation(self) -> int:
        """How many validation objects, all labeled rightly, prove the `target_error` at the first test of the job."""
        return bounds.least_clean(self.target_error, bounds.spent(1 - self.confidence, 1))

    def target(self, measure: Measure) -> float:
        """The quality that is promised, by the measure of the job's task type."""
        by_iou = measure == DETECTOR.measure
        return self.target_quality or (self.target_iou if by_iou else measure.target)

    def hyperparameters(
        self, *, task_type: str, labels: list[str], label_attribute_name: str, round_number: int
    ) -> dict[str, Any]:
        """The hyperparameters of the training program, those that the family of its learner knows."""
        family, several = families.of_architecture(self.architecture), task_types.get(task_type).several
        given = {"max_seconds": self.train_seconds, "epochs": self.epochs, "image_size": self.image_size}
        return known(
            family,
            {
                "label_attribute_name": label_attribute_name,
                "class_map": {str(number): label for number, label in enumerate(labels)},
                "architecture": self.architecture,
                "augmentation": self.augmentation,
                "weights": self.weights,
                "seed": self.seed + round_number,
            }
            | {name: value for name, value in given.items() if value}
            | ({"multi_label": True} if several else {}),
        )


def family_of(task_type: str) -> families.Family:
    """The family of learners for this task type; detectors where no model learns it, which the job's design refuses."""
    learner = task_types.get(task_type).learner
    return families.get(learner) if learner else DETECTOR


def measure_of(task_type: str) -> Measure:
    """How the quality of the labels of this task type is measured."""
    return family_of(task_type).measured(several=task_types.get(task_type).several)


def read(given: Mapping[str, Any], *, task_type: str = task_types.DEFAULT) -> LoopSettings:
    """The settings in the `automated_labeling` of a job. Raises Invalid listing every one that is wrong."""
    family = family_of(task_type)
    settings = {field.name: field for field in fields(LoopSettings)}
    errors: list[tuple[str, str]] = []
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name in OTHERS:
            continue
        where = f"automated_labeling.{name}"
        if name not in settings:
            errors.append((where, f"there is no such setting; there are {', '.join(sorted(settings))}"))
        elif (reason := _wrong(name, value, family)) is not None:
            errors.append((where, reason))
        else:
            values[name] = value
    if errors:
        raise Invalid("; ".join(f"{name}: {reason}" for name, reason in errors), errors=errors)
    usual = {"confidence": ERROR_CONFIDENCE} if "target_error" in values else {}
    found = LoopSettings(**{"architecture": family.architectures[0]} | usual | values)
    _check_training(found, task_type)
    return found


def _check_training(found: LoopSettings, task_type: str) -> None:
    """Raises Invalid for what the training program of the family would refuse, before people have begun to work."""
    given = found.hyperparameters(task_type=task_type, labels=["any"], label_attribute_name="label", round_number=1)
    try:
        parse_training({name: one if isinstance(one, str) else json.dumps(one) for name, one in given.items()})
    except BadInput as error:
        raise Invalid(str(error), field="automated_labeling") from error


RANGES: dict[str, Range] = {
    "seed_size": Range(2, 100_000),
    "batch_size": Range(1, 100_000),
    "validation_share": Range(0.01, 0.5),
    "random_share": Range(0, 1),
    "target_iou": Range(0.05, 0.99),
    "target_quality": Range(0.05, 0.99),
    "confidence": Range(0.5, 0.999),
    "target_error": Range(0.005, 0.5),
    "right_iou": Range(0.1, 0.95),
    "max_rounds": Range(1, 100),
    "audit_share": Range(0, 1),
    "audit_width": Range(0.01, 1),
    "train_seconds": Range(0, 7 * 86_400),
    "epochs": Range(0, 100_000),
    "image_size": Range(0, 2048),
    "seed": Range(0, 2**31 - 1000),
    "least_saving": Range(0, 1),
    "box_cost": Range(0, 100),
    "batch_boxes": Range(0, 10_000_000),
}
"""What each number may be, here and in forms and serializers. 0, where allowed, leaves it to the recipe.

The loop keeps its promise over all of these ranges.
"""


def _wrong(name: str, value: Any, family: families.Family) -> str | None:
    default: Any = getattr(LoopSettings, name)
    kinds: tuple[type, ...] = (int, float) if isinstance(default, float) else (type(default),)
    if not isinstance(value, kinds) or isinstance(value, bool) != isinstance(default, bool):
        return f"{value!r} found, {kinds[-1].__name__} expected"
    if name == "architecture" and value not in family.architectures:
        return f"{value!r} found, one of {', '.join(family.architectures)} expected"
    if name == "target_iou" and family is not DETECTOR:
        return f"labels of this task type are measured by {family.measure.name}: give target_quality"
    if family is DETECTOR and name == "augmentation" and value not in AUGMENTATIONS:
        return f"{value!r} found, one of {', '.join(AUGMENTATIONS)} expected"
    if family is DETECTOR and name == "image_size" and isinstance(value, int) and 0 < value < LEAST_IMAGE_SIZE:
        return f"{value} found, 0 or at least {LEAST_IMAGE_SIZE} expected"
    if name == "error_loss" and value not in losses.KINDS:
        return f"{value!r} found, one of {', '.join(losses.KINDS)} expected"
    if name == "weights" and value not in WEIGHTS:
        return f"{value!r} found, one of {', '.join(WEIGHTS)} expected"
    if name in RANGES and value not in RANGES[name]:
        return f"{value} found, {RANGES[name]} expected"
    return None
