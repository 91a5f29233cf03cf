"""The shapes of answers about label imports, as schemas.py has those of all others."""

from rest_framework import serializers as s

from labeling.models import ImportOutcome


class LabelImport(s.Serializer):
    """A label import, and the progress of one that is running."""

    id = s.IntegerField()
    purpose = s.CharField()
    name = s.CharField(allow_null=True)
    status = s.CharField()
    failure_reason = s.CharField(allow_null=True)
    uri = s.CharField()
    format = s.CharField(allow_null=True, help_text="what the label file is; null until it was opened")
    task_type = s.CharField(help_text="whose labels are read of the file")
    images = s.IntegerField(allow_null=True, help_text="the data set that has the images")
    job = s.IntegerField(allow_null=True)
    label_attribute_name = s.CharField(allow_null=True)
    without_boxes = s.CharField()
    dataset = s.IntegerField(allow_null=True, help_text="the data set that was made")
    labels = s.ListField(child=s.CharField(), help_text="in the order of their class ids")
    counts = s.DictField(
        child=s.IntegerField(), help_text="images (or texts), labeled, parts, lines by outcome, and lines kept"
    )
    progress = s.FloatField()
    report_urls = s.DictField(child=s.CharField())
    created_at = s.DateTimeField()


class ImportedLine(s.Serializer):
    """What became of an image, or of a part of a label file."""

    number = s.IntegerField()
    place = s.CharField(help_text="the file, and the line, object or annotation in it")
    outcome = s.ChoiceField(ImportOutcome.choices)
    reason = s.CharField()
