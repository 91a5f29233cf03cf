"""Trainings as their owner sees them: create, stop, read. The supervisor (services/programs) does the work."""

import json
import re
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from labeling import task_types
from labeling.models import Dataset
from labeling.services.scope import import_of
from learning import families, transitions
from learning.contract import MODEL, TRAIN, VALIDATION, BadInput
from learning.family_hyperparameters import parse_training
from learning.hyperparameters import refuse_operators
from learning.models import Model, TrainingJob, TrainingMetric
from learning.services import channels as accepted
from learning.services.programs import kinds
from learning.services.programs.channel_images import FILE
from marketplace.errors import Invalid, NameTaken, WrongState
from marketplace.models import Account
from marketplace.names import check_name, following_name, free_name
from marketplace.ranges import Range
from marketplace.services import quotas

VALUE_LENGTH = Range(0, 20_000)
"""Characters of the hyperparameters in one field of a form."""


def create_training(
    *,
    account: Account,
    name: str,
    hyperparameters: Mapping[str, Any],
    channels: Mapping[str, Mapping[str, Any]],
    by: str,
) -> TrainingJob:
    """A training, to be started by the next supervisor with a free slot.

    `hyperparameters` as learning.hyperparameters knows them (AWS's names too). `channels`: {"train": {"manifest_uri":
    ...}, "validation": {...}, "model": {"name": a model or its ARN}}; the last two may be left out, and instead of a
    manifest there may be a "uri" with a "content_type" (see services/channels). The model it makes has the training's
    name. Raises Invalid naming what is wrong, Forbidden for an address the account may
    not read, NameTaken for a name that is taken, NotFound for an unknown model, LimitExceeded.
    """
    check_name(name)
    accepted.check(account=account, channels=channels)
    as_text = {key: wire(value) for key, value in hyperparameters.items()}
    if "label_attribute_name" not in as_text and (attribute := accepted.label_attribute(channels)) is not None:
        as_text["label_attribute_name"] = attribute
    try:
        refuse_operators(as_text)
        parse_training(as_text)
        accepted.check_family(families.of_training(as_text), channels)
    except BadInput as error:
        raise Invalid(str(error), field="hyperparameters") from error
    if Model.objects.filter(account=account, name=name).exists():
        raise NameTaken(f"there is a model {name!r} already", field="name")
    try:
        with transaction.atomic():
            live = TrainingJob.objects.filter(account=account).exclude(status__in=transitions.TRAINING_JOB.final)
            quotas.require(account=account, kind="training-job", rows=live, by=by)
            made = TrainingJob.objects.create(
                account=account,
                name=name,
                hyperparameters=as_text,
                channels={key: dict(value) for key, value in channels.items()},
                created_by=by,
                status_changed_at=timezone.now(),
            )
            transitions.TRAINING_JOB.begin(made)
            return made
    except IntegrityError as error:
        raise NameTaken(f"there is a training job {name!r} already", field="name") from error


def train_on_dataset(
    *,
    account: Account,
    dataset: Dataset,
    by: str,
    name: str = "",
    hyperparameters: Mapping[str, Any] | None = None,
    validation: Dataset | None = None,
    input_mode: str = FILE,
    earlier: Model | None = None,
) -> TrainingJob:
    """A training on the labels that a data set has; see `create_training` for what is raised, and WrongState.

    Without a name one is made of the data set's. The label attribute and the classes are those of the import that made
    the data set, where the hyperparameters do not say otherwise. `earlier`: a model of the account to start from.
    """
    for one in (dataset, validation):
        if one is not None and one.status != "Completed":
            raise WrongState(f"the data set {one.name} is {one.status}", field="dataset")
    given: dict[str, Any] = {}
    if (labeled := import_of(dataset)) is not None:
        classes = {str(number): label for number, label in enumerate(labeled.labels)}
        given = {"label_attribute_name": labeled.label_attribute_name, "class_map": classes}
        given |= learner_of(labeled.task_type, named="base_network" in (hyperparameters or {}))
    chosen = {**given, **(hyperparameters or {})}
    mode = {} if input_mode == FILE else {"input_mode": input_mode}
    channels = {TRAIN: {"manifest_uri": dataset.manifest_uri, **mode}}
    if validation is not None:
        channels[VALIDATION] = {"manifest_uri": validation.manifest_uri, **mode}
    if earlier is not None:
        channels[MODEL] = {"name": earlier.name}
    return create_training(
        account=account,
        name=name or _free_name(account, dataset.name, families.of_training(chosen).word),
        hyperparameters=chosen,
        channels=channels,
        by=by,
    )


def learner_of(task_type: str, *, named: bool = False) -> dict[str, Any]:
    """The hyperparameters that say which learner the labels of this type need; none where no model learns it.

    `named`: an architecture is named in another way, so that only detectors are meant.
    """
    kind = task_types.get(task_type)
    if not kind.learner or named:
        return {}
    family = families.get(kind.learner)
    return {"architecture": family.architectures[0]} | ({"multi_label": True} if kind.several else {})


def train_on_channels(
    *,
    account: Account,
    channels: Mapping[str, Mapping[str, Any]],
    by: str,
    name: str = "",
    hyperparameters: Mapping[str, Any] | None = None,
    **others: Any,
) -> TrainingJob:
    """A training on channels, named after the address it learns from where no name is given; see `create_training`.

    Raises Invalid for `others`, what goes with a data set only.
    """
    if others:
        raise Invalid(f"{', '.join(sorted(others))} belongs to a data set: each channel says its own", field="channels")
    uri = str(channels.get(TRAIN, {}).get("uri", ""))
    chosen = dict(hyperparameters or {})
    word = families.of_training(chosen).word
    stem = uri.rstrip("/").rpartition("/")[2].partition(".")[0]
    return create_training(
        account=account,
        name=name or _free_name(account, re.sub(r"[^A-Za-z0-9-]+", "-", stem).strip("-") or "channel", word),
        hyperparameters=chosen,
        channels=channels,
        by=by,
    )


def next_name(account: Account, name: str) -> str:
    """A name that is free, for a training like the one of this name: bees-2 after bees, bees-3 after bees-2."""
    return following_name(name, _taken(account))


def _taken(account: Account) -> set[str]:
    trainings = TrainingJob.objects.filter(account=account).values_list("name", flat=True)
    return {*trainings, *Model.objects.filter(account=account).values_list("name", flat=True)}


def _free_name(account: Account, base: str, word: str) -> str:
    # The word stays when a number comes behind it.
    return free_name(f"{base[:50].rstrip('-')}-{word}", _taken(account))


def wire(value: Any) -> str:
    """A hyperparameter as SageMaker sends it: text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, (dict, list)) else str(value)


def stop(*, training_job: TrainingJob, by: str) -> None:
    """End a training early; what it has learned is kept. Nothing happens when it is over or stopping already."""
    kinds.of(training_job).stop(training_job, by=by)


def curves(training: TrainingJob) -> dict[str, list[dict[str, Any]]]:
    """Every metric's points in the order of steps: {"train:loss": [{"step", "epoch", "value", "at"}]}."""
    found: dict[str, list[dict[str, Any]]] = {}
    rows = TrainingMetric.objects.filter(training_job=training).order_by("name", "step")
    for name, step, epoch, value, at in rows.values_list("name", "step", "epoch", "value", "at"):
        found.setdefault(name, []).append({"step": step, "epoch": epoch, "value": value, "at": at})
    return found


def seconds(run: Any) -> float | None:
    """How long a training or prediction has run, or ran, from its first start; None before it."""
    if run.started_at is None:
        return None
    return ((run.ended_at or timezone.now()) - run.started_at).total_seconds()
