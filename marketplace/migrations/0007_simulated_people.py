"""Mark simulated people; those of earlier versions lose the password that everybody could read in the source."""

from django.apps.registry import Apps
from django.contrib.auth.hashers import make_password
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

EARLIER_DOMAIN = "@demo.example"
"""The demo and the simulated crowd made all of their users under this domain, which nobody can own."""


def mark_and_close(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    users = apps.get_model("marketplace", "User").objects.using(schema_editor.connection.alias)
    users.filter(email__endswith=EARLIER_DOMAIN).update(is_simulated=True, password=make_password(None))


class Migration(migrations.Migration):
    dependencies = [
        ("marketplace", "0006_rate_windows"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="is_simulated",
            field=models.BooleanField(default=False),
        ),
        migrations.RunPython(mark_and_close, migrations.RunPython.noop),
    ]
