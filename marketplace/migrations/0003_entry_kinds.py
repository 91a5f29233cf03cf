"""Ledger entries get a kind and the row they are about, escrow pockets the row their money is set aside for.

What existing entries are is read from their postings, never from their texts: an operator may have given a deposit any
reference, "assignment:5:pay" too. Texts only give the number of the row, and only for entries the product itself named.
"""

from django.db import migrations, models

# The ledger is append-only by trigger: it is lifted for this one rewrite and restored in the same transaction. The
# unique constraint on `reference` is off meanwhile (see the operations): "deposit:" is put before every deposit's
# reference, and some may begin with it already.
FORWARD = r"""
ALTER TABLE marketplace_entry DISABLE TRIGGER ledger_entry_append_only;

WITH moved AS (
    SELECT posting.entry_id,
           bool_or(pocket.kind = 'outside') AS outside,
           coalesce(sum(posting.amount_micros) FILTER (WHERE pocket.kind = 'wallet'), 0) AS wallet,
           coalesce(sum(posting.amount_micros) FILTER (WHERE pocket.kind = 'escrow'), 0) AS escrow,
           max(pocket.account_id) FILTER (WHERE pocket.kind = 'wallet') AS account_id
    FROM marketplace_posting posting JOIN marketplace_ledgeraccount pocket ON pocket.id = posting.ledger_account_id
    GROUP BY posting.entry_id
), told AS (
    SELECT entry.id, moved.account_id,
           CASE WHEN outside AND wallet > 0 THEN 'deposit'
                WHEN wallet < 0 AND escrow > 0 AND reference ~ '^batch:\d+:fund$' THEN 'reserve'
                WHEN wallet > 0 AND escrow < 0 AND reference ~ '^batch:\d+:refund$' THEN 'refund'
                WHEN wallet = 0 AND escrow < 0 AND reference ~ '^assignment:\d+:pay$' THEN 'payment'
           END AS kind
    FROM marketplace_entry entry JOIN moved ON moved.entry_id = entry.id
)
UPDATE marketplace_entry entry
SET kind = told.kind,
    subject_type = CASE WHEN told.kind = 'deposit' THEN 'account' ELSE split_part(reference, ':', 1) END,
    subject_id = CASE WHEN told.kind = 'deposit' THEN told.account_id ELSE split_part(reference, ':', 2)::bigint END,
    reference = CASE WHEN told.kind = 'deposit' THEN 'deposit:' || reference
                     ELSE told.kind || ':' || split_part(reference, ':', 1) || ':' || split_part(reference, ':', 2) END
FROM told WHERE told.id = entry.id AND told.kind IS NOT NULL;

UPDATE marketplace_ledgeraccount
SET purpose_type = 'labeling-job', purpose_id = split_part(reference, ':', 2)::bigint
WHERE reference ~ '^labeling-job:\d+$';

DO $$
DECLARE
    unknown text;
BEGIN
    SELECT string_agg(id || ' (' || reference || ')', ', ') INTO unknown
    FROM (SELECT id, reference FROM marketplace_entry WHERE kind IS NULL ORDER BY id LIMIT 5) AS found;
    IF unknown IS NOT NULL THEN
        RAISE EXCEPTION 'ledger entries that are no deposit, reserve, payment or refund: %', unknown;
    END IF;
    SELECT string_agg(id || ' (' || reference || ')', ', ') INTO unknown
    FROM (SELECT id, reference FROM marketplace_ledgeraccount
          WHERE reference <> '' AND purpose_type = '' ORDER BY id LIMIT 5) AS found;
    IF unknown IS NOT NULL THEN
        RAISE EXCEPTION 'ledger accounts whose reference is no labeling job: %', unknown;
    END IF;
END $$;

ALTER TABLE marketplace_entry ENABLE TRIGGER ledger_entry_append_only;
"""
BACKWARD = r"""
ALTER TABLE marketplace_entry DISABLE TRIGGER ledger_entry_append_only;
UPDATE marketplace_entry
SET reference = CASE kind WHEN 'deposit' THEN substr(reference, length('deposit:') + 1)
                          WHEN 'reserve' THEN 'batch:' || subject_id || ':fund'
                          WHEN 'refund' THEN 'batch:' || subject_id || ':refund'
                          WHEN 'payment' THEN 'assignment:' || subject_id || ':pay' END;
UPDATE marketplace_ledgeraccount SET reference = purpose_type || ':' || purpose_id WHERE purpose_id IS NOT NULL;
ALTER TABLE marketplace_entry ENABLE TRIGGER ledger_entry_append_only;
"""
KINDS = [("deposit", "Deposit"), ("reserve", "Reserve"), ("payment", "Payment"), ("refund", "Refund")]


class Migration(migrations.Migration):
    """One transaction: columns, their values for existing rows, then the constraints."""

    dependencies = [("marketplace", "0002_ledger_zero_sum")]
    operations = [
        migrations.AddField("entry", "kind", models.CharField(choices=KINDS, max_length=10, null=True)),
        migrations.AddField("entry", "subject_type", models.CharField(max_length=40, null=True)),
        migrations.AddField("entry", "subject_id", models.BigIntegerField(null=True)),
        migrations.AddField("ledgeraccount", "purpose_type", models.CharField(blank=True, default="", max_length=40)),
        migrations.AddField("ledgeraccount", "purpose_id", models.BigIntegerField(null=True)),
        migrations.AlterField("entry", "reference", models.CharField(max_length=140)),
        migrations.RemoveConstraint("ledgeraccount", "ledger_account_once"),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.AddConstraint(
            "ledgeraccount",
            models.UniqueConstraint(
                fields=("kind", "account", "worker", "purpose_type", "purpose_id"),
                name="ledger_account_once",
                nulls_distinct=False,
            ),
        ),
        migrations.RemoveField("ledgeraccount", "reference"),
        migrations.AlterField("entry", "reference", models.CharField(max_length=140, unique=True)),
        migrations.AlterField("entry", "kind", models.CharField(choices=KINDS, max_length=10)),
        migrations.AlterField("entry", "subject_type", models.CharField(max_length=40)),
        migrations.AlterField("entry", "subject_id", models.BigIntegerField()),
    ]
