"""People's work as a Django app."""

from django.apps import AppConfig


class LabelingConfig(AppConfig):
    """Labeling jobs, tasks, answers, consolidation, output. Knows nothing of models that learn."""

    name = "labeling"

    def ready(self) -> None:
        """Register the owner of labeling jobs' work queues, the audit of work, and what accounts have under way."""
        from labeling.queries import (
            invoiced,
            payments,
            reviewed_payments,
            under_way,
        )
        from labeling.services.jobs import owner
        from marketplace.services import workload

        owner.register()
        payments.register()
        invoiced.register()
        for noun, count in under_way.COUNTS.items():
            workload.register(noun, count)
        reviewed_payments.register()
