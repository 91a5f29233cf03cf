"""`manage.py record_migrations`: adds new migrations, and what they define, to marketplace/schema_record.json."""

from django.core.management import BaseCommand, CommandError
from django.db import connection

from marketplace import schema_record
from marketplace.schema_record import Record


class Command(BaseCommand):
    """Run it once for each new migration, before it is committed."""

    help = "Record the SHA-256 of new migrations and the functions and triggers that all migrations define"

    def handle(self, *args: object, verbosity: int = 1, **options: object) -> None:
        """Add what is new. Raises CommandError when a recorded migration was changed or is gone."""
        found = schema_record.migration_files()
        recorded = schema_record.load().files if schema_record.PATH.exists() else {}
        if wrong := schema_record.edited(recorded, found):
            raise CommandError(
                "\n".join([*wrong, "Databases that applied it keep what it was: take it back, and add a migration."])
            )
        earlier = connection.settings_dict["NAME"]
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        try:
            functions, triggers = schema_record.defined(connection)
        finally:
            connection.creation.destroy_test_db(earlier, verbosity=0)
        schema_record.save(Record(found, functions, triggers))
        if verbosity:
            self.stdout.write(f"{len(found) - len(recorded)} new of {len(found)} files, {len(functions)} functions")
