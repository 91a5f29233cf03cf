"""Jobs that look at the labels of another job, those first that are most likely wrong. Creates nothing."""

from typing import TYPE_CHECKING

from labeling.models import LabelingJob
from labeling.services.intake.selection import JOB_KINDS, LIKELY_WRONG, check_selection
from labeling.services.jobs import chaining
from labeling.services.output import manifests
from labeling.services.results import likely_errors
from labeling.services.results.likely_errors import Ranked
from marketplace.models import Account

if TYPE_CHECKING:
    # The design asks this module, and is only read here.
    from labeling.services.jobs.design import Design


def check_design(design: "Design") -> None:
    """Only a job that verifies or adjusts the labels of another job can take those first that are likely wrong."""
    if (design.selection or {}).get("kind") != LIKELY_WRONG or design.kind is None:
        return
    if design.kind.audited is None:
        reason = "only verification and adjustment jobs can begin with what is likely wrong"
        design.wrong("selection.kind", f"{reason}, not {design.kind.name}")
        return
    source = job_of_output(design.account, design.input_manifest_uri or "")
    if source is None:
        design.wrong("selection.kind", "the output of a labeling job of the account expected as input")
    elif source.label_attribute_name != design.audit_label_attribute_name:
        design.wrong(
            "selection.kind",
            f"it is known of the labels under {source.label_attribute_name!r}, which the job {source.name} has made, "
            f"not of those under {design.audit_label_attribute_name!r}",
        )


def job_of_output(account: Account, uri: str) -> LabelingJob | None:
    """The job of the account that is over and has written this manifest."""
    name = uri.removesuffix(f"/{manifests.MANIFEST}").rpartition("/")[2]
    job = chaining.over(LabelingJob.objects.filter(account=account, name=name)).first()
    return job if job is not None and manifests.manifest_uri(job) == uri else None


def of_input(job: LabelingJob) -> dict[int, Ranked] | None:
    """The input's labels that are most likely wrong, by the places of their lines; None for jobs that did not ask.

    An input whose job is gone has none, and all of its lines count as equally likely.
    """
    selection = check_selection(job.selection, kinds=JOB_KINDS)
    if selection["kind"] != LIKELY_WRONG:
        return None
    source = job_of_output(job.account, job.input_manifest_uri)
    return likely_errors.ranking(source, selection.get("count")) if source is not None else {}
