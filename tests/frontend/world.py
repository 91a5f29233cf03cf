"""Test data of the permission tests: an account with one object of each kind, and users outside of it."""

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings

from frontend.images import image_url
from labeling.models import AnswerReview, DataObject, Export, LabelingJob
from labeling.services.jobs.batches import open_batch
from labeling.services.queue import assignments
from labeling.services.results import appeals, deciding
from learning.models import Model, TrainingJob
from marketplace import storage
from marketplace.models import Account, User, Worker
from marketplace.services import accounts
from tests import builders
from tests.labeling import stories

ROOMS = ("marketplace", "labeling", "learning")
# Not counted: using a token updates its row, and requests are counted themselves.
UNTOUCHED = {"ApiToken", "RateWindow"}


@dataclass
class World:
    """The people of the account, a stranger with another account, and the ids of the objects.

    `worker_user` has the assignment, `other_worker_user` is in the same team, `outsider_user` is in no team.
    `secrets` are texts of the account that no stranger may read.
    """

    account: Account
    owner: User
    stranger: User
    worker_user: User
    other_worker_user: User
    outsider_user: User
    ids: dict[str, Any]
    secrets: list[str]

    def fingerprint(self) -> dict[str, int]:
        """The number of rows of each table and the states of the data objects: they stay equal if nothing changes."""
        counts = {
            m._meta.label: m._default_manager.count()
            for room in ROOMS
            for m in apps.get_app_config(room).get_models()
            if m.__name__ not in UNTOUCHED
        }
        states = {f"object:{o.pk}": hash((o.state, o.label_id)) for o in DataObject.objects.all()}
        return counts | states


def _an_appealed_answer(job: LabelingJob, worker: Worker) -> AnswerReview:
    """The review of an answer of the worker that was rejected, with an appeal that nobody has answered."""
    seat = assignments.claim(worker=worker, queue=job.queue)
    assert seat is not None
    stories.answer(seat)
    review = AnswerReview.objects.select_related("queue").get(assignment=seat)
    review = deciding.reject_one(review=review, reason="secret-reason", by="system")
    appeals.file_appeal(review=review, worker=worker, text="secret-appeal")
    return review


def _a_model(account: Account) -> Model:
    """A model of the account with all its parts."""
    root = storage.join(settings.STORE_URL, "accounts", account.number, "models", "secret-model")
    for part in ("model.safetensors", "model.onnx", "config.json", "model.tar.gz"):
        storage.write(storage.join(root, part), b"secret-bytes")
    return Model.objects.create(
        account=account,
        name="secret-model",
        architecture="compact",
        labels=["bee"],
        artifact_uri=storage.join(root, "model.tar.gz"),
        parts_uri=root,
    )


def _an_export(job: LabelingJob, uri: str) -> Export:
    """A finished export of the job."""
    return Export.objects.create(job=job, kind="manifest", status="Completed", uri=uri, size_bytes=12)


def a_world() -> World:
    """Create an account with one object of each kind."""
    job, (worker, other) = stories.a_funded_job(
        workers=2,
        name="secret-meadow",
        workers_per_object=2,
        objects=2,
        review_days=3,
        instructions={"short": "x", "full": "", "good_examples": [], "bad_examples": []},
    )
    account = job.account
    owner = account.members.get()
    (outsider,) = stories.a_crowd(1)
    stranger = User.objects.create(username="stranger", email="stranger@example.org", password="!")
    builders.an_account(owner=stranger)
    rows = list(DataObject.objects.filter(job=job).order_by("index"))
    open_batch(job=job, object_ids=[row.pk for row in rows], by="system")
    assignment = assignments.claim(worker=worker, queue=job.queue)
    assert assignment is not None
    review = _an_appealed_answer(job, other)
    model = _a_model(account)
    training = TrainingJob.objects.create(account=account, name="secret-training")
    export = _an_export(job, storage.join(model.parts_uri, "config.json"))
    token, _ = accounts.create_token(user=owner, account=account, name="secret-token")
    ids = {
        "job_id": job.pk,
        "queue_id": job.queue_id,
        "object_id": rows[0].pk,
        "dataset_id": builders.a_dataset(account=account, name="secret-data").pk,
        "export_id": export.pk,
        "model_id": model.pk,
        "training_id": training.pk,
        "assignment_id": assignment.pk,
        "review_id": review.pk,
        "appeal_id": review.appeal.pk,
        "token_id": token.pk,
        "user_id": owner.pk,
        "team_id": job.workteam_id,
        "worker_id": worker.public_id,
        "token": image_url(rows[0].pk, owner.pk).rsplit("/", 1)[-1],
    }
    return World(
        account=account,
        owner=owner,
        stranger=stranger,
        worker_user=worker.user,
        other_worker_user=other.user,
        outsider_user=outsider.user,
        ids=ids,
        secrets=[
            "secret-reason",
            "secret-appeal",
            "secret-meadow",
            "secret-model",
            "secret-training",
            "secret-token",
            "secret-data",
            account.number,
        ],
    )
