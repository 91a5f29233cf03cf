from django.conf import settings
from django.db import migrations, models


def note_present(apps, schema_editor):
    # An installation that moves later knows by it where its manifests were written.
    store_addresses = apps.get_model("marketplace", "StoreAddress").objects.using(schema_editor.connection.alias)
    store_addresses.create(url=settings.STORE_URL)


class Migration(migrations.Migration):
    dependencies = [
        ("marketplace", "0009_invitations"),
    ]

    operations = [
        migrations.CreateModel(
            name="StoreAddress",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("url", models.CharField(max_length=1024, unique=True)),
                ("first_used_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.RunPython(note_present, migrations.RunPython.noop),
    ]
