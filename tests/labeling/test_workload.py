"""One account cannot fill the message queue: what it may have under way is limited, also for requests at one moment."""

import pytest
from django.test import Client
from django_q.models import OrmQ

from labeling import background
from labeling.models import Dataset, Export, LabelImport, LabelingJob
from labeling.services.imports import creating
from labeling.services.intake import datasets
from labeling.services.jobs import creation
from labeling.services.output import exports
from marketplace.errors import BackgroundLimit
from marketplace.models import AuditEvent
from tests import builders
from tests.labeling import stories
from tests.labeling.test_concurrency import in_threads

pytestmark = pytest.mark.django_db(transaction=True)
MOST = 6


@pytest.fixture(autouse=True)
def _limit(settings):
    settings.BACKGROUND_PER_ACCOUNT = MOST


class Requests:
    """Requests of every kind for one account, each at most once per number."""

    def __init__(self):
        self.account = stories.an_account()
        self.team = builders.a_team(account=self.account, workers=[])
        self.jobs = [stories.a_job(self.account, self.team, objects=1) for _ in range(4)]
        self.uri = builders.a_manifest(self.account, [{"source-ref": "s3://b/1.png"}])
        self.refused = []

    def export(self, number):
        return exports.create_export(job=self.jobs[number % 4], kind="manifest", by="user:1")

    def dataset(self, number):
        source = {"kind": "manifest", "uri": self.uri}
        return datasets.create_dataset(account=self.account, name=f"set-{number}", source=source, by="user:1")

    def job(self, number):
        return creation.create_job(**stories.a_design(self.account, self.team, input_manifest_uri=self.uri))

    def label_import(self, number):
        return creating.create_import(account=self.account, uri=self.uri, name=f"labels-{number}", by="user:1")

    def attempt(self, number):
        """One request; every fourth is of the same kind."""
        try:
            (self.export, self.dataset, self.job, self.label_import)[number % 4](number)
        except BackgroundLimit as error:
            self.refused.append(error)

    def under_way(self):
        made = Dataset.objects.filter(account=self.account).count()
        prepared = LabelingJob.objects.filter(account=self.account, status="Initializing").count()
        made += LabelImport.objects.filter(account=self.account).count()
        return made + prepared + Export.objects.filter(job__account=self.account, status="InProgress").count()


def test_requests_of_every_kind_at_one_moment_keep_the_limit_together():
    requests = Requests()
    messages = OrmQ.objects.count()
    in_threads(*[lambda n=n: requests.attempt(n) for n in range(24)])
    assert requests.under_way() == MOST
    assert len(requests.refused) == 24 - MOST
    assert OrmQ.objects.count() == messages + MOST, "what was refused has sent no message"


@pytest.mark.parametrize("kind", ["export", "dataset", "job"])
def test_every_kind_is_refused_over_the_limit_and_leaves_nothing(kind):
    requests = Requests()
    made = [requests.dataset(number) for number in range(MOST)]
    before = (OrmQ.objects.count(), AuditEvent.objects.count(), requests.under_way())
    with pytest.raises(BackgroundLimit, match="6 data sets in the making of this account wait or run, and 6 may"):
        getattr(requests, kind)(99)
    assert (OrmQ.objects.count(), AuditEvent.objects.count(), requests.under_way()) == before
    background.advance_dataset(made[0].pk)
    getattr(requests, kind)(99)


def test_another_account_is_not_held_up():
    full, other = Requests(), Requests()
    for number in range(MOST):
        full.dataset(number)
    other.dataset(0), other.export(0), other.job(0)
    assert other.under_way() == 3


def test_the_answer_says_the_limit_and_the_way_out():
    requests = Requests()
    for number in range(MOST):
        requests.dataset(number)
    client = Client()
    client.force_login(requests.account.members.get())
    answer = client.post(
        f"/api/v1/labeling-jobs/{requests.jobs[0].pk}/exports", {"kind": "manifest"}, content_type="application/json"
    )
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:waggle:problem:background-limit")
    assert "6 may at a time; wait until one has ended, or stop one" in answer.json()["detail"]
