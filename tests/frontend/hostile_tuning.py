"""The forms and the bodies of tuning jobs, and the step of the wizard about learning, for hostile.py."""

from collections.abc import Iterator
from typing import Any

from tests.frontend.world import World

RATE = {"name": "learning_rate", "type": "Continuous", "min_value": 0.0001, "max_value": 0.1}
OBJECTIVE = {"type": "Maximize", "metric_name": "validation:mAP"}
AUTOMATION = {"enabled": "on", "target_iou": "0.6", "target_quality": "0.6", "max_rounds": 3, "audit_share": "0.1"} | {
    "architecture": "compact", "promise": "error", "target_error": "0.05", "error_loss": "image",
    "check": "on", "check_source": "manifest", "check_named": "guess", "check_price": "0.012", "blind_share": "0.15",
}  # fmt: skip


def tuning_forms(ids: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(address, fields) of every form about tuning jobs."""
    # One range; the others are as the form proposes them, empty.
    ranges = {"TOTAL_FORMS": 1, "INITIAL_FORMS": 0, "0-name": "learning_rate", "0-type": "Continuous"}
    ranges |= {"0-low": "0.0001", "0-high": "0.1", "0-scaling": "Auto", "0-values": ""}
    yield (
        "/tunings/new/",
        {
            "name": "made", "dataset": ids["dataset_id"], "fixed": "label_attribute_name = boxes",
            "strategy": "Bayesian", "metric": "validation:mAP", "direction": "Maximize", "max_jobs": "3",
            "max_parallel_jobs": "1", "max_runtime_minutes": "9", "early_stopping": "Off",
            "target_objective_value": "0.9", "max_jobs_not_improving": "3", "random_seed": "1", "warm_start": "",
            "min_resource": "", "max_resource": "", "parents": [],
            "architecture": "compact", "complete_on_convergence": "on",
            **{f"range-{name}": value for name, value in ranges.items()},
        },
    )  # fmt: skip
    yield f"/tunings/{ids['tuning_id']}/stop/", {}
    yield f"/tunings/{ids['tuning_id']}/delete/", {}


def tuning_bodies(world: World) -> dict[str, dict[str, Any]]:
    """The bodies by operation."""
    return {
        "create_tuning_job": {
            "name": "made",
            "dataset": world.ids["dataset_id"],
            "hyperparameters": {"label_attribute_name": "boxes"},
            "strategy": "Bayesian",
            "objective": OBJECTIVE,
            "ranges": [RATE, {"name": "optimizer", "type": "Categorical", "values": ["sgd", "adam"]}],
            "limits": {"max_jobs": 3, "max_parallel_jobs": 1, "max_runtime_seconds": 600},
            "completion": {"target_objective_value": 0.9, "max_jobs_not_improving": 3},
            "random_seed": 1,
        }
    }
