"""Python functions of jobs, and designs whose functions cannot be asked."""

import pytest

from labeling.models import FunctionCall, JobFunctions, LabelingJob, TaskInput
from marketplace.errors import Invalid
from tests.labeling import stories
from tests.labeling.function_stories import (
    SECRET,
    a_form_job,
    go_on,
    output,
    the_objects,
)

pytestmark = pytest.mark.django_db
HERE = "tests.labeling.lambda_functions"
BEE, WASP = {"insect": "bee"}, {"insect": "wasp"}
BLURRED = {"place": "a meadow", "blurred": True}


@pytest.fixture
def allowed(settings):
    names = ("prepare", "most_votes", "raises", "hangs", "dies", "tells_environment")
    settings.FUNCTIONS = [f"{HERE}.{name}" for name in names]
    return HERE


# --- Python functions -------------------------------------------------------------------------------------------------


def test_python_functions_are_called_as_lambda_handlers_are(allowed):
    functions = {
        "pre_human_task_function": f"{allowed}.prepare",
        "annotation_consolidation_function": f"{allowed}.most_votes",
    }
    job, workers = a_form_job(objects=3, lines=({"place": "a pond"}, BLURRED), **functions)
    assert JobFunctions.objects.get().secret == ""
    go_on(job)
    assert TaskInput.objects.get(data_object=the_objects(job)[0]).value == {"place": "a pond"}
    for worker in workers:
        stories.work(worker, job, WASP)
    assert go_on(job).status == "Completed"
    assert [line.get(job.name) for line in output(job)] == ["wasp", None, "wasp"]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("raises", "it raised KeyError: 'wings'"),
        ("hangs", "it took longer than 1 seconds"),
        ("dies", "its process ended without an answer"),
    ],
)
def test_a_python_function_that_gives_no_answer_is_asked_again(allowed, settings, name, problem):
    settings.FUNCTION_SECONDS = 1
    job, _ = a_form_job(objects=1, pre_human_task_function=f"{allowed}.{name}")
    assert go_on(job).attention.endswith(f"gives nothing for object 0: {problem}")
    assert FunctionCall.objects.get().tries == 1


def test_a_function_that_the_operator_allows_no_more_is_not_called(allowed, settings):
    job, _ = a_form_job(objects=1, pre_human_task_function=f"{allowed}.prepare")
    settings.FUNCTIONS = []
    assert "not among WAGGLE_FUNCTIONS" in go_on(job).attention
    assert not TaskInput.objects.exists()


def test_a_function_sees_nothing_of_the_environment_but_what_it_needs_and_the_operator_names(
    allowed, settings, monkeypatch
):
    given = {"LANG": "C.UTF-8", "DATABASE_URL": "postgresql://u:p@db/waggle", "WAGGLE_SECRET_KEY": "s", "BEES": "many"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings.FUNCTION_ENVIRONMENT = ["BEES", "WASPS"]
    job, _ = a_form_job(objects=1, pre_human_task_function=f"{allowed}.tells_environment")
    go_on(job)
    seen = TaskInput.objects.get().value
    assert (seen["LANG"], seen["BEES"]) == ("C.UTF-8", "many") and seen["PATH"]
    # The interpreter itself may add the encoding of the locale.
    assert not seen.keys() - {"PATH", "HOME", "LANG", "PYTHONPATH", "BEES", "LC_CTYPE"}


# --- designs ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"pre_human_task_function": "os.remove"}, "pre_human_task_function", "not among those the operator allows"),
        (
            {"annotation_consolidation_function": "ftp://x.example/f"},
            "annotation_consolidation_function",
            "https://host/... without spaces or credentials expected",
        ),
        ({"pre_human_task_function": "https://u:p@x.example/"}, "pre_human_task_function", "without spaces or cred"),
        (
            {"pre_human_task_function": "https://x.example/f", "function_secret": ""},
            "function_secret",
            "needed for an address",
        ),
        (
            {"pre_human_task_function": "https://x.example/f", "function_secret": "whsec_c2hvcnQ="},
            "function_secret",
            "24 to 64 bytes in base64 expected",
        ),
    ],
)
def test_functions_that_cannot_be_asked_are_refused(changes, field, reason):
    with pytest.raises(Invalid) as refused:
        a_form_job(**changes)
    assert reason in dict(refused.value.errors)[field]
    assert not LabelingJob.objects.exists()


def test_the_secret_is_stored_sealed():
    a_form_job(pre_human_task_function="https://x.example/f")
    stored = JobFunctions.objects.get().secret
    assert stored and SECRET not in stored and SECRET.removeprefix("whsec_") not in stored
