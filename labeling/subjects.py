"""The types of this room's rows in ledger entries and notices. Stored, so never changed."""

BATCH = "batch"
ASSIGNMENT = "assignment"
ANSWER_REVIEW = "answer-review"
WORK_QUEUE = "work-queue"
LABELING_JOB = "labeling-job"
APPEAL = "appeal"
PUBLIC_WORK = "public-work"
