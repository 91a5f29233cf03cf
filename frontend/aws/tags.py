"""Tags of what an account owns, by ARN: AddTags, ListTags, DeleteTags."""

from typing import Any

from frontend.aws import paging
from frontend.aws.registry import Call, operation
from marketplace.services import tags

PAGE = 50
"""Tags of a page whose size is not given."""


@operation("sagemaker", "AddTags")
def add_tags(call: Call, *, ResourceArn: str, Tags: list[dict[str, str]]) -> dict[str, Any]:
    """Add tags, or change the values of those that there are; all are returned."""
    tags.add(account=call.account, arn=ResourceArn, added=pairs(Tags))
    return {"Tags": listed(tags.of(call.account, ResourceArn))}


@operation("sagemaker", "ListTags")
def list_tags(
    call: Call, *, ResourceArn: str, MaxResults: int | None = None, NextToken: str | None = None
) -> dict[str, Any]:
    """The tags, by key."""
    page = paging.parts(call, listed(tags.of(call.account, ResourceArn)), size=PAGE)
    return page.members("Tags", page.rows)


@operation("sagemaker", "DeleteTags")
def delete_tags(call: Call, *, ResourceArn: str, TagKeys: list[str]) -> None:
    """Delete the tags with these keys; those that there are not are left out of account."""
    tags.delete(account=call.account, arn=ResourceArn, keys=TagKeys)


def pairs(given: list[dict[str, str]] | None) -> dict[str, str]:
    """Key -> value of the Tags of an input."""
    return {tag["Key"]: tag["Value"] for tag in given or []}


def listed(found: dict[str, str]) -> list[dict[str, str]]:
    """As AWS lists them."""
    return [{"Key": key, "Value": value} for key, value in found.items()]
