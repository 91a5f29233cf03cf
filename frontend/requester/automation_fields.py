"""The fields of the wizard about automated labeling, which depend on the task type. Knows no draft and no job."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from frontend.automation import DETECTOR, RANGES, LoopSettings, family_of, measure_of
from frontend.requester.fields import dollars
from labeling.services.jobs import limits
from labeling.services.prelabels import options
from labeling.task_types.base import TaskType
from marketplace import arns, money, names
from marketplace.ranges import Range

ARCHITECTURES = [
    ("compact", _("Compact: our own, quick on a CPU")),
    ("ssdlite320_mobilenet_v3_large", "SSDLite320 MobileNetV3"),
    ("ssd300_vgg16", _("SSD300 VGG16: for a GPU")),
    ("ssd300_resnet50", _("SSD300 ResNet-50: for a GPU")),
    ("resnet18", "ResNet-18"),
    ("mobilenet_v3_small", _("MobileNetV3 small: quick on a CPU")),
    ("mobilenet_v3_large", "MobileNetV3 large"),
    ("resnet50", _("ResNet-50: for a GPU")),
    ("lraspp_mobilenet_v3_large", _("LR-ASPP MobileNetV3: quick on a CPU")),
    ("deeplabv3_mobilenet_v3_large", "DeepLabV3 MobileNetV3"),
    ("deeplabv3_resnet50", _("DeepLabV3 ResNet-50: for a GPU")),
    ("tfidf_logistic_regression", _("Logistic regression of words")),
]


BY_QUALITY, BY_ERROR = "quality", "error"
PROMISES = [
    (BY_QUALITY, _("A mean quality of the machine's labels (Ground Truth's rule)")),
    (BY_ERROR, _("A largest share of wrong labels")),
]
LOSSES = [
    ("image", _("a label in which anything is wrong, missed or too much")),
    ("objects", _("each wrong, missed or false object")),
]


SOURCES = [
    (options.LOOP, _("The newest model of this job, from the second round on")),
    ("model", _("A model of the account")),
    ("endpoint", _("An endpoint of the account")),
    ("manifest", _("The labels that the input has already")),
]
SOURCE_NAMED_BY = {"model": "model", "endpoint": "endpoint", "manifest": "attribute"}
"""The member of the options that says which one, by source."""
NAMES_LENGTH = Range(1, max(limits.LABEL_ATTRIBUTE_NAME_LENGTH.longest, arns.LENGTH.longest, names.LENGTH.longest))


CHECKING = ("check", "check_source", "check_named", "check_price", "blind_share")
"""The fields of pre-labels, which do not need a learning loop."""


class AutomationFields(forms.Form):
    """Whether a model labels the objects it is certain about, which one, and how well it has to."""

    enabled = forms.BooleanField(required=False, initial=True, label=_("Automated labeling"))
    promise = forms.ChoiceField(choices=PROMISES, required=False, initial=BY_QUALITY, label=_("What is promised"))
    target_error = forms.FloatField(
        required=False,
        initial=0.05,
        label=_("Share of wrong labels, at most"),
        help_text=_(
            "0.05: with 95 % confidence at most 5 % of the machine's labels are wrong. That takes at least 65 "
            "objects labeled by people for the proof, so it pays from about 1,000 objects on."
        ),
        **RANGES["target_error"].bounds,
    )
    error_loss = forms.ChoiceField(choices=LOSSES, required=False, label=_("Wrong is"))
    target_iou = forms.FloatField(
        initial=LoopSettings.target_iou,
        label=_("Promised mean IoU of machine labels"),
        help_text=_(
            "The model labels as many objects as it can at this mean quality (measured on the validation split)."
        ),
        **RANGES["target_iou"].bounds,
    )
    target_quality = forms.FloatField(
        help_text=_("The model labels as many objects as it can at this quality (measured on the validation split)."),
        **RANGES["target_quality"].bounds,
    )
    architecture = forms.ChoiceField(choices=ARCHITECTURES, label=_("Model"))
    max_rounds = forms.IntegerField(
        initial=LoopSettings.max_rounds, label=_("Rounds at most"), **RANGES["max_rounds"].bounds
    )
    audit_share = forms.FloatField(
        initial=LoopSettings.audit_share,
        required=False,
        label=_("Audited share of machine labels"),
        help_text=_(
            "At the end people label this part of the model's objects too, chosen at random, without seeing "
            "its labels: 0.05 is one in twenty. If the promise turns out to be broken, the labels are taken back. "
            "0: no audit."
        ),
        **RANGES["audit_share"].bounds,
    )

    check = forms.BooleanField(required=False, label=_("People check the model's boxes"))
    check_source = forms.ChoiceField(choices=SOURCES, required=False, initial=options.LOOP, label=_("Whose boxes"))
    check_named = forms.CharField(
        required=False,
        max_length=NAMES_LENGTH.longest,
        label=_("Which one"),
        help_text=_("The ARN or the name of the model, the name of the endpoint, or the label attribute of the input."),
    )
    check_price = forms.CharField(
        required=False,
        max_length=money.TEXT_LENGTH.longest,
        label=_("Price of checking, dollars"),
        help_text=_("For each person who checks the boxes of an image and corrects them. Empty: a third of the price."),
    )
    blind_share = forms.FloatField(
        initial=options.NUMBERS["blind_share"][0],
        required=False,
        label=_("Share that is drawn unseen"),
        help_text=_(
            "0.15: of seven such images people draw one without seeing the model's boxes, for the full price. "
            "That shows how good the model is, and how far people are led by what they see."
        ),
        **options.BLIND_SHARE.bounds,
    )

    def clean_check_price(self) -> int | None:
        """In micro-dollars, None for the usual one."""
        given = self.cleaned_data["check_price"]
        return dollars(given) if given else None

    def offer_learners(self, task_type: TaskType[Any, Any]) -> None:
        """The fields that the task type's family of learners needs; off where no model can learn the type."""
        measure, family = measure_of(task_type.name), family_of(task_type.name)
        boxes = family == DETECTOR
        del self.fields["target_quality" if boxes else "target_iou"]
        if not boxes:
            self.fields["target_quality"].label = gettext("Promised {name} of machine labels").format(name=measure.name)
            self.fields["target_quality"].initial = measure.target
        choices = [choice for choice in ARCHITECTURES if choice[0] in family.architectures]
        self.fields["architecture"].choices = choices  # type: ignore[attr-defined]
        if task_type.proposing is None:
            for name in CHECKING:
                del self.fields[name]
        elif options.counts(task_type):
            self._ask_whose_labels_count()
        if task_type.learner:
            return
        for name, field in self.fields.items():
            if name not in CHECKING:
                field.disabled, field.required = True, False
        self.initial |= {"enabled": False}

    def _ask_whose_labels_count(self) -> None:
        """The fields of pre-labels that people do not see."""
        del self.fields["check_price"]
        self.fields["check"].label = gettext("The model counts as one more worker")
        self.fields["check_source"].label = gettext("Whose labels")
        self.fields["blind_share"].label = gettext("Share on which it does not count")
        self.fields["blind_share"].help_text = gettext(
            "0.15: on one of seven objects the model does not count. That shows how good it is, and until it has "
            "proved itself it counts for little."
        )

    def clean(self) -> dict[str, Any]:
        """What is not asked for need not be right."""
        given = super().clean() or {}
        if not given.get("check"):
            for name in CHECKING[1:]:
                self.errors.pop(name, None)
                given.pop(name, None)
        self._check_source(given)
        if not given.get("enabled"):
            for name in [name for name in self.errors if name not in ("enabled", *CHECKING)]:
                del self.errors[name]
        by_error = given.get("promise") == BY_ERROR
        if by_error and given.get("target_error") is None and "target_error" not in self.errors:
            self.add_error("target_error", gettext("Say how large a share may be wrong."))
        for name in ("target_iou", "target_quality") if by_error else ("target_error", "error_loss"):
            self.errors.pop(name, None)
            given.pop(name, None)
        if by_error:
            given["error_loss"] = given.get("error_loss") or LOSSES[0][0]
        return given

    def _check_source(self, given: dict[str, Any]) -> None:
        """Boxes of a loop need one, and the others say which they are."""
        if not given.get("check") or "check_source" in self.errors:
            return
        source = given["check_source"] = given.get("check_source") or options.LOOP
        if source == options.LOOP:
            given["check_named"] = ""
            if not given.get("enabled"):
                self.add_error("check_source", gettext("This job has no model of its own: automated labeling is off."))
        elif not given.get("check_named") and "check_named" not in self.errors:
            self.add_error("check_named", gettext("Say which one."))

    def targets(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields of each promise, that of a quality by the measure of the task type."""
        of_quality = [self[name] for name in ("target_iou", "target_quality") if name in self.fields]
        return [(BY_QUALITY, of_quality), (BY_ERROR, [self["target_error"], self["error_loss"]])]
