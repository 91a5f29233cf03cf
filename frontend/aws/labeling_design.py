"""What CreateLabelingJob asks for, in the fields of a job's design. No rule of jobs lives here."""

from typing import Any

from frontend.aws import lambda_functions, references
from frontend.aws.registry import Call
from labeling import task_types
from labeling.services.jobs import label_configs, ui_templates
from labeling.services.review import task_uis
from marketplace.errors import DomainError, Invalid

FIELDS = {
    "name": "LabelingJobName",
    "label_attribute_name": "LabelAttributeName",
    "audit_label_attribute_name": "LabelCategoryConfigS3Uri: auditLabelAttributeName",
    "input_manifest_uri": "InputConfig.DataSource.S3DataSource.ManifestS3Uri",
    "dataset": "InputConfig.DataSource",
    "input_topic_arn": "InputConfig.DataSource.SnsDataSource.SnsTopicArn",
    "output_topic_arn": "OutputConfig.SnsTopicArn",
    "content_classifiers": "InputConfig.DataAttributes.ContentClassifiers",
    "output_uri": "OutputConfig.S3OutputPath",
    "labels": "LabelCategoryConfigS3Uri: labels",
    "label_category_config": "LabelCategoryConfigS3Uri",
    "label_category_config_uri": "LabelCategoryConfigS3Uri",
    "max_human_labeled_objects": "StoppingConditions.MaxHumanLabeledObjectCount",
    "max_percentage_labeled": "StoppingConditions.MaxPercentageOfInputDatasetLabeled",
    "automated_labeling": "LabelingJobAlgorithmsConfig",
    "automated_labeling.enabled": "LabelingJobAlgorithmsConfig",
    "automated_labeling.initial_model": "LabelingJobAlgorithmsConfig.InitialActiveLearningModelArn",
    "tags": "Tags",
    **{
        field: f"HumanTaskConfig.{member}"
        for field, member in {
            "task_type": "PreHumanTaskLambdaArn",
            "workteam": "WorkteamArn",
            "title": "TaskTitle",
            "description": "TaskDescription",
            "keywords": "TaskKeywords",
            "price": "PublicWorkforceTaskPrice",
            "workers_per_object": "NumberOfHumanWorkersPerDataObject",
            "task_time_limit_seconds": "TaskTimeLimitInSeconds",
            "task_availability_seconds": "TaskAvailabilityLifetimeInSeconds",
            "max_concurrent_tasks": "MaxConcurrentTaskCount",
            "template": "UiConfig.UiTemplateS3Uri",
            ui_templates.FIELD: "UiConfig.UiTemplateS3Uri",
            "instructions": "UiConfig.UiTemplateS3Uri: instructions",
            "pre_human_task_function": "PreHumanTaskLambdaArn",
            "annotation_consolidation_function": "AnnotationConsolidationConfig.AnnotationConsolidationLambdaArn",
        }.items()
    },
}
"""Field of a job's design -> the member that it comes from."""

# What the algorithms of AWS learn, by the last part of their ARN -> the family of learners here.
_ALGORITHMS = {
    "object-detection": "detector",
    "image-classification": "image-classifier",
    "semantic-segmentation": "segmenter",
    "text-classification": "text-classifier",
}
_OPTIONAL = {
    "TaskAvailabilityLifetimeInSeconds": "task_availability_seconds",
    "MaxConcurrentTaskCount": "max_concurrent_tasks",
    "TaskKeywords": "keywords",
}


def design_of(call: Call) -> dict[str, Any]:
    """The fields that follow from InputConfig, HumanTaskConfig, and the files and functions that these name.

    Raises Invalid and NotFound, naming fields of the design.
    """
    sources = call.members["InputConfig"]["DataSource"]
    if not {"S3DataSource", "SnsDataSource"} & sources.keys():
        raise Invalid("an S3DataSource or an SnsDataSource expected", field="dataset")
    config = call.members["HumanTaskConfig"]
    ui = config["UiConfig"]
    consolidation = config.get("AnnotationConsolidationConfig", {}).get("AnnotationConsolidationLambdaArn")
    pre = config.get("PreHumanTaskLambdaArn")
    task_type = lambda_functions.task_type(pre, consolidation, ui.get("HumanTaskUiArn"))
    design = {
        "task_type": task_type,
        "input_manifest_uri": sources.get("S3DataSource", {}).get("ManifestS3Uri"),
        "input_topic_arn": sources.get("SnsDataSource", {}).get("SnsTopicArn", ""),
        "output_topic_arn": call.members["OutputConfig"].get("SnsTopicArn", ""),
        "content_classifiers": call.members["InputConfig"].get("DataAttributes", {}).get("ContentClassifiers", []),
        "workteam": references.workteam(call, config["WorkteamArn"]),
        "title": config["TaskTitle"],
        "description": config["TaskDescription"],
        "workers_per_object": config["NumberOfHumanWorkersPerDataObject"],
        "task_time_limit_seconds": config["TaskTimeLimitInSeconds"],
        "price_micros": references.price_micros(config.get("PublicWorkforceTaskPrice")) or 0,
        "labels": [],
        **{field: config[member] for member, field in _OPTIONAL.items() if member in config},
        **_functions(pre, consolidation),
        **_shown(call, task_type, ui),
        **_learning(call, task_type),
    }
    if uri := call.members.get("LabelCategoryConfigS3Uri"):
        design["label_category_config"] = label_configs.read_file(account=call.account, uri=uri)
    return design


def _functions(pre: str | None, consolidation: str | None) -> dict[str, str]:
    """The functions of the requester's own."""
    found = {}
    for field, arn, begin in (
        ("pre_human_task_function", pre, lambda_functions.PRE),
        ("annotation_consolidation_function", consolidation, lambda_functions.CONSOLIDATE),
    ):
        try:
            found[field] = lambda_functions.own(arn, begin)
        except DomainError as error:
            raise Invalid(error.message, field=field) from None
    return found


def _shown(call: Call, task_type: str, ui: dict[str, Any]) -> dict[str, Any]:
    """What people are shown: the template of a file or of a human task UI of the account, or AWS's own page."""
    kind = task_types.get(task_type)
    if uri := ui.get("UiTemplateS3Uri"):
        return ui_templates.fields(kind, ui_templates.read_file(account=call.account, uri=uri))
    own = ui.get("HumanTaskUiArn")
    if own and kind.by_template:
        name = references.named(call, own, "human-task-ui")
        return ui_templates.fields(kind, task_uis.task_ui(call.account, name).text)
    return {}


def _learning(call: Call, task_type: str) -> dict[str, Any]:
    """Automated labeling, which is on when an algorithm is named. Raises Invalid for one that learns other labels."""
    config = call.members.get("LabelingJobAlgorithmsConfig")
    if config is None:
        return {}
    arn = config["LabelingJobAlgorithmSpecificationArn"]
    kind = task_types.get(task_type)
    family = _ALGORITHMS.get(arn.rpartition("/")[2])
    if family is None or (kind.learner and kind.learner != family):
        expected = ", ".join(name for name, learner in _ALGORITHMS.items() if learner == kind.learner)
        said = f"{arn!r} found, an ARN that ends with {expected or 'one of ' + ', '.join(_ALGORITHMS)} expected"
        raise Invalid(said, field="automated_labeling")
    model = config.get("InitialActiveLearningModelArn")
    return {"automated_labeling": {"enabled": True, **({"initial_model": model} if model else {})}}
