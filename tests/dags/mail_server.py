"""A real mail server on loopback, whose mails a test reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MailHandler


class Mailbox(MailHandler):
    """Keeps what a mail server receives; refuses while it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[Message] = []
        self.is_refusing = False

    def prepare_message(self, session: Any, envelope: Any) -> Message:
        return message_from_bytes(envelope.content)

    def handle_message(self, message: Message) -> None:
        self.mails.append(message)

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if self.is_refusing:
            return "451 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"


class MailServer(Controller):
    """A mail server on whichever port is free."""

    def _trigger_server(self) -> None:
        assert self.server
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def open_mailbox() -> Iterator[tuple[Mailbox, int]]:
    """Run a mail server; yield what it receives, and its port."""
    box = Mailbox()
    server = MailServer(box, hostname="127.0.0.1", port=0)
    server.start()
    try:
        yield box, server.port
    finally:
        server.stop()
