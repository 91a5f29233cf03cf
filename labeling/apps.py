"""People's work as a Django app."""

from django.apps import AppConfig


class LabelingConfig(AppConfig):
    """Labeling jobs, tasks, answers, consolidation, output. Knows nothing of models that learn."""

    name = "labeling"

    def ready(self) -> None:
        """Register the owner of labeling jobs' work queues, and what the ledger must say about work."""
        from labeling.queries import payments, reviewed_payments
        from labeling.services.jobs import owner

        owner.register()
        payments.register()
        reviewed_payments.register()
