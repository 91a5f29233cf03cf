"""crowd-kit's aggregations of class labels. A dependency of the benchmark only: install it into a folder of its own,

    pip install --target /tmp/rivals crowd-kit==1.4.2
    PYTHONPATH=/tmp/rivals python -m benchmarks.label_consensus

because it brings pandas, nltk and transformers, which nothing else here needs.
"""

import sys
from collections.abc import Sequence

from labeling.consolidation.arrays import Floats, Ints

try:
    import pandas
    from crowdkit.aggregation import GLAD, DawidSkene, MajorityVote, OneCoinDawidSkene
except ImportError as missing:
    sys.exit(f"label_consensus: {missing}. {__doc__}")

METHODS = {
    "majority_vote": lambda: MajorityVote(),
    "dawid_skene": lambda: DawidSkene(n_iter=100),
    "one_coin": lambda: OneCoinDawidSkene(n_iter=100),
    "glad": lambda: GLAD(n_iter=100),
}


def chances(method: str, task: Ints, worker: Ints, given: Ints, objects: int, classes: int) -> Floats:
    """(T, K): the probabilities that crowd-kit's `method` gives each label of each object."""
    found = METHODS[method]().fit(frame(task, worker, given))
    return found.probas_.reindex(index=range(objects), columns=range(classes)).fillna(0.0).to_numpy()


def frame(task: Sequence[int] | Ints, worker: Sequence[int] | Ints, given: Sequence[int] | Ints) -> "pandas.DataFrame":
    """The votes as crowd-kit wants them."""
    return pandas.DataFrame({"task": task, "worker": worker, "label": given})
