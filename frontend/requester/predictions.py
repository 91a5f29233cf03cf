"""Letting a model predict a data set: the form, and what comes out. How it goes on is shown by the transform's page."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from frontend.requester.fields import name_field
from frontend.review_forms import first_error
from frontend.session import requester_page
from labeling.models import Dataset
from labeling.services import scope as labeling_scope
from labeling.services.jobs.limits import LABEL_ATTRIBUTE_NAME_LENGTH
from learning import queries
from learning.models import Model, TransformJob
from learning.models.training import LIVE
from learning.services import scope, transform_outputs, transforms
from marketplace import strict
from marketplace.errors import DomainError
from marketplace.models import Account, Role
from marketplace.services.scope import actor

CHOICES = 200
WORDS = {
    transform_outputs.MANIFEST: _("The data set with the labels (augmented manifest)"),
    transform_outputs.ANNOTATIONS: _("The boxes of each image (JSON lines, as SageMaker's batch transform)"),
    transform_outputs.PREDICTIONS: _("The raw predictions (JSON lines)"),
}


class PredictionForm(forms.Form):
    """A model, a data set and how sure a box must be."""

    name = name_field()
    model = forms.ModelChoiceField(Model.objects.none(), empty_label=None, label=_("Model"))
    dataset = forms.ModelChoiceField(Dataset.objects.none(), empty_label=None, label=_("Data set"))
    label_attribute_name = forms.CharField(
        max_length=LABEL_ATTRIBUTE_NAME_LENGTH.longest,
        initial=transforms.DEFAULT_ATTRIBUTE,
        label=_("Label attribute"),
        help_text=_("Under this name the output has the boxes."),
    )
    score_threshold = forms.FloatField(
        initial=transforms.LEAST_SCORE,
        label=_("Least score"),
        help_text=_("Boxes of which the model is less sure are left out."),
        **transforms.SCORES.bounds,
    )

    def __init__(self, *args: Any, account: Account, **kwargs: Any):
        super().__init__(*args, **kwargs)
        models, datasets = queries.models(account), labeling_scope.datasets(account).filter(status="Completed")
        for name, rows in (("model", models), ("dataset", datasets.order_by("-pk"))):
            field = self.fields[name]
            field.queryset = rows  # type: ignore[attr-defined]
            field.choices = [(row.pk, row.name) for row in rows[:CHOICES]]  # type: ignore[attr-defined]


@requester_page(Role.MEMBER)
def new_page(request: HttpRequest) -> HttpResponse:
    """The form; `model` and `dataset` in the address choose them."""
    account = request.account  # type: ignore[attr-defined]
    initial = {name: strict.whole_number(request.GET.get(name, "")) for name in ("model", "dataset")}
    form = PredictionForm(request.POST or None, account=account, initial=initial)
    if request.method == "POST" and form.is_valid():
        run = _create(request, account, form)
        if run is not None:
            return redirect("requester:transform-output", run.pk)
    return render(request, "requester/prediction_new.html", {"form": form}, status=422 if form.errors else 200)


def _create(request: HttpRequest, account: Account, form: PredictionForm) -> TransformJob | None:
    given = dict(form.cleaned_data)
    hyperparameters = {"score_threshold": given.pop("score_threshold")}
    try:
        return transforms.predict_dataset(
            account=account, by=actor(request.user), hyperparameters=hyperparameters, **given
        )
    except DomainError as error:
        form.add_error(error.field if error.field in form.fields else None, error.message)
        return None


@requester_page()
def output_page(request: HttpRequest, transform_id: int) -> HttpResponse:
    """What a prediction has left, or how far it is."""
    return render(request, "requester/prediction.html", _context(request, transform_id))


@requester_page()
def output_part(request: HttpRequest, transform_id: int) -> HttpResponse:
    """The part of the page that changes while it works."""
    context = _context(request, transform_id)
    response = render(request, "requester/prediction_progress.html", context)
    if not context["live"]:
        response["HX-Refresh"] = "true"
    return response


def _context(request: HttpRequest, transform_id: int) -> dict[str, Any]:
    run = scope.transform(request.account, transform_id)  # type: ignore[attr-defined]
    files = [(part, WORDS[part]) for part in reversed(transform_outputs.parts(run))]
    return {"run": run, "live": run.status in LIVE, "files": files}


class DatasetForm(forms.Form):
    """The name of a data set."""

    name = name_field()


@require_POST
@requester_page(Role.MEMBER)
def make_dataset(request: HttpRequest, transform_id: int) -> HttpResponse:
    """Make a data set of the labels, which a labeling job can show to people."""
    run = scope.transform(request.account, transform_id)  # type: ignore[attr-defined]
    form = DatasetForm(request.POST)
    if form.is_valid():
        try:
            row = transform_outputs.make_dataset(run=run, name=form.cleaned_data["name"], by=actor(request.user))
        except DomainError as error:
            messages.error(request, error.message)
        else:
            return redirect("requester:dataset", row.pk)
    else:
        messages.error(request, first_error(form))
    return redirect("requester:transform-output", run.pk)
