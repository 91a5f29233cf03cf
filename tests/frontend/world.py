"""Test data of the permission tests: an account with one object of each kind, and users outside of it."""

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from django.utils import timezone

from frontend.images import image_url
from frontend.template_frames import FILE, frame_url, sealed
from labeling.models import (
    AnswerReview,
    ConductFinding,
    DataObject,
    Dataset,
    Export,
    Gold,
    LabelImport,
    LabelingJob,
    QualificationQuestion,
    QualificationTest,
    QueueTemplate,
)
from labeling.services.golds import keeping
from labeling.services.imports import reports
from labeling.services.jobs import kept_templates
from labeling.services.jobs.batches import open_batch
from labeling.services.qualifications import taking
from labeling.services.queue import assignments
from labeling.services.results import appeals, deciding, reviewers
from learning.models import Model
from marketplace import storage
from marketplace.models import Account, Notice, NoticeKind, Payout, User, WebhookDelivery, Worker, Workteam
from marketplace.services import (
    access_keys,
    accounts,
    eligibility,
    identity_providers,
    invitations,
    notifications,
    passwords,
    payouts,
    qualifications,
    saml_providers,
    signups,
    wallet_refunds,
    webhooks,
    workteams,
)
from tests import builders
from tests.frontend import (
    events_world,
    improvement_world,
    model_world,
    review_world,
    saml_provider,
    trainings_world,
    vendor_world,
)
from tests.frontend.passkeys import a_passkey
from tests.frontend.vendor_world import VendorWorld, a_vendor_world
from tests.labeling import panel_stories, stories

ROOMS = ("marketplace", "labeling", "learning")
# Not counted: using a token updates its row, and requests are counted themselves.
UNTOUCHED = {"ApiToken", "RateWindow"}
SECRETS = (
    "secret-meadow",
    "secret-model",
    "secret-variant",
    *trainings_world.SECRETS,
    "secret-token",
    "secret-data",
    "secret-bank",
    "secret-labels",
    "secret@example.org",
    "secret-reason",
    "secret-appeal",
    "secret-hook",
    "secret-exam",
    "secret-finding",
    *vendor_world.SECRETS,
    "secret-participant",
    "secret-passkey",
    "secret-client",
)
"""Texts in names and contents of the account's objects that no stranger may read."""


@dataclass
class World:
    """The people of the account, a stranger with another account, its vendors, and the ids of the objects.

    `worker_user` has the assignment, `other_worker_user` is in the same team, `outsider_user` is in no team.
    `secrets` are texts of the account that no stranger may read.
    """

    account: Account
    owner: User
    stranger: User
    worker_user: User
    other_worker_user: User
    outsider_user: User
    vendors: VendorWorld
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


def _of_people(account: Account, owner: User, outsider: Worker) -> dict[str, Any]:
    """An invitation, a block, a password link and a refund, by their ids."""
    invitation = invitations.to_account(account=account, email="secret@example.org", role="Viewer", acting=owner)
    eligibility.block(account=account, worker=outsider, reason="secret-reason", by="system")
    uid, reset = passwords.link_parts(outsider.user)
    refund = wallet_refunds.request(account=account, amount_micros=10_000, by="system")
    return {
        "pk": a_passkey(owner).pk,
        "refund_id": refund.pk,
        "account_id": account.pk,
        "invitation_id": invitation.pk,
        "secret": invitations.new_link(invitation),
        "sign_up": signups.new_link(signups.begin(email="signing-up@example.org", purpose="Worker")),
        "uidb64": uid,
        "reset": reset,
    }


def _an_appealed_answer(job: LabelingJob, worker: Worker) -> AnswerReview:
    """The review of an answer of the worker that was rejected, with an appeal that nobody has answered."""
    seat = assignments.claim(worker=worker, queue=job.queue)
    assert seat is not None
    stories.answer(seat)
    review = AnswerReview.objects.select_related("queue").get(assignment=seat)
    review = deciding.reject_one(review=review, reason="secret-reason", by="system")
    appeals.file_appeal(review=review, worker=worker, text="secret-appeal")
    return review


def _what_was_told(account: Account, owner: User) -> dict[str, Any]:
    """A webhook of the account and one of its owner, each with a message, and a notice of the owner, by their ids."""
    made = {}
    for names, whose in (
        (("webhook_id", "delivery_id"), {"account": account, "user": None}),
        (("endpoint_id", "message_id"), {"account": None, "user": owner}),
    ):
        url = "https://example.org/secret-hook"
        endpoint, _ = webhooks.create(url=url, kinds=["flag"], by="system", **whose)
        webhooks.send_test(endpoint=endpoint)
        made |= dict(zip(names, (endpoint.pk, WebhookDelivery.objects.get(endpoint=endpoint).pk), strict=True))
    notifications.tell(user=owner, kind=NoticeKind.BONUS, text="secret-hook", account=account)
    return {**made, "notice_id": Notice.objects.get(kind=NoticeKind.BONUS).pk}


def _qualifications(account: Account, worker: Worker) -> dict[str, Any]:
    """A type with a test that the worker is in, one of the operator, both held by the worker; by their ids."""
    given = {"description": "x", "by": "system"}
    row = qualifications.create_type(account=account, name="secret-exam", granted_by="Test", mark=80, **given)
    test = QualificationTest.objects.create(
        qualification_type=row, task_type="BoundingBox", labels=["bee"], questions_asked=1, time_limit_seconds=600
    )
    (uri,) = builders.tiny_images(1, account=account, size=stories.SIZE)
    width, height = stories.SIZE
    question = QualificationQuestion.objects.create(
        test=test, place=0, training=False, source_ref=uri, width=width, height=height, truth={"boxes": []}
    )
    attempt = taking.start(row=row, worker=worker, training=False)
    general = qualifications.create_type(account=None, name="Ten", granted_by="TasksDone", mark=10, **given)
    for each in (row, general):
        qualifications.grant(row=each, worker=worker, value=90, how="by hand", by="system")
    return {
        "type_id": row.pk,
        "operator_type_id": general.pk,
        "question_id": question.pk,
        "attempt_id": attempt.pk,
    }


def _a_gold(job: LabelingJob) -> Gold:
    """A gold of the job, from an object of its own."""
    stories.add_objects(job, 1)
    row = DataObject.objects.filter(job=job).order_by("-index")[0]
    return keeping.add(data_object=row, content=stories.ONE_BEE, by="system")


def _reviewers(job: LabelingJob, worker: Worker, author: Worker) -> dict[str, Any]:
    """A reviewer of the job, and another job whose one answer, of the author, the worker reviews; by their ids."""
    (reviewer,) = stories.a_crowd(1)
    workteams.add_worker(team=job.workteam, worker=reviewer, by="system")
    reviewers.add(queue=job.queue, worker=reviewer, by="system")
    other = stories.a_job(job.account, job.workteam, objects=1, workers_per_object=1, review_days=3)
    open_batch(job=other, object_ids=[DataObject.objects.get(job=other).pk], by="system")
    stories.claim_and_answer(author, other)
    reviewers.add(queue=other.queue, worker=worker, by="system")
    return {
        "reviewer_id": reviewer.public_id,
        "reviewed_id": other.queue_id,
        "answer_id": AnswerReview.objects.get(queue=other.queue).pk,
    }


def _a_finding(job: LabelingJob, worker: Worker) -> ConductFinding:
    """Something that was found in the worker's conduct, after which they read the instructions again."""
    now = timezone.now()
    return ConductFinding.objects.create(
        worker=worker,
        queue=job.queue,
        rule="uniform-times",
        action="Retrain",
        state="Done",
        reason="secret-finding",
        numbers={"spread": 0.1},
        found_at=now,
        found_by="system",
        closed_at=now,
        closed_by=f"worker:{worker.pk}",
    )


def _a_secret_job() -> tuple[LabelingJob, list[Worker]]:
    return stories.a_funded_job(
        workers=2,
        name="secret-meadow",
        workers_per_object=2,
        objects=2,
        review_days=3,
        instructions={"short": "x", "full": "", "good_examples": [], "bad_examples": []},
    )


def _for_aws(owner: User, account: Account) -> dict[str, Any]:
    """An access key, and a path of the AWS wire."""
    key, _ = access_keys.create(user=owner, account=account, name="notebook")
    return {"access_key_id": key.pk, "path": "human-loops"}


def a_world() -> World:
    """Create an account with one object of each kind."""
    job, (worker, other) = _a_secret_job()
    account, owner, (outsider,) = job.account, job.account.members.get(), stories.a_crowd(1)
    stranger = User.objects.create(username="stranger", email="stranger@example.org", password="!")
    builders.an_account(owner=stranger)
    rows = list(DataObject.objects.filter(job=job).order_by("index"))
    open_batch(job=job, object_ids=[row.pk for row in rows], by="system")
    assignment = assignments.claim(worker=worker, queue=job.queue)
    assert assignment is not None
    review = _an_appealed_answer(job, other)
    model = a_secret_model(account)
    export_uri = storage.join(model.parts_uri, "config.json")
    export = Export.objects.create(job=job, kind="manifest", status="Completed", uri=export_uri, size_bytes=12)
    token, _ = accounts.create_token(user=owner, account=account, name="secret-token")
    dataset = builders.a_dataset(account=account, name="secret-data")
    payout = a_sent_payout(worker)
    vendors = a_vendor_world(account)
    ids = {
        "job_id": job.pk,
        "queue_id": job.queue_id,
        "object_id": rows[0].pk,
        "dataset_id": dataset.pk,
        "export_id": export.pk,
        "import_id": an_import(account, dataset, export_uri).pk,
        "form": "jsonl",
        "element": "crowd-polygon",
        "model_id": model.pk,
        **trainings_world.a_world(account, model),
        **improvement_world.ids(account, model),
        **review_world.ids(account, job.workteam, other),
        **improvement_world.complete(account),
        "assignment_id": assignment.pk,
        "review_id": review.pk,
        "appeal_id": review.appeal.pk,
        "gold_id": _a_gold(job).pk,
        **_reviewers(job, worker, other),
        "finding_id": _a_finding(job, worker).pk,
        "token_id": token.pk,
        **_for_aws(owner, account),
        "user_id": owner.pk,
        "team_id": job.workteam_id,
        "slug": job.workteam.portal_slug,
        **_identity_providers(account, job.workteam),
        "worker_id": worker.public_id,
        "other_worker_id": other.public_id,
        "payout_id": payout.pk,
        **_of_panels(account),
        "name": payout.sent_with,
        **_of_people(account, owner, outsider),
        **(_what_was_told(account, owner) | events_world.ids(account)),
        **_qualifications(account, worker),
        **model_world.of_models(account, model, dataset),
        **vendors.ids,
        **_of_templates(job, rows[0], export_uri),
        **_a_kept_template(account),
        "token": image_url(rows[0].pk, owner.pk).rsplit("/", 1)[-1],
    }
    people = (owner, stranger, worker.user, other.user, outsider.user)
    return World(account, *people, vendors=vendors, ids=ids, secrets=[*SECRETS, account.number])


def _of_templates(job: LabelingJob, row: DataObject, uri: str) -> dict[str, Any]:
    """Sealed addresses of a template's page and of a file that it loads: whoever has one may read it."""
    QueueTemplate.objects.create(queue=job.queue, text="<crowd-form></crowd-form>")
    frame = frame_url(queue_id=job.queue_id, object_id=row.pk, seconds=86_400)
    return {"frame": frame.split("/")[-2], "file": sealed(FILE, {"uri": uri}, seconds=86_400)}


def _a_kept_template(account: Account) -> dict[str, Any]:
    """A worker template of the account with one version."""
    draft = kept_templates.Draft(text="<crowd-form>secret-template</crowd-form>")
    made = kept_templates.create(account=account, name="secret-template", draft=draft, by="system")
    return {"template_id": made.template_id, "version_number": made.number}


def _identity_providers(account: Account, team: Workteam) -> dict[str, Any]:
    """Approved providers of the account that nobody can reach, of each protocol, by their keys and their slugs."""
    made = identity_providers.create(
        account=account,
        workteam=team,
        name="secret-company",
        issuer="https://127.0.0.1",
        client_id="secret-client",
        client_secret="secret-of-client",
        domains=["example.org"],
        approved=True,
        by="system",
    )
    saml = saml_providers.create(
        account=account,
        workteam=team,
        name="secret-company",
        metadata=saml_provider.Provider("https://127.0.0.1").metadata(),
        domains=["example.org"],
        approved=True,
        by="system",
    )
    ids = {"identity_provider_id": made.pk, "provider_id": made.slug}
    return {**ids, "saml_provider_id": saml.pk, "saml_id": saml.slug}


def _of_panels(account: Account) -> dict[str, Any]:
    """A panel and the completed session of a participant, by their ids."""
    panel = panel_stories.a_panel(account, tasks_per_session=1)
    job = panel_stories.a_job_of(panel, objects=1)
    session = panel_stories.begin(panel, job, "secret-participant").session
    assert session is not None
    stories.claim_and_answer(session.worker, job)
    ids = {"panel_id": panel.pk, "session_id": session.pk, "work_id": job.queue_id}
    return {**ids, "link": panel.link, "decision": "approve"}


def a_secret_model(account: Account) -> Model:
    """A model with its files in the store."""
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


def a_sent_payout(worker: Worker) -> Payout:
    """A payout that waits for the bank, of a worker who has more than that."""
    payouts.set_details(worker=worker, holder="Ana Bee", destination="secret-bank-account")
    builders.earn(worker, 9_000_000)
    payout = payouts.request(worker=worker, amount_micros=5_000_000, by="system")
    payouts.send(by="system")
    payout.refresh_from_db()
    return payout


def an_import(account: Account, dataset: Dataset, uri: str) -> LabelImport:
    """An import of labels that is done, with its reports."""
    label_import = LabelImport.objects.create(
        account=account, purpose="dataset", name="secret-labels", uri=uri, status="Completed", dataset=dataset,
        counts={"lines": 1},
    )  # fmt: skip
    for form in reports.KINDS:
        storage.write(reports.uri(label_import, form), b"secret-labels")
    return label_import
