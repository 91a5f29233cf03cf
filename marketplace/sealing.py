"""Encrypts what has to be read again, such as the secrets of second factors: a copy of the database alone is no use.

The key comes from WAGGLE_SECRET_KEY. What only has to be recognized, such as tokens, is hashed instead.
"""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from marketplace.errors import Invalid

PURPOSE = b"waggle sealed values"
"""Tells this key from others that are made of the same secret (RFC 5869, `info`)."""


def seal(text: str) -> str:
    """The text, encrypted and signed."""
    return _keys().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """What was sealed. Raises Invalid for anything that was sealed with another secret key, or changed."""
    try:
        return _keys().decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise Invalid("a stored secret cannot be read: it was stored under another WAGGLE_SECRET_KEY") from None


def _keys() -> MultiFernet:
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_key(secret)) for secret in secrets])


def _key(secret: str) -> bytes:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(secret.encode())
    return base64.urlsafe_b64encode(derived)
