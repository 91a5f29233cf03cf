"""A data set of an iNaturalist export: first the file, then the licences whose images are taken, with their counts."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from frontend import uploads
from frontend.bodies import takes_files
from frontend.requester.fields import RefusableForm, name_field
from frontend.session import requester_page
from labeling.formats import inaturalist
from labeling.services.intake import datasets
from labeling.services.intake.inaturalist import KIND, Preview
from marketplace.errors import DomainError, Invalid
from marketplace.models import Account, Role
from marketplace.services.boundaries import URI_LENGTH
from marketplace.services.scope import actor

MEANINGS = {
    "CC0": _("no rights reserved"),
    "PD": _("in the public domain"),
    "CC-BY": _("name the author"),
    "CC-BY-NC": _("name the author, nothing commercial"),
    "CC-BY-SA": _("name the author, share alike"),
    "CC-BY-ND": _("name the author, change nothing"),
    "CC-BY-NC-SA": _("name the author, nothing commercial, share alike"),
    "CC-BY-NC-ND": _("name the author, nothing commercial, change nothing"),
    inaturalist.ALL_RIGHTS_RESERVED: _("no license: only if the authors have agreed, or the pictures are yours"),
}


class ExportForm(RefusableForm):
    """The export, and the licences once they are known."""

    name = name_field()
    uri = forms.CharField(
        max_length=URI_LENGTH.longest,
        required=False,
        label=_("Address of the export"),
        help_text=_("s3://… or file://…"),
    )
    folder = forms.RegexField(uploads.FOLDER, required=False, widget=forms.HiddenInput)
    licenses = forms.MultipleChoiceField(
        choices=[(name, name) for name in inaturalist.LICENSES], required=False, label=_("Licenses")
    )
    chosen = forms.BooleanField(required=False, widget=forms.HiddenInput)


@takes_files
@requester_page(Role.MEMBER)
def new_page(request: HttpRequest) -> HttpResponse:
    """The form: it shows the licences before anything is downloaded, and asks again when none is chosen."""
    account = request.account  # type: ignore[attr-defined]
    form = ExportForm(request.POST or None)
    found: Preview | None = None
    uri = ""
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            uri = _export(request, account, given)
            if given["licenses"]:
                source = {"kind": KIND, "uri": uri, "licenses": given["licenses"]}
                row = datasets.create_dataset(
                    account=account, name=given["name"], source=source, by=actor(request.user)
                )
                return redirect("requester:dataset", row.pk)
            found = datasets.preview_inaturalist(account=account, uri=uri)
            if given["chosen"]:
                form.add_error("licenses", gettext("Choose at least one license."))
        except DomainError as error:
            form.refuse(error)
    context = {"form": form, "uri": uri, "preview": found, "licenses": _choices(found, form)}
    return render(request, "requester/inaturalist_new.html", context, status=422 if form.errors else 200)


def _export(request: HttpRequest, account: Account, given: dict[str, Any]) -> str:
    """The address of the export: that of the file sent, or the one given. Raises Invalid when there is neither."""
    if given["uri"]:
        return str(given["uri"])
    _, root = uploads.folder_uri(account, given["folder"])
    # The page's script has sent the file ahead; without it the file comes with the form.
    uris = uploads.files_in(account, given["folder"])
    uris += [file.uri for file in uploads.store_files(root, request.FILES.getlist("files"))]
    if len(uris) != 1:
        raise Invalid(f"{len(uris)} files were chosen, one export expected", field="uri")
    return uris[0]


def _choices(found: Preview | None, form: ExportForm) -> list[dict[str, Any]]:
    if found is None:
        return []
    # What was unticked stays so when the form comes back.
    again = bool(form.cleaned_data.get("chosen"))
    return [
        {**one, "ticked": one["usual"] and not again, "meaning": MEANINGS[one["license"]]} for one in found.counted()
    ]
