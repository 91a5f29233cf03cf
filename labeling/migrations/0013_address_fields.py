"""The columns with addresses translate them at the database; their types there stay as they are."""

from django.db import migrations

from marketplace.addresses import AddressesField, AddressField, LineField


def alter(model: str, name: str, field: object) -> migrations.AlterField:
    return migrations.AlterField(model_name=model, name=name, field=field)


class Migration(migrations.Migration):
    dependencies = [
        ("labeling", "0012_failed_attempts"),
    ]

    operations = [
        alter("dataobject", "source_ref", AddressField(blank=True, max_length=1024)),
        alter("dataobject", "upright_uri", AddressField(blank=True, max_length=1024)),
        alter("dataset", "manifest_uri", AddressField(blank=True, max_length=1024)),
        alter("dataset", "source", AddressesField()),
        alter("export", "uri", AddressField(blank=True, max_length=1024)),
        alter("labelingjob", "input_manifest_uri", AddressField(max_length=1024)),
        alter("labelingjob", "output_uri", AddressField(max_length=1024)),
        alter("objectline", "text", LineField()),
        alter("workqueue", "instructions", AddressesField(default=dict)),
    ]
