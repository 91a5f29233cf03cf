"""The benchmark of active learning, as small as it goes: it trains, chooses, reckons the money and reports."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_quick_run_reports_every_way_and_the_money():
    command = [sys.executable, "-m", "benchmarks.active_learning", "--quick", "--ways", "random", "ours"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    figures = json.loads(done.stdout.splitlines()[-1])["figures"]
    assert {"scenes_random_mAP", "scenes_ours_mAP", "scenes_ours_mAP_by_boxes"} <= figures.keys()
    assert figures["scenes_random_boxes_at_8"] == figures["scenes_ours_boxes_at_8"] > 0
    assert figures["scenes_ours_boxes_at_16"] > figures["scenes_ours_boxes_at_8"]
    # Models of four steps can label nothing, and nothing is what they save.
    assert (figures["money_saved_scenes_e5"], figures["scenes_machine_share_e5"]) == (0, 0)
