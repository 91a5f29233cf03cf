"""Lines that were rejected during ingestion: all are counted, the first ones are stored with their reason."""

from labeling.models import BadLine, Dataset, LabelingJob

MOST_KEPT = 1000
"""Rejected lines that are stored: enough to see what is wrong, without a row for each of a million bad lines."""


class RejectedLines:
    """Counts rejected lines and keeps the first MOST_KEPT."""

    def __init__(self) -> None:
        self.count = 0
        self.rows: list[BadLine] = []

    def add(self, number: int, reason: str, excerpt: str = "") -> None:
        """Reject line `number` (one-based)."""
        self.count += 1
        if len(self.rows) < MOST_KEPT:
            # PostgreSQL's text cannot hold NUL.
            clean = excerpt.replace("\x00", "\ufffd")[:200]
            self.rows.append(BadLine(number=number, reason=reason.replace("\x00", "\ufffd")[:500], excerpt=clean))

    def save(self, *, dataset: Dataset | None = None, job: LabelingJob | None = None) -> None:
        """Store the kept lines in place of those of an earlier run."""
        BadLine.objects.filter(dataset=dataset, job=job).delete()
        for row in self.rows:
            row.dataset, row.job = dataset, job
        BadLine.objects.bulk_create(self.rows, batch_size=500)
