"""What the drafted job begins with: a data set, or the output of a job that is over, and the first object of it."""

from dataclasses import dataclass, field
from typing import Any

import orjson
from django.urls import reverse
from django.utils.translation import gettext

from frontend.images import image_url
from labeling.models import Dataset, LabelingJob
from labeling.services import scope
from labeling.services.intake import samples
from labeling.services.jobs import chaining
from labeling.services.output import rows
from labeling.task_types.base import TEXT, TaskType
from marketplace.errors import NotFound
from marketplace.models import Account


@dataclass(frozen=True)
class Sample:
    """An object as a preview shows it: its address for a browser, its size, its line of the manifest."""

    address: str
    width: int
    height: int
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class JobInput:
    """One of the two."""

    source: Dataset | LabelingJob

    @property
    def name(self) -> str:
        """In words."""
        if isinstance(self.source, Dataset):
            return self.source.name
        return gettext("output of {name}").format(name=self.source.name)

    @property
    def objects(self) -> int:
        """How many objects it has."""
        return self.source.objects_total

    def arguments(self) -> dict[str, Any]:
        """As create_job takes it. Raises Invalid for a job whose output is not final."""
        if isinstance(self.source, Dataset):
            return {"dataset": self.source}
        return {"dataset": None, "input_manifest_uri": chaining.output_of(self.source)}

    def sample(self, kind: TaskType[Any, Any], user_id: int) -> Sample:
        """Its first object that can be shown. Raises NotFound when there is none."""
        if isinstance(self.source, LabelingJob):
            return _of_job(self.source, user_id)
        address = reverse("requester:dataset-sample", args=[self.source.pk, 0])
        attributes = samples.sample_line(dataset=self.source, number=0)
        if kind.medium == TEXT:
            return Sample(address, len(samples.sample_text(dataset=self.source, number=0)), 1, attributes)
        found = samples.sample(dataset=self.source, number=0)
        return Sample(address, found.width, found.height, attributes)


def of_draft(account: Account, data: dict[str, Any]) -> JobInput:
    """What the data step has chosen. Raises NotFound for what the account does not have any more."""
    if data.get("chained_job"):
        return JobInput(scope.job(account, data["chained_job"]))
    return JobInput(scope.dataset(account, data["dataset"]))


def _of_job(job: LabelingJob, user_id: int) -> Sample:
    row = next((row for row in rows.stream(job) if row.width is not None and row.height is not None), None)
    if row is None or row.width is None or row.height is None:
        raise NotFound(f"the labeling job {job.name} has no object that can be shown")
    attributes = orjson.loads(rows.line_or_failure(row, job)[0])
    return Sample(image_url(row.pk, user_id), row.width, row.height, attributes)
