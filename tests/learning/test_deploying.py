"""Endpoints as rows: what is created, shifted, rolled back and deleted. The learner's part is said, not played."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from django_q.models import OrmQ

from learning import transitions
from learning.models import Deployment, Endpoint, EndpointConfig, EndpointReplica, Variant, VariantTraffic
from learning.services import scope
from learning.services.hosting import deploying, hosting, replicas, strategies, traffic
from marketplace.errors import Invalid, LimitExceeded, NameTaken, NotFound, WrongState
from tests import builders
from tests.learning.hosting_stories import a_config, a_model, an_endpoint, answer_all

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(db):
    return builders.an_account()


@pytest.fixture
def models(account):
    return a_model(account, "old"), a_model(account, "new")


@pytest.fixture
def endpoint(account, models):
    return an_endpoint(account, a_config(account, models[0]))


def look(endpoint):
    deploying.advance(endpoint_id=endpoint.pk)
    endpoint.refresh_from_db()
    return endpoint.status


def bake(endpoint):
    """The time until the next step passes."""
    Deployment.objects.filter(endpoint=endpoint).exclude(next_step_at=None).update(next_step_at=timezone.now())


def wait_out(endpoint):
    """The time passes in which routes to retired instances are still known somewhere."""
    rows = EndpointReplica.objects.filter(variant__deployment__endpoint=endpoint).exclude(retire_at=None)
    rows.update(retire_at=timezone.now() - replicas.RETIRED_FOR)


def shares(endpoint):
    rows = Deployment.objects.filter(endpoint=endpoint, status__in=("Serving", "Shifting"))
    return list(rows.order_by("pk").values_list("status", "share"))


def statuses(deployment):
    return sorted(EndpointReplica.objects.filter(variant__deployment=deployment).values_list("status", flat=True))


def begin_update(account, endpoint, models, **strategy):
    config = a_config(account, models[1], name="second")
    return hosting.update(endpoint=endpoint, config=config, by="user:1", strategy=strategy)


def count(deployment, *, requests, errors=0, seconds=0.02):
    variant = deployment.variants.get()
    for number in range(requests):
        traffic.note(variant.pk, seconds=seconds, error=number < errors)
    traffic.flush()


def test_it_serves_once_every_instance_answers(account, models):
    config = hosting.create_config(
        account=account,
        name="two",
        variants=[
            {"name": "a", "model": "old", "instance_count": 2, "weight": 3},
            {"name": "b", "model": hosting.registry.arn(models[1]), "weight": 1},
        ],
    )
    endpoint = an_endpoint(account, config, serving=False)
    assert OrmQ.objects.filter(payload__isnull=False).exists()
    assert look(endpoint) == "Creating" and EndpointReplica.objects.count() == 3
    first = EndpointReplica.objects.order_by("pk")[0]
    transitions.REPLICA.advance(first, "InService", by="learner")
    assert look(endpoint) == "Creating"
    answer_all(endpoint)
    assert look(endpoint) == "InService" and shares(endpoint) == [("Serving", 100)]
    assert hosting.endpoints_using(models[0]) == hosting.endpoints_using(models[1]) == [endpoint]


def test_an_instance_that_can_never_start_fails_the_endpoint_with_its_reason(account, models):
    endpoint = an_endpoint(account, a_config(account, models[0]), serving=False)
    replica = EndpointReplica.objects.get()
    transitions.REPLICA.advance(replica, "Failed", by="learner", failure_reason="model.onnx is missing")
    assert look(endpoint) == "Failed"
    assert "the variant 'old' could not start: model.onnx is missing" in endpoint.failure_reason
    assert hosting.endpoints_using(models[0]) == []
    hosting.delete(endpoint=endpoint, by="user:1")
    deploying.advance(endpoint_id=endpoint.pk)
    assert not Endpoint.objects.exists()


def test_all_at_once_keeps_the_old_instances_until_the_new_ones_have_proved_good(account, endpoint, models):
    old, new = hosting.serving(endpoint), begin_update(account, endpoint, models, bake_seconds=60)
    endpoint.refresh_from_db()
    assert endpoint.status == look(endpoint) == "Updating" and shares(endpoint) == [("Serving", 100)]
    answer_all(endpoint)
    look(endpoint)
    assert shares(endpoint) == [("Serving", 0), ("Shifting", 100)]
    assert look(endpoint) == "Updating" and statuses(old) == ["InService"]
    bake(endpoint)
    assert look(endpoint) == "InService" and endpoint.config.name == "second"
    assert shares(endpoint) == [("Serving", 100)] and hosting.serving(endpoint) == new
    # Somebody may still have the route to the old instance: it goes a little later.
    assert statuses(old) == ["InService"]
    wait_out(endpoint)
    look(endpoint)
    assert statuses(old) == ["Deleted"] and statuses(new) == ["InService"]
    assert hosting.endpoints_using(models[0]) == []


@pytest.mark.parametrize(
    ("strategy", "steps"),
    [
        ({"type": "Canary", "step_percent": 10}, [10, 100]),
        ({"type": "Linear", "step_percent": 30}, [30, 60, 90, 100]),
    ],
)
def test_requests_go_over_in_steps(account, endpoint, models, strategy, steps):
    begin_update(account, endpoint, models, **strategy)
    answer_all(endpoint)
    seen = []
    while look(endpoint) == "Updating":
        seen.append(Deployment.objects.get(status="Shifting").share)
        assert shares(endpoint)[0] == ("Serving", 100 - seen[-1])
        look(endpoint)
        bake(endpoint)
    assert seen == steps and endpoint.status == "InService"


@pytest.mark.parametrize(
    ("watched", "counted", "reason"),
    [
        ({}, {"requests": 20, "errors": 2}, "2 of 20 requests to the new instances failed, more than 5 %"),
        ({"max_p99_ms": 50.0}, {"requests": 20, "seconds": 0.09}, "is 100 ms, above 50 ms"),
    ],
)
def test_an_update_that_does_badly_is_rolled_back(account, endpoint, models, watched, counted, reason):
    old, new = hosting.serving(endpoint), begin_update(account, endpoint, models, type="Canary", **watched)
    answer_all(endpoint)
    look(endpoint)
    count(new, requests=5, errors=1)
    assert look(endpoint) == "Updating", "five requests say nothing"
    VariantTraffic.objects.all().delete()
    count(new, **counted)
    assert look(endpoint) == "RollingBack"
    assert shares(endpoint) == [("Serving", 100)] and reason in endpoint.failure_reason
    assert look(endpoint) == "RollingBack", "its instances get no requests any more before they go"
    wait_out(endpoint)
    look(endpoint)
    assert look(endpoint) == "InService" and endpoint.config.name == "first"
    assert statuses(new) == ["Deleted"] and statuses(old) == ["InService"]
    new.refresh_from_db()
    assert new.status == "RolledBack" and reason in new.reason


def test_an_update_whose_instances_do_not_start_is_rolled_back(account, endpoint, models):
    new = begin_update(account, endpoint, models)
    Deployment.objects.filter(pk=new.pk).update(created_at=timezone.now() - timedelta(hours=1))
    assert look(endpoint) == "RollingBack"
    assert "did not answer within 600 seconds" in endpoint.failure_reason


def test_weights_hold_at_once_and_instances_follow(account, models):
    endpoint = an_endpoint(account, a_config(account, *models))
    hosting.set_weights_and_capacities(
        endpoint=endpoint,
        changes=[{"variant": "old", "weight": 0.0}, {"variant": "new", "instance_count": 3}],
        by="user:1",
    )
    assert endpoint.status == look(endpoint) == "Updating"
    assert list(Variant.objects.order_by("pk").values_list("weight", "instance_count")) == [(0.0, 1), (1.0, 3)]
    assert EndpointReplica.objects.count() == 4
    answer_all(endpoint)
    assert look(endpoint) == "InService"
    hosting.set_weights_and_capacities(
        endpoint=endpoint, changes=[{"variant": "new", "instance_count": 1}], by="user:1"
    )
    look(endpoint)
    assert endpoint.status == "InService" and EndpointReplica.objects.exclude(retire_at=None).count() == 2
    wait_out(endpoint)
    look(endpoint)
    assert EndpointReplica.objects.filter(status="Deleted").count() == 2


def test_a_configuration_that_is_deleted_before_its_endpoint_serves_until_that_is_gone(account, endpoint, models):
    hosting.delete_config(config=endpoint.config)
    with pytest.raises(NotFound):
        scope.endpoint_config(account, endpoint.config.name)
    a_config(account, models[1])  # The name is free.
    assert look(endpoint) == "InService" and endpoint.config.variants[0]["model"] == "old"
    EndpointReplica.objects.all().delete()
    hosting.delete(endpoint=endpoint, by="user:1")
    deploying.advance(endpoint_id=endpoint.pk)
    assert not Endpoint.objects.exists()
    assert EndpointConfig.objects.get().variants[0]["model"] == "new"


def test_only_the_newest_planned_look_is_followed(account, models):
    endpoint = an_endpoint(account, a_config(account, models[0]), serving=False)
    look(endpoint)
    planned, waiting = endpoint.looks, OrmQ.objects.count()
    deploying.advance(endpoint_id=endpoint.pk, look=planned + 7)
    assert OrmQ.objects.count() == waiting
    deploying.advance(endpoint_id=endpoint.pk, look=planned)
    assert OrmQ.objects.count() == waiting + 1
    deploying.sweep()
    assert OrmQ.objects.count() == waiting + 2


def test_deleting_ends_with_the_last_instance(account, endpoint):
    replica = EndpointReplica.objects.get()
    EndpointReplica.objects.update(claimed_by="learner-1")
    hosting.delete(endpoint=endpoint, by="user:1")
    assert look(endpoint) == "Deleting"
    replica.refresh_from_db()
    assert replica.status == "Deleting"
    with transaction.atomic():
        transitions.REPLICA.advance(replica, "Deleted", by="learner")
    deploying.advance(endpoint_id=endpoint.pk)
    assert not Endpoint.objects.exists() and not EndpointReplica.objects.exists()


def test_what_cannot_be_is_refused(account, endpoint, models, settings):
    config = endpoint.config
    with pytest.raises(NameTaken, match="there is an endpoint 'bees' already"):
        hosting.create(account=account, name="bees", config=config, by="user:1")
    with pytest.raises(NameTaken):
        a_config(account, models[0])
    with pytest.raises(NotFound, match="no model 'tea'"):
        hosting.create_config(account=account, name="x", variants=[{"name": "a", "model": "tea"}])
    begin_update(account, endpoint, models)
    for call in (
        lambda: hosting.update(endpoint=endpoint, config=config, by="user:1"),
        lambda: hosting.set_weights_and_capacities(endpoint=endpoint, changes=[], by="user:1"),
    ):
        with pytest.raises(WrongState, match="Updating"):
            call()
    settings.ENDPOINT_INSTANCES_PER_ACCOUNT = 2
    with pytest.raises(LimitExceeded, match="2 instances of endpoints run or start, 1 more are wanted"):
        hosting.create(account=account, name="wasps", config=config, by="user:1")
    assert Endpoint.objects.count() == 1


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"variants": []}, "variants"),
        ({"variants": [{"name": "a", "model": "old", "weight": 0}]}, "variants"),
        ({"variants": [{"name": "a", "model": "old"}] * 2}, "variants"),
        ({"variants": [{"name": "a b", "model": "old"}]}, "variants[0].name"),
        ({"variants": [{"name": "a", "model": "old", "instance_count": 1.5}]}, "variants[0].instance_count"),
        ({"variants": [{"name": "a", "model": "old", "weight": float("nan")}]}, "variants[0].weight"),
        ({"capture_percent": 101}, "capture_percent"),
        ({"capture_percent": 5, "capture_modes": ["Video"]}, "capture_modes"),
        ({"capture_percent": 5, "capture_modes": []}, "capture_modes"),
    ],
)
def test_a_wrong_configuration_is_named(account, models, given, field):
    with pytest.raises(Invalid) as refused:
        hosting.create_config(account=account, name="x", **{"variants": [{"name": "a", "model": "old"}], **given})
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"type": "Sudden"}, "strategy.type"),
        ({"step_percent": 0}, "strategy.step_percent"),
        ({"bake_seconds": 1.5}, "strategy.bake_seconds"),
        ({"max_error_percent": "5"}, "strategy.max_error_percent"),
        ({"bake_seconds": None}, "strategy.bake_seconds"),
        ({"speed": 1}, "strategy"),
    ],
)
def test_a_wrong_strategy_is_named(given, field):
    with pytest.raises(Invalid) as refused:
        strategies.parse(given)
    assert refused.value.field == field


def test_traffic_adds_up_by_the_minute(account, endpoint):
    variant = Variant.objects.get()
    for seconds, error, refused in (
        (0.004, False, False),
        (0.004, False, True),
        (0.4, True, False),
        (None, True, False),
    ):
        traffic.note(variant.pk, seconds=seconds, error=error, refused=refused)
        traffic.flush()
    counts = traffic.totals([variant.pk])[variant.pk]
    assert (counts.requests, counts.errors, counts.refused, counts.error_percent) == (4, 2, 1, 50.0)
    assert (counts.latency_ms(0.5), counts.latency_ms(0.99)) == (5.0, 500.0)
    assert VariantTraffic.objects.count() in (1, 2)
    traffic.note(variant.pk + 1, seconds=1)
    traffic.flush()
    VariantTraffic.objects.update(minute=timezone.now() - traffic.KEPT - timedelta(minutes=1))
    traffic.forget_old()
    assert not VariantTraffic.objects.exists()
