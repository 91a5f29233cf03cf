"""What a label import may be asked to do, and how much at once. Pure: knows neither rows nor files."""

from labeling.formats.interchange import kinds
from labeling.formats.manifest import MAX_LINE_CHARACTERS

DATASET, GOLDS = "dataset", "golds"
PURPOSES = (DATASET, GOLDS)
"""What labels become: a new data set that has them, or golds of a job."""

AUTO = "auto"
ASKED_FORMATS = (AUTO, *kinds.FORMATS)
"""The formats that can be asked for."""

WITHOUT_BOXES = ("labeled", "unlabeled")
"""What an object that is listed with nothing on it is: one on which there is nothing, or one nobody looked at."""

DEFAULT_ATTRIBUTE = "labels"
"""The attribute of a data set's labels when none is named."""

MOST_AT_ONCE = 3
"""Imports of one account that may be unfinished at a time."""

MAX_LINE_BYTES = 4 * MAX_LINE_CHARACTERS
"""Bytes of a manifest line with its labels: what `manifest.parse` reads."""

MOST_LINES = 200_000
"""Lines of a report that are kept; all are counted."""

MAX_CLASSES = 10_000
"""Different classes of one import; a file with more has its class names wrong."""
