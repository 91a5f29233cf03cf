"""Pages with many pictures have small copies of masks, which only their viewer can fetch; the object's page has all."""

import json
import re

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from labeling.formats import mask_answers, segments
from labeling.formats.mask_previews import SIDE
from labeling.formats.masks import read_palette_png
from labeling.models import DataObject, LabelingJob
from labeling.services.jobs import classes
from labeling.services.queue import due
from marketplace.models import Role
from marketplace.services import accounts
from tests.labeling import stories

pytestmark = pytest.mark.django_db
SCRIPT = re.compile(r'<script type="application/json">(.*?)</script>', re.DOTALL)


def masks_of(page: str) -> list[dict]:
    """The masks of every layer of every picture, in order."""
    found = [json.loads(one) for one in SCRIPT.findall(page) if '"layers"' in one]
    return [layer["masks"] for one in found for layer in one["layers"]]


@pytest.fixture
def job() -> LabelingJob:
    """Two people have painted one image: both bees above, and one of them wasps below."""
    job, workers = stories.an_open_job(
        objects=1,
        workers=2,
        workers_per_object=2,
        task_type="SemanticSegmentation",
        label_attribute_name="insects-ref",
        review_days=3,
    )
    for number, worker in enumerate(workers, start=1):
        values = np.zeros((480, 640), np.uint8)
        values[:240, :] = 1
        values[360:, :] = 2 * (number == 2)
        found = segments.from_pixels(values, {1: "bee", 2: "wasp"})
        stories.work(worker, job, mask_answers.semantic_content(found, element_name="crowd-semantic-segmentation"))
    due.settle_due(job.queue)
    return job


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_lists_of_pictures_hold_addresses_of_small_copies_and_the_page_of_one_all_pixels(job):
    owner = client_of(job.account.members.get())
    row = DataObject.objects.get(job=job)
    for name in ("job-gallery", "job-people", "job-answers"):
        page = owner.get(reverse(f"requester:{name}", args=[job.pk])).content.decode()
        shown = masks_of(page)
        assert len(shown) >= 2 and "pngImageData" not in page
        for one in shown:
            assert set(one) == {"src", "segments"} and {"label", "color"} <= set(one["segments"][0])
            answer = owner.get(one["src"])
            values, colors = read_palette_png(answer.content)
            assert answer["Content-Type"] == "image/png" and values.shape == (SIDE * 3 // 4, SIDE)
            assert [color for n, color in sorted(colors.items()) if n] == [each["color"] for each in one["segments"]]
            assert answer["Cache-Control"] == "private, max-age=3600"
            again = owner.get(one["src"], HTTP_IF_NONE_MATCH=answer["ETag"])
            assert (again.status_code, again.content) == (304, b"")
    full = masks_of(owner.get(reverse("requester:object", args=[job.pk, row.pk])).content.decode())
    assert all(set(one) & {"png", "counts", "width"} and "src" not in one for one in full)


def test_an_address_is_good_for_its_viewer_and_its_object_alone(job):
    owner = client_of(job.account.members.get())
    page = owner.get(reverse("requester:job-people", args=[job.pk])).content.decode()
    src = masks_of(page)[-1]["src"]
    assert owner.get(src).status_code == 200
    colleague = stories.a_crowd(1)[0].user
    accounts.add_member(account=job.account, user=colleague, role=Role.ADMIN)
    assert client_of(colleague).get(src).status_code == 404
    theirs = client_of(colleague).get(reverse("requester:job-people", args=[job.pk])).content.decode()
    assert masks_of(theirs)[-1]["src"] != src
    image, _, token = src.partition("?mask=")
    other_token = masks_of(theirs)[-1]["src"].partition("?mask=")[2]
    assert owner.get(f"{image}?mask={other_token}").status_code == 404
    for wrong in ("x", "²", token[:-2], token + "A", image.rsplit("/", 1)[-1], "\0"):
        assert owner.get(image, {"mask": wrong}).status_code == 404
    assert client_of(stories.a_crowd(1)[0].user).get(src).status_code == 404


def test_classes_that_are_merged_give_another_address(job):
    owner = client_of(job.account.members.get())
    address = reverse("requester:job-answers", args=[job.pk])
    before = [one["src"] for one in masks_of(owner.get(address).content.decode())]
    classes.merge(job=job, label="wasp", into="bee", by="user:1")
    after = masks_of(owner.get(address).content.decode())
    assert {one["segments"][0]["label"] for one in after if one["segments"]} == {"bee"}
    assert before != [one["src"] for one in after]
    assert {owner.get(one["src"]).status_code for one in after} == {200}
