"""A portal's address for each team that there is already, and no address twice."""

from django.db import migrations, models

import marketplace.models.workforce


def give(apps, schema_editor):
    """Adding the column has given all teams the same one."""
    team = apps.get_model("marketplace", "Workteam")
    for row in team.objects.only("pk").iterator():
        team.objects.filter(pk=row.pk).update(portal_slug=marketplace.models.workforce.new_portal_slug())


class Migration(migrations.Migration):
    dependencies = [
        ("marketplace", "0016_portals_networks_sign_up"),
    ]

    operations = [
        migrations.RunPython(give, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="workteam",
            name="portal_slug",
            field=models.CharField(default=marketplace.models.workforce.new_portal_slug, max_length=63, unique=True),
        ),
    ]
