"""Pages and REST of kept worker templates: the gallery works, versions come and go on, previews are in the sandbox."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from frontend.requester import template_gallery
from labeling.models import Dataset, TemplateVersion, WorkerTemplate
from labeling.services.jobs import creation, kept_templates, template_previews
from marketplace.models import Account
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db
TEXT = "<crowd-form>\n<p>{{ task.input.labels }}</p></crowd-form>"


@pytest.fixture
def account() -> Account:
    return builders.an_account()


@pytest.fixture
def owner(account) -> Client:
    client = Client()
    client.force_login(account.members.get())
    return client


@pytest.mark.parametrize("example", template_gallery.gallery(), ids=lambda one: one.name)
def test_each_template_of_the_gallery_works_on_its_sample(account, example):
    sample = kept_templates.read_sample(example.sample)
    report = template_previews.check(account=account, content=example.text, sample=sample, script_hosts=[])
    assert report.findings == () and report.html


def test_the_gallery_starts_a_template_and_an_unknown_name_is_not_found(owner):
    page = owner.get(reverse("requester:template-new"), {"start": "keypoint"}).content.decode()
    assert "crowd-keypoint" in page and "s3://meadow/1.jpg" in page
    assert owner.get(reverse("requester:template-new"), {"start": "../secret"}).status_code == 404


def test_saving_makes_a_template_then_versions_then_another_name(owner):
    fields = {"name": "bees", "template": TEXT.replace("\n", "\r\n"), "hosts": "CDN.example.org", "sample": ""}
    answer = owner.post(reverse("requester:template-new"), fields)
    kept = WorkerTemplate.objects.get()
    place = reverse("requester:template", args=[kept.pk])
    assert answer.status_code == 302 and answer["Location"] == place
    assert owner.post(place, fields).status_code == 302
    assert owner.post(place, fields | {"template": "<p>"}).status_code == 302
    assert owner.post(place, fields | {"name": "wasps"}).status_code == 302
    found = TemplateVersion.objects.order_by("pk").values_list("template__name", "number", "text", "script_hosts")
    hosts = ["cdn.example.org"]
    assert list(found) == [("bees", 1, TEXT, hosts), ("bees", 2, "<p>", hosts), ("wasps", 1, TEXT, hosts)]
    assert "crowd-form" in owner.get(place, {"version": 1}).content.decode()
    assert owner.get(place, {"version": 3}).status_code == 404
    assert "wasps" in owner.get(reverse("requester:templates")).content.decode()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "taken"}, "already"),
        ({"name": "a b"}, "Letters, digits and hyphens"),
        ({"template": ""}, "This field is required."),
        ({"hosts": "https://x.example/y"}, "a host such as cdn.example.org expected"),
        ({"sample": "[]"}, "a JSON object expected"),
    ],
)
def test_what_cannot_be_kept_is_said_at_its_field(owner, account, change, said):
    kept_templates.create(account=account, name="taken", draft=kept_templates.Draft(text=TEXT), by="user:1")
    answer = owner.post(reverse("requester:template-new"), {"name": "bees", "template": TEXT} | change)
    assert answer.status_code == 422 and said in answer.content.decode()
    assert WorkerTemplate.objects.count() == 1


def test_a_preview_is_in_the_sandbox_and_says_what_is_wrong(owner, account):
    (uri,) = builders.tiny_images(1, account=account)
    text = '<crowd-form><img src="{{ task.input.taskObject | grant_read_access }}"></crowd-form>'

    def preview(**fields: str):
        return owner.post(reverse("requester:template-preview"), {"template": text} | fields)

    shown = preview(sample=json.dumps({"source-ref": uri}), hosts="cdn.example.org x;y")
    policy = shown["Content-Security-Policy"]
    assert "sandbox allow-scripts allow-forms allow-popups" in policy
    assert "https://cdn.example.org" in policy and "x;y" not in policy
    address = shown.content.decode().partition('img src="')[2].partition('"')[0]
    assert owner.get(address.partition("testserver")[2]).status_code == 200
    (strange,) = builders.tiny_images(1, account=builders.an_account())
    for fields in ({"sample": json.dumps({"source-ref": strange})}, {"template": "{% if %}"}, {"sample": "<script>"}):
        refused = preview(**fields)
        assert refused.status_code == 422 and "<script>" not in refused.content.decode().partition("</script>")[2]
        assert "sandbox" in refused["Content-Security-Policy"]
    assert not TemplateVersion.objects.exists()


def test_what_comes_from_a_host_without_a_scheme_comes_by_https(owner):
    text = "<link rel='stylesheet' href=//cdn.example.org/a.css><script src='//cdn.example.org/a.js'></script>"
    text += "<script src='//any.example/crowd-html-elements.js'></script><crowd-form></crowd-form>"
    fields = {"template": text, "hosts": "cdn.example.org", "sample": ""}
    page = owner.post(reverse("requester:template-preview"), fields).content.decode()
    assert 'href="https://cdn.example.org/a.css"' in page and 'src="https://cdn.example.org/a.js"' in page
    assert "any.example" not in page


def test_a_line_of_a_data_set_becomes_the_sample_for_its_account_only(owner, account):
    mine = builders.a_dataset(account=account)
    theirs = builders.a_dataset(account=builders.an_account())

    def place(dataset: Dataset, number: int) -> str:
        return reverse("requester:dataset-sample-line", args=[dataset.pk, number])

    assert owner.get(place(mine, 0)).json()["line"]["source-ref"].startswith("file://")
    assert owner.get(place(mine, 20)).status_code == 404
    assert owner.get(place(theirs, 0)).status_code == 404


def test_a_version_becomes_the_template_of_a_new_job(owner, account):
    made = kept_templates.create(
        account=account, name="bees", draft=kept_templates.Draft(text=TEXT, script_hosts=["cdn.example"]), by="user:1"
    )
    kept_templates.add_version(template=made.template, draft=kept_templates.Draft(text="<p>"), by="user:1")
    answer = owner.post(reverse("requester:template-use", args=[made.template_id]), {"version": "1"})
    assert answer["Location"] == reverse("requester:job-new")
    dataset = builders.a_dataset(account=account)
    owner.post(reverse("requester:job-new"), {"name": "job", "dataset": dataset.pk, "selection": "full"})
    page = owner.get(reverse("requester:job-new-step", args=["task"]))
    form = page.context["form"]
    assert (form["template"].value(), form["hosts"].value()) == (TEXT, "cdn.example")
    assert form["task_type"].value() == "Custom"


def test_rest_keeps_templates_and_checks_what_the_account_may_read(owner, account):
    def post(path: str, body: dict, expected: int = 201) -> dict:
        answer = owner.post(f"/api/v1/{path}", json.dumps(body), content_type="application/json")
        assert answer.status_code == expected, answer.content
        return answer.json()

    made = post("worker-templates", {"name": "bees", "template": TEXT, "input": {"source": "x"}})
    assert made["version"] == 1 and made["input"] == {"source": "x"}
    post("worker-templates", {"name": "bees", "template": TEXT}, expected=409)
    place = f"worker-templates/{made['id']}"
    second = post(f"{place}/versions", {"template": "<p>", "script_hosts": ["cdn.example"]})
    assert (second["version"], second["name"], second["script_hosts"]) == (2, "bees", ["cdn.example"])
    assert owner.get(f"/api/v1/{place}").json() == second
    assert owner.get(f"/api/v1/{place}/versions/1").json() == made
    assert [row["version"] for row in owner.get(f"/api/v1/{place}/versions").json()["results"]] == [2, 1]
    (row,) = owner.get("/api/v1/worker-templates?name_contains=BEE").json()["results"]
    assert (row["id"], row["version"]) == (made["id"], 2)
    refused = post("worker-templates", {"name": "w", "template": TEXT, "script_hosts": ["x y"]}, expected=400)
    assert refused["errors"][0]["field"] == "script_hosts[0]"

    (strange,) = builders.tiny_images(1, account=builders.an_account())
    text = '<crowd-form><img src="{{ task.input.taskObject | grant_read_access }}"></crowd-form>'
    report = post("template-checks", {"template": text, "input": {"source-ref": strange}}, expected=200)
    assert not report["works"] and "belongs to another account" in report["findings"][0]["message"]


def test_a_template_is_deleted_or_archived_and_restored_by_page_and_rest(account, owner):
    draft = kept_templates.Draft(text=TEXT)
    kept = kept_templates.create(account=account, name="bees", draft=draft, by="user:1").template
    team = builders.a_team(account=account, workers=1)
    job = creation.create_job(**stories.a_design(account, team, task_type="Custom", template=TEXT))
    place, listed = f"/api/v1/worker-templates/{kept.pk}", "/api/v1/worker-templates"
    gone = owner.delete(place)
    assert gone.json() == {"deleted": False, "archived": True, "used_by": [job.name]}
    assert owner.get(listed).json()["results"] == []
    (row,) = owner.get(f"{listed}?archived=true").json()["results"]
    assert row["archived"] and owner.get(place).json()["archived"]
    assert owner.post(f"{place}/versions", {"template": "<p>"}, content_type="application/json").status_code == 409
    assert "Archived" in owner.get(reverse("requester:templates")).content.decode()
    page = reverse("requester:template", args=[kept.pk])
    assert "in the archive since" in owner.get(page).content.decode()
    assert owner.post(reverse("requester:template-use", args=[kept.pk])).status_code == 409
    assert owner.post(reverse("requester:template-restore", args=[kept.pk]))["Location"] == page
    assert not owner.get(place).json()["archived"]
    told = owner.post(reverse("requester:template-delete", args=[kept.pk]), follow=True).content.decode()
    assert f"jobs use it that are not over: {job.name}." in told
    assert owner.post(f"{place}/restore").json()["archived"] is False

    type(job).objects.filter(pk=job.pk).update(status="Stopped")
    told = owner.post(reverse("requester:template-delete", args=[kept.pk]), follow=True).content.decode()
    assert "The worker template bees is deleted." in told
    for gone in (owner.get(page), owner.delete(place), owner.post(f"{place}/restore")):
        assert gone.status_code == 404
    assert not TemplateVersion.objects.exists()
