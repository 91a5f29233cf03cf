"""Serializer fields that are stricter than the framework's own. Knows no bounds; those are the services'."""

import math
from typing import Any

from rest_framework import serializers


class FiniteFloatField(serializers.FloatField):
    """A number; the texts "NaN" and "Infinity", which Python reads as numbers and no bound refuses, are none."""

    def to_internal_value(self, data: Any) -> float:
        """Raises ValidationError for what is no finite number."""
        number = super().to_internal_value(data)
        if not math.isfinite(number):
            self.fail("invalid")
        return number
