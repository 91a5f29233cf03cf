"""A task type that exists in the tests only: all that adding one takes is this file and a line that registers it."""

from labeling.task_types.base import Element
from labeling.task_types.image_classification import ImageClassification


class Weather(ImageClassification):
    """What the weather is like in a picture."""

    name = "Weather"
    title = "Weather of a picture"
    element = Element("crowd-image-classifier", "crowd-image-classifier", "categories")
    most_labels = 4


TYPE = Weather()
