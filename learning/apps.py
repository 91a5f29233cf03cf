"""Machines that learn, as a Django app. Never imports torch."""

from django.apps import AppConfig


class LearningConfig(AppConfig):
    """Trainings, predictions, the model registry and the loop that uses people's labels."""

    name = "learning"

    def ready(self) -> None:
        """Listen to labeling's upward messages."""
        from labeling import hooks
        from learning import background

        if background.on_batch_done not in hooks.batch_done:
            hooks.batch_done.append(background.on_batch_done)
