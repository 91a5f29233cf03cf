"""Label imports: the list, a new one from a file or a store, its progress, and the report by line."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from frontend import uploads
from frontend.bodies import takes_files
from frontend.requester.fields import name_field, with_objects
from frontend.session import requester_page
from labeling import task_types
from labeling.formats.interchange import kinds
from labeling.models import Dataset, ImportedLine, ImportOutcome, LabelImport, LabelingJob
from labeling.services import scope
from labeling.services.imports import creating, limits, reports
from labeling.services.jobs.limits import LABEL_ATTRIBUTE_NAME_LENGTH
from marketplace import strict
from marketplace.errors import DomainError, Invalid
from marketplace.models import Account, Role
from marketplace.services.boundaries import URI_LENGTH
from marketplace.services.scope import actor

PER_PAGE = 30
PURPOSES = {
    limits.DATASET: (
        _("A new data set with these labels"),
        _("A labeling job takes them over and asks people for the rest."),
    ),
    limits.GOLDS: (_("Golds of a labeling job"), _("They count as your decisions and teach how good each worker is.")),
}
FORMATS = {
    limits.AUTO: _("What the file shows"),
    "coco": "COCO (JSON)",
    "voc": "Pascal VOC (XML)",
    "yolo": _("YOLO (text files)"),
    "csv": _("Table (CSV)"),
    "conll": _("CoNLL (IOB tags)"),
    "jsonl": _("JSON Lines with texts"),
    "masks": _("Mask PNGs"),
    "labelstudio": "Label Studio (JSON)",
    "cvat": _("CVAT for images (XML)"),
    "manifest": _("Augmented manifest (JSON Lines)"),
}
PLACES = [("packed", _("In the file with the labels")), ("dataset", _("In a data set"))]
SOURCES = [("upload", _("A file from this computer")), ("store", _("A file in a store"))]
EMPTY = [("labeled", _("There is nothing in it")), ("unlabeled", _("It is not labeled yet"))]


class ImportForm(forms.Form):
    """A new label import: the file, where its images are, and what the labels become."""

    source = forms.ChoiceField(
        choices=SOURCES, initial="upload", widget=forms.RadioSelect, label=_("Where is the label file?")
    )
    uri = forms.CharField(
        max_length=URI_LENGTH.longest, required=False, label=_("Address"), help_text=_("s3://… or file://…")
    )
    folder = forms.RegexField(uploads.FOLDER, required=False, widget=forms.HiddenInput)
    format = forms.ChoiceField(choices=list(FORMATS.items()), label=_("Format"))
    task_type = forms.ChoiceField(label=_("Kind of labels"))
    purpose = forms.ChoiceField(
        choices=[(key, title) for key, (title, _) in PURPOSES.items()],
        initial=limits.DATASET,
        widget=forms.RadioSelect,
        label=_("What do the labels become?"),
    )
    name = name_field()
    place = forms.ChoiceField(choices=PLACES, initial="packed", label=_("Where are the images or texts?"))
    images = forms.ModelChoiceField(Dataset.objects.none(), required=False, empty_label=None, label=_("Data set"))
    label_attribute_name = forms.CharField(
        max_length=LABEL_ATTRIBUTE_NAME_LENGTH.longest,
        required=False,
        label=_("Label attribute"),
        help_text=format_lazy(
            _(
                "Under this name the data set has the labels; a job that is to use them names it, too. "
                "Left empty it is {DEFAULT_ATTRIBUTE}, of masks {DEFAULT_ATTRIBUTE}-ref."
            ),
            DEFAULT_ATTRIBUTE=limits.DEFAULT_ATTRIBUTE,
        ),
    )
    without_boxes = forms.ChoiceField(choices=EMPTY, label=_("An object that is listed without a label"))
    job = forms.ModelChoiceField(LabelingJob.objects.none(), required=False, empty_label=None, label=_("Labeling job"))
    read_attribute = forms.CharField(
        max_length=LABEL_ATTRIBUTE_NAME_LENGTH.longest,
        required=False,
        label=_("Attribute to read"),
        help_text=_("Only for a manifest with such labels under several attributes."),
    )

    def __init__(self, *args: Any, account: Account, **kwargs: Any):
        super().__init__(*args, **kwargs)
        images = scope.datasets(account).filter(status="Completed").order_by("-id")
        jobs = scope.jobs(account).exclude(status__in=["Initializing", "Failed"]).order_by("-id")
        self.fields["images"].queryset = images  # type: ignore[attr-defined]
        self.fields["images"].label_from_instance = (  # type: ignore[attr-defined]
            lambda row: with_objects(row.name, row.objects_total)
        )
        self.fields["job"].queryset = jobs  # type: ignore[attr-defined]
        self.fields["job"].label_from_instance = lambda row: row.name  # type: ignore[attr-defined]
        kinds = creating.readable_types()
        self.fields["task_type"].choices = [(kind.name, kind.title) for kind in kinds]  # type: ignore[attr-defined]
        # Only the fields that belong to the choices made are required; before one is made, all of them are shown so.
        purpose, place = self.data.get("purpose"), self.data.get("place")
        self.fields["uri"].required = self.data.get("source") != "upload"
        self.fields["task_type"].required = purpose != limits.GOLDS
        self.fields["name"].required = purpose != limits.GOLDS
        self.fields["job"].required = purpose != limits.DATASET
        self.fields["images"].required = purpose != limits.GOLDS and place != "packed"

    def options(self) -> dict[str, Any]:
        """The cleaned fields as create_import takes them, without the address."""
        given = self.cleaned_data
        chosen = {name: given[name] for name in ("purpose", "format", "read_attribute", "without_boxes")}
        if given["purpose"] == limits.GOLDS:
            return {**chosen, "job": given["job"]}
        images = given["images"] if given["place"] == "dataset" else None
        return {
            **chosen,
            **{name: given[name] for name in ("name", "label_attribute_name", "task_type")},
            "images": images,
        }


def words(row: LabelImport) -> tuple[str, str]:
    """What one part of its labels is called, and several."""
    return kinds.WORDS[task_types.get(row.task_type).part]


@requester_page()
def list_page(request: HttpRequest) -> HttpResponse:
    """All label imports."""
    rows = scope.label_imports(request.account).order_by("-id")  # type: ignore[attr-defined]
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "requester/imports.html", {"page": page})


@takes_files
@requester_page(Role.MEMBER)
def new_page(request: HttpRequest) -> HttpResponse:
    """The form for a new import; `dataset` in the address chooses the data set with the images."""
    account = request.account  # type: ignore[attr-defined]
    dataset = strict.whole_number(request.GET.get("dataset", ""))
    initial = {"images": dataset, "place": "dataset"} if dataset else {}
    form = ImportForm(request.POST or None, account=account, initial=initial)
    if request.method == "POST" and form.is_valid():
        row = _create(request, account, form)
        if row is not None:
            return redirect("requester:dataset-import", row.pk)
    uploaded = len(uploads.files_in(account, form["folder"].value() or ""))
    readable = [
        (kind.name, ", ".join(str(FORMATS[form]) for form in FORMATS if form in kind.imports))
        for kind in creating.readable_types()
    ]
    context = {"form": form, "purposes": PURPOSES, "uploaded": uploaded, "readable": readable}
    return render(request, "requester/import_new.html", context, status=422 if form.errors else 200)


def _create(request: HttpRequest, account: Account, form: ImportForm) -> LabelImport | None:
    try:
        uri = form.cleaned_data["uri"]
        if form.cleaned_data["source"] == "upload":
            uri = _uploaded(account, form, request.FILES.getlist("files"))
        return creating.create_import(account=account, by=actor(request.user), uri=uri, **form.options())
    except DomainError as error:
        form.add_error(error.field if error.field in form.fields else None, error.message)
        return None


def _uploaded(account: Account, form: ImportForm, files: list[UploadedFile]) -> str:
    """The address of the one file that was sent, with the form or ahead of it. Raises Invalid for none or several."""
    uris = uploads.files_in(account, form.cleaned_data["folder"])
    if len(uris) + len(files) != 1:
        said = "none was" if not uris and not files else f"{len(uris) + len(files)} were"
        raise Invalid(f"One label file is expected, {said} chosen. Several go into one zip.", field="files")
    if uris:
        return uris[0]
    _, root = uploads.folder_uri(account)
    return uploads.store_files(root, files)[0].uri


@requester_page()
def detail_page(request: HttpRequest, import_id: int) -> HttpResponse:
    """An import: progress, counts, what it made, the report by line."""
    row = scope.label_import(request.account, import_id)  # type: ignore[attr-defined]
    outcome = request.GET.get("outcome", "")
    lines = ImportedLine.objects.filter(label_import=row).order_by("number")
    if outcome in ImportOutcome.values:
        lines = lines.filter(outcome=outcome)
    page = Paginator(lines, PER_PAGE).get_page(request.GET.get("page"))
    outcomes = [(value, row.counts.get(value, 0)) for value in ImportOutcome.values if row.counts.get(value)]
    context = {
        "row": row,
        "page": page,
        "outcome": outcome,
        "outcomes": outcomes,
        "purpose": PURPOSES[row.purpose][0],
        "format": FORMATS.get(row.format, ""),
        "task_type": task_types.get(row.task_type).title,
        "words": words(row),
        "forms": list(reports.KINDS),
        "most_lines": limits.MOST_LINES,
        "cut": sum(count for _, count in outcomes) > row.counts.get("lines", limits.MOST_LINES),
    }
    return render(request, "requester/import.html", context)


@requester_page()
def progress_part(request: HttpRequest, import_id: int) -> HttpResponse:
    """The part of the page that changes while the import is running."""
    row = scope.label_import(request.account, import_id)  # type: ignore[attr-defined]
    response = render(request, "requester/import_progress.html", {"row": row, "words": words(row)})
    if row.status not in ("Initializing", "InProgress"):
        response["HX-Refresh"] = "true"
    return response


@require_POST
@requester_page(Role.MEMBER)
def stop(request: HttpRequest, import_id: int) -> HttpResponse:
    """Stop it."""
    row = scope.label_import(request.account, import_id)  # type: ignore[attr-defined]
    creating.stop_import(label_import=row, by=actor(request.user))
    return redirect("requester:dataset-import", row.pk)
