"""The WSGI entry point; frontend/server runs it behind the production web server."""

import os
from collections.abc import Callable, Iterable
from typing import Any

import django
from django.core.handlers.wsgi import WSGIHandler
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")


class Application(WSGIHandler):
    """Django's handler, which reads the Content-Type header before anything that could answer a bad one."""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """As Django's; a header that cannot be read counts as missing."""
        try:
            parse_header_parameters(environ.get("CONTENT_TYPE", ""))
        except (ValueError, LookupError):
            environ["CONTENT_TYPE"] = ""
        response: Iterable[bytes] = super().__call__(environ, start_response)
        return response


django.setup(set_prefix=False)
application = Application()
