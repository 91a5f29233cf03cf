"""What was refused while something was taken in: all refusals are counted, the first kept with their reason."""

from labeling.models import BadLine, Dataset, LabelingJob

# Enough to see what is wrong; a file of a million bad lines must not become a million rows.
KEPT = 1000


class Refusals:
    """Counts refused lines and keeps the first KEPT."""

    def __init__(self) -> None:
        self.count = 0
        self.rows: list[BadLine] = []

    def add(self, number: int, reason: str, excerpt: str = "") -> None:
        """Refuse line `number` (one-based)."""
        self.count += 1
        if len(self.rows) < KEPT:
            # PostgreSQL's text cannot hold NUL.
            clean = excerpt.replace("\x00", "\ufffd")[:200]
            self.rows.append(BadLine(number=number, reason=reason.replace("\x00", "\ufffd")[:500], excerpt=clean))

    def save(self, *, dataset: Dataset | None = None, job: LabelingJob | None = None) -> None:
        """Write the kept ones in place of any earlier report."""
        BadLine.objects.filter(dataset=dataset, job=job).delete()
        for row in self.rows:
            row.dataset, row.job = dataset, job
        BadLine.objects.bulk_create(self.rows, batch_size=500)
