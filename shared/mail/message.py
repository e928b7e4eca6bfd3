"""One mail: what it says and why, and how it is written down as RFC 5322 wants it.

Its id follows from its cause, so that a mail that is sent twice after a crash is known as the same
to whoever receives it.
"""

import html as markup
import re
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from hashlib import sha256
from typing import Final

from shared.privacy.blind import AddressError, normalised

CAUSE: Final = re.compile(r"[a-z0-9][a-z0-9.:-]{0,199}")
LINE: Final = 300  # characters of a subject
_LINK: Final = re.compile(r"https?://[^\s<>\"]+")


class MessageError(ValueError):
    """A mail that cannot be; the sentence says which part is wrong and never repeats it."""


@dataclass(frozen=True, slots=True)
class Message:
    """A mail in clear: in memory only.

    ``cause`` is what it is about: of one cause there is one mail. ``share`` is whose it is in the
    queue (a pseudonym). List mail has ``unsubscribe``, which one click or one POST obeys (RFC
    8058); service mail has ``preferences``. ``until`` is after when it would say nothing true.
    """

    cause: str
    purpose: str
    share: str
    to: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str | None = field(default=None, repr=False)
    preferences: str | None = field(default=None, repr=False)
    unsubscribe: str | None = field(default=None, repr=False)
    until: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse what could not be sent; raises ``MessageError``."""
        if CAUSE.fullmatch(self.cause) is None:
            raise MessageError("a cause holds a-z, 0-9 and . : - only")
        if not self.subject or len(self.subject) > LINE or not self.subject.isprintable():
            raise MessageError(f"a subject is one line of at most {LINE} characters")
        try:
            normalised(self.to)
        except AddressError as fault:
            raise MessageError(str(fault)) from None
        if not self.to.isprintable():
            raise MessageError("an address is one line")
        links = [one for one in (self.preferences, self.unsubscribe) if one is not None]
        if not links:
            raise MessageError("a mail has a link to opt out by, or to preferences (CRP-3e)")
        if any(_LINK.fullmatch(one) is None for one in links):
            raise MessageError("a link begins with http:// or https://")


def message_id(cause: str, sender: str) -> str:
    """Return the Message-ID of a cause: the same with every try, and telling nothing."""
    return f"<{sha256(cause.encode()).hexdigest()[:40]}@{_domain(sender)}>"


def written(message: Message, *, sender: str, at: datetime) -> EmailMessage:
    """Write a mail down, its links at the end of each part."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = _address(sender)
    mail["To"] = Address(addr_spec=message.to.strip())
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = message_id(message.cause, sender)
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    if message.unsubscribe is not None:
        mail["List-Unsubscribe"] = f"<{message.unsubscribe}>"
        if message.unsubscribe.startswith("https://"):
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(f"{message.text.rstrip()}\n\n-- \n{_foot(message)}\n")
    if message.html is not None:
        mail.add_alternative(_with_foot(message.html, message), subtype="html")
    return mail


def _foot(message: Message) -> str:
    lines = []
    if message.unsubscribe is not None:
        lines.append(f"No more of these: {message.unsubscribe}")
    if message.preferences is not None:
        lines.append(f"What mail you get from us: {message.preferences}")
    return "\n".join(lines)


def _with_foot(text: str, message: Message) -> str:
    said = [
        f'<p><a href="{markup.escape(link)}">{name}</a></p>'
        for name, link in (
            ("No more of these", message.unsubscribe),
            ("What mail you get from us", message.preferences),
        )
        if link is not None
    ]
    body, end, rest = text.partition("</body>")
    return body + "".join(said) + end + rest


def _address(sender: str) -> Address:
    name, spec = parseaddr(sender)
    return Address(display_name=name, addr_spec=spec)


def _domain(sender: str) -> str:
    return parseaddr(sender)[1].rpartition("@")[2] or "localhost"
