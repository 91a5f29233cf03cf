"""A labeling job with a learning loop from end to end, over HTTP, while its processes are killed again and again."""

import json
import threading
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from frontend.demo import run, summary
from frontend.demo.api import Api
from frontend.demo.crowd import Crowd
from frontend.demo.truth import Truth
from marketplace import money
from tests.journeys import pictures
from tests.journeys.system import System, running

# For a migrated database to copy (see tests/databases.py).
pytestmark = pytest.mark.django_db

WORKERS = 6
# By the number of images: what `make test` waits for, and `make test-all`.
ROUNDS: dict[int, dict[str, int]] = {
    20: {"seed_size": 8, "batch_size": 6, "max_rounds": 1, "train_seconds": 4},
    40: {"seed_size": 16, "batch_size": 8, "max_rounds": 3, "train_seconds": 10},
}
AUTOMATED = {
    "enabled": True,
    "image_size": 128,
    "target_iou": 0.5,
    "seed": 3,
}
PRICE = money.parse("0.036")
FEE = money.share(PRICE, 20)


@pytest.fixture
def system(django_db_setup):
    with running() as up:
        yield up


@pytest.fixture
def truth(tmp_path, images) -> Truth:
    folder = pictures.write(tmp_path / "set", count=images)
    return Truth(folder / "annotations.coco.json")


class RepeatedKills(threading.Thread):
    """Kills the queue and the learner whenever the job has made some progress, and starts them again."""

    def __init__(self, system: System):
        super().__init__(daemon=True)
        self.system = system
        self.kills: list[str] = []
        self.over = threading.Event()

    def run(self) -> None:
        """Kill four times, or less in a short job: first early in it, last in the middle of a training."""
        for name, when in (
            ("queue", "SELECT count(*) >= 10 FROM labeling_assignment WHERE state = 'Submitted'"),
            ("learner", "SELECT count(*) >= 1 FROM learning_trainingjob WHERE started_at IS NOT NULL"),
            ("queue", "SELECT count(*) >= 1 FROM learning_trainingmetric"),
            ("learner", "SELECT count(*) >= 2 FROM learning_trainingjob WHERE started_at IS NOT NULL"),
        ):
            while not self.over.is_set() and not self.system.query(when)[0][0]:
                time.sleep(0.05)
            if self.over.is_set():
                return
            self.system.kill(name)
            self.kills.append(name)
            self.system.start(name)


def manifest_of(result: dict) -> list[dict]:
    """The lines of the output manifest, read from the store."""
    path = Path(unquote(urlsplit(result["output_manifest"]).path))
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("images", [20, pytest.param(40, marks=pytest.mark.slow)])
def test_labels_model_and_payments_are_complete_although_processes_are_killed(system, truth, images):
    # given a funded requester, a team and so many pictures, one of them broken
    crew = system.people(workers=WORKERS)
    api = Api(base_url=system.url, token=crew["requester"])
    broken = truth.folder / "zz-broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n and nothing more")
    stages = run.Stages()
    dataset = run.make_dataset(api, name="tiny", images=truth.folder, stages=stages, show=lambda row: None)
    assert dataset["objects_total"] + dataset["bad_lines"] == images + 1

    # when a job with automated labeling runs and its queue and learner are killed again and again
    crowd = Crowd(base_url=system.url, tokens=crew["workers"], truth=truth, spammers=1, seed=5)
    automated = AUTOMATED | ROUNDS[images]
    design = run.job_design(
        name="tiny", dataset=dataset["id"], labels=truth.labels, workteam=crew["team"], automated=automated
    )
    killer = RepeatedKills(system)
    killer.start()
    try:
        job = run.run_job(api, crowd, design, timeout=600, show=lambda row: None, stages=stages)
    except TimeoutError as error:
        pytest.fail(f"{error}\n{system.logs()}")
    finally:
        killer.over.set()
    killer.join()

    # then the job completes, and no object is lost or labeled twice
    assert job["status"] == "Completed", (job, system.logs())
    assert killer.kills.count("queue") >= 1
    assert killer.kills.count("learner") >= 1
    counters = job["label_counters"]
    assert (
        counters["TotalLabeled"] + counters["FailedNonRetryableError"] + counters["Unlabeled"] == job["objects_total"]
    )
    assert counters["Unlabeled"] == 0
    check_money(system, job, crew)
    check_output(api, job, truth, stages)


def check_money(system: System, job: dict, crew: dict) -> None:
    """Every accepted answer is paid once, with a fee of 20 %; the rest is in the wallet; the ledger balances."""
    (total,) = system.query("SELECT coalesce(sum(amount_micros), 0) FROM marketplace_posting")[0]
    assert total == 0
    answers, doubled = system.query(
        "SELECT count(*), count(*) - count(DISTINCT (task_id, worker_id)) FROM labeling_assignment "
        "WHERE queue_id = (SELECT queue_id FROM labeling_labelingjob WHERE id = %s) AND state = 'Submitted'",
        job["id"],
    )[0]
    assert doubled == 0
    assert answers >= 3 * job["label_counters"]["HumanLabeled"] > 0
    by_kind = dict(
        system.query(
            "SELECT a.kind, sum(p.amount_micros)::bigint FROM marketplace_posting p "
            "JOIN marketplace_ledgeraccount a ON a.id = p.ledger_account_id GROUP BY a.kind"
        )
    )
    assert by_kind["earnings"] == answers * PRICE
    assert by_kind["fees"] == answers * FEE
    assert by_kind.get("escrow", 0) == 0
    assert by_kind["wallet"] == 200_000_000 - answers * (PRICE + FEE)
    assert money.parse(job["money"]["spent"]) == answers * (PRICE + FEE)
    earned = [
        money.parse(Api(base_url=system.url, token=token).get("/api/v1/earnings")["balance"])
        for token in crew["workers"]
    ]
    assert sum(earned) == answers * PRICE


def check_output(api: Api, job: dict, truth: Truth, stages: run.Stages) -> None:
    """The manifest has a line for each object, the labels match the truth, and the model can be downloaded."""
    result = summary.collect(api, job, truth, stages.seconds)
    lines = manifest_of(result)
    assert len(lines) == job["objects_total"]
    attribute = job["label_attribute_name"]
    annotated = [line[f"{attribute}-metadata"].get("human-annotated") for line in lines if attribute in line]
    counters = job["label_counters"]
    assert annotated.count("yes") == counters["HumanLabeled"]
    assert annotated.count("no") == counters["MachineLabeled"]
    for line in lines:
        if line.get(f"{attribute}-metadata", {}).get("human-annotated") == "no":
            assert line[f"{attribute}-metadata"]["type"] == "groundtruth/object-detection"
    assert result["quality"]["human"]["f1_50"] > 0.9
    if counters["MachineLabeled"]:
        assert result["quality"]["machine"]["mean_iou"] >= AUTOMATED["target_iou"]
    assert api.bytes(result["model"]["artifact"])[:2] == b"\x1f\x8b"
