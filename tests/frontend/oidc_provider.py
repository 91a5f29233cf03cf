"""A company's OpenID Connect provider, played by `allauth.idp.oidc` in a process of its own.

`python -m tests.frontend.oidc_provider FOLDER CALLBACK...` prints its port and serves until it is killed. Whoever opens
`/come/?user=ana&email=ana@example.org&verified=1` is signed in at the provider as this user.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

SECRET = "a-client-secret"
PAGES = "tests.frontend.oidc_provider_pages"
"""What the provider serves; it can be imported in its process only."""

CLIENTS = ("waggle", "forged")
"""Client ids. Tokens of the second are signed by a key that is not the one in its issuer's document."""


@contextmanager
def provider(folder: Path, callbacks: list[str]) -> Iterator[str]:
    """The address of a running provider whose clients may come back to these addresses."""
    command = [sys.executable, "-m", "tests.frontend.oidc_provider", str(folder), *callbacks]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}"
        finally:
            process.kill()


def new_key() -> str:
    """A private RSA key as PEM."""
    return (
        rsa.generate_private_key(public_exponent=65537, key_size=2048)
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode()
    )


def _configure(folder: str) -> None:
    settings.configure(
        SECRET_KEY="of the provider",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=PAGES,
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        SESSION_COOKIE_NAME="provider",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{folder}/provider.sqlite3"}},
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "allauth",
            "allauth.account",
            "allauth.idp.oidc",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "allauth.account.middleware.AccountMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
            }
        ],
        IDP_OIDC_PRIVATE_KEY=new_key(),
        IDP_OIDC_ADAPTER=f"{PAGES}.Adapter",
    )
    django.setup()


def _serve(callbacks: list[str]) -> None:
    from allauth.idp.oidc.models import Client

    call_command("migrate", verbosity=0)
    for name in CLIENTS:
        client = Client(id=name, name=name, scopes="openid\nemail\nprofile", skip_consent=True)
        client.set_secret(SECRET)
        client.set_redirect_uris(callbacks)
        client.save()

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Nothing."""

    with make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Quiet) as server:
        print(json.dumps({"port": server.server_port}), flush=True)
        server.serve_forever()


if __name__ == "__main__":
    _configure(sys.argv[1])
    _serve(sys.argv[2:])
