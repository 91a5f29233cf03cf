"""What every kind of program passes, whether it ends or serves: run by the real supervisor as real processes."""

import importlib.util
import time
from pathlib import Path

import pytest
from django.db import connection

from learning.contract import JobFolder
from learning.models import ProgramRun, Round
from learning.services.programs import kinds
from learning.services.programs.executor import LocalExecutor
from learning.services.programs.running import MAX_ATTEMPTS, Claim, Runner
from learning.services.programs.serving import ServingRunner
from learning.services.programs.supervisor import Supervisor
from marketplace.models import Account, AuditEvent
from tests.learning.kind_cases import CASES, REPLICAS, a_replica
from tests.learning.programs.replica import Replica, ask
from tests.learning.test_supervisor import wait, working_in

pytestmark = pytest.mark.django_db(transaction=True)
each_kind = pytest.mark.parametrize("case", CASES, ids=[case.kind.name for case in CASES])
# What a kind adds to it is in its other tests: `make test` tries it with one that ends and one that serves.
two_kinds = pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.kind.name, marks=[] if place in (0, len(CASES) - 1) else pytest.mark.slow)
        for place, case in enumerate(CASES)
    ],
)


@pytest.fixture(autouse=True)
def replicas(transactional_db):
    """The table of the kind that only the tests have."""
    with connection.schema_editor() as editor:
        editor.create_model(Replica)
    yield
    with connection.schema_editor() as editor:
        editor.delete_model(Replica)


@pytest.fixture
def account(replicas):
    return Account.objects.create(name="Bees & Co", number=f"{time.time_ns() % 10**12:012d}")


@pytest.fixture
def supervise(tmp_path):
    """Makes supervisors of every kind there is, and ends them."""
    made = []

    def _supervise(executor, *, slots=1, root="programs"):
        every = [case.kind for case in CASES]
        made.append(Supervisor(executor=executor, slots=slots, root=tmp_path / root, kinds=every))
        return made[-1]

    yield _supervise
    for one in made:
        one.shut_down()


def status_is(run, *wanted):
    def _status_is():
        run.refresh_from_db()
        return run.status in wanted

    return _status_is


def test_every_registered_kind_is_in_the_suite():
    assert {case.kind.name for case in CASES} == {kind.name for kind in kinds.KINDS} | {"replica"}
    with pytest.raises(LookupError, match="no kind of program 'tea'; there are modelimport, transformjob, trainingjob"):
        kinds.get("tea")


@each_kind
def test_its_facts_fit_together(case):
    kind = case.kind
    assert issubclass(kind.model, ProgramRun)
    assert kind.model._meta.get_field("status").choices == kind.machine.choices()
    assert "-" not in kind.name, "the number of a run follows the hyphen in the name of its folder"
    names, priorities = [one.kind.name for one in CASES], [one.kind.priority for one in CASES]
    assert len(set(names)) == len(set(priorities)) == len(CASES)
    assert importlib.util.find_spec(kind.module.partition(".")[0])
    assert (Path(__file__).parents[2] / (kind.module.replace(".", "/") + ".py")).exists()
    moves, begins = kind.machine.moves, kind.model().status
    assert {kind.stopping, kind.failed} <= moves[begins]
    assert {kind.stopped, kind.failed} <= moves[kind.stopping]
    assert not {kind.stopped, kind.failed} & set(kind.live)
    if kind.serves:
        assert begins == kind.starting
        assert kind.ready in moves[kind.starting]
        assert {kind.starting, kind.stopping} <= moves[kind.ready]
    else:
        assert kind.completed in moves[begins] and kind.completed not in kind.live


@each_kind
def test_staging_twice_gives_the_same_folder(case, account, tmp_path):
    run = case.make(account, _note="x")
    seen = []
    for _ in range(2):
        case.kind.stage(run, JobFolder(tmp_path))
        seen.append({str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()})
    assert seen[0] == seen[1]
    assert JobFolder(tmp_path).read_hyperparameters()["_note"] == "x"
    assert JobFolder(tmp_path).read_channels().keys() >= run.channels.keys()


@each_kind
def test_a_run_that_nobody_holds_is_stopped_at_once(case, account):
    run = case.make(account)
    for _ in range(2):
        case.kind.stop(run, by="user:1")
        assert run.status == case.kind.stopped and run.ended_at


@two_kinds
def test_a_run_that_works_is_stopped_and_leaves_nothing(case, account, supervise):
    run, supervisor = case.make(account), supervise(case.lasting())
    wait(lambda: working_in(supervisor.root), step=supervisor.step)
    case.kind.stop(run, by="user:1")
    assert run.status in (case.kind.stopping, case.kind.stopped)
    wait(status_is(run, case.kind.stopped), step=supervisor.step)
    wait(lambda: not working_in(supervisor.root) and not (supervisor.root / run.folder).exists())
    assert run.claimed_by == ""
    case.kind.stop(run, by="user:1")
    assert run.status == case.kind.stopped


@each_kind
def test_it_reaches_its_aim(case, account, supervise, tmp_path):
    run, supervisor = case.make(account), supervise(case.brief(tmp_path))
    aim = case.kind.ready if case.kind.serves else case.kind.completed
    wait(status_is(run, aim, case.kind.failed), step=supervisor.step)
    assert (run.status, run.failure_reason, run.attempts, run.progress) == (aim, "", 1, 1.0)
    assert bool(run.claimed_by) is case.kind.serves


@two_kinds
def test_bad_input_fails_at_once_and_the_log_is_kept(case, account, supervise):
    run, supervisor = case.make(account, _fail="line 3: no boxes", _exit=2), supervise(case.lasting())
    wait(status_is(run, case.kind.failed), step=supervisor.step)
    assert (run.failure_reason, run.attempts, run.claimed_by) == ("line 3: no boxes", 1, "")
    assert (supervisor.root / run.folder / "output" / "log.txt").exists()


@two_kinds
def test_a_passing_failure_is_tried_again_after_a_pause_until_it_is_one_too_many(case, account, supervise):
    run, supervisor = case.make(account, _fail="no memory"), supervise(case.lasting())
    for attempt in range(1, MAX_ATTEMPTS):
        wait(lambda n=attempt: status_is(run)() or (run.attempts == n and not run.claimed_by), step=supervisor.step)
        assert run.not_before
        # No need to sit out the pause.
        case.kind.model.objects.filter(pk=run.pk).update(not_before=None)
    wait(status_is(run, case.kind.failed), step=supervisor.step)
    assert (run.failure_reason, run.attempts) == ("no memory", MAX_ATTEMPTS)


@two_kinds
def test_the_end_of_the_supervisor_hands_it_to_the_next_one(case, account, supervise):
    run, first = case.make(account), supervise(case.lasting())
    wait(lambda: working_in(first.root), step=first.step)
    first.shut_down()
    run.refresh_from_db()
    assert (run.status, run.claimed_by, run.attempts) == (case.kind.model().status, "", 0)
    assert not working_in(first.root)
    second = supervise(case.lasting())
    wait(lambda: working_in(second.root), step=second.step)
    run.refresh_from_db()
    assert (run.attempts, run.claimed_by) == (1, second.identity)


@each_kind
def test_pauses_double_up_to_five_minutes(case, tmp_path):
    runner_class = ServingRunner if case.kind.serves else Runner
    claim = Claim(kind=case.kind, pk=1, identity="me", folder=tmp_path)
    runner = runner_class(claim=claim, executor=case.lasting())
    assert [runner._pause(case.kind.model(attempts=n)) for n in (1, 2, 3, 4)] == [2, 4, 8, 16]
    if case.kind.serves:
        assert runner._pause(case.kind.model(attempts=5000)) == 300


# --- programs that serve ---------------------------------------------------------------------------------------------


def a_ready_replica(account, supervisor):
    run = a_replica(account)
    wait(status_is(run, "InService"), step=supervisor.step)
    return run


def test_it_serves_until_it_is_told_to_stop(account, supervise):
    supervisor = supervise(CASES[-1].lasting())
    run = a_ready_replica(account, supervisor)
    folder = JobFolder(supervisor.root / run.folder)
    assert ask(folder, "ping") == 200
    supervisor.step()
    assert len(supervisor.runners) == 1, "it is held for as long as it serves"
    REPLICAS.stop(run, by="user:1")
    wait(status_is(run, "Deleted"), step=supervisor.step)
    moves = AuditEvent.objects.filter(object_type="tests_learning.Replica").order_by("pk")
    assert list(moves.values_list("to_status", flat=True)) == ["InService", "Deleting", "Deleted"]


def test_a_program_that_ends_without_being_asked_is_started_again(account, supervise):
    supervisor = supervise(CASES[-1].lasting())
    run = a_ready_replica(account, supervisor)
    folder = JobFolder(supervisor.root / run.folder)
    first_port = (folder.output / "port").read_text()
    for death in range(1, MAX_ATTEMPTS + 2):
        ask(folder, "die")
        wait(lambda: status_is(run)() or not run.claimed_by, step=supervisor.step)
        assert (run.status, run.attempts) == ("Creating", death), "not ready, and not given up however often"
        assert "exit status 3" in run.failure_reason
        assert run.not_before
        Replica.objects.filter(pk=run.pk).update(not_before=None)
        wait(status_is(run, "InService"), step=supervisor.step)
        assert run.failure_reason == ""
    assert (folder.output / "port").read_text() != first_port
    assert ask(folder, "ping") == 200


def test_after_a_steady_time_the_pauses_begin_anew(account, supervise, monkeypatch):
    monkeypatch.setattr("learning.services.programs.serving.STEADY_SECONDS", 0.0)
    supervisor = supervise(CASES[-1].lasting())
    run = a_ready_replica(account, supervisor)
    Replica.objects.filter(pk=run.pk).update(attempts=9)
    ask(JobFolder(supervisor.root / run.folder), "die")
    wait(lambda: status_is(run)() or not run.claimed_by, step=supervisor.step)
    assert run.attempts == 0


def test_one_that_is_never_ready_is_given_up(account, supervise, monkeypatch):
    monkeypatch.setattr(type(REPLICAS), "start_seconds", 1.0)
    run, supervisor = a_replica(account, _cold=True), supervise(CASES[-1].lasting())
    while not status_is(run, "Failed")():
        Replica.objects.filter(pk=run.pk).update(not_before=None)
        wait(lambda seen=run.attempts: status_is(run, "Failed")() or run.attempts > seen, step=supervisor.step)
        assert run.status != "InService"
    assert (run.failure_reason, run.attempts) == ("the program was not ready within 1 seconds", MAX_ATTEMPTS)
    assert not working_in(supervisor.root)


def test_a_replica_of_a_dead_supervisor_is_not_ready_until_it_answers_again(account, supervise):
    supervisor = supervise(CASES[-1].lasting())
    run = a_ready_replica(account, supervisor)
    # As kill -9 leaves it: the row says ready, and the claim is of a process of this place that is gone.
    (runner,) = supervisor.runners.values()
    runner.lose()
    runner.join()
    supervisor.runners.clear()
    Replica.objects.filter(pk=run.pk).update(claimed_by=f"{supervisor.place}#gone", hyperparameters={"_cold": "1"})
    successor = supervise(CASES[-1].lasting())
    wait(lambda: working_in(successor.root), step=successor.step)
    wait(status_is(run, "Creating"), step=successor.step)
    assert run.claimed_by == successor.identity


def test_a_kind_that_no_round_refers_to_concerns_no_loop():
    from learning.services.active import loops

    found = {kind.name: loops._fields_of(kind) for kind in (*kinds.KINDS, REPLICAS)}
    others = {"modelimport": [], "endpointreplica": [], "replica": []}
    assert found == {"transformjob": ["transform_job"], "trainingjob": ["training_job"], **others}
    assert Round._meta.get_field("training_job").related_model is kinds.get("trainingjob").model


def test_what_serves_takes_no_slot_of_what_ends(account, tmp_path):
    supervisor = Supervisor(
        executor=CASES[0].lasting(),
        serving=LocalExecutor(),
        slots=1,
        serving_slots=2,
        root=tmp_path / "programs",
        kinds=[case.kind for case in CASES],
    )
    trainings = [CASES[0].make(account, name=f"bees-{number}") for number in range(2)]
    served = [a_replica(account, name=f"hive-{number}") for number in range(3)]
    try:
        wait(lambda: len(supervisor.runners) == 3, step=supervisor.step)
        supervisor.step()
        held = [type(run).objects.get(pk=run.pk).claimed_by != "" for run in (*trainings, *served)]
        assert held == [True, False, True, True, False]
    finally:
        supervisor.shut_down()
