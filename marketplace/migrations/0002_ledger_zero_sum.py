"""Each entry's postings sum to zero, checked at commit; entries and postings are never changed or deleted."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION marketplace_entry_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    total bigint;
BEGIN
    SELECT sum(amount_micros) INTO total FROM marketplace_posting WHERE entry_id = NEW.entry_id;
    IF total <> 0 THEN
        RAISE EXCEPTION 'ledger entry % does not balance: its postings sum to % micro-dollars', NEW.entry_id, total
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_balances';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ledger_entry_balances AFTER INSERT ON marketplace_posting
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION marketplace_entry_balances();

CREATE FUNCTION marketplace_ledger_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only: % on % refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER ledger_posting_append_only BEFORE UPDATE OR DELETE ON marketplace_posting
    FOR EACH ROW EXECUTE FUNCTION marketplace_ledger_append_only();
CREATE TRIGGER ledger_entry_append_only BEFORE UPDATE OR DELETE ON marketplace_entry
    FOR EACH ROW EXECUTE FUNCTION marketplace_ledger_append_only();
"""
BACKWARD = """
DROP TRIGGER ledger_entry_append_only ON marketplace_entry;
DROP TRIGGER ledger_posting_append_only ON marketplace_posting;
DROP TRIGGER ledger_entry_balances ON marketplace_posting;
DROP FUNCTION marketplace_ledger_append_only();
DROP FUNCTION marketplace_entry_balances();
"""


class Migration(migrations.Migration):
    """The trigger lives in a migration of its own so that it can be read as one thing."""

    dependencies = [("marketplace", "0001_accounts_workforce_ledger")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
