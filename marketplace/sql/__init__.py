"""The SQL functions of this room, one file each, and how migrations load them.

A file holds CREATE OR REPLACE FUNCTION. Whoever changes one adds a migration that loads it again; an earlier migration
then already loads the newer text, which is why bodies are not checked against the tables of that moment.
"""

from pathlib import Path

from django.db.migrations import RunSQL


def load(path: Path, *, undo: str = RunSQL.noop) -> RunSQL:
    """The migration operation that runs an .sql file; `undo` is the SQL that takes it back."""
    return RunSQL(f"SET LOCAL check_function_bodies = off;\n{path.read_text(encoding='utf-8')}", undo)
