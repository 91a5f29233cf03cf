"""Programs that several machines run together as one: what each of them is told of its place among them. Pure."""

import json
from dataclasses import asdict, dataclass

VARIABLE = "WAGGLE_GROUP"
"""Of the environment of such a program."""


@dataclass(frozen=True)
class Group:
    """The machine `number` (from zero) of `count`. The first one's folder is the one that counts.

    `address`: HOST:PORT at which they meet, a port that is free on the first machine. `here`: the address by which the
    others reach this machine.
    """

    number: int
    count: int
    address: str
    here: str

    def to_text(self) -> str:
        """The value of the variable."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> "Group":
        """The way back. Raises ValueError, TypeError."""
        return cls(**json.loads(text))
