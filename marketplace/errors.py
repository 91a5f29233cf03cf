"""The errors the domain raises; front ends render them. Knows nothing of HTTP or the AWS wire."""


class DomainError(Exception):
    """Something the caller asked for cannot be done.

    `message` is for the reader; `field` names the input at fault, if one is; `errors` lists further (field, reason)
    pairs when several inputs are wrong at once.
    """

    def __init__(self, message: str, *, field: str | None = None, errors: list[tuple[str, str]] | None = None):
        super().__init__(message)
        self.message = message
        self.field = field
        self.errors = errors if errors is not None else ([(field, message)] if field else [])


class Invalid(DomainError):
    """The input is wrong."""


class NotFound(DomainError):
    """There is no such thing, or the caller may not know that there is."""


class Forbidden(DomainError):
    """The caller may know of it but not do this."""


class InUse(DomainError):
    """The name is taken, or the thing is in a state that does not allow this."""


class LimitExceeded(DomainError):
    """A quota, or the balance of a wallet, does not allow this."""
