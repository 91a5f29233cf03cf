"""A replica of an endpoint: `python -m learning.serving.serve FOLDER` serves a model over HTTP until SIGTERM.

The folder is laid out as learning/contract.py says; the port is in output/port once the model is loaded. On SIGTERM
requests that have begun are answered, and the process ends with status 0. No torch and no Django here.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from contextlib import closing
from dataclasses import dataclass, fields
from io import BytesIO
from pathlib import Path
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server
from PIL import Image

from labeling.formats.images import Limits
from learning.contract import EXIT_BAD_INPUT, EXIT_DONE, EXIT_FAILED, MODEL, BadInput, JobFolder, write_atomically
from learning.serving.application import MAX_BODY_BYTES, Application
from learning.serving.archive import opened_model
from learning.serving.batching import Batcher
from learning.serving.detector import Choice, Detector
from learning.serving.images import keep_memory
from learning.serving.paths import PORT, TOKEN
from learning.serving.session import BackendUnavailable

LEAST_SCORE = 0.001
"""The built-in algorithm does not filter by score either; below this there are boxes on nothing at all."""


@dataclass(frozen=True)
class Options:
    """The hyperparameters of a replica, with their defaults; 0 leaves a number to the program."""

    host: str = "127.0.0.1"
    backend: str = "auto"
    num_threads: int = 0
    max_batch: int = 8
    max_delay_ms: float = 5.0
    queue_size: int = 64
    max_detections: int = 100
    max_body_bytes: int = MAX_BODY_BYTES
    image_max_bytes: int = Limits().max_bytes
    image_max_pixels: int = Limits().max_pixels

    @classmethod
    def read(cls, folder: JobFolder) -> "Options":
        """From the folder's hyperparameters; names that begin with _ are left alone. Raises BadInput."""
        known: dict[str, Any] = {spec.name: spec.type for spec in fields(cls)}
        found: dict[str, Any] = {}
        for name, text in folder.read_hyperparameters().items():
            if name.startswith("_"):
                continue
            if name not in known:
                raise BadInput(f"hyperparameter {name!r} is not known; there are {', '.join(known)}")
            try:
                found[name] = known[name](text)
            except ValueError:
                raise BadInput(f"hyperparameter {name!r} is {text!r}; expected a number") from None
        return cls(**found)


def main(root: Path) -> int:
    """Serve; returns the exit status of the contract."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    folder = JobFolder(root.resolve())
    folder.start()
    (folder.root / PORT).unlink(missing_ok=True)
    try:
        options = Options.read(folder)
        application, batcher = opened(folder, options)
    except (BadInput, BackendUnavailable) as error:
        folder.write_failure(str(error))
        return EXIT_BAD_INPUT
    try:
        asyncio.run(_serve(application, folder, options.host))
    except OSError as error:
        folder.write_failure(f"cannot listen at {options.host}: {error}")
        return EXIT_FAILED
    batcher.close()
    return EXIT_DONE


def opened(folder: JobFolder, options: Options) -> tuple[Application, Batcher]:
    """What answers requests with the folder's model, loaded and warm. Raises BadInput and BackendUnavailable."""
    batcher = _batcher(folder, options)
    token = folder.root / TOKEN
    known = token.read_text(encoding="ascii") if token.exists() else ""
    return Application(batcher, token=known, max_body_bytes=options.max_body_bytes), batcher


def _batcher(folder: JobFolder, options: Options) -> Batcher:
    """The model, loaded and warm. Raises BadInput and BackendUnavailable."""
    keep_memory()
    model = opened_model(folder.channel(MODEL))
    limits = Limits(max_bytes=options.image_max_bytes, max_pixels=options.image_max_pixels)
    detector = Detector(model, backend=options.backend, num_threads=options.num_threads, limits=limits)
    try:
        for count in (1, options.max_batch):
            detector.detect([_blank()] * count)
    except Exception as error:  # noqa: BLE001 - the exceptions of the runtimes share no base class but Exception
        raise BadInput(f"the model cannot be run: {' '.join(str(error).split())}") from error
    choice = Choice(LEAST_SCORE, detector.choice.nms_threshold, options.max_detections)
    logging.info("%s by %s", detector.config.architecture, detector.session.name)
    return Batcher(
        detector,
        choice=choice,
        max_batch=options.max_batch,
        max_delay=options.max_delay_ms / 1000,
        queue_size=options.queue_size,
        decoders=options.num_threads or os.cpu_count() or 1,
    )


def _blank() -> bytes:
    """A picture with which a model is warmed up."""
    stream = BytesIO()
    Image.new("RGB", (64, 64)).save(stream, "PNG")
    return stream.getvalue()


async def _serve(application: Application, folder: JobFolder, host: str) -> None:
    family, _, _, _, address = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0]
    with closing(socket.socket(family)) as chosen:
        # Held until the server listens there too, so that no other replica is given the same port.
        chosen.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        chosen.bind((address[0], 0))
        port = int(chosen.getsockname()[1])
        server = Server(
            application,
            address=str(address[0]),
            port=port,
            interface=Interfaces.ASGINL,
            http=HTTPModes.http1,
            websockets=False,
            log_enabled=False,
        )
        # It stops listening, says "connection: close" to whoever is connected, and answers what has begun.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
        write_atomically(folder.root / PORT, str(port))
        await server.serve()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
