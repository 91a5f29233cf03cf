"""Keeps a sample of what endpoints are asked and answer, as SageMaker's data capture does: JSON Lines, by the hour.

An answer waits for nothing: a thread of this process writes what has come together, a few seconds later. When it cannot
keep up, or the store does not answer, samples are left out and the log says how many.
"""

import atexit
import base64
import logging
import random
import threading
import time
import uuid
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from marketplace import storage
from marketplace.errors import DomainError

log = logging.getLogger(__name__)

WRITE_SECONDS = 5.0
WAITING_BYTES = 64 << 20
"""At most so many bytes of requests and answers wait to be written."""


@dataclass(frozen=True)
class Plan:
    """What is kept of one deployment: `percent` of the requests, `modes` of Input and Output, below `uri`."""

    percent: int
    uri: str
    modes: Sequence[str]

    def draws(self) -> bool:
        """Whether this request is one that is kept."""
        return self.percent > 0 and random.random() * 100 < self.percent


@dataclass(frozen=True)
class Sample:
    """One request and its answer."""

    plan: Plan
    endpoint: str
    variant: str
    content_type: str
    image: bytes
    answer: bytes
    inference_id: str
    at: datetime

    @property
    def folder(self) -> str:
        """Where SageMaker would put it: <endpoint>/<variant>/<year>/<month>/<day>/<hour>."""
        return storage.join(self.plan.uri, self.endpoint, self.variant, *f"{self.at:%Y/%m/%d/%H}".split("/"))

    def line(self) -> bytes:
        """The line of the file, in SageMaker's form."""
        data = {}
        if "Input" in self.plan.modes:
            encoded = base64.b64encode(self.image).decode("ascii")
            data["endpointInput"] = _part(self.content_type, "INPUT", encoded, "BASE64")
        if "Output" in self.plan.modes:
            data["endpointOutput"] = _part("application/json", "OUTPUT", self.answer.decode(), "JSON")
        about = {"eventId": str(uuid.uuid4()), "inferenceTime": f"{self.at:%Y-%m-%dT%H:%M:%SZ}"}
        if self.inference_id:
            about["inferenceId"] = self.inference_id
        return orjson.dumps({"captureData": data, "eventMetadata": about, "eventVersion": "0"}) + b"\n"


def _part(content_type: str, mode: str, data: str, encoding: str) -> dict[str, str]:
    return {"observedContentType": content_type, "mode": mode, "data": data, "encoding": encoding}


class Writer:
    """Collects samples and writes them, each folder's together in one new object."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[Sample] = deque()
        self._bytes = self._left_out = 0
        self._timer: threading.Timer | None = None
        atexit.register(self.flush)

    def keep(self, sample: Sample) -> None:
        """Take a sample; returns at once."""
        size = len(sample.image) + len(sample.answer)
        with self._lock:
            if self._bytes + size > WAITING_BYTES:
                self._left_out += 1
                return
            self._waiting.append(sample)
            self._bytes += size
            if self._timer is None:
                self._timer = threading.Timer(WRITE_SECONDS, self.flush)
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> None:
        """Write what is waiting."""
        with self._lock:
            samples, self._waiting, self._bytes = self._waiting, deque(), 0
            left_out, self._left_out = self._left_out, 0
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        if left_out:
            log.warning("%d samples of endpoints were left out: the store is too slow for them", left_out)
        folders: dict[str, list[Sample]] = defaultdict(list)
        for sample in samples:
            folders[sample.folder].append(sample)
        for folder, some in folders.items():
            name = f"{some[0].at:%M-%S}-{time.time_ns() // 1_000_000 % 1000:03d}-{uuid.uuid4()}.jsonl"
            try:
                storage.write(
                    storage.join(folder, name),
                    b"".join(sample.line() for sample in some),
                    content_type="application/jsonl",
                )
            except (DomainError, OSError):
                log.exception("%d samples of the endpoint %s could not be kept", len(some), some[0].endpoint)


WRITER = Writer()
keep, flush = WRITER.keep, WRITER.flush


def now() -> datetime:
    """The time of a sample."""
    return datetime.now(UTC)
