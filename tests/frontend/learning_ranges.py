"""The declared limits of the fields about topics, trainings, tuning jobs, models and endpoints, for test_ranges.py."""

from frontend.requester import automation_fields, tuning_forms
from labeling.services.jobs import limits, pricing
from labeling.services.prelabels import options
from labeling.services.review import flows
from labeling.services.streams import topics
from learning.services import channels, model_approval, training, transforms
from learning.services.hosting import asking, hosting, reviewing, strategies
from learning.services.tuning import config, creating, ranges
from marketplace import arns, money, names
from marketplace.services import boundaries
from tests.frontend import improvement_world

DECLARED = {
    "input_topic_arn": topics.ARN_LENGTH,
    "output_topic_arn": topics.ARN_LENGTH,
    **{name: allowed for name, (_, allowed) in options.NUMBERS.items()},
    "check_price": money.TEXT_LENGTH,
    "check_named": automation_fields.NAMES_LENGTH,
    "checked_share": pricing.SHARE,
    "PreLabelsInput.attribute": limits.LABEL_ATTRIBUTE_NAME_LENGTH,
    "PreLabelsInput.model": arns.LENGTH,
    "PreLabelsInput.endpoint": names.LENGTH,
    "attribute_names": channels.ATTRIBUTE_NAMES,
    **improvement_world.DECLARED,
    "endpoint": names.LENGTH,
    **strategies.RANGES,
    "instance_count": hosting.INSTANCES,
    "weight": hosting.WEIGHT,
    "variants": hosting.VARIANTS,
    "variant": names.LENGTH,
    "config": names.LENGTH,
    "VariantInput.model": arns.LENGTH,
    **dict.fromkeys(("EndpointReviewInput.least_score", "ReviewForm.least_score"), reviewing.LEAST_SCORE),
    "most_per_hour": reviewing.MOST_PER_HOUR,
    "ReviewForm.conditions": flows.CONDITIONS_LENGTH,
    "ReviewTrainingInput.model": arns.LENGTH,
    **dict.fromkeys(("dataset_name", "ReviewTrainingInput.endpoint"), names.LENGTH),
    "capture_percent": hosting.CAPTURE_PERCENT,
    "CaptureInput.percent": hosting.CAPTURE_PERCENT,
    "modes": hosting.CAPTURED_PARTS,
    "least_scores": asking.SCORES_LENGTH,
    **{
        f"TrainingForm.{name}": training.VALUE_LENGTH
        for name in ("epochs", "max_seconds", "batch_size", "learning_rate", "image_size", "more")
    },
    **dict.fromkeys(("ApprovalForm.comment", "ModelApprovalInput.comment"), model_approval.COMMENT_LENGTH),
    **dict.fromkeys(("onnx_uri", "config_uri"), boundaries.URI_LENGTH),
    "group": names.LENGTH,
    "score_threshold": transforms.SCORES,
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
FREE = ("test_dataset", "training_dataset", "low", "high", "min_value", "max_value", "target_objective_value")
"""Any finite number; what it means is checked by the service."""
