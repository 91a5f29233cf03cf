"""The form for a new training: what to learn from, which architecture, where to start, and hyperparameters."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from frontend.requester.fields import name_field
from frontend.session import requester_page
from labeling.formats.interchange import recordio
from labeling.models import Dataset
from labeling.services import scope as labeling_scope
from labeling.services.jobs.limits import LABEL_ATTRIBUTE_NAME_LENGTH
from learning import queries
from learning.contract import EVERY_ARCHITECTURE, MODEL, TRAIN, VALIDATION
from learning.models import Model, TrainingJob
from learning.services import registry, scope, training
from learning.services.programs.channel_formats import CONTENT_TYPES, IMAGE_TYPES, LABELS_TYPE, MANIFEST_TYPE
from learning.services.programs.channel_images import FILE, PIPE
from marketplace import strict
from marketplace.errors import DomainError, NotFound
from marketplace.models import Account, Role
from marketplace.services.boundaries import URI_LENGTH
from marketplace.services.scope import actor

SOURCES = [("dataset", _("A data set with labels")), ("store", _("Labels in a store"))]
MODES = [(FILE, _("Before it starts (File)")), (PIPE, _("While it runs (Pipe)"))]
TYPES = {
    MANIFEST_TYPE: _("Augmented manifest"),
    recordio.CONTENT_TYPE: "RecordIO",
    IMAGE_TYPES[0]: _("Images of a .lst list"),
    LABELS_TYPE: _("Labels to import, whichever they are"),
}
CHOICES = [
    (name, format_lazy("{said} ({name})", said=TYPES[name], name=name) if name in TYPES else name)
    for name in CONTENT_TYPES
]
PLAIN = ("architecture", "label_attribute_name", "epochs", "max_seconds", "batch_size", "learning_rate", "image_size")
"""Hyperparameters with a field of their own; the others are lines of `more`."""


def _with_objects(row: Dataset) -> str:
    return gettext("{name} ({number} objects)").format(name=row.name, number=row.objects_total)


def _number(label: Any, hint: Any) -> forms.CharField:
    # A text, because the service says what a hyperparameter may be.
    field = forms.CharField(max_length=training.VALUE_LENGTH.longest, required=False, label=label, help_text=hint)
    field.widget.attrs["inputmode"] = "decimal"
    return field


class TrainingForm(forms.Form):
    """A new training."""

    name = name_field()
    source = forms.ChoiceField(choices=SOURCES, initial="dataset", widget=forms.RadioSelect, label=_("Learn from"))
    dataset = forms.ModelChoiceField(Dataset.objects.none(), required=False, label=_("Data set"))
    validation = forms.ModelChoiceField(
        Dataset.objects.none(),
        required=False,
        label=_("Data set for validation"),
        help_text=_("Without one a part of the images is set aside, and detectors are measured on that."),
    )
    manifest_uri = forms.CharField(
        max_length=URI_LENGTH.longest, required=False, label=_("Address"), help_text=_("s3://… or file://…")
    )
    validation_uri = forms.CharField(max_length=URI_LENGTH.longest, required=False, label=_("Address for validation"))
    content_type = forms.ChoiceField(choices=CHOICES, required=False, label=_("What lies there"))
    input_mode = forms.ChoiceField(
        choices=MODES,
        required=False,
        label=_("Images are read"),
        help_text=_("While it runs, a training starts at once and needs no disk for its images. Detectors can."),
    )
    label_attribute_name = forms.CharField(
        max_length=LABEL_ATTRIBUTE_NAME_LENGTH.longest,
        required=False,
        label=_("Label attribute"),
        help_text=_("Under this name the manifest has the labels. For a data set with imported labels it is known."),
    )
    architecture = forms.ChoiceField(choices=[(name, name) for name in EVERY_ARCHITECTURE], label=_("Architecture"))
    earlier = forms.ModelChoiceField(
        Model.objects.none(), required=False, empty_label=_("No earlier model"), label=_("Start from a model of yours")
    )
    epochs = _number(_("Epochs"), _("Left empty: thirty, and more of a small set."))
    max_seconds = _number(_("Seconds at most"), _("Left empty: no limit."))
    batch_size = _number(_("Images in a batch"), _("Left empty: the recipe's."))
    learning_rate = _number(_("Learning rate"), _("Left empty: the recipe's."))
    image_size = _number(_("Image size in pixels"), _("Left empty: the architecture's."))
    more = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 4, "class": "mono"}),
        max_length=training.VALUE_LENGTH.longest,
        required=False,
        label=_("Further hyperparameters"),
        help_text=_("One in a line: name = value. SageMaker's names are known too."),
    )

    def __init__(self, *args: Any, account: Account, **kwargs: Any):
        super().__init__(*args, **kwargs)
        datasets = labeling_scope.datasets(account).filter(status="Completed").order_by("-id")
        for name, empty in (("dataset", gettext("Choose one")), ("validation", gettext("None"))):
            field: Any = self.fields[name]
            field.queryset, field.empty_label = datasets, empty
            field.label_from_instance = _with_objects
        earlier: Any = self.fields["earlier"]
        earlier.queryset = queries.models(account)
        earlier.label_from_instance = lambda row: f"{row.name} ({row.architecture})"
        self.fields["name"].required = self.data.get("source") == "store"
        self.fields["dataset"].required = self.data.get("source") != "store"
        self.fields["manifest_uri"].required = self.data.get("source") != "dataset"

    def clean_more(self) -> dict[str, str]:
        """The lines by their names."""
        found: dict[str, str] = {}
        for number, line in enumerate(self.cleaned_data["more"].splitlines(), start=1):
            name, sign, value = (part.strip() for part in line.partition("="))
            if line.strip() and not (name and sign):
                raise forms.ValidationError(
                    gettext("Line {number}: {text!r} is not of the form name = value.").format(
                        number=number, text=line[:40]
                    )
                )
            if name in found:
                raise forms.ValidationError(
                    gettext("Line {number}: {name} is there twice.").format(number=number, name=name)
                )
            if name:
                found[name] = value
        return found

    def hyperparameters(self) -> dict[str, str]:
        """Those that were given."""
        given = self.cleaned_data
        return given["more"] | {name: given[name] for name in PLAIN if given[name]}


@requester_page(Role.MEMBER)
def page(request: HttpRequest) -> HttpResponse:
    """The form; `again` in the address fills it in as an earlier training was, `dataset` chooses a data set."""
    account = request.account  # type: ignore[attr-defined]
    form = TrainingForm(request.POST or None, account=account, initial=_initial(request, account))
    if request.method == "POST" and form.is_valid():
        try:
            run = _start(account, form, actor(request.user))
        except DomainError as error:
            form.add_error(_field(form, error), error.message)
        else:
            return redirect("requester:training", run.pk)
    return render(request, "requester/training_new.html", {"form": form}, status=422 if form.errors else 200)


def _field(form: TrainingForm, error: DomainError) -> str | None:
    """The field that an error is about: of a hyperparameter the one with its name, if it has one."""
    if error.field == "hyperparameters":
        return next((name for name in PLAIN if error.message.startswith(f"hyperparameter '{name}'")), "more")
    return error.field if error.field in form.fields else None


def _start(account: Account, form: TrainingForm, by: str) -> TrainingJob:
    given, chosen = form.cleaned_data, form.hyperparameters()
    if given["source"] == "dataset":
        named = ("name", "dataset", "validation", "earlier")
        return training.train_on_dataset(
            account=account,
            hyperparameters=chosen,
            by=by,
            input_mode=given["input_mode"] or FILE,
            **{name: given[name] for name in named},
        )
    channels = {TRAIN: _channel(given["manifest_uri"], given)}
    if given["validation_uri"]:
        channels[VALIDATION] = _channel(given["validation_uri"], given)
    if given["earlier"]:
        channels[MODEL] = {"name": given["earlier"].name}
    return training.create_training(
        account=account, name=given["name"], hyperparameters=chosen, channels=channels, by=by
    )


def _channel(uri: str, given: Mapping[str, Any]) -> dict[str, Any]:
    kind, mode = given["content_type"] or MANIFEST_TYPE, given["input_mode"] or FILE
    place = {"manifest_uri": uri} if kind == MANIFEST_TYPE else {"uri": uri, "content_type": kind}
    return place | ({} if mode == FILE else {"input_mode": mode})


def _initial(request: HttpRequest, account: Account) -> dict[str, Any]:
    again = strict.whole_number(request.GET.get("again", ""))
    if again is not None:
        return _as_before(account, scope.training(account, again))
    dataset = strict.whole_number(request.GET.get("dataset", ""))
    return {} if dataset is None else {"dataset": dataset}


def _as_before(account: Account, run: TrainingJob) -> dict[str, Any]:
    """The form of an earlier training; its name is another, because names are given once."""
    given: Mapping[str, str] = run.hyperparameters
    initial: dict[str, Any] = {name: given[name] for name in PLAIN if name in given}
    initial["more"] = "\n".join(f"{name} = {value}" for name, value in sorted(given.items()) if name not in PLAIN)
    initial["name"] = training.next_name(account, run.name)
    train = run.channels.get(TRAIN, {})
    initial["content_type"] = train.get("content_type", MANIFEST_TYPE)
    initial["input_mode"] = FILE if train.get("input_mode", FILE) == FILE else PIPE
    both = {name: run.channels.get(name, {}) for name in (TRAIN, VALIDATION)}
    uris = {name: found.get("manifest_uri") or found.get("uri", "") for name, found in both.items()}
    datasets = {
        name: labeling_scope.datasets(account).filter(status="Completed", manifest_uri=uri).order_by("-id").first()
        for name, uri in uris.items()
        if uri
    }
    if all(datasets.values()):
        initial |= {"source": "dataset", "dataset": datasets.get(TRAIN), "validation": datasets.get(VALIDATION)}
    else:
        initial |= {"source": "store", "manifest_uri": uris[TRAIN], "validation_uri": uris[VALIDATION]}
    if earlier := run.channels.get(MODEL, {}).get("name"):
        try:
            initial["earlier"] = registry.by_arn(account=account, model_arn=earlier).pk
        except NotFound:
            initial["earlier"] = None  # it was deleted since
    return initial
