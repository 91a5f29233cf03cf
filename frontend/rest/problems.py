"""The kinds of problem the API answers with: one stable type URI each, its status and its meaning.

The kinds of the domain come from its error classes; those that only HTTP has are listed here. Renders nothing.
"""

from collections.abc import Iterator
from typing import NamedTuple

from marketplace import errors

PREFIX = "urn:waggle:problem:"
STATUS: dict[type[errors.DomainError], int] = {
    errors.Invalid: 400,
    errors.NotFound: 404,
    errors.Forbidden: 403,
    errors.InUse: 409,
    errors.LimitExceeded: 409,
    errors.StoreFull: 507,
    errors.TooManyTries: 429,
    errors.Unavailable: 503,
    errors.EndpointBusy: 429,
    errors.ModelFailed: 424,
}


class Kind(NamedTuple):
    """A kind of problem: the last part of its type URI, its status code and what it means."""

    name: str
    status: int
    meaning: str

    @property
    def uri(self) -> str:
        """The `type` member of the problem document."""
        return PREFIX + self.name

    @property
    def title(self) -> str:
        """The `title` member: the same for every problem of the kind."""
        return self.name.replace("-", " ").capitalize()


def status_of(error: type[errors.DomainError]) -> int:
    """The status code of a domain error."""
    return next(STATUS[base] for base in error.__mro__ if base in STATUS)


def _domain(base: type[errors.DomainError] = errors.DomainError) -> Iterator[Kind]:
    for error in base.__subclasses__():
        if "kind" in vars(error):
            meaning = (error.__doc__ or "").strip().splitlines()[0]
            yield Kind(error.kind, status_of(error), meaning)
        yield from _domain(error)


_HTTP = (
    Kind("parse-error", 400, "The request cannot be read: its body is not what its Content-Type says."),
    Kind("not-authenticated", 401, "No token and no session came with the request."),
    Kind("authentication-failed", 401, "The token is unknown or was revoked."),
    Kind("permission-denied", 403, "The caller may not do this."),
    Kind("csrf-failed", 403, "A request with a session changes something and carries no valid CSRF token."),
    Kind("method-not-allowed", 405, "The address does not know this method; the Allow header names those it knows."),
    Kind("not-acceptable", 406, "The Accept header asks for a format that the API does not have."),
    Kind("content-too-large", 413, "The body has more bytes than the server accepts."),
    Kind("unsupported-media-type", 415, "The address does not accept the body's Content-Type."),
    Kind("range-not-satisfiable", 416, "The Range lies outside the file; Content-Range tells its length."),
    Kind("throttled", 429, "Too many requests; the Retry-After header tells when to come back."),
    Kind("error", 500, "An error of the server; it has been logged."),
)
KINDS: dict[str, Kind] = {kind.name: kind for kind in (*_domain(), *_HTTP)}


def table() -> str:
    """Every kind as a Markdown table, for the documentation."""
    rows = sorted(KINDS.values(), key=lambda kind: (kind.status, kind.name))
    return "\n".join(
        ["| type | status | meaning |", "|---|---|---|", *(f"| `{k.uri}` | {k.status} | {k.meaning} |" for k in rows)]
    )
