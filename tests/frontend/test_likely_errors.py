"""Labels that are likely wrong, as pages and REST show them, and the choice to look at them first."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from labeling.models import DataObject, LabelingJob, LikelyError
from marketplace.services import accounts
from tests.frontend.test_chained_wizard import account, follow, over, requester, step, through  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.fixture
def doubtful(over):  # noqa: F811
    """The job that is over; of its second object somebody may have overlooked something."""
    rows = DataObject.objects.filter(job=over).order_by("index")
    for row, chance in zip(rows, (0.1, 0.8), strict=True):
        kinds = {"overlooked": chance, "wrong_class": 0.05}
        LikelyError.objects.create(data_object=row, chance=chance, kinds=kinds, model_name="bees-round-2")
    # Later than a transaction that has just decided a label could end.
    LabelingJob.objects.filter(pk=over.pk).update(errors_estimated_at=timezone.now() + timedelta(hours=1))
    return over


def test_the_list_of_objects_says_what_is_likely_wrong(client, account, doubtful):  # noqa: F811
    token = accounts.create_token(user=account.members.get(), account=account, name="test")[1]
    found = client.get(
        f"/api/v1/labeling-jobs/{doubtful.pk}/objects", headers={"Authorization": f"Bearer {token}"}
    ).json()["results"]
    assert found[1]["likely_error"] == {
        "chance": 0.8,
        "kinds": {"overlooked": 0.8, "wrong_class": 0.05},
        "reason": "An object may have been overlooked: the chance is 80 %.",
        "model_name": "bees-round-2",
    }
    LikelyError.objects.all().delete()
    one = client.get(
        f"/api/v1/labeling-jobs/{doubtful.pk}/objects/{found[1]['id']}", headers={"Authorization": f"Bearer {token}"}
    ).json()
    assert one["likely_error"] is None


def test_the_objects_page_says_why_and_only_where_it_is_likely(requester, doubtful):  # noqa: F811
    sure, doubted = DataObject.objects.filter(job=doubtful).order_by("index")
    page = requester.get(reverse("requester:object", args=[doubtful.pk, doubted.pk])).content.decode()
    assert "An object may have been overlooked: the chance is 80 %." in page and "the model bees-round-2" in page
    page = requester.get(reverse("requester:object", args=[doubtful.pk, sure.pk])).content.decode()
    assert "may have been overlooked" not in page


def test_the_gallery_can_begin_with_the_likeliest_errors(requester, doubtful):  # noqa: F811
    page = requester.get(reverse("requester:job-gallery", args=[doubtful.pk]), {"which": "likely-wrong"})
    assert [card["row"].index for card in page.context["cards"]] == [1, 0]
    assert "An object may have been overlooked: the chance is 80 %." in page.content.decode()
    page = requester.get(reverse("requester:job-gallery", args=[doubtful.pk]))
    assert [card["row"].index for card in page.context["cards"]] == [0, 1]
    assert "may have been overlooked" not in page.content.decode()


def test_a_verification_can_begin_with_them(requester, doubtful):  # noqa: F811
    follow(requester, doubtful, "VerificationBoundingBox")
    assert "The labels that are most likely wrong first" in requester.get(step("data")).content.decode()
    made = through(requester, doubtful, data={"selection": "likely-wrong", "count": 1})
    assert made.selection == {"kind": "likely-wrong", "count": 1}
    (row,) = DataObject.objects.filter(job=made).select_related("likely_error")
    assert row.index == 1 and row.likely_error.kinds["overlooked"] == 0.8 and row.state == "PendingHuman"
    page = requester.get(reverse("requester:object", args=[made.pk, row.pk])).content.decode()
    assert "anything is wrong with the earlier label is 80 %" in page


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"count": "0"}, "count"), ({"count": "many"}, "count"), ({"chained_job": ""}, "selection")],
)
def test_the_step_refuses_what_the_service_would(requester, doubtful, changes, field):  # noqa: F811
    follow(requester, doubtful, "VerificationBoundingBox")
    shown = requester.get(step("data")).context["form"]
    given = {one.name: one.value() for one in shown if one.value() not in (None, "")}
    response = requester.post(step("data"), given | {"selection": "likely-wrong"} | changes)
    assert response.status_code == 422 and field in response.context["form"].errors


def test_a_job_that_draws_anew_cannot_begin_with_them(requester, doubtful):  # noqa: F811
    follow(requester, doubtful, "")
    before = LabelingJob.objects.latest("pk")
    through(requester, doubtful, data={"selection": "likely-wrong"})
    assert LabelingJob.objects.latest("pk") == before
    assert "only verification and adjustment jobs can begin" in requester.get(step("data")).content.decode()
