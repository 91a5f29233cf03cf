"""AWS's own clients as child processes against a real installation: the AWS CLI, and SageMaker's SDK 2.x and 3.x."""

import json
from pathlib import Path

import pytest

from tests.journeys.notebooks import SDK3, Installation, installed

# For a migrated database to copy (see tests/databases.py).
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,
    pytest.mark.timeout(3600),
    pytest.mark.xdist_group("notebooks"),
]
CLIENTS = Path(__file__).parent / "clients"


@pytest.fixture(scope="module")
def installation(django_db_setup):
    with installed() as found:
        yield found


def told(installation: Installation, folder: Path, *words: str) -> dict:
    """What the AWS CLI prints as JSON."""
    return json.loads(installation.program("aws", *words, "--output", "json", folder=folder) or "{}")


def test_the_command_line_finds_what_there_is(installation: Installation, tmp_path: Path):
    number = installation.crew["account"]
    assert told(installation, tmp_path, "sts", "get-caller-identity")["Account"] == number
    teams = told(installation, tmp_path, "sagemaker", "list-workteams")["Workteams"]
    assert [team["WorkteamName"] for team in teams] == ["field-team"]
    jobs = told(installation, tmp_path, "sagemaker", "list-labeling-jobs", "--max-items", "5")
    assert jobs == {"LabelingJobSummaryList": []}
    (tmp_path / "hive.txt").write_text("bees")
    bucket = f"s3://sagemaker-us-east-1-{number}"
    installation.program("aws", "s3", "mb", bucket, folder=tmp_path)
    installation.program("aws", "s3", "cp", "hive.txt", f"{bucket}/hives/", folder=tmp_path)
    assert "hive.txt" in installation.program("aws", "s3", "ls", f"{bucket}/hives/", folder=tmp_path)
    made = told(
        installation, tmp_path, "sagemaker", "create-human-task-ui", "--human-task-ui-name", "verdict",
        "--ui-template", json.dumps({"Content": "<crowd-form><crowd-input name='x'></crowd-input></crowd-form>"}),
    )  # fmt: skip
    assert made["HumanTaskUiArn"].endswith(f"{number}:human-task-ui/verdict")


@pytest.mark.parametrize(("script", "requirements"), [("sagemaker_v2", None), ("sagemaker_v3", SDK3)])
def test_the_python_sdk_trains_deploys_and_predicts(installation: Installation, script: str, requirements, tmp_path):
    printed = installation.program(
        "python", str(CLIENTS / f"{script}.py"), str(tmp_path), folder=tmp_path, requirements=requirements
    )
    found = json.loads(printed.strip().splitlines()[-1])
    number = installation.crew["account"]
    assert found["role"].startswith(f"arn:aws:iam::{number}:role/")
    assert found["bucket"] == f"sagemaker-us-east-1-{number}"
    assert found["model"].endswith("/output/model.tar.gz")
    assert set(found["rows"]) <= {6}
    # The log of the training, as it came.
    assert "validation mAP" in printed
    left = told(installation, tmp_path, "sagemaker", "list-endpoint-configs")
    assert left == {"EndpointConfigs": []}
