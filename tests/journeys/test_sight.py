"""What an operator sees of real processes: lines of the log, metrics of several processes, traces, health."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import urllib3
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.frontend.test_metrics import value
from tests.journeys.system import System, running

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("sight")]
POOL = urllib3.PoolManager(retries=False, timeout=60)
TOKEN = "the-token-of-the-metrics"
SECRETS = """
import django, json
django.setup()
from marketplace.services import accounts
from tests import builders
user, account = builders.a_requester()
user.set_password("a-password-nobody-may-see")
user.save()
print(json.dumps({"token": accounts.create_token(user=user, account=account, name="t")[1], "email": user.email,
                  "account": account.pk, "number": account.number}))
"""


class Spans(ThreadingHTTPServer):
    """An OTLP receiver; keeps (name, trace, span, parent, attributes, process) of every span."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Receiver)
        self.spans: list[dict] = []
        self.raw = b""
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.raw += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            of = {one.key: one.value.string_value for one in resource.resource.attributes}
            for scope in resource.scope_spans:
                for span in scope.spans:
                    attributes = {one.key: one.value.string_value or one.value.int_value for one in span.attributes}
                    self.server.spans.append(
                        {
                            "name": span.name,
                            "trace": span.trace_id.hex(),
                            "span": span.span_id.hex(),
                            "parent": span.parent_span_id.hex(),
                            "attributes": attributes,
                            "process": of["waggle.process"],
                        }
                    )
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def spans() -> Iterator[Spans]:
    receiver = Spans()
    yield receiver
    receiver.shutdown()
    receiver.server_close()


@pytest.fixture(scope="module")
def system(spans: Spans, django_db_blocker) -> Iterator[System]:
    settings = {
        "WAGGLE_LOG_FORMAT": "json",
        "WAGGLE_LOG_REQUESTS": "yes",
        "WAGGLE_LOG_LEVEL": "DEBUG",
        "WAGGLE_METRICS_TOKEN": TOKEN,
        "WAGGLE_WEB_WORKERS": "2",
        # Nobody listens there: a letter fails, which the log has to tell.
        "WAGGLE_EMAIL_HOST": "127.0.0.1",
        "WAGGLE_EMAIL_PORT": "9",
        "WAGGLE_EMAIL_FROM": "waggle@example.org",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{spans.server_port}",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
    }
    with django_db_blocker.unblock(), running(only=["web", "queue"], **settings) as found:
        yield found


@pytest.fixture(scope="module")
def requester(system: System) -> dict:
    return json.loads(system.run("-c", SECRETS))


@pytest.fixture(scope="module")
def asked(system: System, requester: dict) -> list:
    """The answers to requests with an id of their own: of the API, a sign-in that fails, and a secret in an address."""
    bearer = {"Authorization": f"Bearer {requester['token']}"}
    sent = [
        ("GET", "/api/v1/labeling-jobs", {"headers": {**bearer, "X-Request-Id": "request-of-the-api"}}),
        ("GET", "/api/v1/labeling-jobs/4711", {"headers": {**bearer, "X-Request-Id": "request-of-a-job"}}),
        (
            "GET",
            "/invitations/a-secret-of-an-invitation/?code=a-secret-code",
            {"headers": {"X-Request-Id": "bad id\t"}},
        ),
    ]
    page = POOL.request("GET", f"{system.url}/sign-in/")
    token = page.headers["Set-Cookie"].partition(";")[0].partition("=")[2]
    typed = {"username": requester["email"], "password": "a-wrong-password", "csrfmiddlewaretoken": token}
    failed = POOL.request_encode_body(
        "POST", f"{system.url}/sign-in/", fields=typed, encode_multipart=False, headers={"Cookie": f"csrftoken={token}"}
    )
    assert failed.status == 200 and b"correct email" in failed.data
    return [POOL.request(method, system.url + path, **more) for method, path, more in sent]


def lines(system: System, name: str) -> list[dict]:
    """The lines of a process; each has to be a JSON object."""
    whole = (system.folder / f"{name}.log").read_text().rpartition("\n")[0]
    return [json.loads(line) for line in whole.splitlines()]


def test_lines_carry_the_ids_of_their_request(system, requester, asked):
    assert asked[0].headers["X-Request-Id"] == "request-of-the-api"
    assert len(asked[2].headers["X-Request-Id"]) == 32, "an id that could write into the log was taken over"
    found = system.until(
        lambda: [one for one in lines(system, "web") if one["event"] == "request_finished"],
        lambda seen: any(one.get("request_id") == "request-of-a-job" for one in seen),
    )
    of_api = next(one for one in found if one.get("request_id") == "request-of-the-api")
    assert of_api["account"] == requester["account"] and of_api["code"] == 200 and of_api["process"] == "web"
    of_job = next(one for one in found if one.get("request_id") == "request-of-a-job")
    assert of_job["job"] == 4711 and of_job["request"] == "GET /api/v1/labeling-jobs/<int:job_id>"


def test_no_line_holds_a_secret_or_personal_data(system, requester, asked):
    text = "".join((system.folder / f"{name}.log").read_text() for name in ("web", "queue"))
    hidden = (requester["token"], requester["email"], "a-wrong-password", "a-secret-of-an-invitation", "a-secret-code")
    assert "request_finished" in text and "sign-in failed" in text
    assert not [one for one in hidden if one in text]


def test_the_metrics_are_those_of_all_processes_together(system, requester, asked):
    bearer = {"Authorization": f"Bearer {requester['token']}"}
    for _ in range(20):
        # Each on a connection of its own, so that both processes of the web answer some.
        urllib3.PoolManager(retries=False).request(
            "GET", f"{system.url}/api/v1/me", headers={**bearer, "Connection": "close"}
        )

    def read() -> str:
        answer = POOL.request("GET", f"{system.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status == 200
        return answer.data.decode()

    text = system.until(
        read, lambda seen: 'waggle_queue_messages_total{function="marketplace.background.sweep"' in seen
    )
    assert value(text, "waggle_requests_total", route="/api/v1/me", process="web", status="200") == 20
    sweep = "marketplace.background.sweep"
    assert value(text, "waggle_queue_messages_total", function=sweep, outcome="done", process="queue") >= 1
    assert value(text, "waggle_heartbeat_seconds", kind="queue") < 100
    assert value(text, "waggle_part_up", part="queue") == 1
    assert POOL.request("GET", f"{system.url}/metrics").status == 401


def test_health_tells_of_every_part(system):
    answer = system.until(
        lambda: POOL.request("GET", f"{system.url}/health/"), lambda seen: seen.json()["parts"]["queue"] == "ok"
    )
    expected = {"web": "ok", "database": "ok", "store": "ok", "queue": "ok", "learner": "none"}
    assert (answer.status, answer.json()) == (200, {"status": "ok", "parts": expected})
    assert POOL.request("GET", f"{system.url}/health/live/").json() == {"status": "ok"}


def test_a_trace_goes_from_a_request_to_the_message_it_enqueues(system, requester, asked, spans):
    """A client's trace goes on in the request, and in the queue's process that works on what it has enqueued."""
    trace, span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    made = POOL.request(
        "POST",
        f"{system.url}/api/v1/invitations",
        json={"email": "worker@example.org", "role": "Viewer"},
        headers={"Authorization": f"Bearer {requester['token']}", "traceparent": f"00-{trace}-{span}-01"},
    )
    assert made.status == 201, made.data
    seen = system.until(
        lambda: [one for one in list(spans.spans) if one["trace"] == trace],
        lambda found: any(one["process"] == "queue" for one in found),
    )
    web = next(one for one in seen if one["name"].startswith("POST /api/v1/"))
    queued = next(one for one in seen if one["process"] == "queue")
    assert web["parent"] == span and queued["parent"] == web["span"]
    assert queued["name"] == "frontend.background.mail_invitation"
    assert web["attributes"]["http.response.status_code"] == 201
    failed = system.until(
        lambda: [one for one in lines(system, "queue") if one["event"].startswith("a background function failed")],
        lambda found: found,
    )[0]
    assert failed["request_id"] == made.headers["X-Request-Id"] and failed["account"] == requester["account"]
    assert (failed["function"], failed["trace"]) == (queued["name"], trace) and failed["invitation"] > 0
    assert requester["token"].encode() not in spans.raw and b"worker@example.org" not in spans.raw
