"""Mail: written once for each cause, kept sealed until an SMTP server has taken it.

A service posts a ``Message`` by its ``Posting``, which asks the ``Gate`` and records the answer
(law P7); ``delivering`` sends what waits, each mail only while the gate still allows it. Address
and text are in clear in memory only. Every mail has a link to opt out by, or to the recipient's
preferences where it is service mail (CRP-3e).
"""

from shared.mail.gate import Gate, kept_decisions
from shared.mail.message import Message, MessageError
from shared.mail.posting import Addressee, Posting, delivering, waiting
from shared.mail.queue import KIND, Mailing, Mails
from shared.mail.settings import MailSettings
from shared.mail.smtp import Smtp, smtp_of

__all__ = [
    "KIND",
    "Addressee",
    "Gate",
    "MailSettings",
    "Mailing",
    "Mails",
    "Message",
    "MessageError",
    "Posting",
    "Smtp",
    "delivering",
    "kept_decisions",
    "smtp_of",
    "waiting",
]
