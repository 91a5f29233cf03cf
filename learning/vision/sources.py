"""Where the images of a training's channels come from: files in the job folder, or addresses that are streamed.

It must not know models.
"""

import os
from collections.abc import Mapping

from labeling.formats.images import Limits
from learning.contract import JobFolder
from learning.hyperparameters import TrainHyperparameters
from learning.program import log
from learning.vision import plan
from learning.vision.data import Cache, Pictures
from learning.vision.manifests import Labels

MOST_NOTES = 200
"""What is said about a channel in the log; the rest is counted."""


def notes(folder: JobFolder, channel: str) -> list[str]:
    """What whoever filled the channel has to say about it."""
    path = folder.notes(channel)
    said = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return said[:MOST_NOTES] + [f"and {len(said) - MOST_NOTES:,} more such"] * (len(said) > MOST_NOTES)


def open_sources(
    folder: JobFolder, labels: Mapping[str, Labels], size: int, asked: TrainHyperparameters
) -> dict[str, Pictures]:
    """Each channel's source of pictures. The memory for decoded ones is shared by the channels."""
    limits = Limits(asked.image_max_bytes, asked.image_max_pixels)
    streamed = [name for name in labels if folder.addresses(name).exists()]
    files = Cache(asked.cache_bytes, limits)
    found: dict[str, Pictures] = dict.fromkeys(labels, files)
    if not streamed:
        return found
    # Only here, because programs that never stream run without the HTTP client.
    from learning.vision.streaming import Stream, StreamedCache

    stream = Stream(folder, cache_bytes=asked.stream_cache_bytes, max_bytes=asked.image_max_bytes)
    cores = os.cpu_count() or 1
    alone = not plan.loader_workers(asked.num_workers, plan.make_device(asked.device), cores)
    images = sum(len(labels[name].items) for name in labels)
    for name in streamed:
        items = labels[name].items
        share = asked.cache_bytes * len(items) // images
        cache = StreamedCache(
            stream,
            items,
            channel=name,
            size=size,
            max_bytes=share,
            limits=limits,
            log=log,
            threads=cores if alone else 0,
        )
        log(
            f"{name}: {len(items)} images are streamed; {cache.slots} stay decoded in memory, the others within "
            f"{asked.stream_cache_bytes:,} bytes on the disk"
        )
        found[name] = cache
    return found
