"""An account, a team and an installation with people of every kind, and the pages that show them."""

from django.urls import reverse

from labeling.services import exclusion
from marketplace.models import Account, User, Worker
from marketplace.services import accounts, invitations, passwords, people
from tests import builders

LONG = "somebody.with-a-very-long-address.that-does-not-fit@a-subdomain.of-a-domain.example.org"


def everything(account: Account, owner: User, workers: list[Worker]) -> dict[User | None, list[str]]:
    """Invitations, members of each rank, suspended workers, deactivated users: user -> the pages to open as them."""
    team = builders.a_team(account=account, workers=workers, name="field-team")
    for role in ("Admin", "Viewer"):
        accounts.add_member(account=account, user=builders.a_user(email=f"{role.lower()}@example.org"), role=role)
    invitation = invitations.to_account(account=account, email=LONG, role="Member", acting=owner)
    invitations.to_team(team=team, email=LONG, acting=owner)
    other = builders.an_account(funds="0", name="Hives and Honey")
    invitations.to_account(account=other, email=owner.email, role="Viewer", acting=other.members.get())
    theirs = builders.a_team(account=other, workers=0, name="hive-team")
    invitations.to_team(team=theirs, email=workers[0].user.email, acting=None)
    reason = "Answers at random, asked twice, " * 5
    exclusion.block(account=account, worker=workers[0], reason=reason, by=f"user:{owner.pk}")
    operator = builders.an_operator()
    exclusion.suspend(worker=workers[1], reason=reason, by=f"user:{operator.pk}")
    gone = builders.a_user(email=f"gone.{LONG}")
    people.deactivate(user=gone, reason="left the company", by=f"user:{operator.pk}")
    reset = reverse("person:password-reset", args=passwords.link_parts(builders.a_user()))
    return {
        owner: [
            reverse("requester:settings"),
            reverse("requester:team", args=[team.pk]),
            reverse("requester:team-suspended"),
            reverse("person:you"),
            reverse("person:password-change"),
        ],
        workers[0].user: [reverse("person:you"), reverse("worker:jobs")],
        operator: [
            reverse("operator:people"),
            reverse("operator:person", args=[workers[1].user_id]),
            reverse("operator:person", args=[gone.pk]),
        ],
        None: [
            reverse("person:password-forgotten"),
            reverse("person:password-sent"),
            reset,
            reset.replace(reset.split("/")[-2], "set-nothing"),
            reverse("person:join", args=[invitations.new_link(invitation)]),
        ],
    }
