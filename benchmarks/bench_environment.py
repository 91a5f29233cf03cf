"""A virtual environment, var/bench, for the packages that only benchmarks need (requirements-bench.txt).

They are kept out of the product's requirements: Datumaro alone installs OpenCV, pandas and a hundred more.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "var" / "bench"


def with_bench_packages(module: str) -> None:
    """Return if the packages are installed, else run `module` again in var/bench, which is created when missing."""
    if importlib.util.find_spec("datumaro") and importlib.util.find_spec("ensemble_boxes"):
        return
    python = FOLDER / "bin" / "python"
    if not (FOLDER / ".installed").exists():
        subprocess.run([sys.executable, "-m", "venv", str(FOLDER)], check=True)
        arguments = ["install", "-q", "-r", str(ROOT / "requirements-bench.txt")]
        subprocess.run([str(python), "-m", "pip", *arguments], check=True)
        (FOLDER / ".installed").touch()
    os.chdir(ROOT)
    os.execv(str(python), [str(python), "-m", module, *sys.argv[1:]])
