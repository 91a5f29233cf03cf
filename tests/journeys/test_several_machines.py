"""Two machines, each with a web server, a message queue and a learner, share a database, a store and a secret.

Each has a folder of its own, as machines have; a proxy stands before their web servers, and a PgBouncer in transaction
mode before the database. One process of each kind is killed in the middle and never comes back.
"""

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from django.db import connection

from frontend.demo import run
from frontend.demo.api import Api
from frontend.demo.crowd import Crowd
from frontend.demo.truth import Truth
from marketplace.database import start_embedded, stop_embedded
from tests import pgbouncer
from tests.databases import copied
from tests.journeys import pictures
from tests.journeys.balancer import Balancer
from tests.journeys.system import ROOT, System
from tests.object_stores import KEY_ID, SECRET, s3_servers  # noqa: F401 - a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.timeout(1500)]

IMAGES, WORKERS = 24, 6
AUTOMATED = {
    "enabled": True,
    "image_size": 128,
    "target_iou": 0.5,
    "seed": 3,
    "seed_size": 10,
    "batch_size": 8,
    "max_rounds": 2,
    "train_seconds": 6,
}
KILLS = (
    ("web", "SELECT count(*) >= 6 FROM labeling_assignment WHERE state = 'Submitted'"),
    ("queue", "SELECT count(*) >= 12 FROM labeling_assignment WHERE state = 'Submitted'"),
    ("learner", "SELECT count(*) >= 1 FROM learning_trainingjob WHERE started_at IS NOT NULL"),
)
"""What is killed, and when; of the learners it is the one that trains."""

HANDED_IN = "SELECT count(*) FROM labeling_assignment WHERE state = 'Submitted'"
PAID = "SELECT count(*) FROM marketplace_entry WHERE kind = 'payment'"
OVER = "SELECT count(*) FROM labeling_task WHERE state = 'Open' OR due OR seats_free <> 0"


@contextmanager
def machines(folder: Path, s3: str) -> Iterator[tuple[list[System], str]]:
    """Two running machines, and the address of the proxy before them."""
    with ExitStack() as opened:
        direct = opened.enter_context(copied())
        name = direct.partition("?")[0].rsplit("/", 1)[-1]
        pool = opened.enter_context(pgbouncer.running(connection.settings_dict, connections=30))
        shared = {
            "WAGGLE_PGBOUNCER": "yes",
            "WAGGLE_STORE_URL": "s3://waggle/store",
            "WAGGLE_S3_ENDPOINT_URL": s3,
            "WAGGLE_S3_ACCESS_KEY_ID": KEY_ID,
            "WAGGLE_S3_SECRET_ACCESS_KEY": SECRET,
            "WAGGLE_S3_ADDRESSING_STYLE": "path",
            "WAGGLE_SECRET_KEY": "shared-by-both-machines-" + "x" * 40,
        }
        both = []
        for each in ("one", "two"):
            (folder / each).mkdir()
            both.append(System(folder / each, database=pool.url(name), **shared))
        proxy = Balancer([system.port for system in both])
        opened.callback(proxy.close)
        for system in both:
            system.environment["WAGGLE_PUBLIC_URL"] = proxy.url
        both[0].run("manage.py", "bootstrap", "--verbosity", "0")
        for system in both:
            opened.callback(stop, system)
            for kind in system.names:
                system.start(kind)
        for system in both:
            system.wait_for_web()
        yield both, proxy.url


def stop(system: System) -> None:
    for name in list(system.processes):
        system.kill(name)


def training(system: System) -> bool:
    """Whether a program runs on this machine: it has a folder of its own, beside those of the learner."""
    return any((system.folder / "var" / "programs").glob("*/input"))


def killed_in_turn(both: list[System], over: threading.Event, kills: list[str]) -> None:
    """Kill one process of each kind when its time has come, of the first machine, or of that which trains."""
    for name, when in KILLS:
        victims: list[System] = []
        while not victims and not over.is_set():
            if both[0].query(when)[0][0]:
                victims = [one for one in both if name != "learner" or training(one)]
            time.sleep(0.05)
        if over.is_set():
            return
        victims[0].kill(name)
        kills.append(name)


def test_a_job_is_completed_although_one_process_of_each_kind_dies(s3_servers, tmp_path):  # noqa: F811
    client = boto3.client(
        "s3",
        endpoint_url=s3_servers["rclone"],
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}),
    )
    client.create_bucket(Bucket="waggle")
    truth = Truth(pictures.write(tmp_path / "set", count=IMAGES) / "annotations.coco.json")
    with tempfile.TemporaryDirectory(prefix="waggle-machines-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        with machines(folder, s3_servers["rclone"]) as (both, url):
            crew = both[1].people(workers=WORKERS)
            api = Api(base_url=url, token=crew["requester"])
            stages = run.Stages()
            dataset = run.make_dataset(api, name="two", images=truth.folder, stages=stages, show=lambda row: None)
            crowd = Crowd(base_url=url, tokens=crew["workers"], truth=truth, spammers=0, seed=5)
            design = run.job_design(
                name="two", dataset=dataset["id"], labels=truth.labels, workteam=crew["team"], automated=AUTOMATED
            )
            over, kills = threading.Event(), []
            killer = threading.Thread(target=killed_in_turn, args=(both, over, kills), daemon=True)
            killer.start()
            try:
                job = run.run_job(api, crowd, design, timeout=1200, show=lambda row: None, stages=stages)
            finally:
                over.set()
                logs = "\n".join(system.logs() for system in both)
            killer.join()
            assert job["status"] == "Completed" and kills == ["web", "queue", "learner"], (job, kills, logs)
            counters = job["label_counters"]
            assert counters["Unlabeled"] == 0 and counters["TotalLabeled"] == IMAGES, logs
            bucket, _, key = job["output_manifest_uri"].removeprefix("s3://").partition("/")
            assert len(client.get_object(Bucket=bucket, Key=key)["Body"].read().splitlines()) == IMAGES
            answers, paid = both[1].query(HANDED_IN)[0][0], both[1].query(PAID)[0][0]
            assert answers == paid and both[1].query(OVER)[0][0] == 0
            both[1].run("manage.py", "audit_ledger")


def test_two_machines_that_start_at_once_migrate_one_after_the_other():
    with tempfile.TemporaryDirectory(prefix="waggle-machines-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        address = start_embedded(folder / "postgres")
        try:
            both = []
            for each in ("one", "two"):
                (folder / each).mkdir()
                both.append(System(folder / each, database=address))
            command = [sys.executable, "manage.py", "bootstrap", "--verbosity", "0"]
            started = [subprocess.Popen(command, cwd=ROOT, env=system.environment) for system in both]
            assert [process.wait(900) for process in started] == [0, 0]
            assert both[0].query("SELECT count(*) FROM django_q_schedule") == [(3,)]
        finally:
            stop_embedded(folder / "postgres")
