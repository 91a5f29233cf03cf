"""The fields of the wizard for the labels of a job and for their attributes. The design of the job decides."""

from typing import Any

import orjson
from django import forms
from django.utils.translation import gettext_lazy as _

from labeling import task_types
from labeling.formats import label_config
from labeling.formats.label_categories import CategoriesError
from labeling.models import LabelingJob
from labeling.services.jobs import label_configs
from labeling.services.jobs.design import label_errors
from labeling.task_types.base import TaskType
from marketplace.errors import Invalid

CONFIG = label_configs.FIELD


class LabelFields(forms.Form):
    """Labels, one a line, and their attributes as a label category configuration, beside a field `task_type`."""

    labels = forms.CharField(widget=forms.Textarea(attrs={"rows": 4}), label=_("Labels"), required=False)
    label_category_config = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 8, "class": "mono", "spellcheck": "false"}),
        required=False,
        max_length=label_configs.LENGTH.longest,
        label=_("Label category configuration"),
        help_text=_(
            "The same as JSON, as Ground Truth's files have it: paste or change it here. Labels and instructions "
            "that it has are taken over where you have typed none."
        ),
    )

    def attributes_open(self) -> bool:
        """Whether labels have attributes, or one of them is wrong."""
        return bool(self[CONFIG].value()) or CONFIG in self.errors

    def clean(self) -> dict[str, Any]:
        """The labels, if the service takes them, those of the configuration where none were typed."""
        given = super().clean() or {}
        kind = task_types.get(given.get("task_type") or task_types.DEFAULT)
        labels = [line.strip() for line in (given.get("labels") or "").splitlines() if line.strip()]
        labels = self._with_config(given, labels, kind)
        for field, reason in label_errors(labels, kind):
            self.add_error("labels", f"{reason} ({field})")
        return given if "labels" in self.errors else {**given, "labels": labels}

    def _with_config(self, given: dict[str, Any], labels: list[str], kind: TaskType[Any, Any]) -> list[str]:
        try:
            document = label_configs.read_text(given.get(CONFIG) or "")
            if document is None:
                return labels
            categories = label_configs.read(document)
            config = label_config.kept(categories)
        except CategoriesError as error:
            self.add_error(CONFIG, f"{error.field}: {error.problem}")
        except Invalid as error:
            self.add_error(CONFIG, error.message)
        else:
            labels = labels or list(categories.names)
            for member, reason in label_configs.problems(config, labels=labels, kind=kind):
                self.add_error(CONFIG, f"{member}: {reason}")
        return labels


def document_of(job: LabelingJob) -> str:
    """The configuration of a job as the field has it, "" for a job that was given none."""
    found = label_config.document(job.queue.label_category_config, job.labels)
    return "" if found is None else orjson.dumps(found, option=orjson.OPT_INDENT_2).decode()


def config_of(task: dict[str, Any]) -> dict[str, Any]:
    """What a job of this draft of the task step would keep of its configuration."""
    document = label_configs.read_text(task.get(CONFIG, ""))
    return {} if document is None else label_config.kept(label_configs.read(document))


def in_words(task: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """The attributes of each label of a draft that has some, in words."""
    declared = label_config.declared(config_of(task))
    found = [(label, [label_config.in_words(one) for one in declared.of(label)]) for label in task["labels"]]
    return [(label, said) for label, said in found if said]
