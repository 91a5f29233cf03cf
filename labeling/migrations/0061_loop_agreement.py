"""How far people agreed with the prediction of each completed human loop; of earlier loops it is due."""

import django.db.models.deletion
from django.db import migrations, models

EARLIER = """
INSERT INTO labeling_loopagreement (loop_id, flow_id, completed_at, by_condition, by_sample, is_due)
SELECT id, flow_id, COALESCE(status_changed_at, created_at), false, false, true
  FROM labeling_humanloop
 WHERE status = 'Completed'
"""


class Migration(migrations.Migration):
    dependencies = [("labeling", "0060_prelabels")]

    operations = [
        migrations.CreateModel(
            name="LoopAgreement",
            fields=[
                (
                    "loop",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="agreement",
                        serialize=False,
                        to="labeling.humanloop",
                    ),
                ),
                ("completed_at", models.DateTimeField()),
                ("model", models.FloatField(null=True)),
                ("people", models.FloatField(null=True)),
                ("by_condition", models.BooleanField(default=False)),
                ("by_sample", models.BooleanField(default=False)),
                ("is_due", models.BooleanField(default=False)),
                (
                    "flow",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="agreements",
                        to="labeling.flowdefinition",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["flow", "-completed_at"], name="loop_agreement_by_flow"),
                    models.Index(condition=models.Q(("is_due", True)), fields=["loop"], name="loop_agreement_due"),
                ],
            },
        ),
        migrations.RunSQL(EARLIER, reverse_sql=migrations.RunSQL.noop),
    ]
