"""Deciding on models: approving, rejecting, deleting. Each is in the audit log. Knows no pages."""

from django.db import transaction
from django.utils import timezone

from learning import transitions
from learning.models import Model
from learning.services import registry
from learning.services.model_uses import uses_of
from marketplace.errors import InUse, Invalid
from marketplace.ranges import Range
from marketplace.services import audit, stored_deletion

COMMENT_LENGTH = Range(0, Model._meta.get_field("comment").max_length)


def decide(*, model: Model, status: str, by: str, comment: str = "") -> None:
    """Set the approval of a model (PendingManualApproval, Approved, Rejected), with a comment for those who ask why.

    Saying the same again replaces the comment. Raises Invalid for another status or a comment that is too long.
    """
    if status not in transitions.MODEL.states:
        states = ", ".join(transitions.MODEL.states)
        raise Invalid(f"{status[:60]!r} found, one of {states} expected", field="approval_status")
    if len(comment) not in COMMENT_LENGTH:
        raise Invalid(f"at most {COMMENT_LENGTH.longest} characters expected", field="comment")
    with transaction.atomic():
        if not transitions.MODEL.advance(model, status, by=by, because=comment[:500], comment=comment, decided_by=by):
            model.comment, model.decided_by = comment, by
            model.save(update_fields=["comment", "decided_by"])
            audit.record(model, by=by, because=f"{status} again: {comment}" if comment else f"{status} again")


def delete(*, model: Model, by: str) -> None:
    """Delete the model's files; its row stays for the lineage of others, and its name stays taken.

    Raises InUse naming everything that needs the model now.
    """
    with transaction.atomic():
        # The lock keeps a second deletion out; a run that begins meanwhile finds no model and fails, saying so.
        locked = Model.objects.select_for_update(no_key=True).get(pk=model.pk)
        if locked.deleted_at is not None:
            return
        if uses := uses_of(locked):
            raise InUse(f"the model {locked.name} is used by {'; '.join(uses)}")
        locked.deleted_at = timezone.now()
        locked.save(update_fields=["deleted_at"])
        audit.record(locked, by=by, because="deleted")
        uris = list(registry.parts(locked).values())
        transaction.on_commit(lambda: stored_deletion.delete(uris))
    model.refresh_from_db()
