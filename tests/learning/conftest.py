"""What several files of tests share that costs much: one Ray cluster for all of them."""

import pytest


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """See tests/learning/cluster/clusters.py."""
    # Only here: this file is read before Django is set up.
    from tests.learning.cluster.clusters import running

    with running(tmp_path_factory.mktemp("cluster")) as made:
        yield made
