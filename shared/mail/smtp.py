"""Handing a mail over by SMTP: once, with an outcome in a word that names nobody."""

from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Final, Literal
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib

from shared.mongo.delivering import Failed, Outcome, Sent

Tls = Literal["starttls", "implicit", "never"]
PORTS: Final = {"smtp": 587, "smtps": 465}
FOR_GOOD: Final = 500  # RFC 5321 section 4.2.1: 5yz is permanent


@dataclass(frozen=True, slots=True)
class Smtp:
    """A server that takes mail from us."""

    host: str
    port: int
    tls: Tls
    seconds: float
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)

    async def send(self, mail: EmailMessage) -> Outcome:
        """Hand a mail over, on a connection of its own. Never raises on what a server says.

        A connection that breaks after the text was sent leaves open whether it was taken: it is
        sent again, under the same Message-ID.
        """
        try:
            await aiosmtplib.send(
                mail,
                hostname=self.host,
                port=self.port,
                username=self.username,
                password=self.password,
                use_tls=self.tls == "implicit",
                start_tls=self.tls == "starttls",
                timeout=self.seconds,
            )
        except (aiosmtplib.SMTPException, OSError) as fault:
            return _failed(fault)
        return Sent("taken")


def smtp_of(url: str, *, seconds: float) -> Smtp:
    """Read ``SMTP_URL``; raises ``ValueError`` that does not repeat it, for it holds a password."""
    said = urlsplit(url)
    starttls = parse_qs(said.query).get("starttls", ["always"])[0]
    if said.scheme not in PORTS or not said.hostname or starttls not in {"always", "never"}:
        raise ValueError("SMTP_URL is smtp://host:587, smtps://host:465 or ...?starttls=never")
    tls: Tls = "implicit" if said.scheme == "smtps" else "starttls"
    if tls == "starttls" and starttls == "never":
        tls = "never"
    return Smtp(
        host=said.hostname,
        port=said.port or PORTS[said.scheme],
        tls=tls,
        seconds=seconds,
        username=unquote(said.username) if said.username else None,
        password=unquote(said.password) if said.password else None,
    )


def _failed(fault: Exception) -> Failed:
    """Say what a try came to by its code alone: a server's words may quote the address."""
    match fault:
        case aiosmtplib.SMTPRecipientsRefused():
            code = fault.recipients[0].code if fault.recipients else 0
        case aiosmtplib.SMTPAuthenticationError():
            return Failed(f"login-refused-{fault.code}")  # ours to mend: the mail waits
        case aiosmtplib.SMTPConnectResponseError():
            return Failed(f"connection-refused-{fault.code}")
        case aiosmtplib.SMTPResponseException():
            code = fault.code
        case aiosmtplib.SMTPTimeoutError():
            return Failed("timeout")
        case _:
            return Failed("unreachable")
    return Failed(f"refused-{code}", final=code >= FOR_GOOD)
