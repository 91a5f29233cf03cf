"""Nothing that was acknowledged is lost, altered or paid twice when processes are killed or the disk is full."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FAULTS = [
    "web-master",
    "web-worker",
    "queue-master",
    "queue-sentinel",
    "database-backend",
    "database-main",
    "disk-full",
]


@pytest.mark.slow
def test_no_acknowledged_answer_is_lost_or_paid_twice():
    command = [sys.executable, "-m", "benchmarks.faults", "--faults", *FAULTS, "--seconds", "2", "--tasks", "600"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    figures = json.loads(done.stdout.splitlines()[-1])["figures"]
    assert figures["acknowledged"] > 0
    zeros = ("lost", "altered", "doubled", "unpaid", "paid_twice", "over_assigned", "orphans", "audit_findings")
    assert {name: figures[name] for name in zeros} == dict.fromkeys(zeros, 0)
    assert figures["refused"] == 0
