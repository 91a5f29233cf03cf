"""Events for the rooms above, which append their listeners to these lists; a listener only enqueues a message.

`mail_due(user_id)` is sent in the transaction that tells a person something that is to be mailed at once.
"""

from collections.abc import Callable

mail_due: list[Callable[[int], None]] = []


def send(listeners: list[Callable[[int], None]], identifier: int) -> None:
    """Call every listener with the id, in the caller's transaction; a failing listener fails the transaction."""
    for listener in listeners:
        listener(identifier)
