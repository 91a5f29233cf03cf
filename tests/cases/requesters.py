"""What a requester does with odd files, by the same requests as a program or a browser: upload, data set, job, export.

The queue's work is done in between, in this process.
"""

import io
import itertools
import json
import zipfile
from typing import Any, NamedTuple

from django.test import Client

from labeling import background
from labeling.models import DataObject, LabelingJob
from labeling.services.output import manifests
from marketplace import storage
from marketplace.services import accounts
from tests import builders
from tests.frontend.test_uploads import BOUNDARY, form_of
from tests.labeling import stories

_numbers = itertools.count(1)
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
Files = list[tuple[str, bytes]]


class Refused(NamedTuple):
    """A line or a member that was refused."""

    number: int
    reason: str
    excerpt: str


class Requester:
    """A requester with money, a team of one worker, and a token."""

    def __init__(self) -> None:
        self.user, self.account = builders.a_requester()
        self.worker = stories.a_crowd(1)[0]
        self.team = builders.a_team(account=self.account, workers=[self.worker])
        self.client = Client(
            headers={"Authorization": f"Bearer {accounts.create_token(user=self.user, account=None, name='test')[1]}"}
        )

    def get(self, path: str) -> dict[str, Any]:
        """A REST answer."""
        response = self.client.get(f"/api/v1/{path}")
        assert response.status_code == 200, response.content
        return response.json()

    def post(self, path: str, body: dict[str, Any], *, status: int = 201) -> dict[str, Any]:
        """A REST answer with this status."""
        response = self.client.post(f"/api/v1/{path}", body, content_type="application/json")
        assert response.status_code == status, response.content
        return response.json()

    def upload(self, files: Files, *, status: int = 201) -> dict[str, Any]:
        """Files in one request; names may be of any kind."""
        response = self.client.generic("POST", "/api/v1/uploads", form_of(files), content_type=MULTIPART)
        assert response.status_code == status, response.content
        return response.json()

    def dataset(self, kind: str, uri: str, *, status: str = "Completed") -> "Made":
        """A data set that was made, or failed, from an address."""
        created = self.post("datasets", {"name": f"set-{next(_numbers)}", "kind": kind, "uri": uri})
        return self.made(created["id"], status=status)

    def made(self, dataset_id: int, *, status: str = "Completed") -> "Made":
        """Let the queue work on a data set."""
        background.advance_dataset(dataset_id)
        row = self.get(f"datasets/{dataset_id}")
        assert row["status"] == status, row
        refused = self.get(f"datasets/{dataset_id}/bad-lines")["results"]
        return Made(row, [Refused(**line) for line in refused])

    def uploaded(self, files: Files) -> "Made":
        """A data set of uploaded files."""
        return self.dataset("folder", self.upload(files)["uri"])

    def zipped(self, archive: bytes, **expected: str) -> "Made":
        """A data set of an uploaded archive."""
        return self.dataset("zip", self.upload([("pics.zip", archive)])["files"][0]["uri"], **expected)

    def manifest(self, content: bytes, *, name: str = "in.manifest", **expected: str) -> "Made":
        """A data set of an uploaded manifest."""
        return self.dataset("manifest", self.upload([(name, content)])["files"][0]["uri"], **expected)

    def job(self, made: "Made", *, status: str = "InProgress", **changes: Any) -> LabelingJob:
        """A job on a data set whose objects have been ingested; it has one label, `bee`, unless told otherwise."""
        design = {
            "name": f"job-{next(_numbers)}",
            "labels": ["bee"],
            "dataset": made.row["id"],
            "workteam": self.team.pk,
            "title": "Bees",
            "description": "Box them",
            "price": "0.036",
            "expected_seconds": 9,
            "workers_per_object": 1,
        }
        created = self.post("labeling-jobs", design | changes)
        job = LabelingJob.objects.get(pk=created["id"])
        for _ in range(3):
            background.advance_queue(job.queue_id)
        job.refresh_from_db()
        assert job.status == status, (job.status, job.failure_reason, job.attention)
        return job

    def refused_by(self, job: LabelingJob) -> list[Refused]:
        """The lines that a job refused."""
        return [Refused(**line) for line in self.get(f"labeling-jobs/{job.pk}/bad-lines")["results"]]

    def box_everything(self, job: LabelingJob, content: dict[str, Any] | None = None) -> LabelingJob:
        """Let the worker answer every task, and the job take its next steps."""
        size = {"width": 120, "height": 80}
        box = {"left": 50, "top": 5, "width": 20, "height": 20, "label": "bee"}
        answer = content or {"boundingBox": {"boundingBoxes": [box], "inputImageProperties": size}}
        while stories.work(self.worker, job, answer):
            background.advance_queue(job.queue_id)
        background.advance_queue(job.queue_id)
        job.refresh_from_db()
        return job

    def export(self, job: LabelingJob, kind: str, *, images: bool = False) -> "Exported":
        """The file of an export, downloaded, and what was left out of it."""
        made = self.post(f"labeling-jobs/{job.pk}/exports", {"kind": kind, "images": images})
        background.run_export(made["id"])
        made = self.get(f"exports/{made['id']}")
        assert made["status"] == "Completed", made
        response = self.client.get(made["download_url"])
        return Exported(b"".join(response.streaming_content), made["item_errors"])

    def output(self, job: LabelingJob) -> list[bytes]:
        """The lines of the output manifest."""
        manifests.refresh_output(job.pk)
        return storage.read(self.get(f"labeling-jobs/{job.pk}")["output_manifest_uri"]).splitlines()


class Made(NamedTuple):
    """A data set over REST, and what it refused."""

    row: dict[str, Any]
    refused: list[Refused]

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Its lines."""
        return [json.loads(line) for line in storage.read(self.row["manifest_uri"]).splitlines()]

    @property
    def names(self) -> list[str]:
        """The name of each object, as it came."""
        return [line.get("source-name", "") for line in self.lines]

    @property
    def contents(self) -> list[bytes]:
        """The file of each object."""
        return [storage.read(line["source-ref"]) for line in self.lines]


class Exported(NamedTuple):
    """The bytes of an export, and the objects that were left out with their reasons."""

    content: bytes
    left_out: list[dict[str, str]]

    @property
    def archive(self) -> zipfile.ZipFile:
        """The zip archive."""
        return zipfile.ZipFile(io.BytesIO(self.content))

    @property
    def coco(self) -> dict[str, Any]:
        """The COCO document of the archive."""
        return json.loads(self.archive.read("annotations/instances_default.json"))

    @property
    def files(self) -> list[str]:
        """The members of labels and images, without the lists beside them."""
        return [name for name in self.archive.namelist() if "/" in name and "ImageSets" not in name]


def states(job: LabelingJob) -> list[str]:
    """The state of each object, in order."""
    return list(DataObject.objects.filter(job=job).order_by("index").values_list("state", flat=True))
