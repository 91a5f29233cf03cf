"""The declared limits of the fields about tuning jobs, for test_ranges.py."""

from frontend.requester import tuning_forms
from learning.services.tuning import config, creating, ranges

DECLARED = {
    **dict.fromkeys(("TuningInput.name", "TuningForm.name", "parents[]"), creating.NAME_LENGTH),
    "parents": config.PARENTS,
    **dict.fromkeys(("metric", "metric_name"), config.METRIC_LENGTH),
    **dict.fromkeys(("RangeInput.name", "RangeForm.name"), ranges.NAME_LENGTH),
    "RangeInput.values": ranges.MOST_VALUES,
    "RangeInput.values[]": ranges.VALUE_LENGTH,
    "RangeForm.values": tuning_forms.VALUES_LENGTH,
    "fixed": tuning_forms.FIXED_LENGTH,
    "ranges": ranges.MOST_RANGES,
    "max_jobs": config.JOBS,
    "max_parallel_jobs": config.PARALLEL,
    "max_runtime_seconds": config.RUNTIME_SECONDS,
    "max_runtime_minutes": config.RUNTIME_SECONDS.in_units(tuning_forms.MINUTE),
    "max_jobs_not_improving": config.NOT_IMPROVING,
    "random_seed": config.SEED,
    **dict.fromkeys(("min_resource", "max_resource"), config.RESOURCE),
}
FREE = ("low", "high", "min_value", "max_value", "target_objective_value")
"""Any finite number; what it means is checked by the service."""
