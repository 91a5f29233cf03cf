"""The types of this room's rows in ledger entries (marketplace.models.Subject). Stored, so never changed."""

BATCH = "batch"
ASSIGNMENT = "assignment"
WORK_QUEUE = "work-queue"
