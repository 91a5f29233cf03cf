"""The packages only benchmarks need (requirements-bench.txt) live in a virtual environment of their own, var/bench.

They stay out of the product's requirements: Datumaro alone brings OpenCV, pandas and a hundred more.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLACE = ROOT / "var" / "bench"


def with_bench_packages(module: str) -> None:
    """Go on if the packages are here, else run `module` again in var/bench, which is made when it is missing."""
    if importlib.util.find_spec("datumaro") and importlib.util.find_spec("ensemble_boxes"):
        return
    python = PLACE / "bin" / "python"
    if not (PLACE / ".installed").exists():
        subprocess.run([sys.executable, "-m", "venv", str(PLACE)], check=True)
        wanted = ["install", "-q", "-r", str(ROOT / "requirements-bench.txt")]
        subprocess.run([str(python), "-m", "pip", *wanted], check=True)
        (PLACE / ".installed").touch()
    os.chdir(ROOT)
    os.execv(str(python), [str(python), "-m", module, *sys.argv[1:]])
