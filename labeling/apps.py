"""People's work as a Django app."""

from django.apps import AppConfig


class LabelingConfig(AppConfig):
    """Labeling jobs, tasks, answers, consolidation, output. Knows nothing of models that learn."""

    name = "labeling"

    def ready(self) -> None:
        """Register the owners of work queues, the audit of work, events, and what accounts have under way."""
        from labeling.queries import (
            bonus_payments,
            invoiced,
            payments,
            reviewed_payments,
            under_way,
        )
        from labeling.services import erasing, events
        from labeling.services.jobs import owner, pausing
        from labeling.services.review import owner as review
        from marketplace.services import debts, workload

        owner.register()
        erasing.register()
        events.register()
        review.register()
        if pausing.money_changed not in debts.LISTENERS:
            debts.LISTENERS.append(pausing.money_changed)
        payments.register()
        invoiced.register()
        for noun, count in under_way.COUNTS.items():
            workload.register(noun, count)
        reviewed_payments.register()
        bonus_payments.register()
