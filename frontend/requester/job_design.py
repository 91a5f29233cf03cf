"""What a draft of the wizard stands for: the arguments with which its job is made."""

from typing import Any

from frontend.requester.automation_fields import BY_ERROR, SOURCE_NAMED_BY
from frontend.requester.fields import selection_of
from frontend.requester.function_fields import drafted
from frontend.requester.job_forms import HOUR, MINUTE, STEPS, certified, wanted_end
from frontend.requester.template_fields import split_hosts
from labeling import task_types
from labeling.services.jobs import label_configs
from labeling.services.prelabels.options import LOOP
from marketplace.models import Comparator

AUTOMATION = ("architecture", "max_rounds", "audit_share")
"""The fields of the automation step that are settings of a learning loop, beside what it promises."""


def design(draft: dict[str, Any]) -> dict[str, Any]:
    """The draft as keyword arguments of labeling's create_job, without its input and with the team's primary key."""
    data, task, people = (draft[step] for step in ("data", "task", "people"))
    auto = draft["automation"] if "automation" in STEPS else {}
    redundancy: dict[str, Any] = {"kind": people["redundancy"]}
    if people["redundancy"] == "dynamic":
        redundancy["target_confidence"] = people["target_confidence"]
    made: dict[str, Any] = {
        "name": data["name"],
        "selection": selection_of(data),
        "task_type": task.get("task_type", task_types.DEFAULT),
        "audit_label_attribute_name": task.get("audit_label_attribute_name", ""),
        "labels": task["labels"],
        "label_category_config": label_configs.read_text(task.get("label_category_config", "")),
        "template": task.get("template", ""),
        "script_hosts": split_hosts(task.get("hosts", "")),
        **drafted(task),
        "title": task["title"],
        "description": task["description"],
        "instructions": {
            "short": task["short"],
            "full": task["full"],
            "good_examples": task.get("good_examples", []),
            "bad_examples": task.get("bad_examples", []),
        },
        "workteam": people["workteam"],
        "workers_per_object": people["workers_per_object"],
        "redundancy": redundancy,
        "price_micros": people["price"],
        "expected_seconds": people["expected_seconds"],
        "task_time_limit_seconds": people["time_limit_minutes"] * MINUTE,
        "max_concurrent_tasks": people["max_concurrent_tasks"],
        "review_days": people.get("review_days"),
        "qualification_requirements": required(people),
        "routing_rule": people.get("routing_rule") or "",
        "golds": _golds(people),
        "content_classifiers": certified(people),
        "max_human_labeled_objects": people["max_human_labeled_objects"],
        "max_percentage_labeled": people["max_percentage_labeled"],
        "max_spend_micros": people["max_spend"],
        "price_ceiling_micros": people.get("price_ceiling"),
        "wanted_end": wanted_end(people),
    }
    if people["availability_hours"]:
        made["task_availability_seconds"] = int(people["availability_hours"] * HOUR)
    if data.get("label_attribute_name"):
        made["label_attribute_name"] = data["label_attribute_name"]
    if auto.get("enabled"):
        made["automated_labeling"] = {
            "enabled": True,
            **{name: auto[name] for name in (*_promise(auto), *AUTOMATION) if auto.get(name) is not None},
        }
    if auto.get("check"):
        made["prelabels"] = prelabels(auto)
    return made


def prelabels(auto: dict[str, Any]) -> dict[str, Any]:
    """The options of pre-labels that the automation step stands for; {} without any."""
    if not auto.get("check"):
        return {}
    source = auto.get("check_source") or LOOP
    given = {
        "check_price_micros": auto.get("check_price"),
        "blind_share": auto.get("blind_share"),
        SOURCE_NAMED_BY.get(source, ""): auto.get("check_named") or None,
    }
    return {"source": source} | {name: one for name, one in given.items() if name and one is not None}


def _promise(auto: dict[str, Any]) -> tuple[str, ...]:
    """The fields of the automation step that say what is promised."""
    return ("target_error", "error_loss") if auto.get("promise") == BY_ERROR else ("target_iou", "target_quality")


def required(people: dict[str, Any]) -> list[dict[str, Any]]:
    """The qualification requirements that the people step stands for."""
    least = people.get("qualification_least")
    values: dict[str, Any] = (
        {"comparator": Comparator.EXISTS}
        if least is None
        else {
            "comparator": Comparator.GREATER_THAN_OR_EQUAL_TO,
            "integer_values": [least],
        }
    )
    head_start = {"head_start_minutes": people.get("head_start_minutes")}
    return [{"qualification_type": key, **values, **head_start} for key in people.get("qualifications", [])]


def _golds(people: dict[str, Any]) -> dict[str, Any] | None:
    """The options of golds; none without any of the fields."""
    fields = ("rate", "attribute", "mint")
    given = {name: people.get(f"golds_{name}") for name in fields if people.get(f"golds_{name}")}
    return given or None
