"""The design of a labeling job: every rule of CreateLabelingJob. Its ranges are in limits.py, its prices in pricing.py.

All fields that are wrong are reported at once. Knows nothing of what happens to a job once it exists.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings

from labeling import redundancy, task_types
from labeling.formats.attribute_names import validate_label_attribute_name
from labeling.models import Dataset
from labeling.queries import gold_budget
from labeling.services.functions import choosing
from labeling.services.golds import options as golds
from labeling.services.intake.selection import JOB_KINDS, check_selection
from labeling.services.jobs import (
    audited_labels,
    keywords,
    label_configs,
    limits,
    most_likely_wrong,
    pricing,
    repricing,
    templates,
)
from labeling.services.jobs import instructions as texts
from labeling.services.prelabels import options as prelabels
from labeling.services.streams import topics
from labeling.task_types.base import TaskType
from marketplace.errors import DomainError, Invalid
from marketplace.models import Account, Contract, Workteam
from marketplace.names import check_name
from marketplace.ranges import Range
from marketplace.services import boundaries, requirements
from marketplace.services.requirements import Requirement

AVAILABILITY = {True: 6 * limits.HOUR, False: 30 * limits.DAY}
"""TaskAvailabilityLifetimeInSeconds when it is left out, by whether the team is the public pool."""

OUTPUT = re.compile(r"(s3|file)://.+")
"""Addresses that output can be written to."""


@dataclass(kw_only=True)
class Design:
    """A job as it was requested; `check` completes the defaults or raises Invalid with every error."""

    account: Account
    name: str
    labels: list[str]
    workteam: Workteam
    title: str
    description: str
    dataset: Dataset | None = None
    input_manifest_uri: str | None = None
    label_attribute_name: str | None = None
    audit_label_attribute_name: str = ""
    task_type: str = task_types.DEFAULT
    selection: dict[str, Any] | None = None
    output_uri: str | None = None
    input_topic_arn: str = ""
    output_topic_arn: str = ""
    instructions: dict[str, Any] | None = None
    template: str = ""
    script_hosts: list[str] | None = None
    label_category_config: dict[str, Any] | None = None
    pre_human_task_function: str = ""
    annotation_consolidation_function: str = ""
    function_secret: str = ""
    workers_per_object: float = 5
    redundancy: dict[str, Any] | None = None
    price_micros: int = 0
    expected_seconds: float = 30
    task_time_limit_seconds: int = 600
    task_availability_seconds: int | None = None
    max_concurrent_tasks: int = 1000
    review_days: int | None = None
    qualification_requirements: list[dict[str, Any]] | None = None
    routing_rule: str = ""
    max_human_labeled_objects: int | None = None
    max_percentage_labeled: int | None = None
    max_spend_micros: int | None = None
    price_ceiling_micros: int | None = None
    wanted_end: datetime | None = None
    golds: dict[str, Any] | None = None
    automated_labeling: dict[str, Any] | None = None
    prelabels: dict[str, Any] | None = None
    content_classifiers: list[str] | None = None
    tags: list[dict[str, str]] | None = None
    role_arn: str = ""
    keywords: list[str] | None = None
    errors: list[tuple[str, str]] = field(default_factory=list)
    requirements: list[Requirement] = field(default_factory=list, init=False)
    # Set by `check`: where the team is a vendor's, and where people check pre-labels for a price of its own.
    contract: Contract | None = field(default=None, init=False)
    check_price_micros: int | None = field(default=None, init=False)

    @property
    def kind(self) -> TaskType[Any, Any] | None:
        """The requested task type, None when there is none of that name."""
        return task_types.get(self.task_type) if self.task_type in task_types.names() else None

    @property
    def public(self) -> bool:
        """Whether everybody in the public pool may work on it."""
        return bool(self.workteam.public)

    def check(self) -> None:
        """Fill in the defaults. Raises Invalid listing every field that is wrong."""
        self.label_attribute_name = self.label_attribute_name or _default_attribute(self.name, self.kind)
        self.selection = self.selection or {"kind": "full"}
        self.redundancy = self.redundancy or {"kind": "fixed"}
        self.automated_labeling = self.automated_labeling or {}
        self.keywords, self.tags = self.keywords or [], self.tags or []
        self.script_hosts = [host.lower() for host in dict.fromkeys(self.script_hosts or [])]
        self.content_classifiers = list(dict.fromkeys(self.content_classifiers or []))
        if self.task_availability_seconds is None:
            self.task_availability_seconds = AVAILABILITY[self.public]
        for rule in (
            label_configs.check_design,
            _names,
            _labels,
            templates.check_design,
            audited_labels.check_design,
            most_likely_wrong.check_design,
            choosing.check_design,
            _input,
            _team,
            _content,
            _texts,
            _people,
            _money,
            prelabels.check_design,
            _times,
            _stopping,
            _lists,
            _learning,
            topics.check_design,
        ):
            rule(self)
        if self.errors:
            fields = ", ".join(dict.fromkeys(name for name, _ in self.errors))
            raise Invalid(f"the labeling job cannot be created, these fields are wrong: {fields}", errors=self.errors)
        self.instructions = texts.clean_instructions(self.instructions or {})

    def wrong(self, name: str, reason: str) -> None:
        """Record what is wrong with a field."""
        self.errors.append((name, reason))

    def within(self, name: str, allowed: Range) -> None:
        """The field must be a whole number of the range."""
        value = getattr(self, name)
        if not isinstance(value, int) or value not in allowed:
            self.wrong(name, f"{value!r} found, a whole number of {allowed} expected")

    def attempt(self, name: str, check: Callable[[], object]) -> None:
        """Run a check that raises; its message becomes the field's error."""
        try:
            check()
        except (ValueError, DomainError) as error:
            self.wrong(name, str(error))


def _names(design: Design) -> None:
    design.attempt("name", lambda: check_name(design.name))
    kind = design.kind
    if kind is None:
        design.attempt("task_type", lambda: task_types.get(design.task_type))
    elif "name" not in dict(design.errors) or design.label_attribute_name != _default_attribute(design.name, kind):
        attribute = design.label_attribute_name or ""
        design.attempt(
            "label_attribute_name",
            lambda: validate_label_attribute_name(
                attribute,
                kind.name,
                is_file=kind.label_is_file,
                reviewed=design.audit_label_attribute_name or None,
            ),
        )


def _default_attribute(name: str, kind: TaskType[Any, Any] | None) -> str:
    """The job's name, with the ending that names of files have where its labels are files."""
    ending = "-ref" if kind is not None and kind.label_is_file and not name.endswith("-ref") else ""
    return name + ending


def label_errors(labels: Any, kind: TaskType[Any, Any]) -> list[tuple[str, str]]:
    """What is wrong with the labels of a job of this task type: (field, reason), "labels[3]" for one of them."""
    if not isinstance(labels, list) or not kind.fewest_labels <= len(labels) <= kind.most_labels:
        return [("labels", f"{kind.fewest_labels} to {kind.most_labels} labels expected")]
    errors = []
    seen: set[str] = set()
    for place, label in enumerate(labels):
        if not isinstance(label, str) or not label.strip() or len(label) not in limits.LABEL_LENGTH:
            errors.append((f"labels[{place}]", f"a text of {limits.LABEL_LENGTH} characters expected"))
        elif label in seen:
            errors.append((f"labels[{place}]", f"{label!r} appears twice"))
        elif label in kind.reserved_labels:
            errors.append((f"labels[{place}]", f"{label!r} is offered to workers already, beside the labels"))
        else:
            seen.add(label)
    return errors


def _labels(design: Design) -> None:
    design.errors += label_errors(design.labels, design.kind or task_types.get(task_types.DEFAULT))


def _input(design: Design) -> None:
    neither = design.dataset is None and not design.input_manifest_uri
    both = design.dataset is not None and bool(design.input_manifest_uri)
    if both or (neither and not design.input_topic_arn):
        design.wrong("dataset", "either a data set or an input_manifest_uri expected")
    if design.dataset is not None:
        if design.dataset.account_id != design.account.pk:
            design.wrong("dataset", "there is no such data set in the account")
        elif design.dataset.status in ("Failed", "Stopped"):
            design.wrong("dataset", f"the data set is {design.dataset.status}: {design.dataset.failure_reason}")
    try:
        design.selection = check_selection(design.selection, kinds=JOB_KINDS)
    except Invalid as error:
        part = "kind" if error.field == "selection" else error.field
        design.wrong(f"selection.{part}", error.message)
    if design.output_uri and (
        len(design.output_uri) not in boundaries.URI_LENGTH or not OUTPUT.fullmatch(design.output_uri)
    ):
        design.wrong(
            "output_uri", f"an s3:// or file:// address of at most {boundaries.URI_LENGTH.longest} characters expected"
        )


def _team(design: Design) -> None:
    if design.workteam.of_vendor:
        _under_contract(design)
    elif not design.public and design.workteam.account_id != design.account.pk:
        design.wrong("workteam", "there is no such team in the account")
    try:
        design.requirements = requirements.read(design.account, design.qualification_requirements or [])
    except Invalid as error:
        design.errors += error.errors


def _under_contract(design: Design) -> None:
    """The contract fixes the price."""
    try:
        design.contract, design.price_micros = pricing.contract_price(
            team=design.workteam,
            requester=design.account,
            task_type=design.task_type,
            price_micros=design.price_micros,
        )
    except DomainError as error:
        design.wrong(error.field or "workteam", error.message)


def _content(design: Design) -> None:
    certified = design.content_classifiers or []
    for place, name in enumerate(certified):
        if name not in limits.CONTENT_CLASSIFIERS:
            expected = " or ".join(limits.CONTENT_CLASSIFIERS)
            design.wrong(f"content_classifiers[{place}]", f"{name!r} found, {expected} expected")
    if reason := content_refusal(certified, public=design.public):
        design.wrong("content_classifiers", reason)


def content_refusal(certified: list[str], *, public: bool) -> str:
    """Why a job whose data is certified so may not go to this workforce; "" when it may."""
    if not public or limits.FREE_OF_PERSONAL_DATA in certified:
        return ""
    return (
        "the public pool is given only data that you certify to be free of personal data "
        f"({limits.FREE_OF_PERSONAL_DATA}); give other data to a private team"
    )


def _texts(design: Design) -> None:
    for name, allowed in (("title", limits.TITLE_LENGTH), ("description", limits.DESCRIPTION_LENGTH)):
        value = getattr(design, name)
        if not isinstance(value, str) or len(value.strip()) not in allowed:
            design.wrong(name, f"a text of {allowed} characters expected")
    instructions = design.instructions or {}
    for part, allowed in (("short", limits.SHORT_INSTRUCTIONS_LENGTH), ("full", limits.FULL_INSTRUCTIONS_LENGTH)):
        if len(instructions.get(part) or "") not in allowed:
            design.wrong(f"instructions.{part}", f"a text of {allowed} characters expected")
        for address in texts.outside_pictures(instructions.get(part) or ""):
            design.wrong(f"instructions.{part}", f"the picture {address[:200]}: {texts.WAY_OUT}")
    for kind in limits.EXAMPLE_KINDS:
        examples = instructions.get(kind) or []
        if len(examples) not in limits.EXAMPLES:
            design.wrong(f"instructions.{kind}", f"{len(examples)} found, {limits.EXAMPLES} example pictures expected")
        for place, example in enumerate(examples):
            if len(example.get("caption") or "") not in limits.CAPTION_LENGTH:
                design.wrong(
                    f"instructions.{kind}[{place}].caption", f"a text of {limits.CAPTION_LENGTH} characters expected"
                )


def _people(design: Design) -> None:
    design.within("max_concurrent_tasks", limits.MAX_CONCURRENT_TASKS)
    if design.review_days is not None:
        design.within("review_days", limits.REVIEW_DAYS)
    if design.routing_rule and design.routing_rule not in settings.ROUTING_RULES:
        design.wrong("routing_rule", f"{design.routing_rule!r} is not among those that the operator allows")
    design.redundancy, errors = complete_redundancy(design.redundancy or {}, design.workers_per_object)
    design.errors += errors
    design.golds, errors = golds.complete(design.golds or {}, design.kind)
    design.errors += errors


def complete_redundancy(given: dict[str, Any], workers_per_object: Any) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The redundancy with its defaults, and what is wrong with it or with the workers: (field, reason)."""
    errors = limits.workers_errors(workers_per_object, dynamic=given.get("kind") == "dynamic")
    if given.get("kind") == "dynamic":
        given = {"target_confidence": 0.9, "start": 2} | {
            key: value for key, value in given.items() if value is not None
        }
        start, target = given["start"], given["target_confidence"]
        if not isinstance(start, int) or start not in limits.START:
            errors.append(("redundancy.start", f"{start!r} found, a whole number of {limits.START} expected"))
        elif not errors and start > workers_per_object:
            errors.append(("redundancy.start", f"{start} found, at most workers_per_object expected"))
        if target not in limits.TARGET_CONFIDENCE:
            errors.append(("redundancy.target_confidence", f"{target!r} found, {limits.TARGET_CONFIDENCE} expected"))
    elif given.get("kind") not in limits.REDUNDANCY:
        expected = " or ".join(limits.REDUNDANCY)
        errors.append(("redundancy.kind", f"{given.get('kind')!r} found, {expected} expected"))
    return given, errors


def _money(design: Design) -> None:
    price = design.price_micros
    if isinstance(price, bool) or not isinstance(price, int):
        design.wrong("price", "a price in whole micro-dollars expected")
        return
    if design.kind is not None:
        design.attempt(
            "price",
            lambda: pricing.check_price(
                price_micros=price,
                task_type=design.task_type,
                public=design.public,
                panel=design.workteam.is_panel,
            ),
        )
    design.errors += repricing.errors(
        price_micros=price,
        price_ceiling_micros=design.price_ceiling_micros,
        wanted_end=design.wanted_end,
        task_type=design.task_type,
        team=design.workteam,
    )
    if design.max_spend_micros is not None and "workers_per_object" not in dict(design.errors):
        answers, _ = redundancy.split(design.workers_per_object)
        rate = (design.golds or {}).get("rate", 0)
        if "golds.rate" not in dict(design.errors):
            answers += gold_budget.answers(answers, rate / 100)
        least = answers * (price + pricing.fee(max(price, 0)))
        if design.max_spend_micros < max(least, 1):
            design.wrong("max_spend", "too little: it does not pay for one object")


def _times(design: Design) -> None:
    if design.expected_seconds not in limits.EXPECTED_SECONDS:
        design.wrong("expected_seconds", f"{design.expected_seconds!r} found, {limits.EXPECTED_SECONDS} expected")
    design.within("task_time_limit_seconds", limits.TASK_TIME_LIMIT_SECONDS)
    available = limits.PUBLIC_AVAILABILITY_SECONDS if design.public else limits.AVAILABILITY_SECONDS
    design.within("task_availability_seconds", available)


def _stopping(design: Design) -> None:
    if design.max_human_labeled_objects is not None:
        design.within("max_human_labeled_objects", limits.MAX_HUMAN_LABELED_OBJECTS)
    if design.max_percentage_labeled is not None:
        design.within("max_percentage_labeled", limits.MAX_PERCENTAGE_LABELED)


def _learning(design: Design) -> None:
    if (design.automated_labeling or {}).get("enabled") and design.kind is not None and not design.kind.learner:
        design.wrong(
            "automated_labeling.enabled",
            f"no model can learn {design.kind.name} yet: automated labeling must be off for this task type",
        )


def _lists(design: Design) -> None:
    for name, problem in keywords.problems(design.keywords or [], design.tags or []):
        design.wrong(name, problem)
