"""A mail server on loopback that keeps the letters it is given; tests read them, and the links that stand in them."""

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.journeys.system import System, free_port


class Mailbox:
    """The letters by address, oldest first. Safe to read while others arrive."""

    def __init__(self) -> None:
        self.letters: dict[str, list[EmailMessage]] = {}
        self.lock = threading.Lock()
        self.port = free_port()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep a letter for each of its recipients, as aiosmtpd asks its handlers to."""
        letter = message_from_bytes(envelope.content or b"", policy=policy.default)  # type: ignore[arg-type]
        with self.lock:
            for address in envelope.rcpt_tos:
                self.letters.setdefault(address, []).append(letter)  # type: ignore[arg-type]
        return "250 Message accepted for delivery"

    def settings(self) -> dict[str, str]:
        """The settings of an installation that sends its mail here."""
        return {
            "WAGGLE_EMAIL_HOST": "127.0.0.1",
            "WAGGLE_EMAIL_PORT": str(self.port),
            "WAGGLE_EMAIL_SECURITY": "none",
            "WAGGLE_EMAIL_FROM": "waggle@example.org",
        }

    def texts(self, address: str) -> list[str]:
        """The text of every letter to an address."""
        with self.lock:
            return [letter.get_content() for letter in self.letters.get(address, [])]

    def links(self, address: str, system: System) -> list[str]:
        """The links in the newest letter to an address, once there is one."""
        text = system.until(lambda: self.texts(address), bool)[-1]
        return re.findall(rf"{re.escape(system.url)}\S+", text)


@contextmanager
def open_mailbox() -> Iterator[Mailbox]:
    """A mailbox that takes letters until the end of the block."""
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=mailbox.port)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()
