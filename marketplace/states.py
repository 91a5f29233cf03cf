"""State machines as tables of allowed moves. The only place that assigns `.status`."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from marketplace.errors import WrongState
from marketplace.models.audit import AuditEvent


class Machine:
    """One table of moves for one model: `Machine("labeling job", {"Initializing": {"InProgress", "Failed"}, ...})`."""

    def __init__(self, noun: str, moves: Mapping[str, set[str]]):
        unknown = {to for targets in moves.values() for to in targets} - set(moves)
        if unknown:
            raise ValueError(f"{noun}: moves lead to states without a row: {sorted(unknown)}")
        self.noun = noun
        self.moves = {state: frozenset(targets) for state, targets in moves.items()}
        # Called in the transaction of every change with the row and its new state; services/events.py adds to it.
        self.followers: list[Callable[[models.Model, str], None]] = []

    @property
    def states(self) -> tuple[str, ...]:
        """Every state, in the order of the table."""
        return tuple(self.moves)

    @property
    def final(self) -> frozenset[str]:
        """The states that cannot be left."""
        return frozenset(state for state, targets in self.moves.items() if not targets)

    def choices(self) -> list[tuple[str, str]]:
        """The states as Django field choices."""
        return [(state, state) for state in self.moves]

    def begin(self, obj: Any) -> None:
        """Tell the followers of a new row in its first state, in the transaction that has made it."""
        for follower in self.followers:
            follower(obj, obj.status)

    def advance(self, obj: models.Model, to: str, *, by: str, because: str = "", **changes: Any) -> bool:
        """Move `obj` to `to`: lock the row, re-read it, check the table, write, record. Needs an open transaction.

        Returns False when the row already is in `to` (the call is safe to repeat), True when it moved. `changes` are
        further fields written with the move. Raises WrongState for a move the table does not have.
        """
        connection = transaction.get_connection(obj._state.db)
        if not connection.in_atomic_block:
            raise transaction.TransactionManagementError(f"{self.noun}: advance() needs an open transaction")
        # FOR NO KEY UPDATE: inserts of rows with a foreign key to this one must not wait for this transaction.
        rows = type(obj)._default_manager.select_for_update(of=("self",), no_key=True)
        locked: Any = rows.get(pk=obj.pk)
        before = locked.status
        if before == to:
            obj.refresh_from_db()
            return False
        if to not in self.moves[before]:
            raise WrongState(f"the {self.noun} is {before} and cannot become {to}", field="status")
        now = timezone.now()
        fields = {"status": to, "status_changed_at": now, **changes}
        for name, value in fields.items():
            setattr(locked, name, value)
        locked.save(update_fields=[*fields])
        AuditEvent.objects.create(
            account_id=AuditEvent.account_of(locked),
            object_type=obj._meta.label,
            object_id=obj.pk,
            from_status=before,
            to_status=to,
            by=by,
            because=because,
            at=now,
        )
        for follower in self.followers:
            follower(locked, to)
        obj.refresh_from_db()
        return True
