"""`manage.py simulate_crowd`: let simulated workers do a labeling job, or human loops, over the public HTTP API."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from frontend.demo import people
from frontend.demo.crowd import Crowd
from frontend.demo.labeled import LabeledTruth
from frontend.demo.reviewers import Reviewers
from frontend.demo.summary import quality
from frontend.demo.truth import Truth
from labeling import task_types
from labeling.models import DataObject, FlowDefinition, LabelingJob, LabelSource
from labeling.queries import progress
from marketplace import money, strict


class Command(BaseCommand):
    """Puts simulated workers on the team, lets them work over HTTP, and shuts them at the end."""

    help = "Answer a labeling job, or human loops, with simulated workers who know the truth and err in their own ways."

    def add_arguments(self, parser: CommandParser) -> None:
        """The job, the truth, and what the crowd is like."""
        asked = parser.add_mutually_exclusive_group(required=True)
        asked.add_argument("--job", help="name or id of the labeling job")
        asked.add_argument("--flow", help="name of the flow definition whose human loops they answer")
        parser.add_argument(
            "--idle-seconds", type=float, default=60.0, help="with --flow: end when no loop came for so long"
        )
        parser.add_argument(
            "--truth", required=True, type=Path, help="annotations.coco.json beside images/, or a manifest"
        )
        parser.add_argument("--attribute", default="", help="the truth is a manifest that has the labels under this")
        parser.add_argument("--workers", type=int, default=12)
        parser.add_argument("--spammers", type=int, default=2, help="how many of them answer at random")
        parser.add_argument("--seed", type=int, default=7)
        parser.add_argument("--pace", type=float, default=0.0, help="real seconds per simulated second")
        parser.add_argument("--url", default=settings.PUBLIC_URL)

    def handle(self, *args: Any, **options: Any) -> None:
        """Work until the job ends, no more loops come, or the command is interrupted."""
        if not 0 <= options["spammers"] <= options["workers"]:
            raise CommandError("--spammers: between 0 and the number of workers expected")
        if options["flow"]:
            self._review(_flow(options["flow"]), options)
            return
        job = _job(options["job"])
        try:
            truth = _truth(job, options["truth"], options["attribute"])
        except ValueError as error:
            raise CommandError(str(error)) from error
        crew = people.workers(job.workteam, options["workers"])
        try:
            crowd = self._work(job, truth, [member.token for member in crew], options)
        finally:
            people.dismiss(crew)
        self.stdout.write(f"{crowd.tally.answers} answers, {crowd.tally.declined} declined")
        job.refresh_from_db()
        self.stdout.write("\n".join(_report(job, truth)))

    def _review(self, flow: FlowDefinition, options: dict[str, Any]) -> None:
        try:
            truth = Truth(options["truth"])
        except ValueError as error:
            raise CommandError(str(error)) from error
        crew = people.workers(flow.queue.workteam, options["workers"])
        try:
            tokens = [member.token for member in crew]
            found = Reviewers(base_url=options["url"], tokens=tokens, truth=truth, seed=options["seed"])
            found.work(flow.queue_id, idle_seconds=options["idle_seconds"])
        finally:
            people.dismiss(crew)
        self.stdout.write(f"{found.tally.answers} answers, {found.tally.declined} declined")

    def _work(self, job: LabelingJob, truth: Truth | LabeledTruth, tokens: list[str], options: dict[str, Any]) -> Crowd:
        crowd = Crowd(
            base_url=options["url"],
            tokens=tokens,
            truth=truth,
            spammers=options["spammers"],
            seed=options["seed"],
            pace=options["pace"],
        )
        crowd.start(job.pk)
        try:
            crowd.join()
        except KeyboardInterrupt:
            crowd.stop()
            crowd.join()
        return crowd


def _truth(job: LabelingJob, path: Path, attribute: str) -> Truth | LabeledTruth:
    """What is true of the job's objects. Raises ValueError where that cannot be read."""
    if not attribute:
        return Truth(path)
    return LabeledTruth.read(path, kind=task_types.get(job.task_type), attribute=attribute)


def _flow(wanted: str) -> FlowDefinition:
    """The flow definition of this name. Raises CommandError when there is none, or several accounts have one."""
    found = list(
        FlowDefinition.objects.select_related("queue__workteam").filter(name=wanted).exclude(status="Deleting")[:2]
    )
    if len(found) != 1:
        raise CommandError(f"{len(found) or 'no'} flow definitions {wanted!r} found, one expected")
    return found[0]


def _job(wanted: str) -> LabelingJob:
    """The job of this id or name. Raises CommandError when there is none, or several accounts have one."""
    jobs = LabelingJob.objects.select_related("queue__workteam", "account")
    key = strict.whole_number(wanted)
    found = list((jobs.filter(pk=key) if key else jobs.filter(name__iexact=wanted))[:2])
    if not found:
        raise CommandError(f"there is no labeling job {wanted!r}")
    if len(found) > 1:
        raise CommandError(f"several accounts have a labeling job {wanted!r}: name it by its id")
    return found[0]


def _report(job: LabelingJob, truth: Truth | LabeledTruth) -> list[str]:
    """What the design cost and how good its labels are: what a requester wants to know before paying real people."""
    cost = {name: money.text(micros) for name, micros in progress.money(job).items()}
    rows = DataObject.objects.filter(job=job, label__source=LabelSource.HUMAN).select_related("label")
    spent = [
        f"{job.name}: {job.status}",
        f"  ${cost['spent_micros']} spent; labeling all by people would be ${cost['all_human_micros']}",
    ]
    if isinstance(truth, LabeledTruth):
        right = truth.quality({row.index: row.label.value for row in rows if row.label})
        return [*spent, f"  {right['objects']} labeled objects: {right['score']} right on average"]
    labeled = [
        {"source_ref": row.source_ref, "source_name": row.source_name, "label": row.label.value}
        for row in rows
        if row.label
    ]
    found = quality(labeled, truth)
    return [
        *spent,
        f"  {found['objects']} labeled objects: mean IoU {found['mean_iou']}, F1@0.5 {found['f1_50']} "
        f"(precision {found['precision']}, recall {found['recall']})",
    ]
