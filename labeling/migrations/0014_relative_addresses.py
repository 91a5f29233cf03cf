"""Addresses in the installation's own store become relative to it; only rows that hold one are written.

In batches that commit by themselves: a large table is neither locked nor rewritten at once, and a migration that was
interrupted goes on where it was.
"""

import json

from django.conf import settings
from django.db import migrations

BATCH = 5000
COLUMNS = {
    "labeling_dataobject": ("id", ["source_ref", "upright_uri"]),
    "labeling_export": ("id", ["uri"]),
    "labeling_dataset": ("id", ["manifest_uri"]),
    "labeling_labelingjob": ("id", ["input_manifest_uri", "output_uri"]),
}
JSON_COLUMNS = {"labeling_dataset": "source", "labeling_workqueue": "instructions"}


def forward(apps, schema_editor):
    exchange(schema_editor.connection, settings.STORE_URL.rstrip("/") + "/", "store:")


def backward(apps, schema_editor):
    exchange(schema_editor.connection, "store:", settings.STORE_URL.rstrip("/") + "/")


def exchange(connection, before, after):
    with connection.cursor() as cursor:
        for table, (key, names) in COLUMNS.items():
            for first, last in batches(cursor, table, key):
                sets = ", ".join(
                    f"{name} = CASE WHEN starts_with({name}, %(before)s) "
                    f"THEN %(after)s || substr({name}, length(%(before)s) + 1) ELSE {name} END"
                    for name in names
                )
                some = " OR ".join(f"starts_with({name}, %(before)s)" for name in names)
                cursor.execute(
                    f"UPDATE {table} SET {sets} WHERE {key} BETWEEN %(first)s AND %(last)s AND ({some})",
                    {"before": before, "after": after, "first": first, "last": last},
                )
        lines(cursor, before, after)
        for table, name in JSON_COLUMNS.items():
            json_column(cursor, table, name, before, after)


def batches(cursor, table, key):
    cursor.execute(f"SELECT min({key}), max({key}) FROM {table}")
    first, last = cursor.fetchone()
    if first is not None:
        for start in range(first, last + 1, BATCH):
            yield start, start + BATCH - 1


def lines(cursor, before, after):
    for first, last in batches(cursor, "labeling_objectline", "data_object_id"):
        for member in ('"source-ref":"', '"source-ref": "'):
            cursor.execute(
                """UPDATE labeling_objectline SET text = replace(text, %(old)s, %(new)s)
                   WHERE data_object_id BETWEEN %(first)s AND %(last)s AND strpos(text, %(old)s) > 0""",
                {"old": member + before, "new": member + after, "first": first, "last": last},
            )


def json_column(cursor, table, name, before, after):
    cursor.execute(f"SELECT id, {name}::text FROM {table} WHERE strpos({name}::text, %s) > 0", [before])
    for pk, text in cursor.fetchall():
        value = changed(json.loads(text), before, after)
        cursor.execute(f"UPDATE {table} SET {name} = %s::jsonb WHERE id = %s", [json.dumps(value), pk])


def changed(value, before, after):
    if isinstance(value, list):
        return [changed(item, before, after) for item in value]
    if isinstance(value, dict):
        return {key: member(key, item, before, after) for key, item in value.items()}
    return value


def member(key, item, before, after):
    if (key == "uri" or key.endswith("_uri")) and isinstance(item, str):
        return after + item[len(before) :] if item.startswith(before) else item
    return changed(item, before, after)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("labeling", "0013_address_fields"),
    ]

    operations = [migrations.RunPython(forward, backward)]
