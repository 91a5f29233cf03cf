"""Secrets that are needed again in the clear, stored so that a copy of the database alone does not reveal them.

The key comes from the environment (WAGGLE_SECRET_KEY). Knows nothing of what is sealed.
"""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from marketplace.errors import WrongState


def seal(secret: str) -> str:
    """The secret as it is stored."""
    return _box().encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """The secret behind a stored text. Raises WrongState when it was sealed with another WAGGLE_SECRET_KEY."""
    try:
        return _box().decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise WrongState("this secret was stored under another WAGGLE_SECRET_KEY; make a new one") from None


def _box() -> Fernet:
    # A key of its own, so that what signs sessions does not also encrypt.
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"waggle sealed secrets")
    return Fernet(base64.urlsafe_b64encode(derive.derive(settings.SECRET_KEY.encode())))
