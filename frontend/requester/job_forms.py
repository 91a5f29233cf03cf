"""The forms of the new-job wizard, one for each step. They check shape; the services check meaning."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from frontend import formats
from frontend.automation import installed
from frontend.requester.automation_fields import AutomationFields
from frontend.requester.fields import RoutingField, dollars, name_field
from frontend.requester.input_fields import EarlierLabelFields, InputFields, LikelyWrongFields
from frontend.requester.label_fields import LabelFields
from frontend.requester.template_fields import TemplateFields
from labeling import redundancy, task_types
from labeling.models import Dataset, LabelingJob
from labeling.services import scope
from labeling.services.golds import options
from labeling.services.jobs import instructions, limits, pricing, repricing
from labeling.services.jobs.design import Design, content_refusal
from labeling.task_types.base import TaskType
from marketplace import money
from marketplace.errors import DomainError
from marketplace.models import Account, QualificationType, Workteam
from marketplace.services import requirements
from marketplace.services import scope as marketplace_scope

MINUTE, HOUR = 60, 3600
# The fields of the people step that are folded away unless one of them has an error.
RARE = (
    "time_limit_minutes",
    "availability_hours",
    "max_concurrent_tasks",
    "max_human_labeled_objects",
    "max_percentage_labeled",
    "max_spend",
    "price_ceiling",
    "wanted_hours",
)
# Those about golds, likewise.
GOLDS = ("golds_rate", "golds_attribute", "golds_mint")


class StepForm(forms.Form):
    """A step: made for an account and the task type chosen so far, cleaned into JSON for the draft."""

    def __init__(self, *args: Any, account: Account, task_type: TaskType[Any, Any], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.account = account
        self.task_type = task_type
        self.prepare()

    def prepare(self) -> None:
        """Limit the choices to the account's own things."""

    def draft(self) -> dict[str, Any]:
        """The cleaned values as plain JSON."""
        return {name: _plain(value) for name, value in self.cleaned_data.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, QuerySet):
        return [row.pk for row in value]
    return value.pk if isinstance(value, Dataset | LabelingJob | Workteam) else value


class DataStep(LikelyWrongFields, InputFields, StepForm):
    """Which images, under which name."""

    name = name_field()
    label_attribute_name = forms.CharField(
        max_length=limits.LABEL_ATTRIBUTE_NAME_LENGTH.longest,
        required=False,
        label=_("Label attribute"),
        help_text=_(
            "The name of the labels in the output, the job's own when left empty. Objects that have a label "
            "under it already keep it, and people are asked about the others. For segmentation it ends in -ref."
        ),
    )

    def clean(self) -> dict[str, Any]:
        """The name must be free."""
        given = super().clean()
        name = given.get("name")
        if name and scope.jobs(self.account).filter(name__iexact=name).exists():
            self.add_error("name", gettext("There is a labeling job of this name already."))
        return given

    def prepare(self) -> None:
        """What the account can begin with."""
        self.offer(self.account)
        self.offer_likely_wrong()


class TaskStep(LabelFields, EarlierLabelFields, TemplateFields, StepForm):
    """What workers are asked to do."""

    task_type = forms.ChoiceField(required=False, widget=forms.RadioSelect, label=_("What do people do?"))
    title = forms.CharField(max_length=limits.TITLE_LENGTH.longest, help_text=_("What workers see in their list."))
    description = forms.CharField(max_length=limits.DESCRIPTION_LENGTH.longest)
    short = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        max_length=limits.SHORT_INSTRUCTIONS_LENGTH.longest,
        label=_("Short instructions"),
        help_text=_("Always in view beside the image. Simple HTML is allowed."),
    )
    full = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 6}),
        required=False,
        max_length=limits.FULL_INSTRUCTIONS_LENGTH.longest,
        label=_("Full instructions"),
    )

    def prepare(self) -> None:
        """Every task type there is."""
        self.fields["task_type"].choices = [  # type: ignore[attr-defined]
            (name, task_types.get(name).title) for name in task_types.names()
        ]
        self.initial.setdefault("task_type", self.task_type.name)

    def clean_task_type(self) -> str:
        """The default where none was chosen."""
        return self.cleaned_data["task_type"] or task_types.DEFAULT

    def clean_short(self) -> str:
        """The text, unless it shows pictures of other servers."""
        return _without_outside_pictures(self.cleaned_data["short"])

    def clean_full(self) -> str:
        """The same for the full instructions."""
        return _without_outside_pictures(self.cleaned_data["full"])


def _without_outside_pictures(text: str) -> str:
    if outside := instructions.outside_pictures(text):
        raise forms.ValidationError([f"The picture {each[:200]}: {instructions.WAY_OUT}." for each in outside])
    return text


class PeopleStep(RoutingField, StepForm):
    """Who works, how many on each object, for how much, until when."""

    workteam = forms.ModelChoiceField(Workteam.objects.none(), empty_label=None, label=_("Workforce"))
    workers_per_object = forms.FloatField(
        initial=Design.workers_per_object,
        label=_("Workers per object"),
        help_text=format_lazy(
            _("{WORKERS_PER_OBJECT}; merged into one label. 2.5: half of the objects get a third answer."),
            WORKERS_PER_OBJECT=formats.between(limits.WORKERS_PER_OBJECT),
        ),
        widget=forms.NumberInput(attrs={"step": redundancy.STEP}),
        **limits.WORKERS_PER_OBJECT.bounds,
    )
    redundancy = forms.ChoiceField(
        choices=list(zip(limits.REDUNDANCY, (_("Always that many"), _("Only as many as needed")), strict=True)),
        label=_("How many answers?"),
    )
    target_confidence = forms.FloatField(
        required=False,
        initial=0.9,
        label=_("Target confidence"),
        help_text=format_lazy(
            _("{TARGET_CONFIDENCE}. More people are asked until a label is this certain."),
            TARGET_CONFIDENCE=formats.between(limits.TARGET_CONFIDENCE),
        ),
        **limits.TARGET_CONFIDENCE.bounds,
    )
    expected_seconds = forms.FloatField(
        initial=10, label=_("Expected seconds per task"), **limits.EXPECTED_SECONDS.bounds
    )
    price = forms.CharField(
        max_length=money.TEXT_LENGTH.longest,
        initial="0.036",
        label=_("Price per task and worker"),
        widget=forms.TextInput({"list": "prices", "inputmode": "decimal", "aria-describedby": "id_price_helptext"}),
    )
    free_of_personal_data = forms.BooleanField(
        required=False,
        label=_("The data is free of personal data"),
        help_text=_("You certify it. Without it the job can be given to private teams only."),
    )
    free_of_adult_content = forms.BooleanField(
        required=False,
        label=_("The data is free of adult content"),
        help_text=_(
            "You certify it. Without it, of the public pool only those see the job who confirmed to be of age."
        ),
    )
    review_days = forms.IntegerField(
        required=False,
        label=_("Review: accepted by itself after days"),
        help_text=format_lazy(
            _("{REVIEW_DAYS}. You accept or reject answers before they are paid. Empty: paid at once."),
            REVIEW_DAYS=formats.between(limits.REVIEW_DAYS),
        ),
        **limits.REVIEW_DAYS.bounds,
    )
    qualifications = forms.ModelMultipleChoiceField(
        QualificationType.objects.none(),
        required=False,
        label=_("Only workers who hold"),
        help_text=_("All of the chosen qualifications."),
    )
    qualification_least = forms.IntegerField(
        required=False,
        label=_("With a value of at least"),
        help_text=_("Of each. Empty: whatever value it was granted with."),
        **requirements.VALUE.bounds,
    )
    head_start_minutes = forms.IntegerField(
        required=False,
        label=_("Preferred: minutes ahead of the others"),
        help_text=_("Empty: required, the job is never open to others."),
        **requirements.HEAD_START_MINUTES.bounds,
    )
    golds_rate = forms.FloatField(
        required=False,
        label=_("Golds: percent of the tasks"),
        help_text=format_lazy(
            _("{RATE} %. Tasks whose answer is known show how good each worker is. Empty or 0: none."),
            RATE=formats.between(options.RATE),
        ),
        **options.RATE.bounds,
    )
    golds_attribute = forms.CharField(
        required=False,
        max_length=limits.LABEL_ATTRIBUTE_NAME_LENGTH.longest,
        label=_("Known labels in the data set"),
        help_text=_(
            "The label attribute that holds them. Such objects become golds, one object in five at most, and "
            "are not labeled anew. You can also make golds yourself, once the job runs."
        ),
    )
    golds_mint = forms.IntegerField(
        required=False,
        label=_("Golds of unanimous objects"),
        help_text=_("So many objects on which all answers agree become golds as well."),
        **options.MINT.bounds,
    )
    time_limit_minutes = forms.IntegerField(
        initial=Design.task_time_limit_seconds // MINUTE,
        label=_("Time limit of a task, minutes"),
        **limits.TASK_TIME_LIMIT_SECONDS.in_units(MINUTE).bounds,
    )
    availability_hours = forms.FloatField(
        required=False,
        label=_("Availability of a batch, hours"),
        min_value=limits.AVAILABILITY_SECONDS.low / HOUR,
        max_value=limits.AVAILABILITY_SECONDS.longest / HOUR,
    )
    max_concurrent_tasks = forms.IntegerField(
        initial=Design.max_concurrent_tasks, label=_("Objects open at once"), **limits.MAX_CONCURRENT_TASKS.bounds
    )
    max_human_labeled_objects = forms.IntegerField(
        required=False, label=_("Stop after so many objects by people"), **limits.MAX_HUMAN_LABELED_OBJECTS.bounds
    )
    max_percentage_labeled = forms.IntegerField(
        required=False, label=_("Stop after so many percent labeled"), **limits.MAX_PERCENTAGE_LABELED.bounds
    )
    max_spend = forms.CharField(max_length=money.TEXT_LENGTH.longest, required=False, label=_("Spend at most"))

    price_ceiling = forms.CharField(
        max_length=money.TEXT_LENGTH.longest,
        required=False,
        label=_("Too slow: raise the price up to"),
        help_text=_("While the job would not be done in time, the price rises by a tenth an hour."),
    )
    wanted_hours = forms.FloatField(
        required=False,
        label=_("Done within hours"),
        help_text=_("From the launch on."),
        **limits.WANTED_HOURS.bounds,
    )

    def prepare(self) -> None:
        """The account's teams and the public pool."""
        self.fields["workteam"].queryset = marketplace_scope.teams(self.account).select_related("contract__vendor")  # type: ignore[attr-defined]
        self.fields["workteam"].label_from_instance = (  # type: ignore[attr-defined]
            lambda team: _team_label(team)
        )
        self.fields["qualifications"].queryset = requirements.usable_types(self.account)  # type: ignore[attr-defined]
        self.fields["qualifications"].label_from_instance = lambda row: row.name  # type: ignore[attr-defined]

    def certificates(self) -> list[forms.BoundField]:
        """The two fields about the data, which the page shows together."""
        return [self["free_of_personal_data"], self["free_of_adult_content"]]

    def clean_workers_per_object(self) -> float:
        """An int where it is a whole number."""
        number: float = self.cleaned_data["workers_per_object"]
        return int(number) if number == int(number) else number

    def clean_price(self) -> int:
        """Micro-dollars."""
        return dollars(self.cleaned_data["price"])

    def clean_max_spend(self) -> int | None:
        """Micro-dollars, or none."""
        text = self.cleaned_data["max_spend"]
        return dollars(text) if text else None

    def clean_price_ceiling(self) -> int | None:
        """Micro-dollars, or none."""
        text = self.cleaned_data["price_ceiling"]
        return dollars(text) if text else None

    def clean(self) -> dict[str, Any]:
        """The price must be one the chosen workforce may be offered; a contract with a vendor fixes it."""
        given = super().clean() or {}
        team = given.get("workteam")
        if (workers := given.get("workers_per_object")) is not None:
            for name, wrong in limits.workers_errors(workers, dynamic=given.get("redundancy") == "dynamic"):
                self.add_error(name, f"{wrong[0].upper()}{wrong[1:]}.")
        if team is not None and (reason := content_refusal(certified(given), public=team.public)):
            self.add_error("free_of_personal_data", f"{reason[0].upper()}{reason[1:]}.")
        if team is not None and team.of_vendor:
            price = team.contract.prices.get(self.task_type.name)
            if price is None:
                self.add_error(
                    "workteam", gettext("The contract has no price for {title}.").format(title=self.task_type.title)
                )
            else:
                given["price"] = price
                self._check_ceiling(given, team)
            return given
        price = given.get("price")
        if team is not None and price is not None:
            try:
                pricing.check_price(
                    price_micros=price, task_type=self.task_type.name, public=team.public, panel=team.is_panel
                )
            except DomainError as error:
                self.add_error("price", error.message)
            else:
                self._check_ceiling(given, team)
        return given

    def _check_ceiling(self, given: dict[str, Any], team: Workteam) -> None:
        if "price_ceiling" in self.errors or "wanted_hours" in self.errors:
            return
        wrong = repricing.errors(
            price_micros=given["price"],
            price_ceiling_micros=given.get("price_ceiling"),
            wanted_end=wanted_end(given),
            task_type=self.task_type.name,
            team=team,
        )
        for name, reason in wrong:
            self.add_error("wanted_hours" if name == "wanted_end" else name, reason)


def wanted_end(people: dict[str, Any]) -> datetime | None:
    """The end that the people step asks for, from now on; None for none."""
    hours = people.get("wanted_hours")
    return None if hours is None else timezone.now() + timedelta(hours=hours)


def _team_label(team: Workteam) -> str:
    if team.public:
        return gettext("Public pool")
    if team.is_panel:
        return gettext("Panel: {name}").format(name=team.name)
    if team.of_vendor:
        contract = team.contract
        return gettext("{vendor}: contract {number}").format(vendor=contract.vendor.name, number=contract.pk)
    return str(team.name)


def certified(people: dict[str, Any]) -> list[str]:
    """The ContentClassifiers of what was ticked in the people step."""
    ticked = {
        limits.FREE_OF_PERSONAL_DATA: people.get("free_of_personal_data"),
        limits.FREE_OF_ADULT_CONTENT: people.get("free_of_adult_content"),
    }
    return [name for name, said in ticked.items() if said]


class AutomationStep(AutomationFields, StepForm):
    """Whether a model labels the objects it is certain about, and how well it has to."""

    def prepare(self) -> None:
        """What the task type's family of learners needs."""
        self.offer_learners(self.task_type)


STEPS: dict[str, tuple[str | Promise, type[StepForm]]] = {
    "data": (_("Images"), DataStep),
    "task": (_("Task"), TaskStep),
    "people": (_("People and price"), PeopleStep),
    **({"automation": (_("Automation"), AutomationStep)} if installed() else {}),
}
"""The steps in their order, with titles; one about automation only where models are trained."""
