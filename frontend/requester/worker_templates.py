"""Worker templates of the account: the list, and the editor with its preview on a sample."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.html import escape
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from frontend import template_frames
from frontend.requester import job_new, template_gallery
from frontend.requester.fields import name_field
from frontend.requester.template_fields import SCRIPT_HOSTS_TEXT, split_hosts
from frontend.session import requester_page
from labeling.formats.crowd_elements import ELEMENTS
from labeling.models import TemplateVersion
from labeling.services import scope
from labeling.services.intake import samples
from labeling.services.jobs import kept_templates, limits, template_previews
from marketplace import strict
from marketplace.errors import DomainError, Invalid
from marketplace.models import Role
from marketplace.services.scope import actor

PER_PAGE = 50
DATASETS_SHOWN = 200
JOBS_NAMED = 5
"""Jobs that a message names at most."""
PREVIEW_SECONDS = 3600
"""How long a preview can load the files that it shows."""

WORDS = {
    "elements": {name: sorted({"name", *one.json, *one.needs}) for name, one in ELEMENTS.items()},
    "filters": ["grant_read_access", "to_json", "skip_autoescape"],
}
"""What the editor completes beside the words of HTML and Liquid."""

MONO = {"class": "mono", "spellcheck": "false"}


class PreviewForm(forms.Form):
    """A template, and what it is tried on."""

    template = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 20, **MONO}), max_length=limits.TEMPLATE_LENGTH.longest, strip=False
    )
    hosts = forms.CharField(
        required=False,
        max_length=SCRIPT_HOSTS_TEXT.longest,
        label=_("Hosts of scripts"),
        help_text=_("Hosts that scripts, styles and fonts may come from, with spaces between them."),
    )
    sample = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 10, **MONO}),
        required=False,
        max_length=kept_templates.SAMPLE_LENGTH.longest,
        label=_("Sample"),
        help_text=_("JSON of task.input, or a line of a manifest, with the labels of the job as “labels”."),
    )

    def clean_template(self) -> str:
        """With the line ends of files: browsers send others, which would make every version differ."""
        text: str = self.cleaned_data["template"]
        return text.replace("\r\n", "\n")

    def clean_sample(self) -> str:
        """Raises ValidationError for what is no JSON object."""
        text: str = self.cleaned_data["sample"].replace("\r\n", "\n")
        try:
            kept_templates.read_sample(text)
        except Invalid as error:
            raise forms.ValidationError(error.message) from None
        return text

    @property
    def draft(self) -> kept_templates.Draft:
        """The version that the form stands for."""
        given = self.cleaned_data
        return kept_templates.Draft(
            text=given["template"], script_hosts=split_hosts(given["hosts"]), sample=given["sample"]
        )


class TemplateForm(PreviewForm):
    """A template to keep."""

    name = name_field()
    field_order = ["name", "template", "hosts", "sample"]


@requester_page()
def list_page(request: HttpRequest) -> HttpResponse:
    """The account's worker templates, those in the archive last."""
    rows = kept_templates.templates_of(request.account).order_by("archived", "name")  # type: ignore[attr-defined]
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "requester/worker_templates.html", {"page": page, "gallery": template_gallery.gallery()})


@require_POST
@requester_page(Role.MEMBER)
def delete(request: HttpRequest, template_id: int) -> HttpResponse:
    """Delete a template, or put it into the archive while open jobs use it."""
    row = kept_templates.template(request.account, template_id)  # type: ignore[attr-defined]
    jobs = kept_templates.delete(template=row, by=actor(request.user))
    if jobs:
        used = ", ".join(jobs[:JOBS_NAMED]) + (", …" if len(jobs) > JOBS_NAMED else "")
        messages.info(
            request,
            gettext("{name} is in the archive, because jobs use it that are not over: {used}.").format(
                name=row.name, used=used
            ),
        )
    else:
        messages.success(request, gettext("The worker template {name} is deleted.").format(name=row.name))
    return redirect("requester:templates")


@require_POST
@requester_page(Role.MEMBER)
def restore(request: HttpRequest, template_id: int) -> HttpResponse:
    """Take a template out of the archive."""
    row = kept_templates.template(request.account, template_id)  # type: ignore[attr-defined]
    kept_templates.restore(template=row, by=actor(request.user))
    messages.success(request, gettext("{name} can be used in new jobs again.").format(name=row.name))
    return redirect("requester:template", row.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@requester_page(Role.MEMBER)
def new_page(request: HttpRequest) -> HttpResponse:
    """The editor with one of the gallery's templates, or an empty one."""
    start = request.GET.get("start", "")
    initial = {}
    if start:
        chosen = template_gallery.example(start)
        initial = {"name": chosen.name, "template": chosen.text, "sample": chosen.sample}
    form = TemplateForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            made = kept_templates.create(
                account=request.account,  # type: ignore[attr-defined]
                name=form.cleaned_data["name"],
                draft=form.draft,
                by=actor(request.user),
            )
        except DomainError as error:
            _show(form, error)
        else:
            return _kept(request, made)
    return _editor(request, form, {"start": start})


@require_http_methods(["GET", "HEAD", "POST"])
@requester_page(Role.MEMBER)
def edit_page(request: HttpRequest, template_id: int) -> HttpResponse:
    """The editor with a version of a template. Saving adds a version; under another name it makes a new template."""
    account = request.account  # type: ignore[attr-defined]
    number = strict.whole_number(request.GET.get("version", ""))
    shown = kept_templates.version(account, template_id, number)
    form = TemplateForm(
        request.POST or None,
        initial={
            "name": shown.template.name,
            "template": shown.text,
            "hosts": " ".join(shown.script_hosts),
            "sample": shown.sample,
        },
    )
    if request.method == "POST" and form.is_valid():
        try:
            if form.cleaned_data["name"] == shown.template.name:
                made = kept_templates.add_version(template=shown.template, draft=form.draft, by=actor(request.user))
            else:
                made = kept_templates.create(
                    account=account, name=form.cleaned_data["name"], draft=form.draft, by=actor(request.user)
                )
        except DomainError as error:
            _show(form, error)
        else:
            return _kept(request, made)
    newest = kept_templates.template(account, template_id).newest
    numbers = range(newest, max(0, newest - PER_PAGE), -1)
    return _editor(request, form, {"shown": shown, "newest": newest, "numbers": numbers})


def _editor(request: HttpRequest, form: TemplateForm, more: dict[str, Any]) -> HttpResponse:
    datasets = scope.datasets(request.account).filter(status="Completed")  # type: ignore[attr-defined]
    context = {
        "form": form,
        "gallery": template_gallery.gallery(),
        "datasets": datasets.order_by("-pk").only("pk", "name")[:DATASETS_SHOWN],
        "most_samples": samples.MOST,
        "words": WORDS,
        **more,
    }
    return render(request, "requester/worker_template.html", context, status=422 if form.errors else 200)


def _show(form: forms.Form, error: DomainError) -> None:
    for field, reason in error.errors or [("", error.message)]:
        place = "hosts" if field.startswith("script_hosts") else field
        form.add_error(place if place in form.fields else None, reason)


def _kept(request: HttpRequest, made: TemplateVersion) -> HttpResponse:
    messages.success(
        request, gettext("Kept as version {number} of {name}.").format(number=made.number, name=made.template.name)
    )
    return redirect("requester:template", made.template_id)


@require_POST
@requester_page(Role.MEMBER)
def use(request: HttpRequest, template_id: int) -> HttpResponse:
    """Go on in the wizard for a new job with a version of the template."""
    number = strict.whole_number(request.POST.get("version", ""))
    shown = kept_templates.version(request.account, template_id, number)  # type: ignore[attr-defined]
    kept_templates.require_in_use(shown.template)
    job_new.use_template(request, text=shown.text, hosts=shown.script_hosts)
    messages.info(
        request,
        gettext("The new job shows its tasks by version {number} of {name}.").format(
            number=shown.number, name=shown.template.name
        ),
    )
    return redirect("requester:job-new")


@require_POST
@requester_page(Role.MEMBER)
def preview(request: HttpRequest) -> HttpResponse:
    """The page that workers would see, in its sandbox. Nothing is stored."""
    form = PreviewForm(request.POST)
    if not form.is_valid():
        problem = next(f"{name}: {reasons[0]}" for name, reasons in form.errors.items())
        return _no_preview(request, problem)

    def link(uri: str) -> str:
        return template_frames.file_url(request, uri=uri, seconds=PREVIEW_SECONDS)

    draft = form.draft
    sample = kept_templates.read_sample(draft.sample) or {}
    account = request.account  # type: ignore[attr-defined]
    try:
        html = template_previews.page(account=account, content=draft.text, sample=sample, link=link)
    except Invalid as error:
        return _no_preview(request, error.message)
    hosts = [host for host in draft.script_hosts if kept_templates.HOST.fullmatch(host)]
    return template_frames.page_response(request, html, script_hosts=hosts)


def _no_preview(request: HttpRequest, problem: str) -> HttpResponse:
    response = template_frames.page_response(request, f"<p>{escape(problem)}</p>", script_hosts=[])
    response.status_code = 422
    return response


@requester_page(Role.MEMBER)
def sample_line(request: HttpRequest, dataset_id: int, number: int) -> JsonResponse:
    """One of the first lines of a data set, to try a template on."""
    row = scope.dataset(request.account, dataset_id)  # type: ignore[attr-defined]
    return JsonResponse({"line": samples.sample_line(dataset=row, number=number)})
