"""What the AWS wire costs beside REST: DescribeLabelingJob and StartHumanLoop through boto3, and the same over REST.

    make bench NAME=aws_wire      or: python -m benchmarks.aws_wire --seconds 10 --rounds 3

One client with one connection asks the production web server, for a while each way in turn. REST is asked by urllib3,
which is what boto3 itself sends by, with a token. `*_over_rest` is the time of a request through boto3 over that of
one over REST, the median of the rounds; it includes what boto3 does in the client: checking and signing a request, and
parsing the answer. `*_server_over_rest` is the same of the CPU time of web server and database alone.
"""

import argparse
import itertools
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import boto3
import urllib3

from benchmarks.report import machine, report
from benchmarks.stack import Stack, running

CONTENT = json.dumps({"taskObject": "s3://hives/1.jpg", "initialValue": "[]"})
TEMPLATE = "<crowd-form><crowd-input name='word' label='Word'></crowd-input></crowd-form>"
WARM_UP_SECONDS = 2.0


def main() -> None:
    """Start a stack of its own, measure, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10, help="of each way in each round")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    before = machine()
    with running(queue=False) as stack:
        report("aws_wire", measure(stack, options), on=before)


def measure(stack: Stack, options: argparse.Namespace) -> dict[str, float]:
    """The figures of both operations."""
    ways = _ways(stack)
    for ask in itertools.chain.from_iterable(ways.values()):
        _asked(stack, ask, WARM_UP_SECONDS)
    figures: dict[str, float] = {}
    for name, (over_wire, over_rest) in ways.items():
        rounds = [
            (_asked(stack, over_wire, options.seconds), _asked(stack, over_rest, options.seconds))
            for _ in range(options.rounds)
        ]
        figures |= {
            f"{name}_over_rest": statistics.median(wire[0] / rest[0] for wire, rest in rounds),
            f"{name}_server_over_rest": statistics.median(wire[1] / rest[1] for wire, rest in rounds),
            f"{name}_boto3_per_s": statistics.median(1 / wire[0] for wire, _ in rounds),
            f"{name}_rest_per_s": statistics.median(1 / rest[0] for _, rest in rounds),
        }
        print(name, {key: round(value, 3) for key, value in figures.items() if key.startswith(name)}, flush=True)
    return figures


def _asked(stack: Stack, ask: Callable[[], Any], seconds: float) -> tuple[float, float]:
    """(time, CPU time of the server) of one request in seconds."""
    count, cpu, began = 0, stack.cpu_seconds(), time.perf_counter()
    while time.perf_counter() - began < seconds:
        ask()
        count += 1
    return (time.perf_counter() - began) / count, (stack.cpu_seconds() - cpu) / count


def _ways(stack: Stack) -> dict[str, tuple[Callable[[], Any], Callable[[], Any]]]:
    """By operation: through boto3, and over REST."""
    from labeling.services.review import flows, task_uis
    from marketplace.services import access_keys, accounts, boundaries
    from tests import builders
    from tests.labeling import stories

    user, account = builders.a_requester(funds="1000000")
    team = builders.a_team(account=account)
    job = stories.a_job(account, team)
    key, secret = access_keys.create(user=user, account=account, name="benchmark")
    _, token = accounts.create_token(user=user, account=account, name="benchmark")
    flow = flows.create_flow(
        account=account, by="system", name="look-again", workteam=team,
        task_ui=task_uis.create_task_ui(account=account, name="words", content=TEMPLATE, by="system"),
        title="Look again", description="Look again.", output_uri=f"{boundaries.base_of(account)}/reviews",
    )  # fmt: skip
    address = f"http://127.0.0.1:{stack.port}"
    client = {
        "endpoint_url": f"{address}/aws", "region_name": "us-east-1", "aws_access_key_id": key.key_id,
        "aws_secret_access_key": secret,
    }  # fmt: skip
    sagemaker, a2i = boto3.client("sagemaker", **client), boto3.client("sagemaker-a2i-runtime", **client)
    arn = sagemaker.describe_flow_definition(FlowDefinitionName=flow.name)["FlowDefinitionArn"]
    pool, numbers = urllib3.HTTPConnectionPool("127.0.0.1", stack.port), itertools.count()
    headers = {"Authorization": f"Bearer {token}"}

    def rest(method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = pool.request(method, f"/api/v1/{path}", headers=headers, json=body)
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.data[:300]!r}")
        return answer.json()

    def over_rest() -> Any:
        content = json.loads(CONTENT)
        body = {"name": f"loop-{next(numbers)}", "flow_definition": flow.name, "input_content": content}
        return rest("POST", "human-loops", body)

    def over_wire() -> Any:
        return a2i.start_human_loop(
            HumanLoopName=f"loop-{next(numbers)}", FlowDefinitionArn=arn, HumanLoopInput={"InputContent": CONTENT}
        )

    return {
        "describe": (
            lambda: sagemaker.describe_labeling_job(LabelingJobName=job.name),
            lambda: rest("GET", f"labeling-jobs/{job.pk}"),
        ),
        "start_human_loop": (over_wire, over_rest),
    }


if __name__ == "__main__":
    main()
