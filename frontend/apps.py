"""The room that speaks HTTP, as a Django app."""

from django.apps import AppConfig


class FrontendConfig(AppConfig):
    """Pages, REST, the AWS wire and the crowd elements."""

    name = "frontend"
