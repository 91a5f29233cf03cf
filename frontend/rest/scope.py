"""What a request says about who is calling: user, token, header and session, handed to the scope service as values."""

from rest_framework.request import Request

from frontend.session import SESSION_KEY
from marketplace.errors import AccountNotNamed, Forbidden, NotFound
from marketplace.models import Account, ApiToken, Role, Worker
from marketplace.services import scope

ACCOUNT_HEADER = "HTTP_WAGGLE_ACCOUNT"


def account_of(request: Request, at_least: Role | str = Role.VIEWER) -> Account:
    """The account a request acts for. Raises as `scope.account_for` does, naming the header that would help."""
    token = token_of(request)
    session = getattr(request, "session", None)
    number = request.META.get(ACCOUNT_HEADER, "")
    try:
        return scope.account_for(
            user=request.user,
            token_account_id=token.account_id if token is not None else None,
            number=number,
            session_account_id=session.get(SESSION_KEY) if session is not None else None,
            at_least=at_least,
        )
    except AccountNotNamed:
        raise AccountNotNamed("you are a member of several accounts; name one in the Waggle-Account header") from None
    except NotFound as error:
        raise NotFound(error.message, field="Waggle-Account" if error.field else None) from None


def worker_of(request: Request) -> Worker:
    """The caller as a worker. Raises Forbidden for somebody who is none."""
    return scope.worker_of(request.user)


def actor(request: Request) -> str:
    """How the audit trail names the caller."""
    return scope.actor(request.user)


def token_of(request: Request) -> ApiToken | None:
    """The token with which a program signed in, None for a browser."""
    token: ApiToken | None = request.auth
    return token


def require_personal(request: Request) -> None:
    """Raises Forbidden for a token of one account: it does not decide where its owner belongs."""
    token = token_of(request)
    if token is not None and token.account_id is not None:
        raise Forbidden("a token of one account does not act for you; sign in or use a personal token")


def require_operator(request: Request) -> None:
    """Raises Forbidden for everybody but the operators of the installation, and for tokens of one account."""
    scope.require_operator(request.user)
    token = token_of(request)
    if token is not None and token.account_id is not None:
        raise Forbidden("a token of one account does not act for the installation; use a personal token")
