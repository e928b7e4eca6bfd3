"""Mail: written once for each cause, kept sealed until an SMTP server has taken it.

A service posts a ``Message`` to its ``Mails``; ``Mailing`` is the sender of the delivery loop
(shared.mongo.delivering). Address and text are in clear in memory only. Every mail has a link to
opt out by, or to the recipient's preferences where it is service mail (CRP-3e).
"""

from shared.mail.message import Message, MessageError
from shared.mail.queue import KIND, Mailing, Mails
from shared.mail.settings import MailSettings
from shared.mail.smtp import Smtp, smtp_of

__all__ = [
    "KIND",
    "MailSettings",
    "Mailing",
    "Mails",
    "Message",
    "MessageError",
    "Smtp",
    "smtp_of",
]
