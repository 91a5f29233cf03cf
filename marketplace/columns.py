"""Column names for the few queries that are written by hand and still give model instances."""

from django.db.models import Model


def columns(model: type[Model], *names: str) -> tuple[str, ...]:
    """Some columns of a model in the model's own order, which is the order `from_db` takes values in."""
    return tuple(field.attname for field in model._meta.concrete_fields if field.attname in names)
