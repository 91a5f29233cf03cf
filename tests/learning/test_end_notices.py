"""Who is told when a search or a change of an endpoint is over, and what: in the portal and by webhook."""

import pytest
from django.utils import timezone

from frontend import notice_links
from learning import transitions
from learning.models import Deployment, EndpointReplica
from learning.services.hosting import deploying, hosting, replicas
from learning.services.tuning import advancing, creating
from marketplace.models import Notice, WebhookDelivery
from marketplace.services import webhooks
from tests import builders
from tests.learning.hosting_stories import a_config, a_model, an_endpoint, answer_all
from tests.learning.tuning import stories

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(db):
    return builders.an_account()


def told(account):
    """What the account's one member was told, oldest first."""
    return list(Notice.objects.filter(account=account).order_by("pk").values_list("text", flat=True))


class TestTuning:
    def test_a_completed_search_names_its_best_training_once(self, account):
        tuning = stories.a_tuning(account)
        stories.drive(tuning)
        best = tuning.trials.order_by("-objective_value").first()
        (text,) = told(account)
        assert text == (
            f"The tuning job hive is completed; the best of its trainings is {best.name}, "
            f"with {best.objective_value:.4g} of validation:mAP."
        )
        advancing.advance(tuning_id=tuning.pk)
        notice = Notice.objects.get(account=account)
        assert (notice.kind, notice_links.page_of(notice)) == ("job.done", f"/tunings/{tuning.pk}/")

    def test_a_stopped_search_says_what_it_has_found_so_far(self, account):
        tuning = stories.a_tuning(account)
        stories.drive(tuning, most=1)
        creating.stop(tuning_job=tuning, by="user:1")
        advancing.advance(tuning_id=tuning.pk)
        assert told(account)[0].startswith("The tuning job hive was stopped; the best of its trainings is hive-001-")

    def test_a_failed_search_says_why(self, account):
        tuning = stories.a_tuning(account)
        while runs := (advancing.advance(tuning_id=tuning.pk), stories.running(tuning))[1]:
            stories.end(runs[0].training_job, "Failed", failure_reason="no such image.")
        assert told(account) == [
            "The tuning job hive has failed: no training has an objective; the last one failed: no such image."
        ]


class TestEndpoint:
    @pytest.fixture
    def models(self, account):
        return a_model(account, "old"), a_model(account, "new")

    def look(self, endpoint):
        deploying.advance(endpoint_id=endpoint.pk)

    def update(self, endpoint, model):
        config = a_config(endpoint.account, model, name="second")
        hosting.update(endpoint=endpoint, config=config, by="user:1")

    def fail(self, **of):
        replica = EndpointReplica.objects.get(status="Creating", **of)
        transitions.REPLICA.advance(replica, "Failed", by="learner", failure_reason="model.onnx is missing")

    def test_creation_and_update_are_told_when_they_end(self, account, models):
        user = account.memberships.get().user
        webhooks.create(url="https://example.com/hook", kinds=["job.done"], account=account, user=None, by="user:1")
        endpoint = an_endpoint(account, a_config(account, models[0]))
        assert told(account) == ["The endpoint bees is in service."]
        self.update(endpoint, models[1])
        answer_all(endpoint)
        self.look(endpoint)
        assert len(told(account)) == 1, "the update is not over yet"
        Deployment.objects.exclude(next_step_at=None).update(next_step_at=timezone.now())
        self.look(endpoint)
        assert told(account)[1:] == ["The endpoint bees is updated: it serves the configuration second."]
        last = Notice.objects.filter(user=user).order_by("pk").last()
        assert notice_links.page_of(last) == f"/endpoints/?id={endpoint.pk}"
        assert WebhookDelivery.objects.count() == 2

    def test_a_creation_that_fails_is_told_with_its_reason(self, account, models):
        endpoint = an_endpoint(account, a_config(account, models[0]), serving=False)
        self.fail()
        self.look(endpoint)
        assert told(account) == [
            "The endpoint bees could not be created: an instance of the variant 'old' could not start: "
            "model.onnx is missing."
        ]

    @pytest.mark.parametrize(
        ("alive", "how"), [(True, "goes on as before"), (False, "has no instance any more that answers")]
    )
    def test_a_rollback_is_told_when_it_is_over(self, account, models, alive, how):
        endpoint = an_endpoint(account, a_config(account, models[0]))
        self.update(endpoint, models[1])
        self.fail()
        self.look(endpoint)
        if not alive:
            EndpointReplica.objects.filter(status="InService").update(status="Failed")
        assert len(told(account)) == 1, "its instances are not gone yet"
        EndpointReplica.objects.exclude(retire_at=None).update(retire_at=timezone.now() - replicas.RETIRED_FOR)
        self.look(endpoint)
        assert told(account)[1] == (
            f"The endpoint bees {how}: the update was rolled back: an instance of the variant 'new' could not start: "
            "model.onnx is missing."
        )

    def test_an_instance_that_cannot_be_added_is_told(self, account, models):
        endpoint = an_endpoint(account, a_config(account, models[0]))
        more = [{"variant": "old", "instance_count": 2}]
        hosting.set_weights_and_capacities(endpoint=endpoint, changes=more, by="user:1")
        self.fail()
        self.look(endpoint)
        assert told(account)[1].startswith("The endpoint bees has fewer instances than were asked for: an instance")
