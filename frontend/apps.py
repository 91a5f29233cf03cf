"""The room that speaks HTTP, as a Django app."""

from django.apps import AppConfig


class FrontendConfig(AppConfig):
    """Pages, REST, the AWS wire and the crowd elements."""

    name = "frontend"

    def ready(self) -> None:
        """Listen to what django-allauth stores, and to the marketplace's message that somebody is to get a letter.

        The room of people's work is given addresses at which programs may read files.
        """
        from frontend import background, template_frames
        from frontend.identity import recording
        from labeling import hooks as labeling_hooks
        from marketplace import hooks

        recording.register()

        if background.request_mail not in hooks.mail_due:
            hooks.mail_due.append(background.request_mail)
        if template_frames.file_link not in labeling_hooks.file_link:
            labeling_hooks.file_link.append(template_frames.file_link)
