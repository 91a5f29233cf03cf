"""Reads the options of the benchmarks, which marketplace/settings_declared.py declares with all other settings."""

import os
import sys
from pathlib import Path
from typing import TypeVar

from marketplace import settings_declared as declared
from marketplace.settings_kinds import Setting, SettingError

T = TypeVar("T")

SHARED = Path(__file__).resolve().parents[2] / "shared" / "datasets"


def option(setting: Setting[T], *, earlier: str = "") -> T:
    """The value of an option. Exits with a message when it is wrong, or when only its `earlier` name is set."""
    if earlier and os.environ.get(earlier) and not os.environ.get(setting.name):
        sys.exit(f"{earlier} is now called {setting.name}: set {setting.name} instead")
    try:
        return setting.read(os.environ)
    except SettingError as error:
        sys.exit(str(error))


def datasets() -> Path:
    """The folder of the shared data sets."""
    return option(declared.DATASETS) or SHARED
