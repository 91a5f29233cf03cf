"""On whose behalf a request acts: the account it is scoped to, and the worker. Every queryset starts here."""

from rest_framework.request import Request

from marketplace.errors import AccountNotNamed, Forbidden, NotFound
from marketplace.models import Account, Role, Worker
from marketplace.services import accounts

ACCOUNT_HEADER = "HTTP_WAGGLE_ACCOUNT"
SESSION_KEY = "account"


def account_of(request: Request, at_least: Role | str = Role.VIEWER) -> Account:
    """The account a request acts for: the token's, the one named by the Waggle-Account header, the session's, or the
    caller's only one. Raises NotFound for an account the caller is not a member of, Forbidden for too small a role,
    AccountNotNamed when the caller has several and names none.
    """
    token = request.auth if getattr(request, "auth", None) is not None else None
    if token is not None and token.account is not None:
        account = token.account
    else:
        account = _chosen(request)
    accounts.require_role(account=account, user=request.user, at_least=at_least)
    return account


def _chosen(request: Request) -> Account:
    mine = Account.objects.filter(members=request.user)
    if number := request.META.get(ACCOUNT_HEADER):
        found = mine.filter(number=number).first()
        if found is None:
            raise NotFound(f"there is no account {number} you are a member of", field="Waggle-Account")
        return found
    session = getattr(request, "session", None)
    if session is not None and (found := mine.filter(pk=session.get(SESSION_KEY)).first()):
        return found
    several = list(mine.order_by("pk")[:2])
    if not several:
        raise Forbidden("you are not a member of a requester account")
    if len(several) > 1:
        raise AccountNotNamed("you are a member of several accounts; name one in the Waggle-Account header")
    return several[0]


def worker_of(request: Request) -> Worker:
    """The caller as a worker. Raises Forbidden for somebody who is none."""
    try:
        # Already loaded with the token; one query with a session.
        worker: Worker = request.user.worker
    except Worker.DoesNotExist:
        raise Forbidden("you are not registered as a worker") from None
    return worker


def actor(request: Request) -> str:
    """How the audit trail names the caller."""
    return f"user:{request.user.pk}"


def require_operator(request: Request) -> None:
    """Raises Forbidden for everybody but the operators of the installation."""
    if not request.user.is_operator:
        raise Forbidden("only an operator of this installation may do this")
