"""Tuning jobs as their owner sees them: create and stop. What follows is the part of advancing.py.

Does not know Optuna, so that processes that serve pages need not load it.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from labeling.models import Dataset
from learning import transitions
from learning.models import HyperParameterTuningJob, TrainingJob, TuningTrial
from learning.services import training
from learning.services.tuning import config
from learning.services.tuning import definitions as definitions_
from learning.services.tuning.config import TuningConfig
from learning.services.tuning.definitions import Definition
from marketplace.errors import Invalid, NameTaken, NotFound
from marketplace.models import Account
from marketplace.names import check_name
from marketplace.queue import enqueue
from marketplace.ranges import Range
from marketplace.services import quotas

ADVANCE = "learning.background.advance_tuning"
NAME_LENGTH = Range(1, 32)
"""Characters of the name of a tuning job: its trainings are called after it."""
HYPERPARAMETERS = Range(0, 100)
EPOCHS = "epochs"
_PROBE = "tuning-job-{}"
_BY = "tuning"
"""Who makes a training that is undone at once: no quota of the account holds for it."""


def create_tuning(
    *,
    account: Account,
    name: str,
    hyperparameters: Mapping[str, Any],
    channels: Mapping[str, Mapping[str, Any]],
    by: str,
    **asked: Any,
) -> HyperParameterTuningJob:
    """A search over trainings with these fixed `hyperparameters` and `channels` (see `training.create_training`).

    `asked` as for config.read. Whatever values are tried, a training with them could be created: that is checked now.
    Raises Invalid naming what is wrong, NameTaken, NotFound for a parent that there is not, LimitExceeded, and what
    create_training raises.
    """
    one = {"name": "", "hyperparameters": hyperparameters, "channels": channels}
    return _create(account, name, [_definition(0, one, asked)], by, (asked.get("limits") or {}).get("max_jobs"))


def create_several(
    *, account: Account, name: str, definitions: Sequence[Mapping[str, Any]], by: str, **asked: Any
) -> HyperParameterTuningJob:
    """A search over several definitions of trainings, which share its limits.

    Each is {"name", "hyperparameters", "channels", "objective", "searched"}; `asked` is the rest of config.read. Raises
    as `create_tuning`, where the fields of a definition are definitions.0.ranges.1.name.
    """
    definitions_.check_names([str(one.get("name", "")) for one in definitions])
    limits = dict(asked.pop("limits", None) or {})
    jobs = limits.get("max_jobs")
    if asked.get("strategy") == config.GRID:
        # Each grid has a number of its own; what was asked for is that of all.
        limits["max_jobs"] = None
    made = []
    for index, one in enumerate(definitions):
        with _of_definition(index):
            given = {"objective": one["objective"], "searched": one["searched"], "limits": limits, **asked}
            made.append(_definition(index, one, given))
    return _create(account, name, made, by, jobs)


def _definition(index: int, one: Mapping[str, Any], asked: Mapping[str, Any]) -> Definition:
    """What was asked for, as a definition. Raises Invalid."""
    read = config.read(**asked)
    fixed = {key: training.wire(value) for key, value in one["hyperparameters"].items()}
    for number, searched in enumerate(read.searched):
        if searched.name in fixed:
            raise Invalid(f"{searched.name!r} is given a value and searched", field=f"ranges.{number}.name")
    if len(fixed) + len(read.searched) not in HYPERPARAMETERS:
        raise Invalid(f"{len(fixed) + len(read.searched)} found, {HYPERPARAMETERS} expected", field="hyperparameters")
    read, fixed = _epochs(read, fixed)
    return Definition(index, str(one["name"]), read, fixed, one["channels"], "")


def _create(
    account: Account, name: str, definitions: Sequence[Definition], by: str, asked_jobs: int | None
) -> HyperParameterTuningJob:
    check_name(name)
    if len(name) not in NAME_LENGTH:
        raise Invalid(f"{len(name)} characters found, {NAME_LENGTH} expected", field="name")
    shared = definitions_.shared(definitions, asked_jobs=asked_jobs)
    for one in definitions:
        with _of_definition(one.index if one.name else None):
            _check_trainings(account, one.asked, one.hyperparameters, one.channels)
    first = definitions[0]
    _check_parents(account, shared, first.hyperparameters, first.channels)
    try:
        with transaction.atomic():
            rows = HyperParameterTuningJob.objects.filter(account=account)
            live = rows.exclude(status__in=transitions.TUNING_JOB.final)
            quotas.require(account=account, kind="hyper-parameter-tuning-job", rows=live, by=by)
            made = HyperParameterTuningJob.objects.create(
                account=account,
                name=name,
                config=shared.stored(),
                hyperparameters=dict(first.hyperparameters),
                channels={key: dict(value) for key, value in first.channels.items()},
                definitions=definitions_.stored(definitions),
                study_name=f"tuning-{uuid.uuid4().hex}",
                status_changed_at=timezone.now(),
            )
            transitions.TUNING_JOB.begin(made)
            enqueue(ADVANCE, made.pk)
            return made
    except IntegrityError as error:
        raise NameTaken(f"there is a tuning job {name!r} already", field="name") from error


@contextmanager
def _of_definition(index: int | None) -> Iterator[None]:
    """What is found wrong inside is said of this definition, None for the only one."""
    try:
        yield
    except Invalid as error:
        if index is None:
            raise
        errors = [(f"{definitions_.FIELD}.{index}.{field}", reason) for field, reason in error.errors]
        field = f"{definitions_.FIELD}.{index}" + (f".{error.field}" if error.field else "")
        raise Invalid(error.message, field=field, errors=errors or None) from error


def tune_on_dataset(
    *,
    account: Account,
    dataset: Dataset,
    name: str,
    by: str,
    hyperparameters: Mapping[str, Any] | None = None,
    validation: Dataset | None = None,
    **asked: Any,
) -> HyperParameterTuningJob:
    """A search over trainings on the labels that a data set has; see `training.train_on_dataset`, `create_tuning`."""
    with _undone():
        # What such a training is given is that service's to know.
        probe = training.train_on_dataset(
            account=account,
            dataset=dataset,
            validation=validation,
            hyperparameters=hyperparameters,
            name=_probe_name(),
            by=_BY,
        )
        given, channels = dict(probe.hyperparameters), dict(probe.channels)
    return create_tuning(account=account, name=name, hyperparameters=given, channels=channels, by=by, **asked)


def stop(*, tuning_job: HyperParameterTuningJob, by: str) -> None:
    """Start no further training and end those that run; nothing happens when it is over or stopping already."""
    with transaction.atomic():
        locked = HyperParameterTuningJob.objects.select_for_update().get(pk=tuning_job.pk)
        if locked.status == "InProgress":
            transitions.TUNING_JOB.advance(locked, "Stopping", by=by, because="stopped")
            enqueue(ADVANCE, locked.pk)
    tuning_job.refresh_from_db()


def sweep() -> None:
    """Every minute: request an advance of every search that is not over."""
    live = HyperParameterTuningJob.objects.exclude(status__in=transitions.TUNING_JOB.final)
    for pk in live.order_by("pk").values_list("pk", flat=True):
        enqueue(ADVANCE, pk)


def start_trial(
    *, tuning_job: HyperParameterTuningJob, part: Definition, most: int, number: int, values: Mapping[str, str], by: str
) -> TuningTrial | None:
    """The training of a trial that was asked for; None when the search has ended meanwhile. Raises as create_training.

    Trial and training are made together, or neither is.
    """
    with transaction.atomic():
        locked = HyperParameterTuningJob.objects.select_for_update(no_key=True).get(pk=tuning_job.pk)
        count = locked.trials.count()
        if locked.status != "InProgress" or locked.ending or count >= most:
            return None
        name = f"{locked.name}-{count + 1:03d}-{uuid.uuid4().hex[:8]}"
        run = _training(locked.account, name, {**part.hyperparameters, **values}, part.channels, by)
        return TuningTrial.objects.create(
            tuning_job=locked,
            definition=part.index,
            number=number,
            name=name,
            training_job=run,
            hyperparameters=dict(values),
        )


def _training(
    account: Account, name: str, hyperparameters: Mapping[str, str], channels: Mapping[str, Any], by: str
) -> TrainingJob:
    return training.create_training(
        account=account, name=name, hyperparameters=hyperparameters, channels=channels, by=by
    )


def _epochs(read: TuningConfig, fixed: dict[str, str]) -> tuple[TuningConfig, dict[str, str]]:
    """Hyperband's largest resource is the number of epochs of a training: one of the two may be left out."""
    if read.strategy != config.HYPERBAND:
        return read, fixed
    if EPOCHS in {one.name for one in read.searched}:
        raise Invalid("Hyperband decides on the epochs itself: they cannot be searched", field="ranges")
    given = int(fixed[EPOCHS]) if fixed.get(EPOCHS, "").isdecimal() and len(fixed[EPOCHS]) < 10 else None
    if read.max_epochs is None and given is None:
        raise Invalid("Hyperband needs max_resource, or the hyperparameter 'epochs'", field="hyperband.max_resource")
    if read.max_epochs is not None and EPOCHS in fixed and given != read.max_epochs:
        raise Invalid(
            f"max_resource is {read.max_epochs}, and the hyperparameter 'epochs' {fixed[EPOCHS]!r}: leave one out",
            field="hyperband.max_resource",
        )
    most = read.max_epochs or given or 0
    if most <= (read.min_epochs or 1):
        found = f"{read.min_epochs or 1} to {most} epochs found"
        raise Invalid(f"{found}; the least is not below the most", field="hyperband")
    return replace(read, min_epochs=read.min_epochs or 1, max_epochs=most), {**fixed, EPOCHS: str(most)}


def _check_trainings(
    account: Account, read: TuningConfig, fixed: Mapping[str, str], channels: Mapping[str, Any]
) -> None:
    """Raises what creating a training raises with any value that the search may try.

    Trainings are created with the ends of every range, and with every category, and undone. So whatever is known of
    hyperparameters is asked, and no rule is written a second time.
    """
    with _undone():
        # What is wrong already without a searched value is no fault of the ranges.
        _training(account, _probe_name(), fixed, channels, _BY)
        for number, one in enumerate(read.searched):
            for value in one.ends():
                try:
                    _training(account, _probe_name(), {**fixed, one.name: value}, channels, _BY)
                except Invalid as error:
                    raise Invalid(f"{one.name} = {value}: {error.message}", field=f"ranges.{number}") from error


def _check_parents(account: Account, read: TuningConfig, fixed: Mapping[str, str], channels: Mapping[str, Any]) -> None:
    """Raises NotFound for a parent that there is not, Invalid for one that nothing can be learned from."""
    for number, name in enumerate(read.parents):
        at = f"warm_start.parents.{number}"
        parent = HyperParameterTuningJob.objects.filter(account=account, name=name).first()
        if parent is None:
            raise NotFound(f"there is no tuning job {name!r}", field=at)
        if parent.status not in transitions.TUNING_JOB.final:
            raise Invalid(f"the tuning job {name!r} is {parent.status}; it has to be over", field=at)
        if parent.definitions:
            raise Invalid(f"the tuning job {name!r} has several definitions: none can be learned from", field=at)
        earlier = TuningConfig.load(parent.config)
        if (earlier.metric, earlier.direction) != (read.metric, read.direction):
            raise Invalid(
                f"the tuning job {name!r} is to {earlier.direction} {earlier.metric}, this one to {read.direction} "
                f"{read.metric}",
                field=at,
            )
        if read.warm_start == config.IDENTICAL:
            _check_identical(name, at, parent, channels, _names(fixed, read), _names(parent.hyperparameters, earlier))


def _check_identical(
    name: str, at: str, parent: HyperParameterTuningJob, channels: Mapping[str, Any], mine: set[str], theirs: set[str]
) -> None:
    if {key: dict(value) for key, value in channels.items()} != parent.channels:
        raise Invalid(f"the tuning job {name!r} trained on other data; {config.TRANSFER} learns from it", field=at)
    if mine != theirs:
        differ = ", ".join(sorted(mine ^ theirs))
        raise Invalid(
            f"the tuning job {name!r} has other hyperparameters ({differ}); {config.TRANSFER} learns from it", field=at
        )


def _names(fixed: Mapping[str, str], asked: TuningConfig) -> set[str]:
    """A hyperparameter may be fixed in one job and searched in another; its name stays."""
    return set(fixed) | {one.name for one in asked.searched}


def _probe_name() -> str:
    return _PROBE.format(uuid.uuid4().hex)


@contextmanager
def _undone() -> Iterator[None]:
    """Nothing that happens inside stays in the database."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
