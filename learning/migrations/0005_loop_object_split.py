from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("learning", "0004_loop_lease"),
    ]

    operations = [
        migrations.RemoveIndex("loopobject", "loop_object_by_role"),
        migrations.RenameField("loopobject", "role", "split"),
        migrations.AddIndex("loopobject", models.Index(fields=["loop", "split"], name="loop_object_by_split")),
    ]
