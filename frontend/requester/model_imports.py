"""Taking in a detector that was trained elsewhere: the form, and the page that says whether its network runs."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from frontend import uploads
from frontend.bodies import takes_files
from frontend.requester.fields import name_field
from frontend.session import requester_page
from labeling.services.intake import source_names
from learning.models import ModelImport
from learning.models.training import LIVE
from learning.services import model_imports, scope
from learning.services.programs import kinds
from learning.serving.foreign import FORMATS
from marketplace import names
from marketplace.errors import DomainError, Invalid
from marketplace.models import Account, Role
from marketplace.services.boundaries import URI_LENGTH
from marketplace.services.scope import actor

SOURCES = [("upload", _("Files from this computer")), ("store", _("Files in a store"))]
EXAMPLE = """{
  "input": {"width": 640, "height": 640, "resize": "letterbox", "scale": 0.00392156862745098},
  "output": {"format": "yolo8"},
  "class_map": {"0": "bee", "1": "wasp"}
}"""


class ModelImportForm(forms.Form):
    """A new model of two files, and the group that it becomes a version of."""

    name = name_field()
    source = forms.ChoiceField(choices=SOURCES, initial="upload", widget=forms.RadioSelect, label=_("Where are they?"))
    folder = forms.RegexField(uploads.FOLDER, required=False, widget=forms.HiddenInput, label=_("Folder"))
    onnx_uri = forms.CharField(max_length=URI_LENGTH.longest, required=False, label=_("Address of model.onnx"))
    config_uri = forms.CharField(max_length=URI_LENGTH.longest, required=False, label=_("Address of config.json"))
    group = forms.RegexField(
        names.PATTERN,
        max_length=names.LENGTH.longest,
        required=False,
        label=_("Group"),
        help_text=_("The detector of which it is a version; left empty, it is named after the model."),
        error_messages={"invalid": names.RULE},
    )

    def clean(self) -> dict[str, Any]:
        """Addresses are required where the files are in a store."""
        given = super().clean() or {}
        if given.get("source") == "store":
            for name in ("onnx_uri", "config_uri"):
                if not given.get(name) and name not in self.errors:
                    self.add_error(name, gettext("An address is needed."))
        return given


@takes_files
@requester_page(Role.MEMBER)
def new_page(request: HttpRequest) -> HttpResponse:
    """The form."""
    account = request.account  # type: ignore[attr-defined]
    form = ModelImportForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        run = _create(request, account, form)
        if run is not None:
            return redirect("requester:model-import", run.pk)
    uploaded = len(uploads.files_in(account, form["folder"].value() or ""))
    context = {"form": form, "uploaded": uploaded, "formats": FORMATS, "example": EXAMPLE}
    return render(request, "requester/model_import_new.html", context, status=422 if form.errors else 200)


def _create(request: HttpRequest, account: Account, form: ModelImportForm) -> ModelImport | None:
    given = form.cleaned_data
    try:
        uris = {name: given[name] for name in ("onnx_uri", "config_uri")}
        if given["source"] == "upload":
            uris = _uploaded(account, given["folder"], request.FILES.getlist("files"))
        return model_imports.create_import(
            account=account, name=given["name"], group_name=given["group"], by=actor(request.user), **uris
        )
    except DomainError as error:
        form.add_error(error.field if error.field in form.fields else None, error.message)
        return None


def _uploaded(account: Account, folder: str, files: list[UploadedFile]) -> dict[str, str]:
    """The addresses of both files, sent with the form or ahead of it. Raises Invalid when it is not these two."""
    uris = uploads.files_in(account, folder)
    if files:
        _, root = uploads.folder_uri(account, folder)
        uris += [file.uri for file in uploads.store_files(root, files)]
    by_ending = {source_names.ending(uri): uri for uri in uris}
    if len(uris) != 2 or by_ending.keys() != {".onnx", ".json"}:
        raise Invalid("Two files are expected: one that ends in .onnx, and one that ends in .json.", field="files")
    return {"onnx_uri": by_ending[".onnx"], "config_uri": by_ending[".json"]}


def _context(request: HttpRequest, model_import_id: int) -> dict[str, Any]:
    run = scope.model_import(request.account, model_import_id)  # type: ignore[attr-defined]
    return {"run": run, "live": run.status in LIVE}


@requester_page()
def detail_page(request: HttpRequest, model_import_id: int) -> HttpResponse:
    """One import."""
    return render(request, "requester/model_import.html", _context(request, model_import_id))


@requester_page()
def progress_part(request: HttpRequest, model_import_id: int) -> HttpResponse:
    """What changes while the network is tried."""
    context = _context(request, model_import_id)
    response = render(request, "requester/model_import_progress.html", context)
    if not context["live"]:
        response["HX-Refresh"] = "true"
    return response


@require_POST
@requester_page(Role.MEMBER)
def stop(request: HttpRequest, model_import_id: int) -> HttpResponse:
    """Stop it."""
    run = scope.model_import(request.account, model_import_id)  # type: ignore[attr-defined]
    kinds.of(run).stop(run, by=actor(request.user))
    return redirect("requester:model-import", run.pk)
