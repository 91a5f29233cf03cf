"""The first half of a run: its images are picked, the manifest is written, and a model is trained on from the live one.

Check New Training -> Initiate Training -> Create Manifest -> Create Project Version -> Wait for Training.
"""

import math
import random
from typing import Any

from django.db import transaction
from django.utils import timezone

from learning.contract import MODEL, TRAIN
from learning.models import FOLLOWED_RUNS, Detection, ImprovementPolicy, Model, PolicyRun, Use
from learning.services import training
from learning.services.improvement import answers, runs, sets
from learning.services.improvement import parameters as known
from learning.services.improvement.creating import live_model
from learning.services.improvement.detecting import due
from marketplace import storage

FRESH_MOST = 200
"""Fresh images that a model is tested on: the newest ones."""


def check_new(policy: ImprovementPolicy) -> bool:
    """Begin a run if it is time to look and enough images have gathered; whether one has begun."""
    asked = policy.parameters
    if not asked[known.ENABLE_TRAINING] or not due(policy.training_checked_at, asked[known.TRAINING_MINUTES]):
        return False
    if policy.runs.filter(status__in=FOLLOWED_RUNS).exists():
        # Looked for again as soon as that one is over.
        return False
    with transaction.atomic():
        ImprovementPolicy.objects.filter(pk=policy.pk).update(training_checked_at=timezone.now())
        many = answers.untrained(policy).count()
        if many < asked[known.LEAST_IMAGES]:
            return False
        runs.begin(policy, live_model(policy), images=many)
    return True


def initiate(run: PolicyRun) -> bool:
    """Pick the images of the run; a random share of the new ones is only ever tested on."""
    policy = run.policy
    with transaction.atomic():
        new = list(answers.untrained(policy).order_by("pk").select_for_update(of=("self",), no_key=True))
        many = held_out(len(new), policy.settings["holdout_percent"])
        fresh = set(random.Random(f"{policy.pk}/{run.number}").sample([row.pk for row in new], many))
        keys = {row.pk for row in new}
        Detection.objects.filter(pk__in=keys - fresh).update(run=run, use=Use.TRAIN)
        Detection.objects.filter(pk__in=fresh).update(run=run, use=Use.FRESH)
        because = f"{len(new) - many} new images to learn from, {many} to test on"
        return runs.move(run, "CreateManifest", because, images=len(new))


def held_out(images: int, percent: float) -> int:
    """How many of the new images are only tested on: the share, rounded up, but never all of them."""
    return min(math.ceil(images * percent / 100), max(0, images - 1))


def create_manifest(run: PolicyRun) -> bool:
    """Write the training manifest and that of the fresh test images. Classes that people have used are added."""
    policy = run.policy
    chosen = policy.detections.filter(run__isnull=False, set_aside=False).select_related("human_loop")
    to_learn = [sets.of_detection(row) for row in chosen.filter(use=Use.TRAIN).order_by("pk")]
    newest = list(chosen.filter(use=Use.FRESH).order_by("-pk")[:FRESH_MOST])
    fresh = [sets.of_detection(row) for row in reversed(newest)]
    labels = [*policy.labels, *sorted((sets.classes_of(to_learn) | sets.classes_of(fresh)) - set(policy.labels))]
    # Two runs may begin in one second.
    moment = f"{run.created_at:%Y-%m-%dT%H-%M-%S}-{run.number}"
    manifest_uri = storage.join(policy.location, "manifests", f"groundtruth-{policy.name}-{moment}.manifest")
    fresh_uri = storage.join(policy.location, "evaluation", f"fresh-{policy.name}-{moment}.manifest") if fresh else ""
    many = sets.write(manifest_uri, to_learn, labels=labels, before=policy.base_uri)
    if fresh:
        sets.write(fresh_uri, fresh, labels=labels)
    with transaction.atomic():
        ImprovementPolicy.objects.filter(pk=policy.pk).update(labels=labels)
        return runs.move(
            run,
            "CreateProjectVersion",
            f"{many} images to learn from, {len(fresh)} fresh ones to test on",
            manifest_uri=manifest_uri,
            fresh_uri=fresh_uri,
            fresh_images=len(fresh),
            training_images=many,
        )


def create_version(run: PolicyRun) -> bool:
    """Start the training, incrementally from the live model. Raises what `create_training` does."""
    policy = run.policy
    if run.live_model is None:
        runs.fail(run, "the model to start from was deleted")
        return True
    with transaction.atomic():
        made = training.create_training(
            account=policy.account,
            name=training.next_name(policy.account, run.live_model.name),
            hyperparameters=hyperparameters(policy, run.live_model),
            channels={TRAIN: {"manifest_uri": run.manifest_uri}, MODEL: {"name": run.live_model.name}},
            by=runs.BY,
        )
        return runs.move(run, "WaitForTraining", f"{made.name} trains on from {run.live_model.name}", training_job=made)


def hyperparameters(policy: ImprovementPolicy, live: Model) -> dict[str, Any]:
    """Those of the policy, with the architecture and image size of the live model and the policy's classes."""
    given: dict[str, Any] = {
        "architecture": live.architecture,
        "label_attribute_name": sets.ATTRIBUTE,
        "class_map": {str(number): name for number, name in enumerate(policy.labels)},
    }
    if live.config.get("image_size"):
        given["image_size"] = live.config["image_size"]
    return {**given, **policy.settings["hyperparameters"]}


def wait(run: PolicyRun) -> bool:
    """Look whether the training is over."""
    job = run.training_job
    if job is None:
        runs.fail(run, "its training was deleted")
    elif job.status == "Completed" and job.model is not None:
        with transaction.atomic():
            return runs.move(run, "TrainingCompleted", f"the model {job.model.name} is there", model=job.model)
    elif job.status in ("Failed", "Stopped", "Completed"):
        runs.fail(run, f"the training {job.name} is {job.status}. {job.failure_reason}".strip())
    else:
        return False
    return True
