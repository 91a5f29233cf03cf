"""Labels become golds of a job: the requester's decisions on its objects, from which the workers' models learn."""

from typing import Any

from labeling.models import LabelImport
from labeling.services.golds import keeping
from labeling.services.imports.pictures import Pictures
from labeling.services.imports.placing import Placed
from labeling.services.results import adjudication


class Golds:
    """Collects the labels of objects and writes them as adjudicated ones, some at a time."""

    def __init__(self, label_import: LabelImport, images: Pictures):
        self._import, self._images = label_import, images
        self._waiting: dict[int, Any] = {}  # by place of the image

    def take(self, place: int, placed: Placed) -> str:
        """Note an object's gold; returns why there is none, else "".

        A gold says all that is there: with a box missing, a worker who drew it would count as wrong.
        """
        if not placed.complete:
            return "is no gold, because not everything that the file has on the object could be used"
        self._waiting[place] = placed.answer
        return ""

    def flush(self) -> dict[int, str]:
        """Write what waits; returns {place of the image: why it is no gold}."""
        if not self._waiting:
            return {}
        keys: dict[int, int] = {self._images.keys[place]: place for place in self._waiting}
        answers: dict[int, Any] = {key: self._waiting[place] for key, place in keys.items()}
        explanation = {"adjudicated_by": self._import.created_by, "label_import": self._import.pk}
        job = self._import.job
        assert job is not None  # An import of golds is made for a job.
        refused = adjudication.adjudicate_many(job=job, answers=answers, explanation=explanation)
        keeping.follow(job=job, object_ids=list(answers), by=self._import.created_by)
        self._waiting = {}
        return {keys[key]: reason for key, reason in refused.items()}
