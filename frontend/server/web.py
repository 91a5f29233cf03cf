"""What each process of the web server runs; frontend/server/__main__.py starts them."""

from frontend.server import children
from frontend.server.application import Application


def build() -> Application:
    """The portal, and a watch over the process that started this one."""
    # In this order: the first import sets Django up, without which the others cannot be imported.
    from marketplace.wsgi import application as portal  # isort: skip
    from django.conf import settings  # isort: skip
    from frontend import bodies  # isort: skip

    children.end_with_parent()
    return Application(
        portal,
        threads=settings.WEB_THREADS,
        seconds=settings.REQUEST_SECONDS,
        unasked=bodies.UNASKED,
        admit=bodies.most_of_environ,
    )
