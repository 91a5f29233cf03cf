"""For which account a caller acts and with which role, and the rows of this room that an account or a user may name.

Takes plain values, so that pages, REST and the AWS wire ask the same questions. Knows nothing of requests and headers.
"""

from django.db.models import Q, QuerySet
from django.utils import timezone

from marketplace import arns, logs
from marketplace.errors import AccountNotNamed, Forbidden, Invalid, NotFound
from marketplace.models import (
    Account,
    ApiToken,
    Block,
    Crowd,
    Invitation,
    InvitationStatus,
    Membership,
    Panel,
    QualificationType,
    Role,
    User,
    Worker,
    Workteam,
    WorkteamMember,
)
from marketplace.services import accounts, eligibility


def account_for(
    *,
    user: User,
    token_account_id: int | None = None,
    number: str = "",
    session_account_id: int | None = None,
    at_least: Role | str = Role.VIEWER,
) -> Account:
    """The account a caller acts for: the token's, else the one named by `number`, else the session's, else their only
    one, else their own: the only one they own, if they have been a member of it for longest.

    Raises NotFound for an account that the caller is no member of, Forbidden for somebody who is a member of none or
    whose role is below `at_least`, AccountNotNamed when there are several to choose from.
    """
    mine = memberships(user)
    if token_account_id is not None:
        found = mine.filter(account=token_account_id).first()
        if found is None:
            raise NotFound("there is no such account")
    elif number:
        found = account_named(user=user, number=number)
    else:
        found = _chosen(mine, session_account_id)
    accounts.require_rank(role=Role(found.role), at_least=at_least, account=found.account)
    logs.bind(account=found.account_id)
    return found.account


def account_named(*, user: User, number: str) -> Membership:
    """The user's membership, with its account, of the account with this number. Raises NotFound."""
    found = memberships(user).filter(account__number=number).first()
    if found is None:
        raise NotFound(f"there is no account {number} you are a member of", field="account")
    return found


def _chosen(mine: QuerySet[Membership], session_account_id: int | None) -> Membership:
    if session_account_id is not None and (found := mine.filter(account=session_account_id).first()):
        return found
    by_age = list(mine.order_by("pk"))
    if not by_age:
        raise Forbidden("you are not a member of a requester account")
    owned = [membership for membership in by_age if membership.role == Role.OWNER]
    # Others can make a user owner of their account, but not a member before the user's own account was made.
    if len(by_age) > 1 and owned != by_age[:1]:
        raise AccountNotNamed("you are a member of several accounts; name one of them")
    return by_age[0]


def account_numbered(number: str) -> Account:
    """Any account by its number, for operators. Raises NotFound."""
    found = Account.objects.filter(number=number).first()
    if found is None:
        raise NotFound(f"there is no account {number}", field="account")
    return found


def worker_of(user: User) -> Worker:
    """The user as a worker. Raises Forbidden for somebody who is none."""
    try:
        # Authenticating a token has loaded it already; a session costs one query here.
        worker: Worker = user.worker
    except Worker.DoesNotExist:
        raise Forbidden("you are not registered as a worker") from None
    return worker


def worker_or_none(user: User) -> Worker | None:
    """The user as a worker, None for somebody who is none."""
    return Worker.objects.filter(user=user.pk).first()


def is_member(user: User, account_id: int) -> bool:
    """Whether the user has any role in the account."""
    return Membership.objects.filter(account=account_id, user=user.pk).exists()


def account_of_member(user: User, account_id: int) -> Account:
    """An account that the user is a member of, by its id. Raises NotFound."""
    found = memberships(user).filter(account=account_id).first()
    if found is None:
        raise NotFound("there is no such account")
    account: Account = found.account
    return account


def memberships(user: User) -> QuerySet[Membership]:
    """The user's roles, with their accounts, oldest account first."""
    return Membership.objects.filter(user=user.pk).select_related("account").order_by("account_id")


def require_operator(user: User) -> None:
    """Raises Forbidden for everybody but the operators of the installation."""
    if not user.is_operator:
        raise Forbidden("only an operator of this installation may do this")


def actor(user: User) -> str:
    """How the audit trail names a user."""
    return accounts.actor(user)


def members(account: Account) -> QuerySet[Membership]:
    """The members of an account with their users, oldest first."""
    return Membership.objects.filter(account=account).select_related("user").order_by("pk")


def member(account: Account, user_id: int) -> User:
    """A member of the account, by the id of the user. Raises NotFound."""
    found = members(account).filter(user=user_id).first()
    if found is None:
        raise NotFound(f"the account has no member {user_id}")
    user: User = found.user
    return user


def tokens(user: User, caller: ApiToken | None = None) -> QuerySet[ApiToken]:
    """A user's API tokens, revoked ones too. To a `caller` of one account, those of this account only."""
    found = ApiToken.objects.filter(user=user)
    return found.filter(account=caller.account_id) if caller is not None and caller.account_id is not None else found


def token(user: User, token_id: int, caller: ApiToken | None = None) -> ApiToken:
    """One of the user's API tokens, as far as `tokens` shows them. Raises NotFound."""
    found = tokens(user, caller).filter(pk=token_id).first()
    if found is None:
        raise NotFound(f"you have no token {token_id}")
    return found


def user_by_email(email: str) -> User:
    """Somebody with a sign-in, by their address. Raises NotFound."""
    found = user_or_none(email)
    if found is None:
        raise NotFound("nobody with this address has a sign-in here", field="email")
    return found


def user_or_none(email: str) -> User | None:
    """Somebody with a sign-in, by their address; None if there is nobody."""
    return User.objects.filter(email__iexact=email.strip()).first()


def users() -> QuerySet[User]:
    """Everybody with a sign-in, with their worker, by address; for operators. Participants of panels have none."""
    return User.objects.select_related("worker").filter(is_participant=False).order_by("email")


def user(user_id: int) -> User:
    """Anybody, participants too, with their worker, for operators. Raises NotFound."""
    found = User.objects.select_related("worker").filter(pk=user_id).first()
    if found is None:
        raise NotFound(f"there is no user {user_id}")
    return found


def invitations(account: Account) -> QuerySet[Invitation]:
    """The account's invitations that can still be accepted, to itself and to its teams, newest first."""
    return _pending().filter(account=account).select_related("workteam", "invited_by").order_by("-pk")


def invitation(account: Account, invitation_id: int) -> Invitation:
    """An invitation that the account has made, whatever became of it. Raises NotFound."""
    found = Invitation.objects.select_related("account").filter(pk=invitation_id, account=account).first()
    if found is None:
        raise NotFound(f"the account has no invitation {invitation_id}")
    return found


def invitations_to(user: User) -> QuerySet[Invitation]:
    """The invitations to the user's address that can still be accepted, newest first."""
    rows = _pending().filter(email=user.email.lower())
    return rows.select_related("account", "workteam", "invited_by").order_by("-pk")


def invitation_to(user: User, invitation_id: int) -> Invitation:
    """An invitation to the user's address, whatever became of it. Raises NotFound."""
    rows = Invitation.objects.select_related("account", "workteam")
    found = rows.filter(pk=invitation_id, email=user.email.lower()).first()
    if found is None:
        raise NotFound(f"you have no invitation {invitation_id}")
    return found


def _pending() -> QuerySet[Invitation]:
    return Invitation.objects.filter(status=InvitationStatus.PENDING, expires_at__gt=timezone.now())


def teams_of(worker: Worker) -> QuerySet[WorkteamMember]:
    """The worker's places in teams, the public pool too, with the teams and their accounts, oldest first."""
    return WorkteamMember.objects.filter(worker=worker).select_related("workteam__account").order_by("pk")


def team_of(worker: Worker, team_id: int) -> Workteam:
    """A team that the worker is on. Raises NotFound."""
    found = teams_of(worker).filter(workteam=team_id).first()
    if found is None:
        raise NotFound(f"you are not on a team {team_id}")
    team: Workteam = found.workteam
    return team


def worker_named(public_id: str) -> Worker:
    """A worker by public id, whichever teams they are on. Raises NotFound."""
    found = Worker.objects.filter(public_id=public_id).first()
    if found is None:
        raise NotFound(f"there is no worker {public_id}", field="worker")
    return found


def own_qualification_types(account: Account | None) -> QuerySet[QualificationType]:
    """The qualification types of the account, the operator's for None; newest first."""
    return QualificationType.objects.filter(account=account).order_by("-pk")


def own_qualification_type(account: Account | None, type_id: int) -> QualificationType:
    """A qualification type that the account, or the operator, manages. Raises NotFound."""
    return _type_in(own_qualification_types(account), type_id)


def qualification_types(account: Account) -> QuerySet[QualificationType]:
    """The qualification types that the account's jobs may require: its own and the operator's, newest first."""
    return (own_qualification_types(account) | own_qualification_types(None)).order_by("-pk")


def qualification_type(account: Account, type_id: int) -> QualificationType:
    """A qualification type that the account's jobs may require. Raises NotFound."""
    return _type_in(qualification_types(account), type_id)


def _type_in(rows: QuerySet[QualificationType], type_id: int) -> QualificationType:
    found = rows.filter(pk=type_id).first()
    if found is None:
        raise NotFound(f"there is no qualification type {type_id}")
    return found


def blocks(account: Account) -> QuerySet[Block]:
    """The account's blocks with their workers, newest first."""
    return eligibility.blocks(account)


def blocked_worker(account: Account, public_id: str) -> Worker:
    """A worker whom the account has blocked, by public id. Raises NotFound."""
    found = blocks(account).filter(worker__public_id=public_id).first()
    if found is None:
        raise NotFound(f"the account has not suspended a worker {public_id}")
    worker: Worker = found.worker
    return worker


def teams(account: Account) -> QuerySet[Workteam]:
    """The teams an account may give its jobs to: its own, its panels', the public pool, and of vendors under a live
    contract; with their panels loaded.
    """
    own = Q(account=account, crowd=Crowd.PRIVATE)
    hired = Q(contract__requester=account, contract__status="Live")
    return Workteam.objects.filter(own | hired | Q(crowd=Crowd.PUBLIC)).select_related("panel")


def own_teams(account: Account) -> QuerySet[Workteam]:
    """The account's private teams, without those of panels."""
    return Workteam.objects.filter(account=account, crowd=Crowd.PRIVATE, panel=None)


def team(account: Account, team_id: int) -> Workteam:
    """A team the account may give its jobs to. Raises NotFound."""
    found = teams(account).filter(pk=team_id).first()
    if found is None:
        raise NotFound(f"there is no work team {team_id}", field="workteam")
    return found


def team_of_arn(account: Account, arn: str) -> Workteam:
    """A team the account may give its jobs to, by its ARN, in which the case of letters says nothing.

    Raises Invalid for what is no ARN of a team, NotFound.
    """
    try:
        parts = arns.parse(arn)
    except ValueError as error:
        raise Invalid(str(error), field="workteam") from None
    crowd, _, name = parts.name.partition("/")
    if parts.kind != "workteam" or crowd not in Crowd.values:
        raise Invalid(f"{arn!r} found, the ARN of a work team expected", field="workteam")
    owner = None if parts.account_number == arns.PUBLIC_CROWD_ACCOUNT else parts.account_number
    rows = teams(account).select_related("account", "panel").filter(crowd=crowd, name__iexact=name)
    found = rows.filter(account__number=owner) if owner is not None else rows.filter(account=None)
    # Names of teams may differ in their case alone; the one that is written the same is meant.
    by_name = {team.name: team for team in found}
    team = by_name.get(name) or next(iter(by_name.values()), None)
    if team is None:
        raise NotFound(f"there is no work team {arn}", field="workteam")
    return team


def own_team(account: Account, team_id: int) -> Workteam:
    """A private team of the account, not one of a panel. Raises NotFound."""
    found = own_teams(account).filter(pk=team_id).first()
    if found is None:
        raise NotFound(f"the account has no work team {team_id}")
    return found


def panels(account: Account) -> QuerySet[Panel]:
    """The account's panels with their teams, newest first."""
    return Panel.objects.filter(account=account).select_related("workteam").order_by("-pk")


def panel(account: Account, panel_id: int) -> Panel:
    """A panel of the account. Raises NotFound."""
    found = panels(account).filter(pk=panel_id).first()
    if found is None:
        raise NotFound(f"the account has no panel {panel_id}")
    return found


def team_named(account: Account, name: str) -> Workteam:
    """A private team of the account by its name. Raises NotFound."""
    found = own_teams(account).filter(name=name).first()
    if found is None:
        raise NotFound(f"{account.name} has no work team {name}", field="team")
    return found


def worker_by_email(email: str) -> Worker:
    """A registered worker, by the address they sign in with. Raises NotFound."""
    found = Worker.objects.filter(user__email__iexact=email.strip()).first()
    if found is None:
        raise NotFound("no worker is registered with this address", field="email")
    return found


def worker_in(team: Workteam, public_id: str) -> Worker:
    """A worker of the team, by public id. Raises NotFound."""
    found = Worker.objects.filter(public_id=public_id, memberships__workteam=team).first()
    if found is None:
        raise NotFound(f"the team has no worker {public_id}")
    return found
