"""The private workforce of an account: create, describe, update, delete, list."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from frontend.aws import paging, references
from frontend.aws.registry import Call, operation
from frontend.aws.tags import pairs
from marketplace.models import Role, Workforce
from marketplace.services import resources, workforces

_COGNITO = "It is kept and shown again; people are invited, or sign in by an identity provider of the account."
_OIDC = (
    "register the identity provider in the portal (Members, Sign-in) or by REST (identity-providers): it needs the "
    "domains of your people's addresses and an operator's approval"
)
_KEPT = "It is kept and shown again; people reach the portal over the network of this installation."
_IGNORED = {"CognitoConfig": _COGNITO, "WorkforceVpcConfig": _KEPT, "IpAddressType": _KEPT}
_FIELDS = {"source_cidrs": "SourceIpConfig.Cidrs", "name": "WorkforceName"}
_SAID = ("CognitoConfig", "WorkforceVpcConfig", "IpAddressType")


@operation(
    "sagemaker",
    "CreateWorkforce",
    ignored=_IGNORED,
    refused={"OidcConfig": _OIDC},
    fields=_FIELDS,
    at_least=Role.ADMIN,
)
def create_workforce(
    call: Call,
    *,
    WorkforceName: str,
    SourceIpConfig: dict[str, Any] | None = None,
    Tags: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    """Name the account's workforce."""
    cidrs = (SourceIpConfig or {}).get("Cidrs", [])
    made = resources.make(
        account=call.account,
        make=lambda: workforces.create(
            account=call.account, name=WorkforceName, cidrs=cidrs, said=_said(call), by=call.by
        ),
        arn=_arn,
        tagged=pairs(Tags),
    )
    return {"WorkforceArn": _arn(made)}


@operation("sagemaker", "DescribeWorkforce")
def describe_workforce(call: Call, *, WorkforceName: str) -> dict[str, Any]:
    """The account's workforce."""
    return {"Workforce": _shown(workforces.named(call.account, WorkforceName))}


@operation(
    "sagemaker",
    "UpdateWorkforce",
    ignored={name: _KEPT for name in ("WorkforceVpcConfig", "IpAddressType")},
    refused={"OidcConfig": _OIDC},
    fields=_FIELDS,
    at_least=Role.ADMIN,
)
def update_workforce(call: Call, *, WorkforceName: str, SourceIpConfig: dict[str, Any] | None = None) -> dict[str, Any]:
    """Open its teams to other networks."""
    found = workforces.named(call.account, WorkforceName)
    cidrs = SourceIpConfig["Cidrs"] if SourceIpConfig is not None else None
    workforces.change(workforce=found, cidrs=cidrs, said=_said(call), by=call.by)
    return {"Workforce": _shown(workforces.named(call.account, WorkforceName))}


@operation("sagemaker", "DeleteWorkforce", at_least=Role.ADMIN)
def delete_workforce(call: Call, *, WorkforceName: str) -> None:
    """Forget it; its teams have to be deleted before."""
    found = workforces.named(call.account, WorkforceName)
    resources.delete(
        account=call.account, arn=_arn(found), delete=lambda: workforces.delete(workforce=found, by=call.by)
    )


@operation("sagemaker", "ListWorkforces")
def list_workforces(
    call: Call,
    *,
    NameContains: str | None = None,
    SortBy: str | None = None,
    SortOrder: str | None = None,
    MaxResults: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """The one that there is, so that SortBy and SortOrder change nothing."""
    found = workforces.of(call.account)
    rows = [found] if (NameContains or "").lower() in found.name.lower() else []
    page = paging.parts(call, rows)
    return page.members("Workforces", [_shown(row) for row in page.rows])


def _said(call: Call) -> dict[str, Any]:
    return {name: call.members[name] for name in _SAID if name in call.members}


def _arn(workforce: Workforce) -> str:
    return references.arn(workforce.account, "workforce", workforce.name)


def _shown(workforce: Workforce) -> dict[str, Any]:
    shown = {
        "WorkforceName": workforce.name,
        "WorkforceArn": _arn(workforce),
        "CreateDate": workforce.created_at,
        "LastUpdatedDate": workforce.changed_at,
        "SourceIpConfig": {"Cidrs": workforce.source_cidrs} if workforce.source_cidrs else None,
        "SubDomain": urlsplit(settings.PUBLIC_URL).netloc,
        "Status": "Active",
        **workforce.said,
    }
    # The shape of an answer needs all members of a VPC's configuration.
    network = shown.get("WorkforceVpcConfig")
    if network and not {"VpcId", "SecurityGroupIds", "Subnets"} <= network.keys():
        del shown["WorkforceVpcConfig"]
    return shown
