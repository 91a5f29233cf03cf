"""Addresses in the installation's own store become relative to it, as labeling's do."""

import json
from pathlib import Path

from django.conf import settings
from django.db import migrations

from marketplace.addresses import AddressesField, AddressField

COLUMNS = [
    ("learning_model", "artifact_uri"),
    ("learning_model", "parts_uri"),
    ("learning_transformjob", "output_uri"),
]
RUNS = ("learning_trainingjob", "learning_transformjob")


def alter(model: str, name: str, field: object) -> migrations.AlterField:
    return migrations.AlterField(model_name=model, name=name, field=field)


def forward(apps, schema_editor):
    exchange(schema_editor.connection, settings.STORE_URL.rstrip("/") + "/", "store:")
    folders = str(Path(settings.VAR_DIR) / "programs") + "/"
    with schema_editor.connection.cursor() as cursor:
        for table in RUNS:
            cursor.execute(
                f"UPDATE {table} SET folder = substr(folder, length(%(base)s) + 1) WHERE starts_with(folder, %(base)s)",
                {"base": folders},
            )


def backward(apps, schema_editor):
    exchange(schema_editor.connection, "store:", settings.STORE_URL.rstrip("/") + "/")


def exchange(connection, before, after):
    with connection.cursor() as cursor:
        for table, name in COLUMNS:
            cursor.execute(
                f"""UPDATE {table} SET {name} = %(after)s || substr({name}, length(%(before)s) + 1)
                    WHERE starts_with({name}, %(before)s)""",
                {"before": before, "after": after},
            )
        for table in RUNS:
            cursor.execute(f"SELECT id, channels::text FROM {table} WHERE strpos(channels::text, %s) > 0", [before])
            for pk, text in cursor.fetchall():
                channels = {
                    channel: {key: changed(item, before, after) for key, item in configuration.items()}
                    for channel, configuration in json.loads(text).items()
                }
                cursor.execute(f"UPDATE {table} SET channels = %s::jsonb WHERE id = %s", [json.dumps(channels), pk])


def changed(item, before, after):
    return after + item[len(before) :] if isinstance(item, str) and item.startswith(before) else item


class Migration(migrations.Migration):
    dependencies = [
        ("learning", "0005_loop_object_split"),
        ("labeling", "0014_relative_addresses"),
    ]

    operations = [
        alter("model", "artifact_uri", AddressField(max_length=1024)),
        alter("model", "parts_uri", AddressField(max_length=1024)),
        alter("trainingjob", "channels", AddressesField(default=dict)),
        alter("transformjob", "channels", AddressesField(default=dict)),
        alter("transformjob", "output_uri", AddressField(blank=True, max_length=1024)),
        migrations.RunPython(forward, backward),
    ]
