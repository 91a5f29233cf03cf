"""Two models side by side: figures by class, and the images of a data set about which they disagree."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from frontend.images import image_response
from frontend.layers import seen
from frontend.review_forms import first_error
from frontend.session import requester_page
from labeling.models import Dataset
from labeling.services import scope as labeling_scope
from learning import queries
from learning.models import Model
from learning.services import comparison, scope
from learning.services.lineage import same_validation
from marketplace import strict
from marketplace.errors import DomainError
from marketplace.models import Account, Role
from marketplace.services.scope import actor

CHOICES = 200


class ComparisonForm(forms.Form):
    """Two models and, for images, a data set."""

    left = forms.ModelChoiceField(Model.objects.none(), empty_label=None, label=_("Model"))
    right = forms.ModelChoiceField(Model.objects.none(), empty_label=None, label=_("Compared with"))
    dataset = forms.ModelChoiceField(
        Dataset.objects.none(),
        required=False,
        empty_label=_("No images, only figures"),
        label=_("Images of the data set"),
    )

    def __init__(self, *args: Any, account: Account, **kwargs: Any):
        super().__init__(*args, **kwargs)
        models, datasets = queries.models(account), labeling_scope.datasets(account).filter(status="Completed")
        for name, rows in (("left", models), ("right", models), ("dataset", datasets.order_by("-pk"))):
            field = self.fields[name]
            field.queryset = rows  # type: ignore[attr-defined]
            # The newest are listed; an address with an older one still works.
            some = [(row.pk, row.name) for row in rows[:CHOICES]]
            empty = field.empty_label  # type: ignore[attr-defined]
            field.choices = [("", empty), *some] if empty else some  # type: ignore[attr-defined]


@requester_page()
def page(request: HttpRequest) -> HttpResponse:
    """The comparison that the address asks for, or the form alone."""
    account = request.account  # type: ignore[attr-defined]
    asked = {name: strict.whole_number(request.GET.get(name, "")) for name in ("left", "right", "dataset")}
    form = ComparisonForm(initial=asked, account=account)
    context: dict[str, Any] = {"form": form}
    if asked["left"] is not None and asked["right"] is not None:
        left, right = scope.model(account, asked["left"]), scope.model(account, asked["right"])
        context |= {
            "left": left,
            "right": right,
            "figures": comparison.figures(left, right),
            "same": same_validation(left, right),
        }
        if asked["dataset"] is not None:
            context |= _images(left, right, labeling_scope.dataset(account, asked["dataset"]))
    return render(request, "requester/model_comparison.html", context)


def _images(left: Model, right: Model, dataset: Dataset) -> dict[str, Any]:
    runs = comparison.found(left, right, dataset)
    context: dict[str, Any] = {"dataset": dataset, "runs": [run for run in runs if run is not None]}
    before, after = runs
    if before and after and before.status == after.status == "Completed":
        found = comparison.differences(before, after)
        classes = sorted({*left.labels, *right.labels})
        for place, image in enumerate(found["worst"]):
            layers = [_layer(left.name, "truth", image["left"]), _layer(right.name, "machine", image["right"])]
            image["url"] = reverse("requester:model-comparison-image", args=[left.pk, right.pk, dataset.pk, place])
            image["layers"] = seen(layers, classes)
        context["found"] = found
    return context


def _layer(name: str, kind: str, rows: list[list[Any]]) -> dict[str, Any]:
    sides = ("label", "left", "top", "width", "height", "confidence")
    return {"name": name, "kind": kind, "boxes": [dict(zip(sides, row, strict=True)) for row in rows]}


@require_POST
@requester_page(Role.MEMBER)
def start(request: HttpRequest) -> HttpResponse:
    """Let both models predict the data set, as far as they have not."""
    account = request.account  # type: ignore[attr-defined]
    form = ComparisonForm(request.POST, account=account)
    if not form.is_valid():
        messages.error(request, first_error(form))
        return redirect("requester:model-comparison")
    given = form.cleaned_data
    if given["dataset"] is not None:
        try:
            comparison.start(account=account, by=actor(request.user), **given)
        except DomainError as error:
            messages.error(request, error.message)
    wanted = {name: row.pk for name, row in given.items() if row is not None}
    return redirect(f"{reverse('requester:model-comparison')}?{urlencode(wanted)}")


@requester_page()
def image(request: HttpRequest, left_id: int, right_id: int, dataset_id: int, place: int) -> HttpResponse:
    """One of the images about which they disagree."""
    account = request.account  # type: ignore[attr-defined]
    left, right = scope.model(account, left_id), scope.model(account, right_id)
    uri = comparison.image_of(left, right, labeling_scope.dataset(account, dataset_id), place)
    return image_response(uri, request)
