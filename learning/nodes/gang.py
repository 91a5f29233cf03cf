"""`python -m learning.nodes.gang`: runs one program on several nodes at once, a member (member.py) on each.

The nodes are reserved together, so that two such programs never wait for each other's half. When one is lost, all end
without a result, and the learner starts the run again from its newest checkpoint. The link to the order is in
WAGGLE_NODE_ORDER. No Django here, and no keys of the store.
"""

import logging
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import ray
from ray.exceptions import RayActorError
from ray.util.placement_group import PlacementGroup, placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from learning.nodes import desk, links, parcels
from learning.nodes.desk import LOOK_SECONDS, say
from learning.nodes.member import Member, Seen, deciding
from learning.nodes.parcels import Order

POLL_SECONDS = 0.5
GRACE_SECONDS = 30.0
"""How long the others are waited for when one has ended: they need a moment to miss it."""
SAY_SECONDS = 300.0
END_SECONDS = 10.0


def main() -> int:
    """Run the program; returns 0 when its result was sent, whatever its exit status is."""
    url = os.environ.pop(parcels.ORDER_URL)
    killed = desk.begun()
    try:
        with links.opened(url) as stream:
            order = Order.from_json(stream.read())
        # Members' words come by their answers, in order and without Ray's marks.
        ray.init(logging_level=logging.ERROR, log_to_driver=False)
        reserved = _reserved(order, killed)
        if reserved is None:
            return 1
        with _members(order, reserved, url) as members:
            return _run(members, killed)
    except links.Gone:
        say("this start was given up")
    except links.NotSent as error:
        say(f"the store cannot be reached from a node: {error}")
    except RayActorError as error:
        say(f"a node of the {order.nodes} that work together was lost: {' '.join(str(error).split())[:300]}")
    return 1


def _reserved(order: Order, killed: list[int]) -> PlacementGroup | None:
    """So many nodes, once all of them have room; None when the end is told before. Raises Gone."""
    group = placement_group([_bundle(order.needs)] * order.nodes, strategy="STRICT_SPREAD")
    said, etag = 0.0, ""
    while not group.wait(timeout_seconds=LOOK_SECONDS):
        if time.monotonic() > said + SAY_SECONDS:
            said = time.monotonic()
            say(f"waiting for {order.nodes} nodes that have {_bundle(order.needs)} free")
        if (found := links.changed(order.links[parcels.ORDER], etag)) is not None:
            etag = found[1]
            if Order.from_json(found[0]).stop:
                killed.append(0)
        if killed:
            return None
    return group


def _bundle(needs: Mapping[str, Any]) -> dict[str, float]:
    found = {"CPU": needs["cpus"], "GPU": needs["gpus"], "memory": needs["memory_gib"] * 2**30} | needs["others"]
    return {name: amount for name, amount in found.items() if amount}


@contextmanager
def _members(order: Order, group: PlacementGroup, url: str) -> Iterator[list[Any]]:
    """An actor on each of the nodes; their programs have ended when the block has."""
    needs, kind = order.needs, ray.remote(Member)
    members: list[Any] = []
    try:
        for number in range(order.nodes):
            placed = PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=number)
            options = {"num_cpus": needs["cpus"], "num_gpus": needs["gpus"], "resources": needs["others"]}
            if needs["memory_gib"]:
                options["memory"] = int(needs["memory_gib"] * 2**30)
            made = kind.options(scheduling_strategy=placed, **options)
            members.append(made.remote(url, number, order.nodes))
        yield members
    finally:
        ends = [member.end.remote() for member in members]
        ray.wait(ends, num_returns=len(ends), timeout=END_SECONDS)
        for member in members:
            ray.kill(member)


def _run(members: list[Any], killed: list[int]) -> int:
    places = ray.get([member.fetch.remote() for member in members])
    address, port = places[0]
    starts = [member.start.remote(address, port, here) for member, (here, _) in zip(members, places, strict=True)]
    ray.get(starts)
    say(f"{len(members)} nodes work together, the first is {address}")
    statuses = _followed(members, killed)
    if killed:
        return 1
    number = deciding(statuses)
    status = statuses[number]
    failure = ray.get(members[number].failure.remote()) if number else ""
    # The first one may still run, if it did not miss the others.
    ray.get(members[0].finish.remote(-signal.SIGKILL if status is None else status, failure))
    return 0


def _followed(members: list[Any], killed: list[int]) -> list[int | None]:
    """The statuses of the members once the first one has ended, or all have had time to end after another has failed.

    Those that had not ended are None.
    """
    until: float | None = None
    while True:
        seen: list[Seen] = ray.get([member.look.remote() for member in members])
        for number, one in enumerate(seen):
            _print(number, one.text)
        statuses = [one.status for one in seen]
        if killed or None not in statuses or statuses[0] == 0:
            return statuses
        if any(statuses):
            until = until or time.monotonic() + GRACE_SECONDS
            if time.monotonic() > until:
                return statuses
        time.sleep(POLL_SECONDS)


def _print(number: int, text: str) -> None:
    """The first member's words as they are, since metrics are among them; the others' with their numbers."""
    for line in text.splitlines():
        print(f"node {number}: {line}" if number else line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
