"""The form by which somebody confirms that personal data are erased: on one's own page, and on the operator's."""

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.errors import DomainError
from marketplace.services import erasure


class EraseForm(forms.Form):
    """The e-mail address of the person, once more."""

    confirm = forms.CharField(max_length=erasure.CONFIRM_LENGTH.longest, label=_("The e-mail address, to confirm"))

    def refuse(self, error: DomainError) -> None:
        """Show what the service refused beside the field."""
        self.add_error("confirm" if error.field == "confirm" else None, error.message)
