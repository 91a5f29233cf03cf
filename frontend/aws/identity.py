"""Who is calling, and the execution role of an account: what SDKs ask STS and IAM for before anything else."""

from typing import Any

from frontend.aws import references
from frontend.aws.registry import Call, operation
from marketplace import arns
from marketplace.models import Role

ROLE_PREFIX = "AROA"
USER_PREFIX = "AIDA"
"""How the ids of roles and users begin in AWS."""


@operation("sts", "GetCallerIdentity")
def get_caller_identity(call: Call) -> dict[str, Any]:
    """The account and the user of the access key."""
    return {
        "UserId": f"{USER_PREFIX}{call.user.pk:016d}",
        "Account": call.account.number,
        "Arn": f"arn:{arns.PARTITION}:iam::{call.account.number}:user/{call.user.email}",
    }


@operation("iam", "GetRole")
def get_role(call: Call, *, RoleName: str) -> dict[str, Any]:
    """The account's role of this name: every name is one, because access is decided by the roles of members."""
    return {
        "Role": {
            "Path": "/",
            "RoleName": RoleName,
            "RoleId": f"{ROLE_PREFIX}{call.account.pk:016d}",
            "Arn": arns.build("role", call.account.number, RoleName),
            "CreateDate": call.account.created_at,
            "MaxSessionDuration": 3600,
        }
    }


_POLICY = "What is done in an account is decided by the roles of its members; there are no policies."


@operation(
    "iam",
    "SimulatePrincipalPolicy",
    ignored={
        **dict.fromkeys(
            ("PolicyInputList", "PermissionsBoundaryPolicyInputList", "PolicyExclusionList", "ResourceArns",
             "ResourcePolicy", "ResourceOwner", "CallerArn", "ContextEntries", "ResourceHandlingOption"), _POLICY,
        ),
        "MaxItems": "All is told at once.",
        "Marker": "All is told at once.",
    },
    at_least=Role.VIEWER,
)  # fmt: skip
def simulate_principal_policy(call: Call, *, PolicySourceArn: str, ActionNames: list[str]) -> dict[str, Any]:
    """Whether an execution role of the account may do something: SDK 3 asks before it trains. Every one may."""
    references.named(call, PolicySourceArn, "role")
    allowed = [{"EvalActionName": name, "EvalResourceName": "*", "EvalDecision": "allowed"} for name in ActionNames]
    return {"EvaluationResults": allowed, "IsTruncated": False}
