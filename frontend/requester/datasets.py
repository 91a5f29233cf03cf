"""Data sets: the list, a new one from files or a store, and the progress of one that is being created."""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from frontend import uploads
from frontend.bodies import takes_files
from frontend.requester import imports
from frontend.requester.fields import SelectionFields, name_field, selection_of
from frontend.session import requester_page
from labeling import transitions
from labeling.formats import texts
from labeling.models import BadLine, Dataset
from labeling.services import scope
from labeling.services.intake import datasets, deletion, samples
from marketplace.errors import DomainError
from marketplace.models import Account, Role
from marketplace.services.boundaries import URI_LENGTH
from marketplace.services.scope import actor

PER_PAGE = 30
SAMPLES = 6
MADE_FROM = {
    "folder": _("files"),
    "zip": _("a zip file"),
    "prefix": _("a folder in a bucket"),
    "manifest": _("a manifest"),
    "inaturalist": _("an iNaturalist export"),
}
KINDS = [
    ("upload", _("Files from this computer")),
    ("zip", _("A zip file from this computer")),
    ("manifest-upload", _("A manifest from this computer")),
    ("prefix", _("A folder in a bucket (s3://bucket/prefix/)")),
    ("manifest", _("A manifest in a store")),
]
UPLOADS = {"upload": "folder", "zip": "zip", "manifest-upload": "manifest"}


class ManyFiles(forms.FileInput):
    """A file field that takes several."""

    allow_multiple_selected = True


class DatasetForm(SelectionFields):
    """A new data set: where the objects come from and which of them."""

    name = name_field()
    kind = forms.ChoiceField(
        choices=KINDS, initial="upload", widget=forms.RadioSelect, label=_("Where are the images or texts?")
    )
    uri = forms.CharField(
        max_length=URI_LENGTH.longest, required=False, label=_("Address"), help_text=_("s3://… or file://…")
    )
    folder = forms.RegexField(uploads.FOLDER, required=False, widget=forms.HiddenInput)

    def clean(self) -> dict:
        """The fields that belong to the choices made are required."""
        given = super().clean()
        if given.get("kind") not in UPLOADS and not given.get("uri"):
            self.add_error("uri", gettext("An address is needed."))
        return given


@requester_page()
def list_page(request: HttpRequest) -> HttpResponse:
    """All data sets."""
    rows = scope.datasets(request.account).order_by("-id")  # type: ignore[attr-defined]
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "requester/datasets.html", {"page": page})


def _store_uploads(account: Account, form: DatasetForm, files: list[UploadedFile]) -> str:
    _, root = uploads.folder_uri(account, form.cleaned_data["folder"])
    # The page's script has sent files ahead, in parts; without it they come with the form.
    uris = uploads.files_in(account, form.cleaned_data["folder"])
    uris += [file.uri for file in uploads.store_files(root, files)] if files else []
    return root if UPLOADS[form.cleaned_data["kind"]] == "folder" else uris[-1]


@takes_files
@requester_page(Role.MEMBER)
def new_page(request: HttpRequest) -> HttpResponse:
    """The form for a new data set."""
    account = request.account  # type: ignore[attr-defined]
    form = DatasetForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        row = _create(request, account, form)
        if row is not None:
            return redirect("requester:dataset", row.pk)
    limits = {
        "megabytes": settings.IMAGE_MAX_BYTES // 2**20,
        "megapixels": settings.IMAGE_MAX_PIXELS // 10**6,
        "characters": f"{texts.MAX_CHARACTERS:,}",
    }
    context = {"form": form, "limits": limits, "uploaded": len(uploads.files_in(account, form["folder"].value() or ""))}
    return render(request, "requester/dataset_new.html", context, status=422 if form.errors else 200)


def _wrong_files(kind: str, count: int) -> str:
    if kind not in UPLOADS:
        return ""
    if not count:
        return gettext("Choose at least one file.")
    if UPLOADS[kind] != "folder" and count > 1:
        text = gettext("One file is expected for {made_from}, {count} were chosen.")
        return text.format(made_from=MADE_FROM[UPLOADS[kind]], count=count)
    return ""


def _create(request: HttpRequest, account: Account, form: DatasetForm) -> Dataset | None:
    given, files = form.cleaned_data, request.FILES.getlist("files")
    if problem := _wrong_files(given["kind"], len(files) + len(uploads.files_in(account, given["folder"]))):
        form.add_error(None, problem)
        return None
    try:
        uri = _store_uploads(account, form, files) if given["kind"] in UPLOADS else given["uri"]
        source = {"kind": UPLOADS.get(given["kind"], given["kind"]), "uri": uri, "selection": selection_of(given)}
        return datasets.create_dataset(account=account, name=given["name"], source=source, by=actor(request.user))
    except DomainError as error:
        form.add_error(error.field if error.field in form.fields else None, error.message)
        return None


@requester_page()
def detail_page(request: HttpRequest, dataset_id: int) -> HttpResponse:
    """A data set: progress, counts, refused lines."""
    row = scope.dataset(request.account, dataset_id)  # type: ignore[attr-defined]
    bad = Paginator(BadLine.objects.filter(dataset=row).order_by("number"), PER_PAGE).get_page(request.GET.get("page"))
    labeled = scope.import_of(row)
    context = {
        "row": row,
        "page": bad,
        "labeled": labeled,
        "words": imports.words(labeled) if labeled is not None else (),
        "texts": row.status == "Completed" and samples.holds_texts(dataset=row),
        "deletable": row.status in transitions.DATASET.final and not row.labeling_jobs.exists(),
        "samples": range(min(SAMPLES, row.objects_total)) if row.manifest_uri else [],
    }
    return render(request, "requester/dataset.html", context | {"made_from": MADE_FROM.get(row.source["kind"], "")})


@requester_page()
def progress_part(request: HttpRequest, dataset_id: int) -> HttpResponse:
    """The part of the page that changes while the data set is being created."""
    row = scope.dataset(request.account, dataset_id)  # type: ignore[attr-defined]
    response = render(request, "requester/dataset_progress.html", {"row": row})
    if row.status not in ("Initializing", "InProgress"):
        response["HX-Refresh"] = "true"
    return response


@require_POST
@requester_page(Role.MEMBER)
def stop(request: HttpRequest, dataset_id: int) -> HttpResponse:
    """Stop creating it."""
    row = scope.dataset(request.account, dataset_id)  # type: ignore[attr-defined]
    datasets.stop_dataset(dataset=row, by=actor(request.user))
    return redirect("requester:dataset", row.pk)


@require_POST
@requester_page(Role.MEMBER)
def delete(request: HttpRequest, dataset_id: int) -> HttpResponse:
    """Delete a data set that no labeling job uses."""
    row = scope.dataset(request.account, dataset_id)  # type: ignore[attr-defined]
    deletion.delete_dataset(dataset=row, by=actor(request.user))
    days = settings.DELETED_IMAGES_KEPT_DAYS
    messages.success(
        request,
        gettext("The data set {name} is deleted. Its files follow in {days} days.").format(name=row.name, days=days),
    )
    return redirect("requester:datasets")
