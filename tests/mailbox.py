"""A real SMTP server in the test's own process: what was sent, and what it refuses."""

import contextlib
import email
import email.policy
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from deploy.local.ports import free_ports
from tests.processes import until

CODE = re.compile(r"\b(?:[A-Z2-7]{4}-){3}[A-Z2-7]{4}\b")


@dataclass(slots=True)
class Mailbox:
    """All mail that came, oldest first; ``refuse`` answers RCPT for an address by its own words."""

    url: str = ""
    mails: list[EmailMessage] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)

    async def handle_RCPT(  # noqa: N802  (the server's own name for it)
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 OK"

    def to(self, address: str) -> list[EmailMessage]:
        """Return what came for an address."""
        return [one for one in list(self.mails) if one["To"] == address]

    async def next_to(self, address: str, *, after: int = 0, within: float = 30.0) -> EmailMessage:
        """Wait for the mail that follows the first ``after`` of an address."""

        async def come() -> EmailMessage | None:
            found = self.to(address)
            return found[after] if len(found) > after else None

        found: EmailMessage = await until(come, within=within, what="a mail to come")
        return found

    async def code_to(self, address: str, *, after: int = 0) -> str:
        """Wait for that mail and return the code in it."""
        return code_in(await self.next_to(address, after=after))


def text_of(mail: EmailMessage) -> str:
    """Return the plain text of a mail."""
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def code_in(mail: EmailMessage) -> str:
    """Return the code in a mail."""
    found = CODE.search(text_of(mail))
    assert found, "no code in the mail"
    return found[0]


@contextlib.contextmanager
def mailbox() -> Iterator[Mailbox]:
    """Run a server until the block ends."""
    box = Mailbox()
    port = free_ports(["smtp"])["smtp"]
    box.url = f"smtp://127.0.0.1:{port}?starttls=never"
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
