"""Clients that go on whatever happens: what was not answered is sent again with the same Idempotency-Key."""

import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import urllib3

from benchmarks.claim_submit import SIZE

PAUSE_SECONDS = 0.1
REQUEST_SECONDS = 20
ABSENT = {409, 403}
"""Answers to a claim after which another key is used."""


@dataclass
class Record:
    """What one client was told: the answers acknowledged to it, by assignment, and when anything succeeded."""

    acknowledged: dict[int, dict[str, Any]] = field(default_factory=dict)
    held: set[int] = field(default_factory=set)
    successes: list[float] = field(default_factory=list)
    repeats: int = 0
    wrong: list[str] = field(default_factory=list)


class Worker(threading.Thread):
    """One worker's program: claims and submits until it is told to end, and finishes what it holds then."""

    def __init__(self, *, url: str, token: str, queue_id: int, number: int, ending: threading.Event):
        super().__init__(daemon=True)
        self.queue_id, self.number, self.ending = queue_id, number, ending
        self.record = Record()
        self._url = url
        self._http = urllib3.PoolManager(retries=False, timeout=REQUEST_SECONDS, maxsize=1)
        self._head = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def run(self) -> None:
        """The loop."""
        turn = 0
        while not self.ending.is_set():
            turn += 1
            status, body = self._send(
                f"/api/v1/work-queues/{self.queue_id}/claim", {}, key=f"claim-{self.number}-{turn}"
            )
            if status != 200:
                if status not in ABSENT:
                    self.record.wrong.append(f"claim: {status} {body}")
                time.sleep(PAUSE_SECONDS)
                continue
            if body["assignment"] is None:
                return
            self._answer(body["assignment"]["id"])

    def _answer(self, seat: int) -> None:
        self.record.held.add(seat)
        answer = an_answer(seat)
        status, body = self._send(
            f"/api/v1/assignments/{seat}/submit", {"answer": answer, "seconds": 8.2}, key=f"submit-{seat}"
        )
        if status == 200:
            self.record.acknowledged[seat] = answer
            self.record.held.discard(seat)
        else:
            self.record.wrong.append(f"submit of {seat}: {status} {body}")

    def _send(self, path: str, body: dict[str, Any], *, key: str) -> tuple[int, Any]:
        """Status and body of the first answer that is no passing failure; the same request is sent until then."""
        encoded = json.dumps(body).encode()
        while True:
            try:
                response = self._http.request(
                    "POST", self._url + path, body=encoded, headers={**self._head, "Idempotency-Key": key}
                )
                if response.status < 500 and response.status != 429:
                    self.record.successes.append(time.monotonic())
                    return response.status, response.json()
            except (urllib3.exceptions.HTTPError, ValueError):
                pass
            self.record.repeats += 1
            time.sleep(PAUSE_SECONDS)


def an_answer(seat: int) -> dict[str, Any]:
    """An answer that no other seat has, so that one that was altered or exchanged is noticed."""
    box = {"left": seat % 1000 + 0.5, "top": seat // 1000 % 700, "width": 180, "height": 140.75, "label": "bee"}
    return {"boundingBox": {"boundingBoxes": [box], "inputImageProperties": SIZE}}


def longest_gap(records: list[Record], *, begin: float, end: float) -> float:
    """The longest time between two successes of any client from `begin` to `end`, in seconds."""
    moments = sorted(moment for record in records for moment in record.successes if begin <= moment <= end)
    bounds = [begin, *moments, end]
    return max(later - earlier for earlier, later in zip(bounds, bounds[1:], strict=False))
