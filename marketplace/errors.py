"""The errors the domain raises; front ends render them. Knows nothing of HTTP or the AWS wire.

Each class has a `kind`, a stable word for programs. The docstrings appear in the documentation of the API.
"""

import errno
from typing import ClassVar


class DomainError(Exception):
    """Something the caller asked for cannot be done.

    `message` is for the reader; `field` names the input at fault, if one is; `errors` lists further (field, reason)
    pairs when several inputs are wrong at once.
    """

    kind: ClassVar[str]

    def __init__(self, message: str, *, field: str | None = None, errors: list[tuple[str, str]] | None = None):
        super().__init__(message)
        self.message = message
        self.field = field
        self.errors = errors if errors is not None else ([(field, message)] if field else [])


class Invalid(DomainError):
    """The input is wrong."""

    kind = "invalid-input"


class InvalidFilter(Invalid):
    """The list has no such filter, or the filter takes no such value."""

    kind = "invalid-filter"


class InvalidCursor(Invalid):
    """The cursor was not made by this list; start again without one."""

    kind = "invalid-cursor"


class KeyReused(Invalid):
    """The Idempotency-Key was used for another request before."""

    kind = "idempotency-key-reused"


class AccountNotNamed(Invalid):
    """The caller is a member of several accounts and has to name one."""

    kind = "account-not-named"


class NotFound(DomainError):
    """This does not exist, or the caller may not see it."""

    kind = "not-found"


class Forbidden(DomainError):
    """The caller may see it but may not do this."""

    kind = "forbidden"


class InUse(DomainError):
    """The name is taken, or the thing is in a state that does not allow this."""

    kind = "conflict"


class NameTaken(InUse):
    """There is one of this name already."""

    kind = "name-taken"


class BookedAlready(InUse):
    """This was booked before; nothing was booked again."""

    kind = "already-booked"


class WrongState(InUse):
    """The thing is in a state that does not allow this."""

    kind = "wrong-state"


class AlreadySubmitted(InUse):
    """The task was handed in already, with another key; the first answer stands."""

    kind = "already-submitted"


class TaskGone(InUse):
    """The seat is not the caller's any more: expired, returned, declined or cancelled."""

    kind = "task-gone"


class LimitExceeded(DomainError):
    """A quota, or the balance of a wallet, does not allow this."""

    kind = "limit-exceeded"


class TooManyTries(LimitExceeded):
    """There were too many wrong passwords, or requests for a new one, of late; try again later."""

    kind = "too-many-tries"


class InsufficientFunds(LimitExceeded):
    """The wallet or escrow that should pay holds too little."""

    kind = "insufficient-funds"


class AccountOwes(InsufficientFunds):
    """The account owes money, because a deposit was reversed; it can spend again once that is deposited."""

    kind = "account-owes"


class TaskLimit(LimitExceeded):
    """The worker holds as many tasks of the job as anybody may."""

    kind = "task-limit"


class SessionOver(LimitExceeded):
    """The participant's session of a panel's study is over."""

    kind = "session-over"


class ExportLimit(LimitExceeded):
    """The job has as many unfinished exports as it may have at a time."""

    kind = "export-limit"


class ImportLimit(LimitExceeded):
    """The account has as many unfinished label imports as it may have at a time."""

    kind = "import-limit"


class BackgroundLimit(LimitExceeded):
    """The account has as much work waiting or running in the background as it may have at a time."""

    kind = "background-limit"


class Unavailable(DomainError):
    """Another system that is needed for this cannot be reached; try again later."""

    kind = "unavailable"


class EndpointNotReady(Unavailable):
    """No instance of the endpoint answers at the moment; try again later."""

    kind = "endpoint-not-ready"


class EndpointBusy(DomainError):
    """Every instance of the endpoint has as many requests waiting as it takes; try again in a moment."""

    kind = "endpoint-busy"


class ModelFailed(DomainError):
    """The model, or the process that runs it, failed to answer this request."""

    kind = "model-failed"


class StoreUnavailable(Unavailable):
    """The object store cannot be reached, or it answered with a server error."""


class RoutingFailed(Unavailable):
    """The rule that decides who sees which object cannot be asked; the operator has to mend it."""

    kind = "routing-failed"


class StoreFull(StoreUnavailable):
    """The store has no room for this; try again when the operator has made some."""

    kind = "insufficient-storage"


def means_full(error: OSError) -> bool:
    """Whether the operating system says that a disk, or what somebody may use of it, is full."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
