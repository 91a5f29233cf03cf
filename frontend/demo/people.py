"""The demo's people and the simulated crowd: a requester with a funded wallet, an operator, a team of workers.

All of them are marked as simulated. Passwords are random and only in a file that its owner alone can read. Safe to run
twice.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction

from marketplace.models import Account, ApiToken, Membership, User, Worker, Workteam
from marketplace.services import accounts, simulated, wallets, workteams

DOMAIN = "demo.example"
CROWD_TOKEN = "simulated crowd"


@dataclass(frozen=True)
class Simulated:
    """A simulated worker, with the token with which a program acts for them."""

    user: User
    token: str


@dataclass(frozen=True)
class People:
    """Who was made, with the tokens programs use in their names.

    `logins` are the passwords, by address, of those as whom one can look at the portal: requester, operator, worker-1.
    """

    account: Account
    requester: User
    operator: User
    team: Workteam
    requester_token: str
    workers: list[Simulated]
    logins: dict[str, str]


def user(name: str, *, is_operator: bool = False) -> User:
    """The simulated user of this name, made at the first call."""
    email = f"{name}@{DOMAIN}"
    return simulated.person(email=email, display_name=name.replace("-", " ").title(), is_operator=is_operator)


def token_for(owner: User, account: Account | None, name: str) -> str:
    """A fresh token; earlier ones of the same name are revoked, since their secrets are not kept."""
    for old in ApiToken.objects.filter(user=owner, name=name, revoked_at=None):
        accounts.revoke_token(token=old, by="demo")
    return accounts.create_token(user=owner, account=account, name=name)[1]


@transaction.atomic
def workers(team: Workteam, count: int, prefix: str = "worker") -> list[Simulated]:
    """`count` simulated workers who are members of the team until they are dismissed."""
    made = []
    for number in range(1, count + 1):
        person = user(f"{prefix}-{number}")
        worker: Worker = workteams.register_worker(user=person)
        if team.public:
            workteams.join_public_pool(worker=worker)
        else:
            workteams.add_worker(team=team, worker=worker, by="demo")
        made.append(Simulated(person, token_for(person, None, CROWD_TOKEN)))
    return made


def dismiss(crew: list[Simulated]) -> None:
    """End the work of simulated workers: nobody can act as one of them any more."""
    simulated.shut(users=[member.user for member in crew], by="demo")


@transaction.atomic
def gather(*, worker_count: int, passwords: Path, dollars: int = 2000) -> People:
    """Make everybody, or find them again; the wallet is filled once. `passwords`: the file that keeps the logins."""
    requester = user("requester")
    operator = user("operator", is_operator=True)
    membership = Membership.objects.filter(user=requester).select_related("account").first()
    account = membership.account if membership else accounts.create_account(name="Meadow Research", owner=requester)
    if not wallets.statement(account=account).exists():
        wallets.deposit(
            account=account, amount_micros=dollars * 1_000_000, reference=f"demo:{account.number}", by="operator"
        )
    team = Workteam.objects.filter(account=account, name="field-team").first() or workteams.create_team(
        account=account, name="field-team", description="The demo's workers", by="demo"
    )
    crew = workers(team, worker_count)
    return People(
        account=account,
        requester=requester,
        operator=operator,
        team=team,
        requester_token=token_for(requester, account, "demo"),
        workers=crew,
        logins=keep_logins(passwords, [requester, operator, *[member.user for member in crew[:1]]]),
    )


def keep_logins(path: Path, users: list[User]) -> dict[str, str]:
    """The password of each user by address, as kept in `path`; whoever has none there that works gets a new one.

    Only the owner of the file can read it.
    """
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    logins = {}
    for one in users:
        password = known.get(one.email)
        logins[one.email] = password if password and one.check_password(password) else simulated.new_password(one)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(logins, file, indent=2)
    beside.replace(path)
    return logins
