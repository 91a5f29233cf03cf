"""The OpenAPI document: the same for everybody who is signed in, so made once a process."""

from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularAPIView
from rest_framework.permissions import IsAuthenticated


@cache
def document() -> dict[str, Any]:
    """The document; making it takes seconds."""
    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return made


class KeptGenerator(SchemaGenerator):
    """Answers with the document that was made first."""

    def get_schema(self, request: Any = None, public: bool = False) -> dict[str, Any]:
        """The kept document, whoever asks."""
        return document()


class OpenApiView(SpectacularAPIView):
    """The OpenAPI document, for people with a sign-in."""

    permission_classes = [IsAuthenticated]
    generator_class = KeptGenerator
