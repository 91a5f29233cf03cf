"""Reads about a job that more than one front end needs. For the requester only: no worker may see any of it."""

from labeling.queries.people import answers_of, answers_of_many, confidence_histogram, disagreements, worker_skills
from labeling.queries.progress import (
    counters,
    counters_of_many,
    describe,
    money,
    money_of_many,
    objects_by_state,
    progress,
)
from labeling.queries.showing import task_shown

__all__ = [
    "answers_of",
    "answers_of_many",
    "confidence_histogram",
    "counters",
    "counters_of_many",
    "describe",
    "disagreements",
    "money",
    "money_of_many",
    "objects_by_state",
    "progress",
    "task_shown",
    "worker_skills",
]
