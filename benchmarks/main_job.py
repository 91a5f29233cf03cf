"""The demo's job on real images: shares, quality against truth, money, wall time per stage.

Run: `make bench NAME=main_job` with the shared data sets beside the project (WAGGLE_BENCH_SETS=bccd,cards,raccoon).
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from benchmarks.options import SHARED, option
from benchmarks.report import report
from marketplace import settings_declared as declared

TRAIN_SECONDS = str(option(declared.BENCH_TRAIN_SECONDS, earlier="TRAIN_SECONDS"))
"""Longer than in the demo, because real photos are more difficult than its scenes."""

SETS = option(declared.BENCH_SETS, earlier="MAIN_JOB_SETS")
DATASETS = option(declared.DATASETS, earlier="DATASETS") or SHARED


def flat(name: str, summary: dict[str, Any]) -> dict[str, float]:
    """The figures of one set."""
    objects, total = summary["objects"], max(1, summary["objects"]["total"])
    figures = {
        f"{name}_images": total,
        f"{name}_machine_share": round(objects["machine_labeled"] / total, 4),
        f"{name}_unlabeled": objects["unlabeled"],
        f"{name}_money_share_of_all_human": summary["money"]["share_of_all_human"],
        f"{name}_rounds": len(summary["rounds"]),
    }
    for who, quality in summary["quality"].items():
        if quality["objects"]:
            figures[f"{name}_{who}_mean_iou"] = quality["mean_iou"]
            figures[f"{name}_{who}_f1_50"] = quality["f1_50"]
            figures[f"{name}_{who}_promised_iou"] = quality["promised_iou"]
    for stage, seconds in summary["seconds"].items():
        figures[f"{name}_s_{stage.replace(', ', '_').replace(' ', '_').replace('-', '_')}"] = seconds
    return {k: v for k, v in figures.items() if v is not None}


def main() -> None:
    """Run the demo command on each set in turn, in a child process with a folder of its own."""
    import subprocess
    import tempfile

    figures: dict[str, float] = {}
    for name in SETS:
        images = DATASETS / name
        if not images.is_dir():
            sys.exit(f"{images}: the data set is not on this machine")
        with tempfile.TemporaryDirectory(prefix=f"main-job-{name}-") as folder:
            Path(folder).chmod(0o755)
            environment = {**os.environ, "WAGGLE_VAR": folder}
            command = [sys.executable, "manage.py", "demo", "--images", str(images), "--train-seconds", TRAIN_SECONDS]
            run = subprocess.run([*command, "--exit"], env=environment)
            if run.returncode:
                sys.exit(f"the job on {name} failed")
            summary = json.loads((Path(folder) / "demo" / "summary.json").read_text())
            kept = Path("var") / "benchmarks" / f"main_job_{name}.json"
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps(summary, indent=2))
            subprocess.run([sys.executable, "manage.py", "database", "stop"], env=environment, check=True)
        figures |= flat(name, summary)
        print(json.dumps(flat(name, summary)), flush=True)
    report("main_job", figures)


if __name__ == "__main__":
    main()
