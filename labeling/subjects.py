"""The words under which the ledger knows rows of this room (marketplace.models.Subject). Stored, so never changed."""

BATCH = "batch"
ASSIGNMENT = "assignment"
WORK_QUEUE = "work-queue"
