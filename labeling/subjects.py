"""The types of this room's rows in ledger entries (marketplace.models.Subject). Stored, so never changed."""

BATCH = "batch"
ASSIGNMENT = "assignment"
ANSWER_REVIEW = "answer-review"
WORK_QUEUE = "work-queue"
BONUS = "bonus"
