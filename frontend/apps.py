"""The room that speaks HTTP, as a Django app."""

from django.apps import AppConfig


class FrontendConfig(AppConfig):
    """Pages, REST, the AWS wire and the crowd elements."""

    name = "frontend"

    def ready(self) -> None:
        """Listen to what django-allauth says of second factors."""
        from frontend.identity import recording

        recording.register()
