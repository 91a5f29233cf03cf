"""A worker's seat on a task as a submit reads it, and the SQL function that stores the answer."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from django.db import connection

from labeling.conduct.observed import Activity
from labeling.services.conduct import noting
from labeling.services.results import reviewing
from marketplace.errors import NotFound
from marketplace.models import Employer


class Handed(NamedTuple):
    """What the submit did. The price and the fee, in micro-dollars, are those of its moment.

    `wanted`: the queue's owner should be advanced; `look`: the worker's conduct should be looked at.
    """

    outcome: str
    paid_micros: int
    fee_micros: int
    key: str
    lease_ended: datetime
    wanted: bool
    look: bool


@dataclass(frozen=True, slots=True)
class Seat:
    """What a submit needs of its seat, read without a lock: only the state can change, and the SQL checks it."""

    pk: int
    worker_id: int
    state: str
    key: str
    paid_micros: int
    queue_id: int
    task_type: str
    title: str
    account_id: int
    review_days: int | None
    mixes_golds: bool
    contract_id: int | None
    vendor_id: int | None
    outside: bool
    input: dict[str, Any]
    labels: list[str]
    earlier_labels: dict[str, str]
    label_category_config: dict[str, Any]

    @classmethod
    def read(cls, pk: int, worker_id: int, address: str | None) -> "Seat":
        """The worker's seat; `address` is where the request comes from (assignments.claim). Raises NotFound."""
        with connection.cursor() as cursor:
            cursor.execute(
                """SELECT a.id, a.worker_id, a.state, a.submit_key, coalesce(a.paid_micros, 0), q.id, q.task_type,
                       q.title, q.account_id, q.review_days,
                       q.gold_salt <> 0, q.contract_id, c.vendor_id, marketplace_outside(w.source_cidrs, %s),
                       t.input, q.labels, q.earlier_labels, q.label_category_config
                   FROM labeling_assignment a JOIN labeling_workqueue q ON q.id = a.queue_id
                   JOIN marketplace_workteam w ON w.id = q.workteam_id
                   JOIN labeling_task t ON t.id = a.task_id
                   LEFT JOIN marketplace_contract c ON c.id = q.contract_id
                   WHERE a.id = %s AND a.worker_id = %s""",
                [address, pk, worker_id],
            )
            row = cursor.fetchone()
        if row is None:
            raise NotFound(f"you have no assignment {pk}")
        values: list[Any] = [*row[:-4], *map(orjson.loads, row[-4:])]
        return cls(*values)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the task's picture in pixels; zeros for a task without one."""
        return self.input.get("width", 0), self.input.get("height", 0)

    @property
    def asked(self) -> dict[str, Any]:
        """What an answer is checked against: arguments of answering.checked."""
        return {
            "task_type": self.task_type,
            "labels": self.labels,
            "size": self.size,
            "earlier": self.earlier_labels,
            "config": self.label_category_config,
        }

    @property
    def employer(self) -> Employer | None:
        """The vendor that is paid in the place of the worker, if the work is under a contract."""
        if self.contract_id is None or self.vendor_id is None:
            return None
        return Employer(self.contract_id, self.vendor_id)

    def own_key(self) -> str:
        """The key of a submit whose client gives none."""
        return f"assignment:{self.pk}" if self.review_days is None else reviewing.answer_key(self.pk)

    def submit(self, answer: str, seconds: float, key: str, now: datetime, activity: Activity | None) -> "Handed":
        """Call labeling_submit (labeling/sql/submit_0060.sql) and, when it accepts, noting.NOTE: one round trip."""
        noted = noting.arguments(
            seat_id=self.pk, worker_id=self.worker_id, queue_id=self.queue_id, activity=activity, now=now
        )
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT s.*, CASE WHEN s.outcome = 'Accepted' THEN {noting.NOTE} ELSE false END "
                "FROM labeling_submit(%s, %s, %s::jsonb, %s, %s, %s, %s) s",
                [*noted, self.pk, self.worker_id, answer, seconds, key, self.queue_id, now],
            )
            return Handed(*cursor.fetchone())
