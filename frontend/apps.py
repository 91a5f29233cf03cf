"""The room that speaks HTTP, as a Django app."""

from django.apps import AppConfig


class FrontendConfig(AppConfig):
    """Pages, REST, the AWS wire and the crowd elements."""

    name = "frontend"

    def ready(self) -> None:
        """Listen to what django-allauth stores, and to the marketplace's message that somebody is to get a letter."""
        from frontend import background
        from frontend.identity import recording
        from marketplace import hooks

        recording.register()

        if background.request_mail not in hooks.mail_due:
            hooks.mail_due.append(background.request_mail)
