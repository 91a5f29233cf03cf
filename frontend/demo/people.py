"""The demo's people: a requester with a funded wallet, an operator, a team of workers. Safe to run twice."""

from dataclasses import dataclass

from django.db import transaction

from marketplace.models import Account, ApiToken, Membership, User, Worker, Workteam
from marketplace.services import accounts, wallets, workteams

PASSWORD = "bees-dance-at-noon"
DOMAIN = "demo.example"


@dataclass(frozen=True)
class People:
    """Who was made, with the tokens programs use in their names."""

    account: Account
    requester: User
    operator: User
    team: Workteam
    requester_token: str
    worker_tokens: list[str]


def user(name: str, *, is_operator: bool = False) -> User:
    """The demo user of this name, made at the first call."""
    email = f"{name}@{DOMAIN}"
    found = User.objects.filter(email=email).first()
    return found or accounts.create_user(
        email=email, password=PASSWORD, display_name=name.replace("-", " ").title(), is_operator=is_operator
    )


def token_for(owner: User, account: Account | None, name: str) -> str:
    """A fresh token; earlier ones of the same name are revoked, since their secrets are not kept."""
    for old in ApiToken.objects.filter(user=owner, name=name, revoked_at=None):
        accounts.revoke_token(token=old, by="demo")
    return accounts.create_token(user=owner, account=account, name=name)[1]


def workers(team: Workteam, count: int, prefix: str = "worker") -> list[str]:
    """Tokens of `count` workers who are members of the team."""
    tokens = []
    for number in range(1, count + 1):
        person = user(f"{prefix}-{number}")
        worker: Worker = workteams.register_worker(user=person)
        if team.public:
            workteams.join_public_pool(worker=worker)
        else:
            workteams.add_worker(team=team, worker=worker, by="demo")
        tokens.append(token_for(person, None, "simulated crowd"))
    return tokens


@transaction.atomic
def gather(*, worker_count: int, dollars: int = 2000) -> People:
    """Make everybody, or find them again; the wallet is filled once."""
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
    return People(
        account=account,
        requester=requester,
        operator=operator,
        team=team,
        requester_token=token_for(requester, account, "demo"),
        worker_tokens=workers(team, worker_count),
    )
