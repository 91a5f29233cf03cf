"""Counts of several processes in files: put together, gone with their processes, and bounded."""

import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

from marketplace import metric_files, metric_folders, metrics_reference, stuck

ROOT = Path(__file__).resolve().parents[2]
MAIN = """
import os, sys
from marketplace import metric_folders
metric_folders.begin(sys.argv[1], os.environ)
from pathlib import Path
from marketplace import metric_files, metrics
folder = Path(os.environ[metric_folders.VARIABLE])
def count():
    metrics.count_submit("accepted")
    metrics.count_request("/", "GET", 200, 0.02)
count()
for _ in range(3):
    child = os.fork()
    if child == 0:
        count()
        os._exit(0)
    os.waitpid(child, 0)
print(len(list(folder.glob("*.db"))), flush=True)
metric_files.fold(folder)
metric_files.fold(folder)
print(len(list(folder.glob("*.db"))), flush=True)
sys.stdin.read()
"""


def start(var: Path, kind: str) -> subprocess.Popen:
    environment = {**os.environ, "WAGGLE_VAR": str(var), "PYTHONPATH": str(ROOT)}
    environment.pop(metric_folders.VARIABLE, None)
    command = [sys.executable, "-c", MAIN, kind]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)


def read(var: Path) -> dict[tuple[str, str], float]:
    found = [sample for metric in metric_files.read(var) for sample in metric.samples]
    return {(one.name, one.labels["process"]): one.value for one in found if one.labels.get("le", "+Inf") == "+Inf"}


def test_counts_of_processes_are_added_up_and_go_with_their_main_process(tmp_path):
    web, queue = start(tmp_path, "web"), start(tmp_path, "queue")
    try:
        for process in (web, queue):
            before, after = (int(process.stdout.readline()) for _ in range(2))
            # Counters and histograms: two files of each process; then its own, and those of all that have ended.
            assert (before, after) == (8, 4)
        seen = read(tmp_path)
        for kind in ("web", "queue"):
            assert seen["waggle_submits_total", kind] == 4
            assert seen["waggle_request_seconds_count", kind] == seen["waggle_request_seconds_bucket", kind] == 4
        web.kill()
        web.wait()
        assert {kind for _, kind in read(tmp_path)} == {"queue"}
        # Whoever begins next clears away what the dead have left.
        third = start(tmp_path, "learner")
        third.stdout.readline()
        names = sorted(path.name.partition("-")[0] for path in (tmp_path / "metrics").iterdir())
        third.kill()
        third.wait()
        assert names == ["learner", "queue"]
    finally:
        for process in (web, queue):
            process.kill()
            process.wait()


def test_without_a_folder_that_can_be_written_the_start_goes_on(tmp_path, capsys):
    (tmp_path / "metrics").write_text("a file")
    environment = {"WAGGLE_VAR": str(tmp_path)}
    metric_folders.begin("web", environment)
    assert metric_folders.VARIABLE not in environment
    assert "not put together" in capsys.readouterr().err


def test_the_reference_is_up_to_date():
    assert (ROOT / "docs" / "metrics.md").read_text() == metrics_reference.page(), "run `make docs`"


def alerts() -> list[dict]:
    """The rules of the example, each with what Prometheus demands of one."""
    groups = yaml.safe_load((ROOT / "examples" / "monitoring" / "alerts.yaml").read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert rules and all(rule.keys() <= {"alert", "expr", "for", "labels", "annotations"} for rule in rules)
    return rules


def test_every_metric_of_the_alerts_exists():
    page = metrics_reference.page()
    for rule in alerts():
        named = re.findall(r"\bwaggle_\w+", rule["expr"])
        assert named or rule["alert"] == "WaggleIsDown"
        assert not [one for one in named if f"`{one.removesuffix('_bucket')}`" not in page], rule
        assert rule["annotations"].keys() == {"summary", "action"}


def test_the_alerts_ask_for_kinds_of_stuck_things_that_there_are():
    asked = {
        kind
        for rule in alerts()
        for kinds in re.findall(r'waggle_stuck\{what=~?"([^"]+)"\}', rule["expr"])
        for kind in kinds.split("|")
    }
    # A part that is broken has a rule of its own; a failing target is counted apart too.
    assert asked == set(stuck.KINDS) - {stuck.PART, stuck.TARGET}
