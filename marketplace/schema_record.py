"""What migrations were when they were committed, and which functions and triggers they define.

`schema_record.json` beside this file keeps it; `manage.py record_migrations` adds what is new. A database that applied
a migration never applies it again, so one that is edited later leaves older databases as they were.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

ROOT = Path(__file__).resolve().parent.parent
PATH = Path(__file__).with_name("schema_record.json")
ROOMS = ("marketplace", "labeling", "learning", "frontend")

FUNCTIONS = """
SELECT p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', pg_get_functiondef(p.oid), n.nspname
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = current_schema() AND p.prokind = 'f' AND p.proname ~ %s
  AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
ORDER BY 1
"""
TRIGGERS = """
SELECT t.tgname || ' ON ' || c.relname,
       pg_get_triggerdef(t.oid) || CASE t.tgenabled WHEN 'O' THEN '' ELSE ' -- disabled' END,
       n.nspname
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND NOT t.tgisinternal AND c.relname ~ %s
ORDER BY 1
"""


class Record(NamedTuple):
    """SHA-256 by path of a file, and SQL by name of a function or trigger (its name and arguments, or its table)."""

    files: dict[str, str]
    functions: dict[str, str]
    triggers: dict[str, str]


class Difference(NamedTuple):
    """A function or trigger that is not as the migrations define it; `definition` is None for one they do not define.

    `found` is None for one that the database lacks.
    """

    name: str
    definition: str | None
    found: str | None

    def __str__(self) -> str:
        word = "missing" if self.found is None else "left over" if self.definition is None else "another version"
        return f"{self.name}: {word}"


def migration_files() -> dict[str, str]:
    """The SHA-256 of every migration, and of the .sql files that migrations load, by path relative to the project."""
    paths = [path for room in ROOMS for path in (ROOT / room / "migrations").glob("[0-9]*.py")]
    paths += [path for room in ROOMS for path in (ROOT / room / "sql").glob("*.sql")]
    return {path.relative_to(ROOT).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(paths)}


def load() -> Record:
    """The committed record."""
    content = json.loads(PATH.read_text(encoding="utf-8"))
    functions, triggers = ({k: "\n".join(v) for k, v in content[part].items()} for part in ("functions", "triggers"))
    return Record(content["files"], functions, triggers)


def save(record: Record) -> None:
    """Write the record; SQL as a list of lines, so that a change can be read in a diff."""
    content = {
        "files": record.files,
        "functions": {name: text.split("\n") for name, text in record.functions.items()},
        "triggers": {name: text.split("\n") for name, text in record.triggers.items()},
    }
    PATH.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def edited(recorded: dict[str, str], found: dict[str, str]) -> list[str]:
    """A line for each recorded file that was changed or is gone."""
    return [
        f"{path}: {'changed' if path in found else 'gone'} since it was committed"
        for path, digest in sorted(recorded.items())
        if found.get(path) != digest
    ]


def defined(connection: BaseDatabaseWrapper) -> tuple[dict[str, str], dict[str, str]]:
    """The functions and the triggers of our tables that a database has, as SQL that defines them."""
    return _read(connection, FUNCTIONS, ROOMS), _read(connection, TRIGGERS, ROOMS)


def differences(connection: BaseDatabaseWrapper, installed: Iterable[str]) -> list[Difference]:
    """What a database with all migrations has otherwise than the record, for the rooms that are installed.

    Functions and triggers under names that no migration knows are the operator's own.
    """
    record, rooms = load(), tuple(installed)
    names = {_bare(name) for name in record.functions}
    found: list[Difference] = []
    for query, recorded in ((FUNCTIONS, record.functions), (TRIGGERS, record.triggers)):
        wanted = {name: text for name, text in recorded.items() if _of(name, rooms)}
        here = {name: text for name, text in _read(connection, query, rooms).items()
                if name in wanted or _bare(name) in names}  # fmt: skip
        for name in sorted(wanted.keys() | here.keys()):
            if wanted.get(name) != here.get(name):
                found.append(Difference(name, wanted.get(name), here.get(name)))
    return found


def mend(connection: BaseDatabaseWrapper, installed: Iterable[str]) -> list[Difference]:
    """Define again, as the migrations do, whatever differs; returns what did. Call it in a transaction."""
    found = differences(connection, installed)
    with connection.cursor() as cursor:
        # Other arguments or another result cannot be replaced, only dropped; a trigger holds on to its function.
        for name, _, here in found:
            trigger, _, table = name.partition(" ON ")
            if table and here is not None:
                cursor.execute(f'DROP TRIGGER "{trigger}" ON "{table}"')
            elif here is not None and "RETURNS trigger" not in here:
                cursor.execute(f"DROP FUNCTION {name}")
        for difference in found:
            if difference.definition is not None:
                cursor.execute(difference.definition)
    return found


def _bare(name: str) -> str:
    """The name of a function without its arguments."""
    return name.partition("(")[0]


def _read(connection: BaseDatabaseWrapper, query: str, rooms: tuple[str, ...]) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(query, [f"^({'|'.join(rooms)})_"])
        # The schema's name is not part of the definition: an installation may have another one.
        return {name: text.replace(f"{schema}.", "").rstrip("\n") for name, text, schema in cursor.fetchall()}


def _of(name: str, rooms: tuple[str, ...]) -> bool:
    """Whether a function, or the table of a trigger, belongs to one of the rooms."""
    return name.rpartition(" ON ")[2].startswith(tuple(f"{room}_" for room in rooms))
