"""Which predictions of an endpoint people are asked about, and the training on what they answered, as pages."""

from typing import Any

import orjson
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from frontend.requester.fields import RefusableForm, name_field
from frontend.session import requester_page
from labeling.services.jobs import limits
from labeling.services.review import flows
from learning import queries
from learning.contract import FOREIGN
from learning.models import Model
from learning.services import review_training, scope
from learning.services.hosting import reviewing
from learning.services.review_loops import SHOWN_SCORE
from marketplace.errors import DomainError
from marketplace.models import Account, Role
from marketplace.services.scope import actor

EXAMPLE = """{"Conditions": [
  {"ConditionType": "HighestScoreCheck", "ConditionParameters": {"ConfidenceLessThan": 50}},
  {"ConditionType": "Sampling", "ConditionParameters": {"RandomSamplingPercentage": 5}}]}"""
"""Unsure predictions, and a random sample of all."""

CHOICES = 200
"""Models that a form offers, newest first."""


class ReviewForm(RefusableForm):
    """When requests of an endpoint become human loops."""

    flow_definition = forms.ChoiceField(label=_("Flow definition"))
    conditions = forms.CharField(
        required=False,
        max_length=flows.CONDITIONS_LENGTH.longest,
        label=_("Conditions"),
        widget=forms.Textarea(attrs={"rows": 7, "class": "mono", "spellcheck": "false"}),
        help_text=_("JSON of activation conditions for own models; empty: those of the flow definition."),
    )
    least_score = forms.FloatField(
        label=_("Boxes shown from this score on"),
        initial=SHOWN_SCORE,
        help_text=_("0 to 1; people correct these boxes."),
        **reviewing.LEAST_SCORE.bounds,
    )
    most_per_hour = forms.IntegerField(
        label=_("Loops in an hour at most"), initial=reviewing.DEFAULT_PER_HOUR, **reviewing.MOST_PER_HOUR.bounds
    )
    content_classifiers = forms.MultipleChoiceField(
        choices=[(name, name) for name in limits.CONTENT_CLASSIFIERS],
        required=False,
        label=_("Certified of every picture"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("The public pool needs them free of personal data."),
    )

    def __init__(self, *args: Any, account: Account, **options: Any):
        super().__init__(*args, **options)
        rows = flows.flows(account).filter(status="Active", request_source="").order_by("name")
        self.fields["flow_definition"].choices = [  # type: ignore[attr-defined]
            (name, name) for name in rows.values_list("name", flat=True)
        ]

    def refuse(self, error: DomainError) -> None:
        """What is wrong inside the conditions is shown beside them."""
        for name, reason in error.errors or [("", error.message)]:
            field, _dot, place = name.partition(".")
            inside = f"{place}: {reason}" if field == "conditions" and place else reason
            self.add_error(field.partition("[")[0] if field.partition("[")[0] in self.fields else None, inside)


class TrainForm(RefusableForm):
    """A training on the answers, from a model on."""

    model = forms.ChoiceField(
        label=_("Model"), help_text=_("The training goes on from it; an endpoint's own comes first.")
    )
    name = name_field()

    def __init__(self, *args: Any, account: Account, **options: Any):
        super().__init__(*args, **options)
        found = queries.models(account).exclude(architecture=FOREIGN).values_list("pk", "name")[:CHOICES]
        self.fields["model"].choices = [(str(pk), name) for pk, name in found]  # type: ignore[attr-defined]
        self.fields["name"].required = False
        self.fields["name"].help_text = gettext("Of the training and its model; empty: the next after the model's.")


@requester_page(Role.MEMBER)
def review_page(request: HttpRequest, endpoint_name: str) -> HttpResponse:
    """When requests of an endpoint become human loops."""
    endpoint = scope.endpoint(request.account, endpoint_name)  # type: ignore[attr-defined]
    review = reviewing.of(endpoint)
    initial: dict[str, Any] = {"conditions": EXAMPLE}
    if review is not None:
        tree = review.conditions
        initial = {
            "flow_definition": review.flow.name,
            "conditions": orjson.dumps(tree, option=orjson.OPT_INDENT_2).decode() if tree else "",
            "least_score": review.least_score,
            "most_per_hour": review.most_per_hour,
            "content_classifiers": review.content_classifiers,
        }
    form = ReviewForm(request.POST or None, account=endpoint.account, initial=initial)
    if request.method == "POST" and form.is_valid():
        given = dict(form.cleaned_data)
        try:
            flow = flows.flow(endpoint.account, given.pop("flow_definition"))
            reviewing.set_review(endpoint=endpoint, flow=flow, by=actor(request.user), **given)
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(
                request,
                gettext("Requests of {name} that meet the conditions are put before people.").format(
                    name=endpoint.name
                ),
            )
            return redirect("requester:endpoint", endpoint.name)
    context = {"endpoint": endpoint, "form": form, "review": review}
    return render(request, "requester/endpoint_review.html", context, status=422 if form.errors else 200)


@require_POST
@requester_page(Role.MEMBER)
def end_review(request: HttpRequest, endpoint_name: str) -> HttpResponse:
    """Ask people about no more requests."""
    endpoint = scope.endpoint(request.account, endpoint_name)  # type: ignore[attr-defined]
    reviewing.clear_review(endpoint=endpoint, by=actor(request.user))
    messages.success(
        request,
        gettext("People are asked about no more requests of {name}; loops that run go on.").format(name=endpoint.name),
    )
    return redirect("requester:endpoint", endpoint.name)


@requester_page(Role.MEMBER)
def train_page(request: HttpRequest, flow_name: str) -> HttpResponse:
    """Train a model further on what people answered; the one that an endpoint asks people about is proposed."""
    account = request.account  # type: ignore[attr-defined]
    flow = flows.flow(account, flow_name)
    form = TrainForm(request.POST or None, account=account, initial={"model": _proposed(flow)})
    if request.method == "POST" and form.is_valid():
        model = scope.model(account, int(form.cleaned_data["model"]))
        try:
            made = review_training.start(flow=flow, model=model, name=form.cleaned_data["name"], by=actor(request.user))
        except DomainError as error:
            form.refuse(error)
        else:
            if made.left_out:
                one = made.left_out[0]
                messages.info(
                    request,
                    gettext("{number} loops gave no label, such as {loop}: {reason}").format(
                        number=len(made.left_out), loop=one.loop, reason=one.reason
                    ),
                )
            return redirect("requester:training", made.training.pk)
    context = {"flow": flow, "form": form, "hyperparameters": review_training.HYPERPARAMETERS}
    return render(request, "requester/flow_training.html", context, status=422 if form.errors else 200)


def _proposed(flow: Any) -> str:
    """The key of the model that asked last about its predictions by this flow definition, "" without one."""
    name = reviewing.asking_model(flow)
    found = Model.objects.filter(account=flow.account, name=name).values_list("pk", flat=True).first() if name else None
    return str(found or "")
