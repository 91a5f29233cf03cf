"""Child processes inherit what they need to compute, and none of the operator's secrets."""

import json
import os
import time

import pytest

from learning.services.programs.executor import LOG, MARK, LocalExecutor

PRINT = "import json, os; print(json.dumps(dict(os.environ)))"
SECRETS = {
    "WAGGLE_DATABASE_URL": "postgresql://waggle:secret@db/waggle",
    "DATABASE_URL": "postgresql://waggle:secret@db/waggle",
    "WAGGLE_SECRET_KEY": "secret",
    "AWS_ACCESS_KEY_ID": "AKIA",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_SESSION_TOKEN": "secret",
    "WAGGLE_S3_ACCESS_KEY_ID": "secret",
    "WAGGLE_S3_SECRET_ACCESS_KEY": "secret",
    "PAYROLL_PASSWORD": "secret",
    "HTTPS_PROXY": "http://user:secret@proxy:3128",
    "https_proxy": "http://user:secret@proxy:3128",
}


def environment_of(executor, folder):
    """The environment of a child that `executor` starts, as the child sees it."""
    program = executor.start(["-c", PRINT], folder)
    end = time.monotonic() + 60
    while (status := program.poll()) is None:
        assert time.monotonic() < end, "the child does not end"
        time.sleep(0.01)
    log = (folder / "output" / LOG).read_text()
    assert status == 0, log
    return json.loads(log.splitlines()[-1])


@pytest.fixture
def secrets(monkeypatch):
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


def test_a_child_sees_none_of_our_secrets(secrets, monkeypatch, tmp_path):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    seen = environment_of(LocalExecutor(), tmp_path)
    assert not SECRETS.keys() & seen.keys()
    assert not [name for name, value in seen.items() if "secret" in value]
    assert (seen["PATH"], seen["CUDA_VISIBLE_DEVICES"], seen["LC_ALL"]) == (os.environ["PATH"], "1", "C.UTF-8")
    assert seen[MARK] == str(tmp_path)


def test_the_operator_may_let_more_through_and_the_executor_adds_its_own(secrets, monkeypatch, tmp_path):
    monkeypatch.setenv("ACME_LICENSE", "12")
    monkeypatch.setenv("ACME_HOME", "/opt/acme")
    monkeypatch.setenv("ACMETOO", "no")
    executor = LocalExecutor(threads=3, inherited=["ACME_*"], environment={"OWN": "yes"})
    seen = environment_of(executor, tmp_path)
    assert (seen["ACME_LICENSE"], seen["ACME_HOME"]) == ("12", "/opt/acme")
    assert (seen["OWN"], seen["OMP_NUM_THREADS"]) == ("yes", "3")
    assert "ACMETOO" not in seen
    assert not SECRETS.keys() & seen.keys()
