"""The setting with the quotas of accounts. Pure."""

from marketplace.ranges import Range
from marketplace.settings_kinds import Setting
from marketplace.strict import whole_number

KINDS = {
    "labeling-job": "labeling jobs that are not over",
    "training-job": "training jobs that are not over",
    "hyper-parameter-tuning-job": "tuning jobs that are not over",
    "transform-job": "transform jobs that are not over",
    "human-loop": "human loops that are not over",
    "flow-definition": "flow definitions",
    "human-task-ui": "human task UIs",
    "workteam": "private work teams",
    "model": "names given to models",
    "model-package-group": "groups of models",
    "endpoint-config": "endpoint configurations",
    "endpoint": "endpoints",
}
"""What there may be quotas of, by the word of its ARN."""

_MOST = Range(0, 1_000_000)


def _parse(value: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in (one.strip() for one in value.split(",")):
        if not part:
            continue
        kind, _, text = part.partition("=")
        most = whole_number(text, allowed=_MOST)
        if kind not in KINDS or kind in found or most is None:
            raise ValueError(part)
        found[kind] = most
    return found


QUOTAS: Setting[dict[str, int]] = Setting(
    "WAGGLE_QUOTAS",
    "How many of a kind an account may have, such as labeling-job=20,endpoint=5. The kinds are "
    + ", ".join(f"{kind} ({words})" for kind, words in KINDS.items())
    + ". What the installation makes by itself for a job is counted and never refused.",
    _parse,
    f"quotas separated by commas, each kind={_MOST}, each kind once",
    {},
    default_in_words="no quotas",
)
