"""Workforces and work teams by boto3 over HTTP, and tags."""

import pytest

from marketplace.models import Workteam
from marketplace.services import contracts
from tests import builders
from tests.frontend.aws.clients import Aws, code_of, refused
from tests.labeling import stories, vendor_stories

pytestmark = pytest.mark.django_db(transaction=True)
MEMBERS = [{"CognitoMemberDefinition": {"UserPool": "us-east-1_abc", "UserGroup": "bees", "ClientId": "c"}}]


def a_team(aws: Aws, name: str = "bees") -> str:
    return aws.sagemaker.create_workteam(
        WorkteamName=name, MemberDefinitions=MEMBERS, Description="They know bees", Tags=[{"Key": "a", "Value": "b"}]
    )["WorkteamArn"]


def test_an_account_has_one_workforce(aws: Aws):
    usual = aws.sagemaker.describe_workforce(WorkforceName="default")["Workforce"]
    assert usual["Status"] == "Active" and usual["WorkforceArn"].endswith(":workforce/default")
    arn = aws.sagemaker.create_workforce(
        WorkforceName="hive",
        CognitoConfig={"UserPool": "us-east-1_abc", "ClientId": "c"},
        SourceIpConfig={"Cidrs": ["203.0.113.0/24"]},
    )["WorkforceArn"]
    told = aws.sagemaker.describe_workforce(WorkforceName="hive")["Workforce"]
    assert told["CognitoConfig"]["UserPool"] == "us-east-1_abc" and told["WorkforceArn"] == arn
    assert code_of(aws.sagemaker.create_workforce, WorkforceName="other") == "ValidationException"
    assert code_of(aws.sagemaker.describe_workforce, WorkforceName="default") == "ValidationException"
    a_team(aws)
    assert Workteam.objects.get().source_cidrs == ["203.0.113.0/24"]
    changed = aws.sagemaker.update_workforce(WorkforceName="hive", SourceIpConfig={"Cidrs": ["198.51.100.0/24"]})
    assert changed["Workforce"]["SourceIpConfig"]["Cidrs"] == ["198.51.100.0/24"]
    assert Workteam.objects.get().source_cidrs == ["198.51.100.0/24"]
    assert [one["WorkforceName"] for one in aws.sagemaker.list_workforces(NameContains="HI")["Workforces"]] == ["hive"]
    assert aws.sagemaker.list_workforces(NameContains="x")["Workforces"] == []
    error = refused(aws.sagemaker.delete_workforce, WorkforceName="hive")
    assert error["Code"] == "ValidationException" and "delete them first" in error["Message"]
    aws.sagemaker.delete_workteam(WorkteamName="bees")
    aws.sagemaker.delete_workforce(WorkforceName="hive")
    assert [one["WorkforceName"] for one in aws.sagemaker.list_workforces()["Workforces"]] == ["default"]


def test_an_identity_provider_is_registered_elsewhere(aws: Aws):
    address = "https://login.example.org/x"
    names = ("Issuer", "AuthorizationEndpoint", "TokenEndpoint", "UserInfoEndpoint", "LogoutEndpoint", "JwksUri")
    config = {"ClientId": "c", "ClientSecret": "s", **dict.fromkeys(names, address)}
    error = refused(aws.sagemaker.create_workforce, WorkforceName="hive", OidcConfig=config)
    assert "OidcConfig is not supported here" in error["Message"] and "portal" in error["Message"]


def test_a_team_is_made_described_changed_listed_and_deleted(aws: Aws):
    arn = a_team(aws)
    assert arn == f"arn:aws:sagemaker:us-east-1:{aws.account.number}:workteam/private-crowd/bees"
    team = aws.sagemaker.describe_workteam(WorkteamName="bees")["Workteam"]
    assert team["MemberDefinitions"] == MEMBERS and team["Description"] == "They know bees"
    assert team["WorkforceArn"].endswith(":workforce/default") and "/portal/" in team["SubDomain"]
    topic = {"NotificationTopicArn": f"arn:aws:sns:us-east-1:{aws.account.number}:told"}
    changed = aws.sagemaker.update_workteam(
        WorkteamName="bees", Description="They know wasps", NotificationConfiguration=topic
    )["Workteam"]
    assert (changed["Description"], changed["NotificationConfiguration"]) == ("They know wasps", topic)
    assert changed["MemberDefinitions"] == MEMBERS
    assert code_of(a_team, aws) == "ResourceInUse"
    builders.a_team(account=aws.account, workers=0, name="ants")
    listed = aws.sagemaker.list_workteams(SortBy="Name")["Workteams"]
    assert [one["WorkteamName"] for one in listed] == ["ants", "bees"]
    assert [one["WorkteamName"] for one in aws.sagemaker.list_workteams(NameContains="BE")["Workteams"]] == ["bees"]
    page = aws.sagemaker.list_workteams(MaxResults=1, SortBy="Name", SortOrder="Descending")
    assert page["Workteams"][0]["WorkteamName"] == "bees" and page["NextToken"]
    assert aws.sagemaker.delete_workteam(WorkteamName="bees")["Success"] is True
    assert code_of(aws.sagemaker.describe_workteam, WorkteamName="bees") == "ValidationException"


def test_a_team_that_has_worked_stays(aws: Aws):
    team = builders.a_team(account=aws.account, workers=1, name="bees")
    stories.a_job(aws.account, team)
    error = refused(aws.sagemaker.delete_workteam, WorkteamName="bees")
    assert "its work would be lost" in error["Message"] and Workteam.objects.filter(pk=team.pk).exists()


def test_tags_are_added_listed_and_deleted(aws: Aws):
    arn = a_team(aws)
    added = aws.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "hive", "Value": "north"}])
    assert added["Tags"] == [{"Key": "a", "Value": "b"}, {"Key": "hive", "Value": "north"}]
    aws.sagemaker.delete_tags(ResourceArn=arn, TagKeys=["a", "none"])
    assert aws.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "hive", "Value": "north"}]
    many = [{"Key": f"k{number}", "Value": "v"} for number in range(50)]
    assert "at most 50" in refused(aws.sagemaker.add_tags, ResourceArn=arn, Tags=many)["Message"]
    aws.sagemaker.add_tags(ResourceArn=arn, Tags=many[:49])
    pages = aws.sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
    assert sum(len(page["Tags"]) for page in pages) == 50
    foreign = arn.replace(aws.account.number, "111122223333")
    assert code_of(aws.sagemaker.list_tags, ResourceArn=foreign) == "ValidationException"
    reserved = [{"Key": "aws:x", "Value": "v"}]
    assert "aws:" in refused(aws.sagemaker.add_tags, ResourceArn=arn, Tags=reserved)["Message"]


def test_the_teams_of_hired_vendors_are_subscribed_ones(aws: Aws):
    contract = vendor_stories.a_contract(requester=aws.account)
    arn = contracts.team_arn(contract)
    listed = aws.sagemaker.list_subscribed_workteams()["SubscribedWorkteams"]
    assert [one["WorkteamArn"] for one in listed] == [arn]
    told = aws.sagemaker.describe_subscribed_workteam(WorkteamArn=arn)["SubscribedWorkteam"]
    assert told == listed[0] and told["SellerName"] == contract.vendor.name
    assert aws.sagemaker.list_subscribed_workteams(NameContains="zzz")["SubscribedWorkteams"] == []
    own = a_team(aws)
    assert code_of(aws.sagemaker.describe_subscribed_workteam, WorkteamArn=own) == "ValidationException"
