"""docs/settings.md, made from the declarations.

`python -m marketplace.settings_reference docs/settings.md` writes the page; with `--check` it only compares.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from marketplace import settings_checks, settings_declared
from marketplace.settings_kinds import Setting

HEAD = """\
# Settings

<!-- Made from marketplace/settings_declared.py by `make docs`; change it there. -->

Every setting is an environment variable whose name begins with `WAGGLE_`. A value that cannot be used stops the start
with a message that names the variable, the value and what is expected. An empty value counts as not set.
`manage.py doctor` lists variables that begin with `WAGGLE_` and are not on this page.

In the code a setting is an attribute of `django.conf.settings`, named without the prefix.
"""

RENAMED = """\
## Earlier names

Version 0.1.0 used these names. If one of them is set and the new one is not, Waggle refuses to start and names the
new one.

| Earlier name | Name |
|---|---|
"""


def page() -> str:
    """The whole page, in Markdown."""
    parts = [HEAD]
    for heading, settings in settings_declared.GROUPS.items():
        rows = "\n".join(_row(setting) for setting in settings)
        parts.append(f"## {heading}\n\n| Variable | Value | Default | What it is for |\n|---|---|---|---|\n{rows}\n")
    renamed = sorted(settings_checks.EARLIER_NAMES.items())
    parts.append(RENAMED + "\n".join(f"| `{earlier}` | `{name}` |" for earlier, name in renamed) + "\n")
    return "\n".join(parts)


def _row(setting: Setting[Any]) -> str:
    value = f"{setting.expects} ({setting.unit})" if setting.unit else setting.expects
    use = setting.help
    if setting.fallbacks:
        use += f" If it is not set, {' or '.join(f'`{name}`' for name in setting.fallbacks)} is read."
    return f"| `{setting.name}` | {value} | {_default(setting)} | {use} |"


def _default(setting: Setting[Any]) -> str:
    if setting.default_in_words:
        return setting.default_in_words
    if isinstance(setting.default, bool):
        return "yes" if setting.default else "no"
    if isinstance(setting.default, tuple):
        return f"`{','.join(map(str, setting.default))}`"
    return f"`{setting.default}`" if setting.default not in ("", None) else "none"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write docs/settings.md, or check that it is up to date.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    if not given.check:
        given.file.write_text(page())
    elif not given.file.exists() or given.file.read_text() != page():
        sys.exit(f"{given.file} is not what the declarations say: run `make docs`")
