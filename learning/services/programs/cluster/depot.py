"""What the store keeps of the starts of one run on a cluster: the parcels that its nodes read and write.

They lie below programs/ beside the parts of the accounts, so that no requester can name them. Knows the store and
learning/nodes/parcels.py; neither the cluster nor what runs there.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from learning.nodes.parcels import INPUT, LIVE, ORDER, RESULT, STATE, Order, Wanted, is_input, pack, unpack
from learning.services.programs.channel_images import ADDRESS_SECONDS
from marketplace import storage
from marketplace.errors import Invalid, NotFound

READ, WRITTEN = (ORDER, INPUT), (LIVE, STATE, RESULT)


class Depot:
    """The parcels of one run, which `name` tells from all others. Every method raises StoreUnavailable."""

    def __init__(self, name: str):
        self.base = storage.join(settings.STORE_URL, "programs", name)
        if not self.base.startswith("s3://"):
            raise Invalid(
                f"the store is {settings.STORE_URL}: the nodes of a cluster need one that they reach over the network, "
                "so WAGGLE_STORE_URL has to be s3://..."
            )

    def uri(self, number: int, name: str) -> str:
        """The address of a parcel of one start."""
        return storage.join(self.base, str(number), name)

    def put_input(
        self, number: int, folder: Path, *, wanted: Wanted = is_input, texts: Mapping[str, bytes] | None = None
    ) -> None:
        """Keep what the program reads, and of earlier starts only their states.

        `wanted`: which files of the folder; `texts`: what is put beside them, by name.
        """
        for found in storage.list(f"{self.base}/"):
            if not found.uri.endswith(f"/{STATE}"):
                storage.delete(found.uri)
        with storage.writer(self.uri(number, INPUT)) as out:
            pack(folder, wanted, out, texts=texts)

    def put_order(self, number: int, order: Order) -> None:
        """Write the order, or write it anew: with links that are good for ADDRESS_SECONDS from now."""
        links = {name: self._link(number, name) for name in READ}
        links |= {name: self._link(number, name, action="put_object") for name in WRITTEN}
        if (earlier := self.newest(STATE, before=number)) is not None:
            links["earlier"] = self._link(earlier, STATE)
        order.links.clear()
        order.links.update(links)
        storage.write(self.uri(number, ORDER), order.to_json(), content_type="application/json")

    def link_to_order(self, number: int) -> str:
        """By which a node reads its order."""
        return self._link(number, ORDER)

    def version(self, number: int, name: str) -> str:
        """Which version of a parcel there is; "" for none."""
        try:
            return storage.version(self.uri(number, name)).version
        except NotFound:
            return ""

    def take(self, number: int, name: str, folder: Path) -> dict[str, str]:
        """Unpack a parcel into the folder. Raises NotFound."""
        with self.opened(number, name) as stream:
            return unpack(stream, folder)

    @contextmanager
    def opened(self, number: int, name: str) -> Iterator[BinaryIO]:
        """A parcel as a stream. Raises NotFound."""
        with storage.open(self.uri(number, name)) as stream:
            yield stream

    def remove(self) -> None:
        """Remove everything: the run is over."""
        for found in storage.list(f"{self.base}/"):
            storage.delete(found.uri)

    def newest(self, name: str, *, before: int | None = None) -> int | None:
        """The newest start of which there is such a parcel; None without one."""
        found: list[int] = []
        for one in storage.list(f"{self.base}/"):
            # The pieces of a divided run have theirs further down.
            number, _, rest = one.uri.removeprefix(f"{self.base}/").partition("/")
            if rest == name and number.isdigit() and (before is None or int(number) < before):
                found.append(int(number))
        return max(found, default=None)

    def _link(self, number: int, name: str, *, action: str = "get_object") -> str:
        found = storage.presign_for_programs(self.uri(number, name), ADDRESS_SECONDS, action=action)
        assert found is not None  # s3:// only
        return found
