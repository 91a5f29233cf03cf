"""Every operation of the AWS wire: the files that hold them, each of which registers its own when it is imported."""

from frontend import automation
from frontend.aws import identity, labeling_jobs, review, tags, workforces, workteams
from frontend.aws.registry import OPERATIONS, Operation

__all__ = ["FILES", "OPERATIONS", "find"]

FILES = [identity, labeling_jobs, review, tags, workforces, workteams]
"""The modules of operations, one noun each."""

if automation.installed():
    # An installation may be without the learning app, whose models these import.
    from frontend.aws import (
        endpoint_configs,
        endpoints,
        hosted_models,
        invocations,
        model_packages,
        training_jobs,
        training_logs,
        transform_jobs,
        tuning_jobs,
    )

    FILES += [endpoint_configs, endpoints, hosted_models, invocations, model_packages]
    FILES += [training_jobs, training_logs, transform_jobs, tuning_jobs]


def find(service: str, name: str) -> Operation | None:
    """The operation, None for one that is not answered here."""
    return OPERATIONS.get((service, name))
