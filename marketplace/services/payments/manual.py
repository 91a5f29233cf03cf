"""The operator moves the money: payouts go out in a file for the bank, results and deposits come in its files."""

from marketplace.errors import Invalid, WrongState
from marketplace.models import Account, PaymentWay
from marketplace.services import bank_files, payouts
from marketplace.services.bank_files import Line
from marketplace.services.payments.provider import Message, Provider

READERS = {"settlements": bank_files.read_settlements, "deposits": bank_files.read_deposits}
"""The files of the bank that can be read, by what they say."""


class Manual(Provider):
    """Bank files; without them, the operator says of each deposit and payout what became of it."""

    way = PaymentWay.MANUAL

    def start_deposit(self, *, account: Account, amount_micros: int, by: str, back: str) -> str:
        """Nobody pays online. Always raises WrongState, which says what to do instead."""
        raise WrongState(f"an operator of this installation books deposits; give them your number {account.number}")

    def send_payouts(self, *, by: str) -> str:
        """Make one file for the bank; returns its name."""
        return payouts.send(by=by)

    def receive(self, message: Message, *, by: str) -> list[Line]:
        """Read a file of the bank, line by line. Raises Invalid for one that cannot be read."""
        if message.label not in READERS:
            raise Invalid(f"{message.label!r} found, one of {', '.join(READERS)} expected", field="kind")
        return READERS[message.label](message.content, by=by)

    def step(self, payout_id: int) -> None:
        """Nothing: a file that was made waits for the bank."""

    def sweep(self) -> None:
        """Nothing, likewise."""
