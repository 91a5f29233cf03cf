"""The ranges of a labeling job's numbers and texts, each declared once: forms, serializers and the design read them.

Limits that CreateLabelingJob has are the same here. Pure: knows neither jobs nor teams.
"""

from typing import Any

from labeling import redundancy
from labeling.formats import attribute_names, template
from marketplace.ranges import Range

HOUR, DAY = 3600, 86_400

LABEL_LENGTH = Range(1, 256)
"""Characters of one label."""

LABEL_ATTRIBUTE_NAME_LENGTH = Range(1, attribute_names.MAX_LENGTH)
"""Characters of the attribute that holds the labels in the output manifest."""

TITLE_LENGTH = Range(1, 128)
"""Characters of the title that workers see in their list."""

DESCRIPTION_LENGTH = Range(1, 255)
"""Characters of the description under the title."""

SHORT_INSTRUCTIONS_LENGTH = Range(0, 2_000)
"""Characters of the instructions beside the image."""

FULL_INSTRUCTIONS_LENGTH = Range(0, 20_000)
"""Characters of the full instructions."""

CAPTION_LENGTH = Range(0, 300)
"""Characters under an example picture."""

EXAMPLE_KINDS = ("good_examples", "bad_examples")
"""The lists of example pictures that instructions have."""

EXAMPLES = Range(0, 20)
"""How many example pictures of each kind a job has."""

KEYWORDS = Range(0, 5)
"""How many keywords a job has."""

KEYWORD_LENGTH = Range(1, 30)
"""Characters of one keyword."""

TEMPLATE_LENGTH = Range(1, template.MAX_TEMPLATE)
"""Characters of a worker template."""

SCRIPT_HOSTS = Range(0, 20)
"""How many hosts the scripts of a template may come from."""

SCRIPT_HOST_LENGTH = Range(1, 253)
"""Characters of one of them, with its port."""

TAGS = Range(0, 50)
"""How many tags a job has."""

TAG_KEY_LENGTH = Range(1, 128)
"""Characters of a tag's key."""

TAG_VALUE_LENGTH = Range(0, 256)
"""Characters of a tag's value."""

FREE_OF_PERSONAL_DATA = "FreeOfPersonallyIdentifiableInformation"
FREE_OF_ADULT_CONTENT = "FreeOfAdultContent"
CONTENT_CLASSIFIERS = (FREE_OF_PERSONAL_DATA, FREE_OF_ADULT_CONTENT)
"""What a requester may certify of the data of a job (ContentClassifiers)."""

CERTIFICATES = Range(0, len(CONTENT_CLASSIFIERS))
"""How many of them a job has."""

REVIEW_DAYS = Range(0, 30)
"""Days after which an answer that nobody has reviewed is accepted by itself."""

ROUTING_RULE_LENGTH = Range(0, 200)
"""Characters of the name of a routing rule."""

WORKERS_PER_OBJECT = Range(1, 9)
"""NumberOfHumanWorkersPerDataObject; here also a mean, in steps of redundancy.STEP."""

REDUNDANCY = ("fixed", "dynamic")
"""Always workers_per_object answers, or as many as it takes to reach the target confidence."""

START = Range(1, WORKERS_PER_OBJECT.high)
"""Answers that an object gets at first with dynamic redundancy; at most the job's workers_per_object."""

TARGET_CONFIDENCE = Range(0.01, 0.9999)
"""Of dynamic redundancy: a lower target would be reached by every object at once, a higher one by none."""

EXPECTED_SECONDS = Range(0.1, 8 * HOUR)
"""Seconds that a task is expected to take; simple choices take less than one."""

TASK_TIME_LIMIT_SECONDS = Range(30, 8 * HOUR)
"""How long a worker may keep a task."""

AVAILABILITY_SECONDS = Range(60, 30 * DAY)
"""TaskAvailabilityLifetimeInSeconds: how long a batch stays open to a private team."""

PUBLIC_AVAILABILITY_SECONDS = Range(60, 12 * HOUR)
"""The same for the public pool."""

MAX_CONCURRENT_TASKS = Range(1, 5_000)
"""Objects that are open to people at once."""

MAX_HUMAN_LABELED_OBJECTS = Range(1, 2**31 - 1)
"""Objects labeled by people after which the job ends; at most what the column holds."""

MAX_PERCENTAGE_LABELED = Range(1, 100)
"""Percent of the objects that are labeled when the job ends."""

WANTED_HOURS = Range(1, 30 * DAY // HOUR)
"""Hours in which a job should be done: it ends after 30 days."""

OBJECTS = Range(1, 2**31 - 1)
"""Objects that a cost estimate is made for."""

WORKERS = Range(1, 2**31 - 1)
"""People that the duration of a job is estimated with."""


def workers_errors(workers_per_object: Any, *, dynamic: bool = False) -> list[tuple[str, str]]:
    """What is wrong with the answers that an object gets, perhaps on average: (field, reason)."""
    found = f"{workers_per_object!r} found"
    if workers_per_object not in WORKERS_PER_OBJECT:
        return [("workers_per_object", f"{found}, {WORKERS_PER_OBJECT} expected")]
    if dynamic and workers_per_object != round(workers_per_object):
        expected = "a whole number expected: with dynamic redundancy it is the most that an object may get"
        return [("workers_per_object", f"{found}, {expected}")]
    if not redundancy.is_step(workers_per_object):
        return [("workers_per_object", f"{found}, a multiple of {redundancy.STEP} expected")]
    return []
