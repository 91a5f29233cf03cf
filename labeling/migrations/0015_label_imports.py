import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("labeling", "0014_relative_addresses"),
        ("marketplace", "0007_simulated_people"),
    ]

    operations = [
        migrations.CreateModel(
            name="LabelImport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("purpose", models.CharField(max_length=10)),
                ("name", models.CharField(blank=True, max_length=63)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("Initializing", "Initializing"),
                            ("InProgress", "InProgress"),
                            ("Completed", "Completed"),
                            ("Failed", "Failed"),
                            ("Stopped", "Stopped"),
                        ],
                        default="Initializing",
                        max_length=20,
                    ),
                ),
                ("status_changed_at", models.DateTimeField(null=True)),
                ("failure_reason", models.CharField(blank=True, max_length=1024)),
                ("uri", models.CharField(max_length=1024)),
                ("asked_format", models.CharField(default="auto", max_length=10)),
                ("format", models.CharField(blank=True, max_length=10)),
                ("label_attribute_name", models.CharField(blank=True, max_length=127)),
                ("read_attribute", models.CharField(blank=True, max_length=127)),
                ("without_boxes", models.CharField(default="labeled", max_length=10)),
                ("labels", models.JSONField(default=list)),
                ("counts", models.JSONField(default=dict)),
                ("progress", models.FloatField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("created_by", models.CharField(blank=True, max_length=120)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="label_imports",
                        to="marketplace.account",
                    ),
                ),
                (
                    "dataset",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="made_by_import",
                        to="labeling.dataset",
                    ),
                ),
                (
                    "images",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="labeling.dataset"
                    ),
                ),
                (
                    "job",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="label_imports",
                        to="labeling.labelingjob",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ImportedLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.IntegerField()),
                ("place", models.CharField(max_length=300)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("imported", "Imported"),
                            ("clipped", "Clipped"),
                            ("repaired", "Repaired"),
                            ("crowd", "Crowd"),
                            ("skipped", "Skipped"),
                        ],
                        max_length=10,
                    ),
                ),
                ("reason", models.CharField(max_length=500)),
                (
                    "label_import",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lines",
                        to="labeling.labelimport",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="labelimport",
            index=models.Index(fields=["account", "-id"], name="label_import_by_account"),
        ),
        migrations.AddIndex(
            model_name="importedline",
            index=models.Index(fields=["label_import", "outcome", "number"], name="imported_line_by_outcome"),
        ),
        migrations.AddConstraint(
            model_name="importedline",
            constraint=models.UniqueConstraint(fields=("label_import", "number"), name="imported_line_once"),
        ),
    ]
