"""The SQL functions of this room, one file each, and how migrations load them.

A file holds CREATE OR REPLACE FUNCTION. It is a part of the migrations that load it, and as frozen as they are: whoever
changes a function copies its file, puts the number of the new migration into the name (`claim_0015.sql`) and loads the
copy there (tests/architecture/test_migrations.py). The files of before that rule were loaded by several migrations,
hence earlier than the tables they read, which is why bodies are not checked against the tables of that moment.
"""

from pathlib import Path

from django.db.migrations import RunSQL


def load(path: Path, *, undo: str = RunSQL.noop) -> RunSQL:
    """The migration operation that runs an .sql file; `undo` is the SQL that takes it back."""
    return RunSQL(f"SET LOCAL check_function_bodies = off;\n{path.read_text(encoding='utf-8')}", undo)
