"""An invoice's lines are never changed, an invoice only in its status and the reference of its payment."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION marketplace_invoice_unchangeable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'marketplace_invoice' THEN
        IF to_jsonb(NEW) - '{status,status_changed_at,payment_reference}'::text[]
           = to_jsonb(OLD) - '{status,status_changed_at,payment_reference}'::text[] THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'an issued invoice is never changed: % on % refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER invoice_unchangeable BEFORE UPDATE OR DELETE ON marketplace_invoice
    FOR EACH ROW EXECUTE FUNCTION marketplace_invoice_unchangeable();
CREATE TRIGGER invoice_line_unchangeable BEFORE UPDATE OR DELETE ON marketplace_invoiceline
    FOR EACH ROW EXECUTE FUNCTION marketplace_invoice_unchangeable();
CREATE TRIGGER invoiced_posting_unchangeable BEFORE UPDATE OR DELETE ON marketplace_invoicedposting
    FOR EACH ROW EXECUTE FUNCTION marketplace_invoice_unchangeable();
"""
BACKWARD = """
DROP TRIGGER invoiced_posting_unchangeable ON marketplace_invoicedposting;
DROP TRIGGER invoice_line_unchangeable ON marketplace_invoiceline;
DROP TRIGGER invoice_unchangeable ON marketplace_invoice;
DROP FUNCTION marketplace_invoice_unchangeable();
"""


class Migration(migrations.Migration):
    dependencies = [("marketplace", "0020_vendors")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
