"""A client of the REST API over real HTTP, for tests."""

import urllib3

from marketplace.models import Account, User
from marketplace.services import accounts

POOL = urllib3.PoolManager(retries=False)


class Caller:
    """A client of the live server that sends one user's token."""

    def __init__(self, url: str, user: User, account: Account | None = None):
        self.url = url
        self.secret = accounts.create_token(user=user, account=account, name="test")[1]

    def call(self, method: str, path: str, body=None, **headers: str):
        """Send a request; returns (status, parsed JSON or None, response)."""
        response = POOL.request(
            method,
            f"{self.url}/api/v1/{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.secret}", **headers},
        )
        return response.status, (response.json() if response.data else None), response
