"""People's work as a Django app."""

from django.apps import AppConfig


class LabelingConfig(AppConfig):
    """Labeling jobs, tasks, answers, consolidation, output. Knows nothing of models that learn."""

    name = "labeling"

    def ready(self) -> None:
        """Register the owner of labeling jobs' work queues, and what an account has under way in the background."""
        from labeling.queries import under_way
        from labeling.services.jobs import owner
        from marketplace.services import workload

        owner.register()
        for noun, count in under_way.COUNTS.items():
            workload.register(noun, count)
