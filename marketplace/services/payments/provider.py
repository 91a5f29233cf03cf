"""What somebody who moves money does for Waggle. Every provider is a file beside this one; registry.py lists them."""

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

from marketplace.errors import WrongState
from marketplace.models import Account, Worker
from marketplace.services.bank_files import Line


class Message(NamedTuple):
    """What a provider has sent: its bytes, and what the provider says of them.

    `label` is the kind of a bank file ("settlements", "deposits"), or the signature of an event.
    """

    content: bytes
    label: str


class Provider(ABC):
    """Moves money of deposits into, and of payouts out of the platform.

    Nothing is booked when a payment is started: what became of it arrives later, by `receive`, and may arrive again.
    """

    way: ClassVar[str]
    """The PaymentWay that is stored with payouts and payout details."""

    @abstractmethod
    def start_deposit(self, *, account: Account, amount_micros: int, by: str, back: str) -> str:
        """The URL where the amount can be paid; the payer is sent to `back` afterwards.

        Raises WrongState when nobody can pay this provider online, Invalid for an amount that it does not take.
        """

    @abstractmethod
    def send_payouts(self, *, by: str) -> str:
        """Send every requested payout of this provider; returns what was made of them, in words, "" for none."""

    @abstractmethod
    def receive(self, message: Message, *, by: str) -> list[Line]:
        """Book what became of deposits and payouts. Receiving a message twice changes nothing.

        Raises Invalid for a message that cannot be read or is not the provider's.
        """

    def connect(self, *, worker: Worker, back: str) -> str:
        """The URL where a worker says how this provider pays them, and "" when it knows all it needs.

        Raises WrongState when workers say so here.
        """
        raise WrongState("say here where your pay is to be sent", field="destination")

    @abstractmethod
    def step(self, payout_id: int) -> None:
        """Take the next step of a payout that was sent, if one is due."""

    @abstractmethod
    def sweep(self) -> None:
        """Queue the steps that are due. Run every minute."""

    def problems(self) -> list[str]:
        """What this provider cannot go on with, a sentence each, for operators."""
        return []

    def origins(self) -> tuple[str, ...]:
        """Where browsers are sent by `start_deposit` and `connect`, as origins of a content security policy."""
        return ()
