"""`manage.py people`: users, accounts, members and workers, for whoever has the machine."""

from collections.abc import Callable
from getpass import getpass
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from frontend import letters
from labeling.services import erasing, exclusion
from marketplace.errors import DomainError
from marketplace.models import Account, Role, User, Worker
from marketplace.services import accounts, eligibility, invitations, passwords, people, scope, second_factors, workteams

BY = "command"
PASSWORD_HELP = "--password asks for it; else a link is printed by which they set one"


class Command(BaseCommand):
    """One verb for each thing that operators do with people; the pages under /operator/people/ do the same."""

    help = "Make users and accounts, invite and remove members, set passwords, deactivate users, suspend workers."

    def add_arguments(self, parser: CommandParser) -> None:
        """The verbs with their arguments."""
        verbs = parser.add_subparsers(dest="verb", required=True)

        def verb(name: str, help: str, *names: str) -> Any:
            sub = verbs.add_parser(name, help=help)
            for one in names:
                sub.add_argument(one)
            return sub

        made = verb("create-user", f"make a sign-in; {PASSWORD_HELP}", "email")
        made.add_argument("--name", default="", help="the person's name")
        made.add_argument("--account", default="", help="also make an account of this name, which they own")
        made.add_argument("--operator", action="store_true", help="they operate this installation")
        made.add_argument("--password", action="store_true", help="ask for the password")
        verb("create-account", "make a requester account for a user", "email", "name")
        verb("password-link", "print a link by which a user sets a new password", "email")
        verb("set-password", "ask for a user's new password", "email")
        verb("remove-second-factors", "let a user who lost them sign in with the password alone", "email", "reason")
        verb("deactivate", "end a user's sign-in, sessions and tokens", "email", "reason")
        verb("reactivate", "let a user sign in again", "email")
        verb("erase", "erase a person's data for good; give the address twice", "email", "confirm")
        invited = verb(
            "invite", "print the link of an invitation to an account, or send it by mail", "email", "account"
        )
        invited.add_argument("--role", default=Role.MEMBER, choices=Role.values)
        invited.add_argument("--team", help="to this team of the account, as a worker")
        taken = verb("add-member", "make a user a member, or change their role, without asking", "email", "account")
        taken.add_argument("--role", default=Role.MEMBER, choices=Role.values)
        verb("remove-member", "take a user out of an account", "email", "account")
        verb("remove-worker", "take a worker off a team", "email", "account", "team")
        suspended = verb("suspend", "show a worker no work", "email", "reason")
        suspended.add_argument("--account", help="no work of this account only")
        lifted = verb("lift", "let a suspended worker work again", "email")
        lifted.add_argument("--account", help="the suspension by this account")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        """Do it; an error of the domain is told without a traceback."""
        acts: dict[str, Callable[[dict[str, Any]], str]] = {
            "create-user": _create_user,
            "create-account": _create_account,
            "password-link": lambda given: _link(_user(given)),
            "set-password": _set_password,
            "remove-second-factors": _remove_second_factors,
            "deactivate": _deactivate,
            "reactivate": _reactivate,
            "erase": _erase,
            "invite": _invite,
            "add-member": _add_member,
            "remove-member": _remove_member,
            "remove-worker": _remove_worker,
            "suspend": _suspend,
            "lift": _lift,
        }
        try:
            self.stdout.write(acts[verb](options))
        except DomainError as error:
            raise CommandError(error.message) from error


def _user(given: dict[str, Any]) -> User:
    return scope.user_by_email(given["email"])


def _worker(given: dict[str, Any]) -> Worker:
    return scope.worker_by_email(given["email"])


def _account(given: dict[str, Any]) -> Account:
    return scope.account_numbered(given["account"])


def _asked() -> str:
    password = getpass("Password: ")
    if password != getpass("Again: "):
        raise CommandError("the two passwords are not the same")
    return password


def _link(user: User) -> str:
    link = letters.password_link(*passwords.make_link(user=user, by=BY))
    return f"{link}\nworks once, within {settings.PASSWORD_LINK_HOURS} hours; pass it on to {user.email}"


def _create_user(given: dict[str, Any]) -> str:
    password = _asked() if given["password"] else None
    user = people.create(
        email=given["email"],
        display_name=given["name"],
        account=given["account"],
        is_operator=given["operator"],
        password=password,
        by=BY,
    )
    return f"{user.email} made" if password is not None else _link(user)


def _create_account(given: dict[str, Any]) -> str:
    account = people.create_account(name=given["name"], owner=_user(given), by=BY)
    return f"account {account.number} made"


def _set_password(given: dict[str, Any]) -> str:
    user, password = _user(given), _asked()
    passwords.check(password, user, field="password")
    passwords.put(user=user, password=password, by=BY, because=passwords.CHANGED)
    return f"the password of {user.email} is changed and their sessions have ended"


def _remove_second_factors(given: dict[str, Any]) -> str:
    user = _user(given)
    second_factors.remove(user=user, reason=given["reason"], by=BY)
    return f"{user.email} signs in with the password alone; their sessions have ended"


def _deactivate(given: dict[str, Any]) -> str:
    user = _user(given)
    returned = exclusion.deactivate(user=user, reason=given["reason"], by=BY)
    return f"{user.email} cannot sign in any more; {returned} tasks went back to others"


def _reactivate(given: dict[str, Any]) -> str:
    user = _user(given)
    people.reactivate(user=user, by=BY)
    return f"{user.email} can sign in again"


def _erase(given: dict[str, Any]) -> str:
    erasing.erase(user=_user(given), confirm=given["confirm"], by=BY)
    return "the personal data are erased"


def _invite(given: dict[str, Any]) -> str:
    account, email = _account(given), given["email"]
    if given["team"]:
        team = scope.team_named(account, given["team"])
        invitation = invitations.to_team(team=team, email=email, acting=None)
    else:
        invitation = invitations.to_account(account=account, email=email, role=given["role"], acting=None)
    link = letters.deliver_invitation(invitation)
    return link or f"an invitation is on its way to {invitation.email}"


def _add_member(given: dict[str, Any]) -> str:
    row = accounts.add_member(account=_account(given), user=_user(given), role=given["role"], by=BY)
    return f"{row.user.email} is {row.role} of {row.account.name}"


def _remove_member(given: dict[str, Any]) -> str:
    account, user = _account(given), _user(given)
    accounts.remove_member(account=account, user=user, acting=None)
    return f"{user.email} is no longer a member of {account.name}"


def _remove_worker(given: dict[str, Any]) -> str:
    worker, team = _worker(given), scope.team_named(_account(given), given["team"])
    workteams.remove_worker(team=team, worker=worker, by=BY)
    return f"{worker.public_id} is no longer on {team.name}"


def _suspend(given: dict[str, Any]) -> str:
    worker, reason = _worker(given), given["reason"]
    if given["account"]:
        returned = exclusion.block(account=_account(given), worker=worker, reason=reason, by=BY)
    else:
        returned = exclusion.suspend(worker=worker, reason=reason, by=BY)
    return f"{worker.public_id} is suspended; {returned} tasks went back to others"


def _lift(given: dict[str, Any]) -> str:
    worker = _worker(given)
    if given["account"]:
        eligibility.unblock(account=_account(given), worker=worker, by=BY)
    else:
        people.lift_suspension(worker=worker, by=BY)
    return f"{worker.public_id} may work again"
