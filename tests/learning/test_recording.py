"""What the supervisor keeps of a run in the store, and whom it tells that a run is over."""

import pytest

from learning.contract import JobFolder
from learning.samples import FOLDER, INDEX, Evaluation, SampleBox, SampleImage, Samples
from learning.services import run_figures, run_records, training
from learning.services.programs import recording
from learning.services.programs.kinds import get
from learning.services.programs.recording import Recorder, Tail
from learning.services.programs.supervisor import Supervisor
from marketplace import storage
from marketplace.errors import Invalid, NotFound
from marketplace.models import Notice
from tests import builders
from tests.learning.kind_cases import a_training, a_transform
from tests.learning.programs.executor import CountingExecutor
from tests.learning.test_supervisor import finished, wait

pytestmark = pytest.mark.django_db(transaction=True)
METRIC = b'{"name": "train:loss", "value": 1.0}\n'


@pytest.fixture
def account(db):
    return builders.an_account()


@pytest.fixture
def supervisor(tmp_path):
    made = Supervisor(executor=CountingExecutor(), slots=1, root=tmp_path / "programs")
    yield made
    made.shut_down()


def test_the_tail_of_a_log_leaves_out_metrics_and_grows_with_the_log(tmp_path):
    path = tmp_path / "log.txt"
    tail = Tail(path)
    assert tail.changed() is None
    path.write_bytes(b"begun\n" + METRIC + b"half")
    assert tail.changed() == b"begun\nhalf"
    tail.written = b"begun\nhalf"
    assert tail.changed() is None
    with path.open("ab") as stream:
        stream.write(b" a line\n" + METRIC * 3 + METRIC[:20])
    assert tail.changed() == b"begun\nhalf a line\n"
    with path.open("ab") as stream:
        stream.write(METRIC[20:] + b"x" * 100_000 + b"\nlast\n")
    now = tail.changed()
    assert now.endswith(b"x\nlast\n") and len(now) == run_records.TAIL_BYTES


def test_a_log_is_read_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "READ_BYTES", 7)
    (tmp_path / "log.txt").write_bytes(b"begun\n" + METRIC * 2 + b"told\n")
    assert Tail(tmp_path / "log.txt").changed() == b"begun\ntold\n"


def test_log_and_samples_are_kept_when_a_program_ends(account, supervisor):
    run = a_training(account, _steps=3, _say="three steps to go")
    assert run_records.log_tail(run) == ""
    with pytest.raises(NotFound):
        run_records.log_uri(run)
    wait(lambda: finished(run), step=supervisor.step)
    assert run.status == "Completed", run.failure_reason
    assert run_records.log_tail(run) == "three steps to go\n"
    assert storage.read(run_records.log_uri(run)) == b"three steps to go\n"
    samples = run_records.samples(run)
    assert [one.step for one in samples.evaluations] == [1, 2, 3]
    assert storage.read(run_records.sample_image_uri(run, 0)).startswith(b"\xff\xd8")
    with pytest.raises(NotFound, match="has no sample 1; it has 1"):
        run_records.sample_image_uri(run, 1)
    assert run_figures.newest(run, "train:progress") == 1


def test_log_and_samples_are_seen_while_a_program_runs(account, supervisor, monkeypatch):
    monkeypatch.setattr(recording, "PAUSE_SECONDS", 0.1)
    run = a_training(account, _say="on its way")
    wait(lambda: run_records.log_tail(run) and run_records.samples(run).evaluations, step=supervisor.step)
    assert run_records.log_tail(run) == "on its way\n"
    before = run_records.samples(run).evaluations[-1].step
    wait(lambda: run_records.samples(run).evaluations[-1].step > before, step=supervisor.step)
    run.refresh_from_db()
    assert run.status == "InProgress"
    assert run_figures.newest(run, "train:loss") > 0


def test_the_log_of_a_run_that_fails_is_kept(account, supervisor):
    run = a_training(account, _say="oh", _fail="line 3: no boxes", _exit=2)
    wait(lambda: finished(run), step=supervisor.step)
    assert run.failure_reason == "line 3: no boxes"
    assert storage.read(run_records.log_uri(run)) == b"oh\n"


def test_a_program_cannot_have_other_files_kept(account, tmp_path):
    run = a_training(account)
    folder = JobFolder(tmp_path)
    samples = folder.output / FOLDER
    samples.mkdir(parents=True)
    (tmp_path / "secret").write_text("key")
    (samples / "0.jpg").symlink_to(tmp_path / "secret")
    (samples / "more.txt").write_text("x")
    index = Samples([SampleImage("0.jpg", 4, 4, [])], [Evaluation(1, 0, [[SampleBox("bee", 0, 0, 1, 1, 0.5)]])])
    (samples / INDEX).write_text(index.to_json())
    Recorder(run, folder).keep()
    assert run_records.samples(run) == index
    assert not storage.exists(run_records.uri(run, FOLDER, "0.jpg"))
    assert not storage.exists(run_records.uri(run, FOLDER, "more.txt"))
    (samples / INDEX).write_text("{}")
    Recorder(run, folder).keep()
    with pytest.raises(Invalid, match="images: a list of at most 8 expected"):
        run_records.samples(run)


def test_a_store_that_does_not_answer_ends_no_run(account, tmp_path, settings, caplog):
    run = a_training(account)
    folder = JobFolder(tmp_path)
    folder.output.mkdir()
    (folder.output / "log.txt").write_text("told\n")
    recorder = Recorder(run, folder)
    kept = settings.STORE_URL
    settings.STORE_URL = "file:///proc/nowhere"
    recorder.keep()
    assert "log and samples are not kept" in caplog.text
    settings.STORE_URL = kept
    recorder.keep()
    assert run_records.log_tail(run) == "told\n"


def test_who_started_a_run_is_told_of_its_end(account, supervisor):
    run = a_training(account, _steps=2)
    wait(lambda: finished(run), step=supervisor.step)
    told = Notice.objects.get(account=account)
    assert told.text == "The training bees is completed."
    assert (told.kind, told.subject_type, told.subject_id) == ("job.done", "training-job", run.pk)
    failed = a_transform(account, name="wasps", _fail="no such image.", _exit=2)
    wait(lambda: finished(failed), step=supervisor.step)
    assert Notice.objects.filter(text="The prediction wasps has failed: no such image.").count() == 1


def test_nobody_is_told_of_what_a_loop_has_started(account, supervisor):
    run = a_training(account, _steps=2)
    run.created_by = "learning"
    run.save()
    wait(lambda: finished(run), step=supervisor.step)
    assert not Notice.objects.filter(account=account).exists()


def test_a_stopped_run_leaves_its_log(account, supervisor):
    run = a_training(account, _say="on its way")
    wait(lambda: run_figures.newest(type(run).objects.get(pk=run.pk), "train:loss"), step=supervisor.step)
    training.stop(training_job=run, by="user:1")
    wait(lambda: finished(run), step=supervisor.step)
    assert run.status == "Stopped"
    assert storage.exists(run_records.log_uri(run))
    assert "was stopped" in Notice.objects.get(account=account).text
    assert get("trainingjob").model is type(run)
