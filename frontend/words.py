"""The words of the other rooms that pages show: statuses, kinds, titles of rules and task types, names of fields.

The rooms speak English, as REST and the AWS wire do. Each word stands here once, marked, so that the catalogs have it;
pages translate it where they show it. `tests/frontend/test_languages.py` says which ones are missing.
"""

from django.conf import settings
from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, pgettext_lazy
from django.utils.translation import gettext_noop as word

STATUSES = {
    "A2IOff": pgettext_lazy("status", "A2 i off"),
    "Accepted": pgettext_lazy("status", "Accepted"),
    "Active": pgettext_lazy("status", "Active"),
    "Answered": pgettext_lazy("status", "Answered"),
    "Approved": pgettext_lazy("status", "Approved"),
    "AutoLabeling": pgettext_lazy("status", "Auto labeling"),
    "Ban": pgettext_lazy("status", "Ban"),
    "Block": pgettext_lazy("status", "Block"),
    "Broken": pgettext_lazy("status", "Broken"),
    "Cancelled": pgettext_lazy("status", "Cancelled"),
    "Completed": pgettext_lazy("status", "Completed"),
    "Countered": pgettext_lazy("status", "Countered"),
    "CreateManifest": pgettext_lazy("status", "Create manifest"),
    "CreateProjectVersion": pgettext_lazy("status", "Create project version"),
    "Creating": pgettext_lazy("status", "Creating"),
    "Declined": pgettext_lazy("status", "Declined"),
    "Deleted": pgettext_lazy("status", "Deleted"),
    "Deleting": pgettext_lazy("status", "Deleting"),
    "Delivered": pgettext_lazy("status", "Delivered"),
    "Denied": pgettext_lazy("status", "Denied"),
    "DeployEndpoint": pgettext_lazy("status", "Deploy endpoint"),
    "Disabled": pgettext_lazy("status", "Disabled"),
    "Dismissed": pgettext_lazy("status", "Dismissed"),
    "Done": pgettext_lazy("status", "Done"),
    "Draft": pgettext_lazy("status", "Draft"),
    "EarlyStopped": pgettext_lazy("status", "Early stopped"),
    "Ended": pgettext_lazy("status", "Ended"),
    "Evaluation": pgettext_lazy("status", "Evaluation"),
    "Expired": pgettext_lazy("status", "Expired"),
    "Failed": pgettext_lazy("status", "Failed"),
    "FailedF1Score": pgettext_lazy("status", "Failed f1 score"),
    "Finished": pgettext_lazy("status", "Finished"),
    "Found": pgettext_lazy("status", "Found"),
    "Held": pgettext_lazy("status", "Held"),
    "HumanLabeled": pgettext_lazy("status", "By people"),
    "HumanLoop": pgettext_lazy("status", "Human loop"),
    "InProgress": pgettext_lazy("status", "In progress"),
    "InReview": pgettext_lazy("status", "In review"),
    "InService": pgettext_lazy("status", "In service"),
    "Inactive": pgettext_lazy("status", "Inactive"),
    "Initializing": pgettext_lazy("status", "Initializing"),
    "InitiateTraining": pgettext_lazy("status", "Initiate training"),
    "Issued": pgettext_lazy("status", "Issued"),
    "Kept": pgettext_lazy("status", "Kept"),
    "Labeling": pgettext_lazy("status", "Labeling"),
    "Leased": pgettext_lazy("status", "Leased"),
    "Live": pgettext_lazy("status", "Live"),
    "MachineLabeled": pgettext_lazy("status", "Machine labeled"),
    "ModelStarted": pgettext_lazy("status", "Model started"),
    "NotTaken": pgettext_lazy("status", "Not taken"),
    "Note": pgettext_lazy("status", "Note"),
    "Off": pgettext_lazy("status", "Off"),
    "Open": pgettext_lazy("status", "Open"),
    "Paid": pgettext_lazy("status", "Paid"),
    "PassConfidence": pgettext_lazy("status", "Pass confidence"),
    "Pause": pgettext_lazy("status", "Pause"),
    "Paused": pgettext_lazy("status", "Paused"),
    "Pending": pgettext_lazy("status", "Pending"),
    "PendingHuman": pgettext_lazy("status", "With people"),
    "PendingManualApproval": pgettext_lazy("status", "Pending manual approval"),
    "Predicting": pgettext_lazy("status", "Predicting"),
    "Proposed": pgettext_lazy("status", "Proposed"),
    "Published": pgettext_lazy("status", "Published"),
    "Refused": pgettext_lazy("status", "Refused"),
    "Regression": pgettext_lazy("status", "Regression"),
    "Rejected": pgettext_lazy("status", "Rejected"),
    "Requested": pgettext_lazy("status", "Requested"),
    "Retired": pgettext_lazy("status", "Retired"),
    "Retrain": pgettext_lazy("status", "Retrain"),
    "Returned": pgettext_lazy("status", "Returned"),
    "Revoked": pgettext_lazy("status", "Revoked"),
    "RolledBack": pgettext_lazy("status", "Rolled back"),
    "RollingBack": pgettext_lazy("status", "Rolling back"),
    "ScreenedOut": pgettext_lazy("status", "Screened out"),
    "Sent": pgettext_lazy("status", "Sent"),
    "Serving": pgettext_lazy("status", "Serving"),
    "Shifting": pgettext_lazy("status", "Shifting"),
    "Skipped": pgettext_lazy("status", "Skipped"),
    "StartModel": pgettext_lazy("status", "Start model"),
    "Starting": pgettext_lazy("status", "Starting"),
    "Stopped": pgettext_lazy("status", "Stopped"),
    "Stopping": pgettext_lazy("status", "Stopping"),
    "Submitted": pgettext_lazy("status", "Submitted"),
    "Succeeded": pgettext_lazy("status", "Succeeded"),
    "Suspect": pgettext_lazy("status", "Suspect"),
    "Suspended": pgettext_lazy("status", "Suspended"),
    "TimedOut": pgettext_lazy("status", "Timed out"),
    "Training": pgettext_lazy("status", "Training"),
    "TrainingCompleted": pgettext_lazy("status", "Training completed"),
    "Unanswered": pgettext_lazy("status", "Unanswered"),
    "Unlabeled": pgettext_lazy("status", "Unlabeled"),
    "UpdateRollbackFailed": pgettext_lazy("status", "Update rollback failed"),
    "Updating": pgettext_lazy("status", "Updating"),
    "Upheld": pgettext_lazy("status", "Upheld"),
    "WaitForStart": pgettext_lazy("status", "Wait for start"),
    "WaitForTraining": pgettext_lazy("status", "Wait for training"),
    "Waiting": pgettext_lazy("status", "Waiting"),
    "Warn": pgettext_lazy("status", "Warn"),
    "Watching": pgettext_lazy("status", "Watching"),
    "Withdrawing": pgettext_lazy("status", "Withdrawing"),
    "Withdrawn": pgettext_lazy("status", "Withdrawn"),
    "Withheld": pgettext_lazy("status", "Withheld"),
}
"""Every status that has a badge."""


RULES = (
    word("Too fast"),
    word("Many tasks declined"),
    word("Low accuracy"),
    word("Nothing drawn"),
    word("The same boxes"),
    word("Drawn without input"),
    word("Entered by a script"),
    word("Times too even"),
    word("Classes too balanced"),
)
"""Titles of the rules about workers' answers."""

TASK_TYPES = (
    word("Adjust bounding boxes"),
    word("Adjust a semantic segmentation"),
    word("Adjust an instance segmentation"),
    word("Adjust polygons"),
    word("Adjust polylines"),
    word("Adjust key points"),
    word("Bounding boxes"),
    word("Custom template"),
    word("Image classification (one class)"),
    word("Image classification (several classes)"),
    word("Instance segmentation of an image"),
    word("Key points"),
    word("Named entities in a text"),
    word("Polygons"),
    word("Polylines"),
    word("Semantic segmentation of an image"),
    word("Text classification (one class)"),
    word("Text classification (several classes)"),
    word("Verify bounding boxes"),
    word("Verify a semantic segmentation"),
    word("Verify an instance segmentation"),
    word("Verify polygons"),
    word("Verify polylines"),
    word("Verify key points"),
    word("Verify the class of images"),
    word("Verify the classes of images"),
    word("Verify the class of texts"),
    word("Verify the classes of texts"),
    word("Verify named entities"),
)
"""Titles of task types."""

KINDS = (
    word("Work available"),
    word("Job done"),
    word("Low funds"),
    word("Answer rejected"),
    word("Appeal filed or answered"),
    word("Payout sent, paid or failed"),
    word("Bonus"),
    word("Quality flag, warning or block"),
    word("Qualification"),
    word("Vendor contract or invoice"),
    word("Webhook disabled"),
    word("Continuous improvement of a model"),
    word("No e-mail"),
    word("At once"),
    word("In a daily digest"),
    word("Owner"),
    word("Admin"),
    word("Member"),
    word("Viewer"),
    word("Weekly"),
    word("Monthly"),
)
"""Kinds of notices, how often they are mailed, roles, periods of invoices."""

FIELDS = (
    word("Account"),
    word("Act"),
    word("Action"),
    word("Architecture"),
    word("Certificate"),
    word("Certifications"),
    word("Chosen"),
    word("Comment"),
    word("Credential"),
    word("Decision"),
    word("Description"),
    word("Email"),
    word("File"),
    word("Folder"),
    word("Group"),
    word("Issuer"),
    word("Languages"),
    word("Least scores"),
    word("Metadata"),
    word("Minutes"),
    word("Model"),
    word("Name"),
    word("Note"),
    word("Provider"),
    word("Reason"),
    word("Reference"),
    word("Role"),
    word("Rule"),
    word("Scaling"),
    word("Services"),
    word("Strategy"),
    word("Target quality"),
    word("Template"),
    word("Text"),
    word("Title"),
    word("Token"),
    word("Type"),
    word("Value"),
    word("Values"),
    word("Variant"),
    word("Worker"),
)
"""Fields of forms whose label is their name."""

POLICY = (
    word("Whether new models are trained by themselves."),
    word("Minutes between two checks for new training."),
    word("Answered images that make a new training."),
    word("F1 on the fixed test set that a new model must reach."),
    word("Instances of the endpoint."),
    word("In percent; a detection below it is put before people."),
    word("Whether detections are put before people at all."),
    word("Whether a sample is put before people whatever its confidence."),
    word("Minutes between two looks for a new sample."),
    word("Every how many detections one is a sample."),
)
"""What the parameters of an improvement policy mean."""

LEARNING = (
    word("Training"),
    word("Detection"),
    word("People's answers"),
    word("Sampling"),
    word("train"),
    word("fresh"),
    word("brightness"),
    word("megapixels"),
    word("aspect ratio"),
    word("detections"),
    word("confidence"),
    word("Accuracy"),
    word("Mean Jaccard index"),
    word("Mean IoU"),
    word("mean IoU"),
    word("accuracy"),
    word("mean Jaccard index"),
    word("content type"),
    word("input mode"),
    word("images in"),
    word("attributes"),
)
"""Branches of a policy's state machine, uses and features of its images, figures of models, members of channels."""

SYSTEM = (
    word("ok"),
    word("broken"),
    word("Web"),
    word("Database"),
    word("Store"),
    word("Queue"),
    word("Learner"),
)
"""Parts of the installation, and what is said of them."""

ENTRIES = {
    "deposit": pgettext_lazy("entry", "Deposit"),
    "reserve": pgettext_lazy("entry", "Reserve"),
    "payment": pgettext_lazy("entry", "Payment"),
    "refund": pgettext_lazy("entry", "Refund"),
    "withdrawal": pgettext_lazy("entry", "Withdrawal"),
    "payout": pgettext_lazy("entry", "Payout"),
    "payback": pgettext_lazy("entry", "Payback"),
    "hold": pgettext_lazy("entry", "Hold"),
    "release": pgettext_lazy("entry", "Release"),
    "return": pgettext_lazy("entry", "Return"),
    "appeal": pgettext_lazy("entry", "Appeal"),
    "bonus": pgettext_lazy("entry", "Bonus"),
    "chargeback": pgettext_lazy("entry", "Chargeback"),
    "settlement": pgettext_lazy("entry", "Settlement"),
    "tax": pgettext_lazy("entry", "Tax"),
    "take-back": pgettext_lazy("entry", "Take-back"),
    "taken-back": pgettext_lazy("entry", "Taken-back"),
    "kept": pgettext_lazy("entry", "Kept"),
    "invoice": pgettext_lazy("entry", "Invoice"),
}
"""Kinds of entries in the ledger."""


HINTS = (word("Letters, digits and hyphens, at most 63; a letter or digit at both ends."),)
"""Help texts that services give to forms."""


def status(name: str) -> str:
    """A status of a machine of states as a page says it: "EarlyStopped" is "Early stopped"."""
    known = STATUSES.get(name)
    return str(known) if known else "".join(f" {c.lower()}" if c.isupper() and i else c for i, c in enumerate(name))


def state(name: str) -> str:
    """A status outside of a badge: in English as the API has it, else as `status` says it."""
    known = STATUSES.get(name)
    return str(known) if known and get_language() not in (None, settings.LANGUAGE_CODE) else name


def choices(kinds: type[TextChoices]) -> list[tuple[str, Promise]]:
    """The choices of a field of a form, in the reader's language when they are shown."""
    return [(value, gettext_lazy(label)) for value, label in kinds.choices]
