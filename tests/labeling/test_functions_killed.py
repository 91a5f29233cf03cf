"""The process that asks functions is killed (SIGKILL) everywhere: no object and no answer is lost or counted twice."""

import subprocess
import sys
from pathlib import Path

import pytest

from labeling.models import FunctionCall, Label, Task, TaskInput
from tests.labeling import stories
from tests.labeling.function_stories import Endpoint, a_form_job, output, the_objects
from tests.labeling.test_functions import merged, prepared
from tests.labeling.test_killed_anywhere import environment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
PROGRAM = Path(__file__).parent / "programs" / "functions_killed.py"
OBJECTS = 3


def killed_until(job, until: str, functions: list[Endpoint]) -> int:
    """Let the program come so far; returns how often it was killed."""
    hosts = ",".join(one.host for one in functions)
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(job.pk), until],
        env=environment() | {"WAGGLE_FETCH_ALLOWED_HOSTS": hosts},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return int(done.stdout)


def test_functions_whose_process_is_killed_everywhere_lose_nothing():
    functions = [Endpoint(prepared), Endpoint(merged)]
    job, workers = a_form_job(
        objects=OBJECTS,
        lines=({"place": "a pond"}, {"blurred": True}, {}),
        pre_human_task_function=functions[0].url,
        annotation_consolidation_function=functions[1].url,
    )
    before = killed_until(job, "open", functions)
    assert TaskInput.objects.count() == OBJECTS and Task.objects.count() == OBJECTS - 1
    for worker in workers:
        stories.work(worker, job, {"insect": "bee"})
    after = killed_until(job, "over", functions)
    print("killed", before, after)
    assert before > 10 and after > 10
    assert not FunctionCall.objects.exists()
    assert [row.state for row in the_objects(job)] == ["HumanLabeled", "Unlabeled", "HumanLabeled"]
    assert list(Label.objects.values_list("revision", flat=True)) == [1, 1]
    assert [line.get(job.name) for line in output(job)] == ["bee", None, "bee"]
    for one in functions:
        repeats = {headers["webhook-id"] for headers, _ in one.got}
        assert len(one.got) > len(repeats), "what was killed after it was asked is asked again"
        one.end()
