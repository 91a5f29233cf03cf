"""What the front end asks of the learning app, with or without that app: the one place that knows whether it is there.

An installation with WAGGLE_LEARNING=no has no trainings, models or loops: people label everything. Pages and endpoints
of models and loops are registered only where the app is installed; besides this file only they import it.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.apps import apps
from django.utils.translation import gettext

from frontend import formats
from labeling.models import DataObject, Label, LabelingJob
from labeling.services.jobs import creation
from learning import loop_words
from learning.contract import EVERY_ARCHITECTURE
from learning.families import DETECTOR
from learning.hyperparameters import AUGMENTATIONS
from learning.selection.losses import KINDS as LOSSES
from learning.services.active.loop_settings import RANGES, LoopSettings, family_of, measure_of
from marketplace import metrics
from marketplace.errors import Invalid
from marketplace.models import Account
from marketplace.stuck import Stuck

# These come from modules without models, which forms and serializers need in any case.
__all__ = [
    "AUGMENTATIONS",
    "DETECTOR",
    "EVERY_ARCHITECTURE",
    "LOSSES",
    "RANGES",
    "LoopSettings",
    "count_models",
    "final_model_arns",
    "family_of",
    "figures",
    "gallery",
    "has_model",
    "import_model",
    "installed",
    "launch_job",
    "loop_activity",
    "loop_view",
    "loop_words",
    "machine_labels",
    "measure_of",
    "promised",
    "stuck_things",
]


def installed() -> bool:
    """Whether this installation trains models."""
    return apps.is_installed("learning")


if installed():
    # The models of an app that is not installed cannot be imported.
    from learning import queries
    from learning.models import ModelImport
    from learning.services import figures as of_learning
    from learning.services import launch, model_imports, registry


def figures() -> list[Callable[[], metrics.Found]]:
    """What gives the figures of programs and endpoints; nothing without learning."""
    return [of_learning.found] if installed() else []


def stuck_things() -> list[Callable[[], list[Stuck]]]:
    """What finds runs and endpoints that do not go on; nothing without learning."""
    return [of_learning.stuck_things] if installed() else []


def launch_job(*, account: Account, by: str, **design: Any) -> LabelingJob:
    """Create a labeling job and whatever belongs to it. `design` as for `creation.create_job`.

    Raises as that does, and Invalid or NotFound for settings of automated labeling that cannot be used.
    """
    if installed():
        return launch.launch_job(account=account, by=by, **design)
    if (design.get("automated_labeling") or {}).get("enabled"):
        raise Invalid("automated labeling is not installed here", field="automated_labeling.enabled")
    return creation.create_job(account=account, by=by, **design)


def loop_view(job: LabelingJob) -> dict[str, Any] | None:
    """What there is to show of a job's learning loop, see `learning.queries.loop_view`; None for a job without one."""
    return queries.loop_view(job) if installed() and job.automated else None


def loop_activity(view: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """What goes on now in a loop, of which `loop_view` gave this: a sentence with places for values, and these."""
    return queries.activity(view)


def final_model_arns(jobs: Iterable[LabelingJob]) -> dict[int, str]:
    """The ARN of the last model of each job whose loop has made one, by the job's key."""
    if not installed():
        return {}
    return {job_id: registry.arn(model) for job_id, model in queries.final_models(jobs).items()}


def gallery(job: LabelingJob) -> dict[str, tuple[str, dict[str, Any], tuple[str, ...]]]:
    """What a gallery can show of a job with a learning loop, by name: what it is called, which objects, their order."""
    if not (installed() and job.automated):
        return {}
    unsure = {"loop_object__uncertainty__isnull": False}
    return {
        "uncertain": (gettext("Least certain first"), unsure, ("-loop_object__uncertainty", "index")),
        "audited": (gettext("Audited"), {"audited_in__isnull": False}, ("-audited_in__loss", "index")),
    }


def machine_labels(rows: Iterable[DataObject]) -> dict[int, Label]:
    """The labels of a model that audits were about, by their objects' keys; of objects that were audited."""
    if not installed():
        return {}
    return queries.audited_labels([row.pk for row in rows])


def promised(task_type: str, settings: Mapping[str, Any]) -> str:
    """What automated labeling with these settings promises, in words: "mean IoU 0.6"."""
    if error := settings.get("target_error"):
        return formats.filled(gettext("at most {error:g}% wrong labels"), error=round(100 * error, 1))
    given = {name: settings[name] for name in ("target_iou", "target_quality") if settings.get(name)}
    measure = measure_of(task_type)
    return formats.filled(
        "{measure} {target:g}", measure=gettext(measure.name), target=LoopSettings(**given).target(measure)
    )


def count_models(account: Account) -> int | None:
    """How many models the account has; None where no models are trained."""
    return queries.models(account).count() if installed() else None


def has_model(account: Account, name: str) -> bool:
    """Whether the account has a model of this name, or one that is being taken in."""
    if not installed():
        return False
    under_way = ModelImport.objects.filter(account=account, name=name).exclude(status__in=["Failed", "Stopped"])
    return queries.models(account).filter(name=name).exists() or under_way.exists()


def import_model(*, account: Account, name: str, onnx_uri: str, config_uri: str, by: str) -> None:
    """Start taking in a detector of elsewhere. Raises as model_imports.create_import, and Invalid without models."""
    if not installed():
        raise Invalid("this installation has no models", field="name")
    model_imports.create_import(account=account, name=name, onnx_uri=onnx_uri, config_uri=config_uri, by=by)
