"""The private workforce of an account: its name and the networks that its teams are open to. An account has one.

It need not be made: without that it is called `default` and is open to all networks.
"""

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction

from marketplace.errors import InUse, NameTaken, NotFound
from marketplace.models import Account, Workforce
from marketplace.services import audit, scope, team_access

DEFAULT = "default"
"""The name of the workforce of an account that has named none."""


def of(account: Account) -> Workforce:
    """The account's workforce; one that is not stored where it has made none."""
    found = Workforce.objects.filter(account=account).first()
    if found is None:
        found = Workforce(account=account, name=DEFAULT, created_at=account.created_at, changed_at=account.created_at)
    return found


def named(account: Account, name: str) -> Workforce:
    """The account's workforce, if it has this name. Raises NotFound."""
    found = of(account)
    if found.name != name:
        raise NotFound(f"the account has no workforce {name!r}")
    return found


def create(*, account: Account, name: str, cidrs: Sequence[str], said: dict[str, Any], by: str) -> Workforce:
    """Name the workforce, and open its teams to these networks only; [] opens them to all.

    Raises NameTaken when the account has made one before, Invalid for what is no network.
    """
    try:
        with transaction.atomic():
            made = Workforce.objects.create(account=account, name=name, said=said)
            audit.record(made, by=by, because=f"workforce {name} made")
            _open(made, cidrs, by)
    except IntegrityError:
        raise NameTaken("the account has a workforce already; an account has one", field="name") from None
    return made


def change(*, workforce: Workforce, cidrs: Sequence[str] | None, said: dict[str, Any], by: str) -> None:
    """Open the teams of the workforce to other networks, None: as before. Raises Invalid for what is no network."""
    with transaction.atomic():
        workforce.said = workforce.said | said
        # One that nobody has made is stored from now on.
        workforce.save()
        audit.record(workforce, by=by, because=f"workforce {workforce.name} changed")
        if cidrs is not None:
            _open(workforce, cidrs, by)


def delete(*, workforce: Workforce, by: str) -> None:
    """Forget it. Raises InUse while the account has teams."""
    if scope.own_teams(workforce.account).exists():
        raise InUse(f"the workforce {workforce.name!r} has work teams: delete them first")
    with transaction.atomic():
        audit.record(workforce, by=by, because=f"workforce {workforce.name} deleted")
        Workforce.objects.filter(pk=workforce.pk).delete()


def _open(workforce: Workforce, cidrs: Sequence[str], by: str) -> None:
    # Also checks them where there is no team.
    workforce.source_cidrs = team_access.networks(cidrs)
    workforce.save(update_fields=["source_cidrs", "changed_at"])
    for team in scope.own_teams(workforce.account).order_by("pk"):
        team_access.set_networks(team=team, cidrs=workforce.source_cidrs, by=by)
