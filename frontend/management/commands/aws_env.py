"""`manage.py aws_env`: the environment variables with which AWS's clients speak to this installation."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from frontend import aws_environment
from marketplace import local_s3
from marketplace.errors import DomainError
from marketplace.services import access_keys, scope


class Command(BaseCommand):
    """Prints commands of a shell: `eval "$(manage.py aws_env --new-key you@example.org)"`."""

    help = "Print the environment variables with which AWS's clients speak to this installation."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose new access key is printed, too."""
        parser.add_argument("--new-key", metavar="EMAIL", help="also make an access key for this member of an account")
        parser.add_argument("--account", metavar="NUMBER", default="", help="the account, if they are in several")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print them."""
        key_id = secret = ""
        if options["new_key"]:
            try:
                user = scope.user_by_email(options["new_key"])
                account = scope.account_for(user=user, number=options["account"])
                key, secret = access_keys.create(user=user, account=account, name="aws_env")
            except DomainError as error:
                raise CommandError(error.message) from error
            key_id = key.key_id
            if settings.LOCAL_S3:
                # boto3 has one pair of keys for all services. The operator gives this one the whole store by that.
                local_s3.admit(settings.VAR_DIR, local_s3.Keys(key_id, secret))
        else:
            self.stdout.write(
                "# Access keys are made in the portal (Settings, AWS access), or here with --new-key EMAIL."
            )
        self.stdout.write("\n".join(aws_environment.lines(key_id=key_id, secret=secret)))
        self.stdout.write(f"# Or one for all of them: export AWS_ENDPOINT_URL={aws_environment.address()}")
        if settings.LOCAL_S3:
            self.stdout.write("# A key made here opens the local S3 server too, with all that lies in it.")
        else:
            self.stdout.write("# S3 has keys of its own: those of the store that this installation uses.")
