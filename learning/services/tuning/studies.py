"""The search itself: Optuna's studies, in our PostgreSQL in a schema of their own, asked for trials and told of them.

Import it where it is needed: processes that serve pages do without Optuna. Knows no rows of ours; a trial is known by
its number.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
import psycopg
from django.db import connection
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.storages import RDBStorage
from optuna.trial import TrialState
from sqlalchemy import Engine, create_engine, event, text

from learning.services.tuning import config, ranges
from learning.services.tuning.config import TuningConfig
from learning.services.tuning.ranges import Searched
from learning.services.tuning.samplers import sampler_of

SCHEMA = "optuna"
LOCK = 0x6F7074756E61
"""Of the transaction that makes the tables: the word optuna as a number."""
ORIGIN = "waggle_origin"
"""The user attribute of a trial that was taken over from an earlier study: where it comes from."""
REDUCTION = 3
"""Hyperband goes on with one in so many trainings; SageMaker's and Optuna's default."""
LEAST_FOR_IMPORTANCE = 4
"""Trials that have to be complete before shares in their differences are told."""
ENGINE: dict[str, Any] = {"pool_size": 1, "max_overflow": 2}
NO_SAMPLER = optuna.samplers.RandomSampler()
"""For what asks for nothing: samplers do more than sampling when a trial is told of."""
_prepared: set[str] = set()

optuna.logging.set_verbosity(optuna.logging.WARNING)
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Earlier:
    """A training of an earlier tuning job; `value` None: try its hyperparameters, its objective means nothing here."""

    origin: str
    hyperparameters: Mapping[str, str]
    value: float | None


def _connect() -> Any:
    """A connection as Django's, which knows hosts, passwords and options."""
    given = connection.get_connection_params()
    own = {key: value for key, value in given.items() if key not in ("cursor_factory", "context")}
    # Behind a PgBouncer in transaction mode a statement cannot be prepared for the next transaction.
    return psycopg.connect(**own | {"prepare_threshold": None})


def _use_own_schema(engine: Engine) -> None:
    """Every transaction looks in our schema alone; set per transaction, because a PgBouncer shares its sessions."""

    @event.listens_for(engine, "begin")
    def _(opened: Any) -> None:
        opened.exec_driver_sql(f"SET LOCAL search_path TO {SCHEMA}")


def _make_tables() -> None:
    """Make schema and tables unless they are there: one process at a time, the others wait until it is done."""
    engine = create_engine("postgresql+psycopg://", creator=_connect)
    try:
        with engine.begin() as lock:
            lock.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": LOCK})
            with engine.begin() as other:
                other.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
            _storage(first=True).engine.dispose()
    finally:
        engine.dispose()


def _storage(*, first: bool = False) -> RDBStorage:
    """Optuna's storage. Raises RuntimeError for tables of another version of Optuna."""
    return _Storage(
        "postgresql+psycopg://",
        engine_kwargs={**ENGINE, "creator": _connect},
        skip_table_creation=not first,
        skip_compatibility_check=not first,
    )


class _Storage(RDBStorage):
    """Its engine is told of the schema before its first statement."""

    @property
    def engine(self) -> Any:
        """SQLAlchemy's."""
        return self._engine

    @engine.setter
    def engine(self, made: Engine) -> None:
        _use_own_schema(made)
        self._engine = made


@contextmanager
def opened(*, name: str, asked: TuningConfig) -> Iterator["Search"]:
    """The study of this name, made at first use; its connections are closed in the end."""
    with _connected() as storage:
        study = optuna.create_study(
            storage=storage,
            study_name=name,
            sampler=NO_SAMPLER,
            direction="maximize" if asked.maximizes else "minimize",
            pruner=_pruner(asked),
            load_if_exists=True,
        )
        yield Search(study, asked)


def forget(name: str) -> None:
    """Delete the study of this name with its trials; nothing happens if there is none."""
    with _connected() as storage, suppress(KeyError):
        optuna.delete_study(study_name=name, storage=storage)


@contextmanager
def _connected() -> Iterator[RDBStorage]:
    database = str(connection.settings_dict["NAME"])
    if database not in _prepared:
        _make_tables()
        _prepared.add(database)
    storage = _storage()
    try:
        yield storage
    finally:
        storage.engine.dispose()


def _pruner(asked: TuningConfig) -> optuna.pruners.BasePruner:
    if asked.strategy != config.HYPERBAND or asked.max_epochs is None:
        return optuna.pruners.NopPruner()
    return optuna.pruners.HyperbandPruner(
        min_resource=asked.min_epochs or 1, max_resource=asked.max_epochs, reduction_factor=REDUCTION
    )


class Search:
    """One study: what is tried next, and what is known of what was tried."""

    def __init__(self, study: optuna.Study, asked: TuningConfig):
        self.study, self.asked = study, asked
        self._distributions = {one.name: _distribution(one) for one in asked.searched}

    def learn(self, earlier: Sequence[Earlier]) -> None:
        """Take over trainings of earlier tuning jobs, those that fit into the ranges. Safe to repeat."""
        known = {trial.user_attrs.get(ORIGIN) for trial in self.study.get_trials(deepcopy=False)}
        for one in earlier:
            params = self._params(one.hyperparameters)
            if one.origin in known or params is None:
                continue
            if one.value is None:
                self.study.enqueue_trial(params, user_attrs={ORIGIN: one.origin})
                continue
            self.study.add_trial(
                optuna.trial.create_trial(
                    params=params,
                    distributions=self._distributions,
                    value=one.value,
                    user_attrs={ORIGIN: one.origin},
                )
            )

    def ask(self, *, known: set[int]) -> tuple[int, dict[str, str]]:
        """The number and the hyperparameters of the next trial; `known` are the numbers that were asked for before.

        A trial that was asked for and is not known, because the process was killed in between, is given again.
        """
        waiting = (TrialState.RUNNING,)
        lost = [t for t in self.study.get_trials(deepcopy=False, states=waiting) if t.number not in known]
        number = lost[0].number if lost else len(self.study.get_trials(deepcopy=False))
        self.study.sampler = sampler_of(self.asked, number, self._distributions)
        try:
            # Optuna has no call that opens a running trial again; the values that it has stay as they are.
            trial = optuna.trial.Trial(self.study, lost[0]._trial_id) if lost else self.study.ask()
            return trial.number, {one.name: one.text(_suggested(trial, one)) for one in self.asked.searched}
        finally:
            self.study.sampler = NO_SAMPLER

    def tell(
        self, number: int, value: float | None, *, points: Sequence[tuple[float, float]] = (), whole: bool
    ) -> None:
        """The trial is over. `value` None: without an objective; not `whole`: stopped early, at the last of `points`.

        Safe to repeat.
        """
        if self._frozen(number).state.is_finished():
            return
        if value is not None and not whole:
            self.report(number, points)
            self.study.tell(number, state=TrialState.PRUNED, skip_if_finished=True)
        else:
            state = TrialState.FAIL if value is None else TrialState.COMPLETE
            self.study.tell(number, value, state=state, skip_if_finished=True)

    def report(self, number: int, points: Sequence[tuple[float, float]]) -> optuna.trial.Trial:
        """Note the objective by epochs. Safe to repeat."""
        frozen = self._frozen(number)
        trial, known = optuna.trial.Trial(self.study, frozen._trial_id), set(frozen.intermediate_values)
        for epoch, value in points:
            if int(epoch) not in known:
                trial.report(value, step=int(epoch))
                known.add(int(epoch))
        return trial

    def is_hopeless(self, number: int, points: Sequence[tuple[float, float]]) -> bool:
        """Whether Hyperband gives up this running trial."""
        if self._frozen(number).state.is_finished():
            return False
        return bool(self.report(number, points).should_prune())

    def importance(self) -> dict[str, float]:
        """Each hyperparameter's share in the differences of the objective, by fANOVA; empty before it can be told."""
        complete = self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        if len(complete) < LEAST_FOR_IMPORTANCE or len({trial.value for trial in complete}) < 2:
            return {}
        # Its seed is fixed so that the figures do not move when nothing has changed.
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
        found = optuna.importance.get_param_importances(self.study, evaluator=evaluator)
        return {name: round(float(share), 4) for name, share in found.items()}

    def _frozen(self, number: int) -> optuna.trial.FrozenTrial:
        return self.study.get_trials(deepcopy=False)[number]

    def _params(self, texts: Mapping[str, str]) -> dict[str, Any] | None:
        params: dict[str, Any] = {}
        for one in self.asked.searched:
            value = one.number(texts.get(one.name, ""))
            if value is None:
                return None
            params[one.name] = _turned(one, value)
        return params


def _distribution(one: Searched) -> BaseDistribution:
    if one.values is not None:
        return CategoricalDistribution(one.values)
    assert one.low is not None and one.high is not None
    if one.type == ranges.INTEGER:
        return IntDistribution(int(one.low), int(one.high), log=one.scaling == ranges.LOGARITHMIC)
    if one.scaling == ranges.REVERSE_LOGARITHMIC:
        return FloatDistribution(1 - one.high, 1 - one.low, log=True)
    return FloatDistribution(one.low, one.high, log=one.scaling == ranges.LOGARITHMIC)


def _suggested(trial: optuna.trial.Trial, one: Searched) -> Any:
    given = _distribution(one)
    if isinstance(given, CategoricalDistribution):
        return trial.suggest_categorical(one.name, given.choices)
    if isinstance(given, IntDistribution):
        return trial.suggest_int(one.name, given.low, given.high, log=given.log)
    assert isinstance(given, FloatDistribution)
    found = _turned(one, trial.suggest_float(one.name, given.low, given.high, log=given.log))
    return float(np.clip(found, one.low, one.high))


def _turned(one: Searched, value: Any) -> Any:
    """A value of a reverse logarithmic range is searched by its distance from 1, and found by the same way back."""
    if one.type == ranges.INTEGER:
        return int(value)
    return 1 - value if one.scaling == ranges.REVERSE_LOGARITHMIC else value
