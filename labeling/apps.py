"""People's work as a Django app."""

from django.apps import AppConfig


class LabelingConfig(AppConfig):
    """Labeling jobs, tasks, answers, consolidation, output. Has never heard of a model that learns."""

    name = "labeling"

    def ready(self) -> None:
        """Make the owners of work queues known."""
        from labeling.services.jobs import owner

        owner.register()
