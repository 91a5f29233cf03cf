"""Where the program's own files lie, in a checkout or an installed wheel. Knows neither Django nor settings.

A wheel holds the rooms as packages; what lies beside them in a checkout is in the folder `packaged` of this room, where
docs/release/wheel.py and pyproject.toml put it.
"""

from pathlib import Path

from platformdirs import user_data_path

ROOMS = Path(__file__).resolve().parent.parent
"""The folder of the four rooms: the checkout, or site-packages."""

_PACKAGED = Path(__file__).resolve().with_name("packaged")

FROM_WHEEL = _PACKAGED.is_dir()
FILES = _PACKAGED if FROM_WHEEL else ROOMS
"""Where `manage.py`, `Procfile` and `examples/` lie."""

PROCFILE = FILES / "Procfile"
EXAMPLES = FILES / "examples"


def default_var() -> Path:
    """The folder of the data where WAGGLE_VAR names none: never in site-packages, which an upgrade replaces."""
    return user_data_path("waggle", appauthor=False) if FROM_WHEEL else ROOMS / "var"
