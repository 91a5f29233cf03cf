"""Machines that learn, as a Django app. Never imports torch."""

from django.apps import AppConfig


class LearningConfig(AppConfig):
    """Trainings, predictions, the model registry and the loop that uses people's labels."""

    name = "learning"

    def ready(self) -> None:
        """Listen to labeling's upward messages."""
        from labeling import hooks
        from learning import background

        for listeners, listener in (
            (hooks.job_ready, background.on_job_ready),
            (hooks.batch_done, background.on_batch_done),
            (hooks.loop_done, background.on_loop_done),
        ):
            if listener not in listeners:
                listeners.append(listener)
        if background.model_evidence not in hooks.model_evidence:
            hooks.model_evidence.append(background.model_evidence)
        if background.on_classes_change not in hooks.classes_change:
            hooks.classes_change.append(background.on_classes_change)
