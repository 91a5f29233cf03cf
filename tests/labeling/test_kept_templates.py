"""Worker templates that accounts keep: names, versions, what one may hold; tried on samples of the account."""

import json

import pytest

from labeling.models import TemplateVersion, WorkerTemplate
from labeling.services.jobs import creation, kept_templates, template_previews
from labeling.services.jobs.kept_templates import Draft
from marketplace.errors import Invalid, LimitExceeded, NameTaken, NotFound, WrongState
from marketplace.models import AuditEvent
from tests import builders
from tests.labeling import stories

TEXT = '<crowd-form>\n<img src="{{ task.input.taskObject | grant_read_access }}"></crowd-form>'
pytestmark = pytest.mark.django_db


@pytest.fixture
def account():
    return builders.an_account()


def test_versions_are_added_and_the_earlier_ones_stay(account):
    first = kept_templates.create(account=account, name="bees", draft=Draft(text=TEXT), by="user:1")
    second = kept_templates.add_version(
        template=first.template, draft=Draft(text=TEXT + "\n", script_hosts=["cdn.example"]), by="user:1"
    )
    same = kept_templates.add_version(
        template=first.template, draft=Draft(text=TEXT + "\n", script_hosts=["cdn.example"]), by="user:1"
    )
    assert (first.number, second.number, same.pk) == (1, 2, second.pk)
    assert kept_templates.version(account, first.template_id).text == TEXT + "\n"
    assert kept_templates.version(account, first.template_id, 1).text == TEXT
    assert [(row.name, row.newest) for row in kept_templates.templates_of(account)] == [("bees", 2)]


def test_a_name_is_taken_once_in_an_account_and_nobody_elses_template_is_found(account):
    made = kept_templates.create(account=account, name="bees", draft=Draft(text=TEXT), by="user:1")
    with pytest.raises(NameTaken):
        kept_templates.create(account=account, name="bees", draft=Draft(text="other"), by="user:1")
    other = builders.an_account()
    kept_templates.create(account=other, name="bees", draft=Draft(text=TEXT), by="user:2")
    for number in (None, 1):
        with pytest.raises(NotFound):
            kept_templates.version(other, made.template_id, number)
    with pytest.raises(NotFound):
        kept_templates.template(other, made.template_id)
    with pytest.raises(NotFound, match="version 2"):
        kept_templates.version(account, made.template_id, 2)
    assert WorkerTemplate.objects.count() == 2


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (Draft(text=""), "template"),
        (Draft(text=" \f\n"), "template"),
        (Draft(text="x" * 128_001), "template"),
        (Draft(text=TEXT, script_hosts=["x.example; sandbox"]), "script_hosts[0]"),
        (Draft(text=TEXT, script_hosts=["x.example"] * 21), "script_hosts"),
        (Draft(text=TEXT, sample="[]"), "sample"),
        (Draft(text=TEXT, sample="{"), "sample"),
        (Draft(text=TEXT, sample='{"x": 1e999}'), "sample"),
        (Draft(text=TEXT, sample='{"x": "' + "y" * 100_000 + '"}'), "sample"),
    ],
)
def test_what_no_version_may_hold_is_refused_and_nothing_is_kept(account, draft, field):
    with pytest.raises(Invalid) as refused:
        kept_templates.create(account=account, name="bees", draft=draft, by="user:1")
    assert refused.value.field == field
    made = kept_templates.create(account=account, name="wasps", draft=Draft(text=TEXT), by="user:1")
    with pytest.raises(Invalid):
        kept_templates.add_version(template=made.template, draft=draft, by="user:1")
    assert TemplateVersion.objects.count() == 1


def test_there_is_an_end_to_templates_and_to_versions(account, monkeypatch):
    monkeypatch.setattr(kept_templates, "MOST_TEMPLATES", 1)
    monkeypatch.setattr(kept_templates, "MOST_VERSIONS", 1)
    made = kept_templates.create(account=account, name="bees", draft=Draft(text=TEXT), by="user:1")
    with pytest.raises(LimitExceeded):
        kept_templates.create(account=account, name="wasps", draft=Draft(text=TEXT), by="user:1")
    with pytest.raises(LimitExceeded):
        kept_templates.add_version(template=made.template, draft=Draft(text="other"), by="user:1")


def test_the_sample_of_a_version_moves_with_the_store(account, settings):
    (uri,) = builders.tiny_images(1, account=account)
    line = json.dumps({"source-ref": uri})
    made = kept_templates.create(account=account, name="bees", draft=Draft(text=TEXT, sample=line), by="user:1")
    base = settings.STORE_URL
    settings.STORE_URL = "file:///elsewhere"
    moved = TemplateVersion.objects.get(pk=made.pk).sample
    assert json.loads(moved)["source-ref"] == uri.replace(base.rstrip("/"), "file:///elsewhere")


def test_a_template_is_tried_on_what_its_account_may_read(account):
    (mine,) = builders.tiny_images(1, account=account)
    (strange,) = builders.tiny_images(1, account=builders.an_account())

    def page(sample: dict) -> str:
        return template_previews.page(account=account, content=TEXT, sample=sample, link=lambda uri: f"/read?{uri}")

    assert f'src="/read?{mine}"' in page({"source-ref": mine, "labels": ["bee"]})
    assert 'src="data:image/svg+xml' in page({"source-ref": template_previews.PICTURE})
    for uri in (strange, "file:///etc/passwd"):
        with pytest.raises(Invalid, match=r"line 2: grant_read_access: task.input.taskObject gives file://"):
            page({"source-ref": uri})
        report = template_previews.check(account=account, content=TEXT, sample={"taskObject": uri}, script_hosts=[])
        assert [(one.code, one.line) for one in report.findings] == [("render", 2)]
    assert template_previews.check(account=account, content=TEXT, sample=None, script_hosts=[]).works


def test_a_manifest_line_gives_the_input_that_a_job_would():
    line = {"source": "a bee", "labels": ["bee", 1], "x": 2}
    assert template_previews.input_of(line) == {
        **line,
        "taskObject": "a bee",
        "labels": ["bee", "1"],
        "manifestLine": line,
    }
    assert template_previews.input_of({"taskObject": "x", "source": "y"}) == {"taskObject": "x", "source": "y"}


def a_job_with(account, text: str):
    """A custom job of the account that shows this template."""
    design = stories.a_design(account, builders.a_team(account=account, workers=1), task_type="Custom", template=text)
    return creation.create_job(**design)


def test_a_template_that_no_open_job_uses_is_deleted_with_its_versions(account):
    made = kept_templates.create(account=account, name="bees", draft=Draft(text=TEXT), by="user:1")
    kept_templates.add_version(template=made.template, draft=Draft(text=TEXT + "<p></p>"), by="user:1")
    other = kept_templates.create(account=builders.an_account(), name="bees", draft=Draft(text=TEXT), by="user:1")
    a_job_with(account, "<crowd-form></crowd-form>")
    a_job_with(other.template.account, TEXT)
    assert kept_templates.delete(template=made.template, by="user:1") == []
    assert list(TemplateVersion.objects.all()) == [other]
    with pytest.raises(NotFound):
        kept_templates.delete(template=made.template, by="user:1")
    said = AuditEvent.objects.get(object_type="labeling.WorkerTemplate", account=account)
    assert (said.because, said.by) == ("worker template bees deleted", "user:1")


def test_a_template_of_an_open_job_is_archived_until_the_job_is_over(account):
    first = kept_templates.create(account=account, name="bees", draft=Draft(text=TEXT), by="user:1")
    kept = first.template
    kept_templates.add_version(template=kept, draft=Draft(text=TEXT + "<p></p>"), by="user:1")
    # As a browser sends it.
    job = a_job_with(account, TEXT.replace("\n", "\r\n"))
    assert kept_templates.delete(template=kept, by="user:1") == [job.name]
    assert kept_templates.template(account, kept.pk).archived and TemplateVersion.objects.count() == 2
    with pytest.raises(WrongState, match="restore it first"):
        kept_templates.add_version(template=kept, draft=Draft(text="other"), by="user:1")
    kept_templates.restore(template=kept, by="user:1")
    kept_templates.add_version(template=kept, draft=Draft(text="other"), by="user:1")
    assert kept_templates.delete(template=kept, by="user:1") == [job.name]
    type(job).objects.filter(pk=job.pk).update(status="Completed")
    assert kept_templates.delete(template=kept, by="user:1") == []
    assert not WorkerTemplate.objects.exists()
