"""Which boxes (or spans) of different workers are about the same object: constrained average-link clusters.

Works on the flat arrays of many images at once and knows nothing of worker skill. The result depends on the boxes
only: merges start at the closest pair, and two boxes of one worker are never in one cluster. scipy's and scikit-learn's
average linkage, run on one connected component at a time with a great distance between boxes of one worker, find the
same clusters and take 60 and 120 times as long.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from labeling.consolidation.arrays import Floats, Ints, iou, overlapping_pairs

MOST_PARTNERS = 20
"""A cluster that overlaps with more clusters than these is not joined: so crowded a place tells no objects apart."""

LARGEST_COMPONENT = 400
"""A connected component of more boxes is first cut at a higher overlap, because merging costs the cube of its size."""


def cluster(image: Ints, worker: Ints, ltrb: Floats, pairs: tuple[Ints, Ints], affinity: Floats, joined: float) -> Ints:
    """The number of the cluster of each box, ascending by first member: (N,).

    `image`, `worker` (N,) and `ltrb` (N, 4) are the boxes', `pairs` those worth comparing, whose `affinity` is at least
    1 where they belong together. Clusters that overlap by an IoU of `joined` may be joined afterwards.
    """
    return join_split_clusters(link(worker, *pairs, affinity, 1.0), ltrb, image, worker, joined)


def link(worker: Ints, a: Ints, b: Ints, affinity: Floats, gate: float) -> Ints:
    """Cluster boxes by constrained average link; returns (N,) cluster numbers, ascending by first member.

    `worker` (N,) drew each box, and no worker has two boxes in a cluster. `a, b` are the pairs of one image worth
    comparing, with their `affinity` (greater is closer; pairs not given count 0). Two clusters merge, best first,
    while their mean affinity is at least `gate`.
    """
    n = len(worker)
    component = _components(n, a, b, np.where(worker[a] == worker[b], -np.inf, affinity), gate)
    order = np.argsort(component, kind="stable")
    sizes = np.bincount(component)
    slot = np.empty(n, np.int64)
    slot[order] = np.arange(n) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    leader = np.arange(n)
    inside = component[a] == component[b]
    a, b, affinity = a[inside], b[inside], affinity[inside]
    pair_size = sizes[component[a]]
    for size in np.unique(sizes[sizes > 1]):
        chosen = np.flatnonzero(sizes == size)
        rank = np.full(len(sizes), -1)
        rank[chosen] = np.arange(len(chosen))
        near = pair_size == size
        k, i, j = rank[component[a[near]]], slot[a[near]], slot[b[near]]
        table = np.zeros((len(chosen), size, size))
        table[k, i, j] = table[k, j, i] = affinity[near]
        members = order[np.flatnonzero(np.isin(component[order], chosen))].reshape(len(chosen), size)
        table[worker[members][:, :, None] == worker[members][:, None, :]] = -np.inf
        leader[members] = np.take_along_axis(members, _merge(table, gate), axis=1)
    return np.asarray(np.unique(leader, return_inverse=True)[1], np.int64)


def join_split_clusters(group: Ints, ltrb: Floats, image: Ints, worker: Ints, least: float) -> Ints:
    """Join clusters that are about one object; returns new cluster numbers, ascending by first member.

    Two clusters whose median boxes overlap by `least` and that mostly different workers drew are one object: the boxes
    of the smaller go to the larger where their worker has none yet. Of two real objects side by side most workers would
    have drawn both.
    """
    groups = int(group.max(initial=-1)) + 1
    middle, where = np.zeros((groups, 4)), np.zeros(groups, np.int64)
    members = np.bincount(group, minlength=groups)
    where[group] = image
    order = np.argsort(group, kind="stable")
    start = np.cumsum(members) - members
    for side in range(4):
        ranked = order[np.lexsort((ltrb[order, side], group[order]))]
        low, high = ranked[start + (members - 1) // 2], ranked[start + members // 2]
        middle[:, side] = (ltrb[low, side] + ltrb[high, side]) / 2
    a, b = overlapping_pairs(middle, where)
    overlap = iou(middle[a], middle[b])
    near = np.flatnonzero(overlap >= least)
    drew = np.zeros((groups, int(worker.max(initial=-1)) + 1), bool)
    drew[group, worker] = True
    shared = np.concatenate(
        [(drew[a[some]] & drew[b[some]]).sum(axis=1) for some in np.array_split(near, len(near) // 4096 + 1)]
    )
    near = near[2 * shared < np.minimum(members[a[near]], members[b[near]])]
    partners = np.bincount(np.concatenate([a[near], b[near]]), minlength=groups)
    near = near[np.maximum(partners[a[near]], partners[b[near]]) <= MOST_PARTNERS]
    group = group.copy()
    for pair in near[np.lexsort((b[near], a[near], -overlap[near]))]:
        large, small = (int(k) for k in (a[pair], b[pair]))
        if members[large] < members[small]:
            large, small = small, large
        mine = np.flatnonzero(group == small)
        free = mine[~np.isin(worker[mine], worker[group == large])]
        if 2 * len(free) > len(mine):
            group[free] = large
            members[large] += len(free)
            members[small] -= len(free)
    return np.asarray(np.unique(group, return_inverse=True)[1], np.int64)


def _components(n: int, a: Ints, b: Ints, affinity: Floats, gate: float) -> Ints:
    """Connected components over pairs that reach the gate: two clusters whose mean reaches it have such a pair, so no
    merge crosses components. A component that is too large is cut at ever higher affinities."""
    near = affinity >= gate
    a, b, affinity = a[near], b[near], affinity[near]
    component, too_large, floor = np.zeros(n, np.int64), np.ones(n, bool), gate
    while too_large.any():
        keep = (component[a] == component[b]) & ((affinity >= floor) | ~too_large[a])
        a, b, affinity = a[keep], b[keep], affinity[keep]
        graph = coo_array((np.ones(len(a)), (a, b)), shape=(n, n))
        component = np.asarray(connected_components(graph, directed=False)[1], np.int64)
        too_large = np.bincount(component)[component] > LARGEST_COMPONENT
        too_large &= bool(len(a))
        floor *= 1.15
    return component


def _merge(table: Floats, gate: float) -> Ints:
    """Average link on (K, m, m) affinities (-inf: never together); returns (K, m), the slot each box ends in."""
    count, m, _ = table.shape
    diagonal = np.arange(m)
    weight = np.ones((count, m))
    home = np.tile(diagonal, (count, 1))
    live = np.arange(count)
    for _ in range(m - 1):
        flat = table[live].reshape(len(live), -1)
        best = flat.argmax(axis=1)
        going = flat[np.arange(len(live)), best] >= gate
        live, best = live[going], best[going]
        if not len(live):
            break
        i, j = best // m, best % m
        wi, wj = weight[live, i][:, None], weight[live, j][:, None]
        merged = (table[live, i] * wi + table[live, j] * wj) / (wi + wj)
        table[live, i, :] = table[live, :, i] = merged
        table[live, j, :] = table[live, :, j] = -np.inf
        table[live, i, i] = -np.inf
        weight[live, i] += weight[live, j]
        home[live] = np.where(home[live] == j[:, None], i[:, None], home[live])
    return home
