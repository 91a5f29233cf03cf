"""Work teams of the account, and the vendors' that it has hired (subscribed work teams)."""

from typing import Any

from django.db.models import QuerySet

from frontend import letters
from frontend.aws import paging, references
from frontend.aws.registry import Call, operation
from frontend.aws.tags import pairs
from marketplace.errors import NotFound
from marketplace.models import Crowd, Role, Workteam
from marketplace.services import resource_requests, resources, scope, workforces, workteams

_MEMBERS = (
    "They are kept and shown again; people join a team by accepting an invitation, or by an identity provider of the "
    "account."
)
_TOPIC = "It is kept and shown again; workers are told by the portal and by e-mail."
_PRESIGNED = "It is kept and shown again; pictures are given to signed-in workers by addresses of the portal's own."
_IGNORED = {"NotificationConfiguration": _TOPIC, "WorkerAccessConfiguration": _PRESIGNED, "MemberDefinitions": _MEMBERS}
_KEPT = ("MemberDefinitions", "NotificationConfiguration", "WorkerAccessConfiguration")
_FIELDS = {"name": "WorkteamName", "description": "Description"}


@operation("sagemaker", "CreateWorkteam", ignored=_IGNORED, fields=_FIELDS, at_least=Role.ADMIN)
def create_workteam(
    call: Call,
    *,
    WorkteamName: str,
    Description: str,
    WorkforceName: str | None = None,
    Tags: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    """A private team, to which people are invited."""
    if WorkforceName is not None:
        workforces.named(call.account, WorkforceName)
    team = resources.make(
        account=call.account,
        make=lambda: workteams.create_team(
            account=call.account, name=WorkteamName, description=Description, by=call.by
        ),
        arn=workteams.arn,
        tagged=pairs(Tags),
        said=_said(call),
    )
    return {"WorkteamArn": workteams.arn(team)}


@operation("sagemaker", "DescribeWorkteam")
def describe_workteam(call: Call, *, WorkteamName: str) -> dict[str, Any]:
    """A private team."""
    return {"Workteam": _shown(call, [_team(call, WorkteamName)])[0]}


@operation("sagemaker", "UpdateWorkteam", ignored=_IGNORED, fields=_FIELDS, at_least=Role.ADMIN)
def update_workteam(call: Call, *, WorkteamName: str, Description: str | None = None) -> dict[str, Any]:
    """Another description; what is only shown again is kept, too."""
    team = _team(call, WorkteamName)
    description = Description if Description is not None else team.description
    resources.change(
        account=call.account,
        arn=workteams.arn(team),
        change=lambda: workteams.describe_team(team=team, description=description, by=call.by),
        said=_said(call),
    )
    return {"Workteam": _shown(call, [team])[0]}


@operation("sagemaker", "DeleteWorkteam", at_least=Role.ADMIN)
def delete_workteam(call: Call, *, WorkteamName: str) -> dict[str, Any]:
    """Delete a team that no work was ever given to."""
    team = _team(call, WorkteamName)
    arn = workteams.arn(team)
    resources.delete(account=call.account, arn=arn, delete=lambda: workteams.delete_team(team=team, by=call.by))
    return {"Success": True}


@operation("sagemaker", "ListWorkteams")
def list_workteams(
    call: Call,
    *,
    NameContains: str | None = None,
    SortBy: str | None = None,
    SortOrder: str | None = None,
    MaxResults: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """The account's private teams."""
    rows = paging.filtered(call, _teams(call), {"NameContains": "name__icontains"})
    by = "name" if SortBy == "Name" else "created_at"
    page = paging.page(call, rows, by=by, descending=paging.descending(call, paging.ASCENDING))
    return page.members("Workteams", _shown(call, page.rows))


@operation("sagemaker", "DescribeSubscribedWorkteam")
def describe_subscribed_workteam(call: Call, *, WorkteamArn: str) -> dict[str, Any]:
    """A vendor's team that the account has hired."""
    team = references.workteam(call, WorkteamArn)
    if not team.of_vendor:
        raise NotFound(f"{WorkteamArn!r} is not the team of a vendor")
    return {"SubscribedWorkteam": _subscribed(team)}


@operation("sagemaker", "ListSubscribedWorkteams")
def list_subscribed_workteams(
    call: Call, *, NameContains: str | None = None, MaxResults: int | None = None, NextToken: str | None = None
) -> dict[str, Any]:
    """The teams of vendors under live contracts."""
    hired = scope.teams(call.account).filter(crowd=Crowd.VENDOR).select_related("account__vendor_listing")
    rows = paging.filtered(call, hired, {"NameContains": "name__icontains"})
    page = paging.page(call, rows)
    return page.members("SubscribedWorkteams", [_subscribed(team) for team in page.rows])


def _teams(call: Call) -> QuerySet[Workteam]:
    return scope.own_teams(call.account).select_related("account")


def _team(call: Call, name: str) -> Workteam:
    found = _teams(call).filter(name=name).first()
    if found is None:
        raise NotFound(f"Could not find the work team {name!r}")
    return found


def _said(call: Call) -> dict[str, Any]:
    return {name: call.members[name] for name in _KEPT if name in call.members}


def _shown(call: Call, teams: list[Workteam]) -> list[dict[str, Any]]:
    workforce = references.arn(call.account, "workforce", workforces.of(call.account).name)
    said = resource_requests.of_many(call.account, [workteams.arn(team) for team in teams])
    return [
        {
            # Of one that was made without the wire, which asks for none.
            "MemberDefinitions": [{"OidcMemberDefinition": {"Groups": [team.name]}}],
            "WorkteamName": team.name,
            "WorkteamArn": workteams.arn(team),
            "WorkforceArn": workforce,
            "Description": team.description or team.name,
            "SubDomain": letters.portal_link(team).partition("://")[2],
            "CreateDate": team.created_at,
            **said.get(workteams.arn(team), {}),
        }
        for team in teams
    ]


def _subscribed(team: Workteam) -> dict[str, Any]:
    assert team.account is not None
    listing = team.account.vendor_listing
    return {
        "WorkteamArn": workteams.arn(team),
        "MarketplaceTitle": listing.title,
        "SellerName": team.account.organization_name,
        "MarketplaceDescription": listing.description[:200] or None,
        "ListingId": str(team.account.number),
    }
