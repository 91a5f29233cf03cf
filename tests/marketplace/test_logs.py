"""Lines of the log: the ids that they carry, and what never stands in them."""

import json
import logging
import pickle

import pytest
from django.test import RequestFactory
from django.urls import resolve

from marketplace import carried, logs, metrics, queue, supervise


@pytest.fixture(autouse=True)
def nothing_before():
    """What tests before these have bound is not on their lines."""
    with logs.alone():
        yield


@pytest.fixture
def line():
    """A function that writes a record as the handler of this form would."""

    def write(form: str, message: str, **record: object) -> str:
        formatter = logs.configuration("INFO", form)["formatters"]["line"]
        made = formatter.pop("()")(**formatter)
        one = logging.LogRecord("labeling.x", logging.ERROR, "x.py", 1, message, (), None)
        vars(one).update(record)
        return made.format(one)

    return write


@pytest.mark.parametrize("form", logs.FORMATS)
def test_the_configuration_goes_to_processes_that_are_spawned(form):
    sent = pickle.loads(pickle.dumps(logs.configuration("INFO", form, process="web")))  # noqa: S301
    formatter = sent["formatters"]["line"]
    made = formatter.pop("()")(**formatter)
    written = made.format(logging.LogRecord("labeling.x", logging.ERROR, "x.py", 1, "said", (), None))
    assert "web" in written and "said" in written


def test_a_line_carries_the_ids_of_its_work_and_of_no_other(line):
    with logs.alone(request_id="abc", account=7):
        with logs.beside(job=3):
            inner = json.loads(line("json", "inner"))
        with logs.alone(function="f"):
            other = json.loads(line("json", "other"))
        outer = json.loads(line("json", "outer"))
    assert (inner["request_id"], inner["account"], inner["job"], inner["event"]) == ("abc", 7, 3, "inner")
    assert "request_id" not in other and other["function"] == "f"
    assert outer["account"] == 7 and "job" not in outer
    assert "account" not in json.loads(line("json", "after"))


def test_a_line_for_people_has_them_behind_the_message(line):
    with logs.alone(account=7):
        text = line("console", "said")
    assert text.endswith("ERROR labeling.x said [account=7]")


@pytest.mark.parametrize(
    ("said", "hidden"),
    [
        ("mail to bee.keeper+x@apiary.example failed", "bee.keeper"),
        ("postgresql://waggle:hunter2@db/waggle does not answer", "hunter2"),
        ("Authorization: Bearer wgl_AbCdEf123456789", "wgl_AbCdEf123456789"),
        ("token wgl_AbCdEf123456789 is unknown", "AbCdEf"),
        ("GET https://b/o?X-Amz-Signature=0a1b2c&X-Amz-Credential=AKIA1", "0a1b2c"),
        ("Cookie: sessionid=q1w2e3r4t5", "q1w2e3r4t5"),
        ("password=hunter2", "hunter2"),
        ("key sk_live_51abcdefgh", "51abcdefgh"),
    ],
)
def test_secrets_and_addresses_of_people_are_taken_out(line, said, hidden):
    for form in logs.FORMATS:
        assert hidden not in line(form, said)


def test_a_path_of_a_request_is_replaced_by_its_route(line):
    request = RequestFactory().get("/join/the-secret/")
    request.resolver_match = resolve("/join/the-secret/")
    written = line("json", "Internal Server Error: /join/the-secret/", request=request)
    assert json.loads(written)["event"] == "Internal Server Error: /join/<str:secret>/"


def test_errors_are_counted_by_room():
    def counted() -> float:
        return metrics.ERRORS.labels("labeling")._value.get()

    before = counted()
    logging.getLogger("labeling.anything").error("x")
    logging.getLogger("labeling.anything").warning("x")
    assert counted() == before + 1


def advance(job_id: int, kind: str) -> None:
    raise AssertionError("is only looked at")


def test_a_message_takes_the_ids_of_its_request_along_and_adds_its_own():
    with logs.alone(request_id="abc", account=7, job=1):
        given = carried.carried()
    assert given["ids"] == {"request_id": "abc", "account": 7}
    carried.begin(advance, "room.background.advance", (5, "training"), given)
    inside = logs.bound()
    carried.end(done=True)
    assert inside == {"request_id": "abc", "account": 7, "job": 5, "function": "room.background.advance"}
    assert logs.bound() == {}


@pytest.mark.django_db
def test_the_ids_are_in_the_row_of_the_message():
    from django_q.models import OrmQ

    with logs.alone(request_id="abc"):
        queue.enqueue("marketplace.background.sweep")
    assert OrmQ.objects.get().task[queue.CARRIED]["ids"] == {"request_id": "abc"}


def test_a_supervised_process_is_named_in_json():
    assert json.loads(supervise.as_json("web", '{"event": "x", "process": ""}')) == {"event": "x", "process": "web"}
    bare = json.loads(supervise.as_json("database", "ready"))
    assert (bare["event"], bare["process"], bare["level"]) == ("ready", "database", "info")
