"""Test data of a portal in use, of any size, and the ten pages that are opened most.

`grow` adds one row of everything that a page lists, so that the queries of two sizes can be compared.
"""

from dataclasses import dataclass

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from labeling.models import (
    AnswerReview,
    Assignment,
    Bonus,
    ClassChange,
    ConductFinding,
    DataObject,
    Dataset,
    Export,
    GoldResult,
    ImportedLine,
    LabelImport,
    LabelingJob,
)
from labeling.services import bonuses
from labeling.services.conduct import appeals as conduct_appeals
from labeling.services.golds import keeping
from labeling.services.jobs.batches import open_batch
from labeling.services.queue import batches, due
from labeling.services.results import appeals, deciding, reviewers
from marketplace.models import Account, NoticeKind, QualificationType, User, WebhookEndpoint, Worker, Workteam
from marketplace.services import (
    access_keys,
    accounts,
    eligibility,
    identity_providers,
    invitations,
    notifications,
    qualifications,
    saml_providers,
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
    tuning_world,
)
from tests.labeling import stories
from tests.learning import hosting_stories

_METADATA = saml_provider.Provider().metadata()
OBJECTS = 3
"""Objects that each further job brings; two are labeled, one stays open."""


@dataclass
class Portal:
    """The users whose pages are opened, and the job that they show."""

    account: Account
    operator: User
    workers: list[Worker]
    reviewer: Worker
    team: Workteam
    job: LabelingJob


def a_portal() -> Portal:
    """The smallest portal: a job in progress, its team, an operator, and one row for each list."""
    account = stories.an_account(funds="1000")
    *workers, reviewer = stories.a_crowd(3)
    team = builders.a_team(account=account, workers=[*workers, reviewer])
    operator = User.objects.create(username="operator", email="operator@example.org", password="!", is_operator=True)
    portal = Portal(account, operator, workers, reviewer, team, _job(account, team, objects=0))
    grow(portal)
    return portal


def _job(account: Account, team: Workteam, *, objects: int) -> LabelingJob:
    return stories.a_job(account, team, workers_per_object=2, objects=objects, review_days=3)


def grow(portal: Portal) -> None:
    """Add one of everything: a job with labels and an open batch, objects of the main job, an account, team, users."""
    job = _job(portal.account, portal.team, objects=OBJECTS)
    _label_two(portal, job)
    _more_objects(portal)
    _review(portal, job)
    _decide(portal)
    _a_gold(portal)
    _find(portal)
    other = stories.an_account(funds="10")
    outsiders = stories.a_crowd(1)
    foreign = stories.a_job(other, builders.a_team(account=other, workers=[*portal.workers, *outsiders]))
    open_batch(job=foreign, object_ids=_unlabeled(foreign), by="system")
    builders.a_team(account=portal.account, workers=1)
    _import_labels(portal, builders.a_dataset(account=portal.account))
    ClassChange.objects.create(
        queue=portal.job.queue,
        kind="renamed",
        old_name="honey bee",
        new_name="bee",
        labels=1,
        changed_by="user:1",
        changed_at=timezone.now(),
    )
    Export.objects.create(job=portal.job, kind="manifest", status="Completed", uri="file:///nowhere", size_bytes=12)
    review_world.grow(portal.account, portal.workers, portal.team, job.pk)
    model = model_world.add(portal.account, f"model-{job.pk}")
    hosting_stories.an_endpoint(
        portal.account,
        hosting_stories.a_config(portal.account, model, name=f"config-{job.pk}"),
        name=f"endpoint-{job.pk}",
    )
    tuning_world.one_more(portal.account)
    improvement_world.grow(portal.account, job.pk)
    trainings_world.grow(portal.account, model)
    _move_money(portal)
    (member,) = stories.a_crowd(1)
    accounts.add_member(account=portal.account, user=member.user, role="Member")
    _more_people(portal, member)
    _qualify(portal)
    owner = portal.account.members.order_by("pk")[0]
    accounts.create_token(user=owner, account=portal.account, name="a program")
    access_keys.create(user=owner, account=portal.account, name="a program")
    _tell(portal)


def _move_money(portal: Portal) -> None:
    """Add a bonus of the main job, and a refund that was sent."""
    token = f"bonus-{Bonus.objects.count()}"
    bonuses.pay(job=portal.job, worker=portal.workers[0], amount_micros=5, reason="good", token=token, by="system")
    refund = wallet_refunds.request(account=portal.account, amount_micros=10_000, by="system")
    wallet_refunds.mark_paid(refund=refund, by="system")


def _more_people(portal: Portal, worker: Worker) -> None:
    """Add invitations of the account and to one of its workers, and a suspended worker."""
    owner, user = portal.account.members.order_by("pk")[0], portal.workers[0].user
    email = f"invited-{worker.pk}@example.org"
    invitations.to_account(account=portal.account, email=email, role="Viewer", acting=owner)
    invitations.to_team(team=portal.team, email=email, acting=owner)
    identity_providers.create(
        account=portal.account,
        workteam=portal.team,
        name="Hives",
        issuer="https://login.example.org",
        client_id="waggle",
        client_secret="a secret",
        domains=["example.org"],
        approved=True,
        by="system",
    )
    saml_providers.create(
        account=portal.account,
        workteam=portal.team,
        name="Bees",
        metadata=_METADATA,
        domains=["example.org"],
        approved=True,
        by="system",
    )
    other = builders.an_account(funds="0")
    invitations.to_account(account=other, email=user.email, role="Viewer", acting=other.members.get())
    accounts.add_member(account=builders.an_account(funds="0"), user=user, role="Member")
    workteams.add_worker(team=builders.a_team(account=other, workers=0), worker=portal.workers[0], by="system")
    workteams.add_worker(team=portal.team, worker=worker, by="system")
    eligibility.block(account=portal.account, worker=worker, reason="spam", by="system")


def _tell(portal: Portal) -> None:
    """Add a webhook of the account and of its owner, as far as there is room, and notices, which they get too."""
    owner, user = portal.account.members.order_by("pk")[0], portal.workers[0].user
    for whose in ({"account": portal.account, "user": None}, {"account": None, "user": owner}):
        webhooks.create(url="https://example.org/", kinds=["bonus"], by=f"user:{owner.pk}", **whose)
    events_world.grow(portal.account)
    notifications.tell_account(account=portal.account, kind=NoticeKind.BONUS, text="told", link="/wallet/")
    notifications.tell(user=user, kind=NoticeKind.BONUS, text="told", account=portal.account)


def told_pages(portal: Portal) -> dict[str, tuple[User, str]]:
    """Pages about what is told: name -> (user, path)."""
    owner, user = portal.account.members.order_by("pk")[0], portal.workers[0].user
    hook = WebhookEndpoint.objects.filter(account=portal.account).order_by("pk")[0]
    return {
        "notices": (user, reverse("person:notices")),
        "settings": (user, reverse("person:notice-settings")),
        **events_world.pages(portal.account, owner),
        "webhooks": (owner, reverse("requester:webhooks")),
        "webhook": (owner, reverse("requester:webhook", args=[hook.pk])),
        "own_webhooks": (owner, reverse("person:webhooks")),
        "audit": (owner, reverse("requester:audit")),
    }


def _qualify(portal: Portal) -> None:
    """Add types of the account and of the operator, a holder of each, and a job that asks for one that nobody has."""
    number = QualificationType.objects.count()
    made = {"description": "x", "granted_by": "TasksDone", "mark": 10, "by": "system"}
    own, asked, general = (
        qualifications.create_type(account=account, name=f"{name}-{number}", **made)
        for account, name in ((portal.account, "own"), (portal.account, "asked"), (None, "general"))
    )
    first = QualificationType.objects.order_by("pk")[0]
    for row, worker in ((own, portal.workers[0]), (general, portal.workers[0]), (first, stories.a_crowd(1)[0])):
        qualifications.grant(row=row, worker=worker, value=10, how="by hand", by="system")
    requirement = {"qualification_type": asked.pk}
    stories.a_job(portal.account, portal.team, objects=0, qualification_requirements=[requirement])


def qualification_pages(portal: Portal) -> dict[str, tuple[User, str]]:
    """Pages that list qualification types, who holds one, and the work that is closed: name -> (user, path)."""
    owner, worker = portal.account.members.order_by("pk")[0], portal.workers[0].user
    first = QualificationType.objects.order_by("pk")[0].pk
    return {
        "qualifications": (owner, reverse("requester:qualifications")),
        "qualification": (owner, reverse("requester:qualification", args=[first])),
        "operator_qualifications": (portal.operator, reverse("operator:qualifications")),
        "worker_qualifications": (worker, reverse("worker:qualifications")),
        "closed": (worker, reverse("worker:closed")),
    }


def people_pages(portal: Portal) -> dict[str, tuple[User, str]]:
    """Pages that list people: name -> (user, path)."""
    owner, user = portal.account.members.order_by("pk")[0], portal.workers[0].user
    return {
        "settings": (owner, reverse("requester:settings")),
        "access-keys": (owner, reverse("requester:access-keys")),
        "team": (owner, reverse("requester:team", args=[portal.team.pk])),
        "sign_in": (owner, reverse("requester:settings-sign-in")),
        "providers": (portal.operator, reverse("operator:identity-providers")),
        "suspended": (owner, reverse("requester:team-suspended")),
        "you": (user, reverse("person:you")),
        "people": (portal.operator, reverse("operator:people")),
        "person": (portal.operator, reverse("operator:person", args=[user.pk])),
    }


def _import_labels(portal: Portal, dataset: Dataset) -> None:
    """Add an import that made the data set, and a line to the report of the first one."""
    counts = {"images": 2, "labeled": 1, "parts": 3, "imported": 1, "lines": 1}
    made = {"purpose": "dataset", "name": dataset.name, "dataset": dataset, "images": dataset, "counts": counts}
    LabelImport.objects.create(account=portal.account, uri="file:///nowhere", status="Completed", **made)
    LabelImport.objects.create(account=portal.account, uri="file:///nowhere", purpose="golds", job=portal.job)
    first = LabelImport.objects.filter(account=portal.account).order_by("pk")[0]
    number = first.lines.count() + 1
    ImportedLine.objects.create(label_import=first, number=number, place="a.txt", outcome="imported", reason="1 box")


def _review(portal: Portal, job: LabelingJob) -> None:
    """Let the reviewer review the job as well, and somebody else the main job."""
    (another,) = stories.a_crowd(1)
    workteams.add_worker(team=portal.team, worker=another, by="system")
    main = portal.job.queue
    for queue, worker in ((main, portal.reviewer), (job.queue, portal.reviewer), (main, another)):
        reviewers.add(queue=queue, worker=worker, by="system")


def _decide(portal: Portal) -> None:
    """Let the reviewer accept one pending answer of the main job, and reject one with an appeal against it."""
    pending = AnswerReview.objects.filter(queue=portal.job.queue, state="Pending").select_related("queue", "worker")
    accepted, rejected, *_ = pending.order_by("pk")
    deciding.accept_one(review=accepted, by=reviewers.actor(portal.reviewer))
    deciding.reject_one(review=rejected, reason="not tight", by="system")
    appeals.file_appeal(review=rejected, worker=rejected.worker, text="it is")


def _a_gold(portal: Portal) -> None:
    """Add a gold to the main job, answered by the first worker; golds of jobs that are over are told."""
    stories.add_objects(portal.job, 1)
    row = DataObject.objects.filter(job=portal.job).order_by("-index")[0]
    gold = keeping.add(data_object=row, content=stories.ONE_BEE, by="system")
    seat = Assignment.objects.filter(worker=portal.workers[0], state="Submitted", gold_result=None).order_by("pk")[0]
    GoldResult.objects.create(gold=gold, worker=portal.workers[0], assignment=seat, score=1)
    keeping.withdraw(gold=gold, by="system")


def _find(portal: Portal) -> None:
    """Something in the conduct of both workers, one with an appeal."""
    for worker in portal.workers:
        row = ConductFinding.objects.create(
            worker=worker,
            queue=portal.job.queue,
            rule="too-fast",
            action="Warn",
            reason="too fast",
            found_at=timezone.now(),
            found_by="system",
        )
    conduct_appeals.file_appeal(finding=row, worker=row.worker, text="it is")


def _unlabeled(job: LabelingJob) -> list[int]:
    return list(
        DataObject.objects.filter(job=job, state="Unlabeled", label=None).order_by("index").values_list("pk", flat=True)
    )


def _label_two(portal: Portal, job: LabelingJob) -> None:
    """Let both workers label two objects; the others are in an open batch."""
    open_batch(job=job, object_ids=_unlabeled(job)[:2], by="system")
    _work_off(portal, job)
    open_batch(job=job, object_ids=_unlabeled(job), by="system")


def _work_off(portal: Portal, job: LabelingJob) -> None:
    """Let both workers label every open task, and close the batch."""
    for worker in portal.workers:
        stories.work(worker, job)
    due.settle_due(job.queue)
    live = batches.live_batch(job.queue)
    assert live is None or batches.close_batch(batch=live)


def _more_objects(portal: Portal) -> None:
    """Add labeled objects and an open one to the main job."""
    job = portal.job
    stories.add_objects(job, OBJECTS)
    _work_off(portal, job)
    _label_two(portal, job)


def pages(portal: Portal) -> dict[str, tuple[User, str]]:
    """The ten pages that are opened most: name -> (user, path)."""
    owner = portal.account.members.order_by("pk")[0]
    worker = portal.workers[0].user
    job = portal.job.pk
    some = DataObject.objects.filter(job=job, label__isnull=False).order_by("index").values_list("pk", flat=True)[0]
    return {
        "overview": (owner, reverse("requester:overview")),
        "jobs": (owner, reverse("requester:jobs")),
        "job_progress": (owner, reverse("requester:job", args=[job])),
        "job_gallery": (owner, reverse("requester:job-gallery", args=[job])),
        "object": (owner, reverse("requester:object", args=[job, some])),
        "job_answers": (owner, reverse("requester:job-answers", args=[job]) + "?state=all"),
        "appeals": (owner, reverse("requester:appeals")),
        "job_people": (owner, reverse("requester:job-people", args=[job])),
        "job_classes": (owner, reverse("requester:job-classes", args=[job])),
        "wallet": (owner, reverse("requester:wallet")),
        "wallet_statement": (owner, reverse("requester:wallet-statement")),
        "job_bonuses": (owner, reverse("requester:job-bonuses", args=[job])),
        "worker_statement": (worker, reverse("worker:statement")),
        "operator_ledger": (portal.operator, reverse("operator:ledger")),
        "operator_system": (portal.operator, reverse("operator:system")),
        "operator_money": (portal.operator, reverse("operator:money")),
        "billing": (owner, reverse("requester:billing")),
        "teams": (owner, reverse("requester:teams")),
        "conduct": (owner, reverse("requester:conduct")),
        "worker_reviews": (portal.reviewer.user, reverse("worker:reviews")),
        "worker_review": (portal.reviewer.user, reverse("worker:review", args=[portal.job.queue_id]) + "?state=all"),
        "worker_conduct": (worker, reverse("worker:conduct")),
        "flags": (portal.operator, reverse("operator:flags")),
        "worker_history": (worker, reverse("worker:history")),
        "worker_earnings": (worker, reverse("worker:earnings")),
        "worker_jobs": (worker, reverse("worker:jobs")),
        "endpoints": (owner, reverse("requester:endpoints")),
        "human_review": (owner, reverse("requester:human-review")),
        "flow_definition": (owner, review_world.page(portal.account)),
        "operator_appeals": (portal.operator, reverse("operator:appeals")),
        "operator_accounts": (portal.operator, reverse("operator:accounts")),
        "improvements": (owner, reverse("requester:improvement-policies")),
        "improvement": (owner, reverse("requester:improvement", args=["first"])),
        "tunings": (owner, reverse("requester:tunings")),
        "tuning": (owner, reverse("requester:tuning", args=[tuning_world.first(portal.account).pk])),
    }


def queries_of(user: User, path: str) -> list[str]:
    """The SQL statements of opening a page as a user. Raises AssertionError unless the page is shown."""
    client = Client()
    client.force_login(user)
    with CaptureQueriesContext(connection) as asked:
        response = client.get(path)
    assert response.status_code == 200, f"{path}: {response.status_code}"
    # A count of requests is fetched for a hundredth of a minute's requests, so by some requests and not by others.
    return [query["sql"] for query in asked.captured_queries if "marketplace_ratewindow" not in query["sql"]]
