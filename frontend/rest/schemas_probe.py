"""The shape of what the first objects of a public job have shown; see schemas.py."""

from rest_framework import serializers as s


class Probe(s.Serializer):
    """The first batch of a public job: with `problems` the job waits, and is continued or stopped by its requester."""

    state = s.ChoiceField(choices=["Running", "Held", "Passed", "Continued"])
    objects = s.IntegerField()
    answered = s.IntegerField(help_text="objects with an answer")
    answers = s.IntegerField()
    declines = s.IntegerField()
    empty = s.IntegerField(help_text="answers that name no class")
    median_seconds = s.FloatField(allow_null=True)
    agreement = s.FloatField(allow_null=True, help_text="of two answers to one object, 0 to 1")
    expected_seconds = s.FloatField()
    problems = s.ListField(child=s.CharField(), help_text="why it looks broken; empty: the job goes on by itself")
