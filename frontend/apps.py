"""The room that speaks HTTP, as a Django app."""

from django.apps import AppConfig


class FrontendConfig(AppConfig):
    """Pages, REST, the AWS wire and the crowd elements."""

    name = "frontend"

    def ready(self) -> None:
        """Listen to the marketplace's message that somebody is to get a letter."""
        from frontend import background
        from marketplace import hooks

        if background.request_mail not in hooks.mail_due:
            hooks.mail_due.append(background.request_mail)
