"""What tests of functions share: an endpoint on loopback, Python functions, and jobs that have them."""

import http.server
import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
from django.utils import timezone

from labeling import background
from labeling.models import DataObject, FunctionCall, LabelingJob, ObjectLine
from labeling.services.output import manifests
from marketplace import storage
from marketplace.models import Worker
from tests.labeling import stories

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TEMPLATE = """<crowd-form><p>{{ task.input.place }}</p><crowd-input name="insect"></crowd-input></crowd-form>"""

Answer = Callable[[dict[str, Any]], tuple[int, Any]]


class Endpoint(http.server.ThreadingHTTPServer):
    """Answers each event with what `answer` says, (status, JSON or bytes), and keeps what it was sent."""

    daemon_threads = True

    def __init__(self, answer: Answer):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.url = f"http://127.0.0.1:{self.server_port}/function"
        self.host = f"127.0.0.1:{self.server_port}"
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events in the order in which they came."""
        return [json.loads(body) for _, body in self.got]

    def end(self) -> None:
        """Stop answering."""
        self.shutdown()
        self.server_close()
        self._thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
        status, said = self.server.answer(json.loads(body))
        sent = said if isinstance(said, bytes) else orjson.dumps(said)
        self.send_response(status)
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *_):
        """Tests are quiet."""


# --- jobs ------------------------------------------------------------------------------------------------------------


def a_form_job(
    *, objects: int = 2, workers: int = 2, lines: tuple[dict[str, Any], ...] = (), **changes: Any
) -> tuple[LabelingJob, list[Worker]]:
    """A custom job InProgress; `lines` are added to the lines of its objects."""
    design = {"task_type": "Custom", "labels": [], "template": TEMPLATE, "function_secret": SECRET} | changes
    job, people = stories.a_funded_job(objects=objects, workers=workers, workers_per_object=2, **design)
    for row, more in zip(DataObject.objects.filter(job=job).order_by("index"), lines, strict=False):
        ObjectLine.objects.filter(pk=row.pk).update(text=json.dumps({"source-ref": row.source_ref, **more}))
    return job, people


def go_on(job: LabelingJob) -> LabelingJob:
    """What the message queue does until nothing is left to do now."""
    for _ in range(5):
        background.advance_job(job.pk)
        background.run_functions(job.pk)
    job.refresh_from_db()
    return job


def later(job: LabelingJob) -> LabelingJob:
    """The pauses between tries are over."""
    FunctionCall.objects.filter(job=job).update(due_at=timezone.now() - timedelta(seconds=1))
    return go_on(job)


def output(job: LabelingJob) -> list[dict[str, Any]]:
    """The lines of the output manifest."""
    manifests.refresh_output(job.pk)
    return [json.loads(line) for line in storage.read(manifests.manifest_uri(job)).splitlines()]


def the_objects(job: LabelingJob) -> list[DataObject]:
    """In manifest order."""
    return list(DataObject.objects.filter(job=job).select_related("label").order_by("index"))
