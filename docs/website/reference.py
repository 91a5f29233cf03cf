"""Pages made from the code: commands, REST, task types, events. `python -m docs.website.reference FOLDER`."""

import os
import sys
from pathlib import Path

import django


def main(folder: Path) -> None:
    """Write every generated page into `folder`."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
    django.setup()
    from docs.website import reference_commands, reference_kinds, reference_rest

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "commands.md").write_text(reference_commands.page())
    (folder / "rest.md").write_text(reference_rest.page())
    (folder / "task-types.md").write_text(reference_kinds.task_types())
    (folder / "events.md").write_text(reference_kinds.events())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
