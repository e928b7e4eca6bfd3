"""Mail as a service sends it: asked of the gate and recorded, queued sealed, asked once more, sent.

Every service that mails composes it here, the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from shared.mail.gate import Gate
from shared.mail.gate import prepare as prepare_decisions
from shared.mail.message import Message
from shared.mail.queue import KIND, Mailing, Mails
from shared.mail.settings import MailSettings
from shared.mail.smtp import smtp_of
from shared.mongo.client import Database
from shared.mongo.deliveries import Deliveries
from shared.mongo.delivering import Delivering, Patience, Sender
from shared.policy.personal import PersonalPolicy
from shared.policy.uses import Use
from shared.privacy.epochs import FileEpochs
from shared.runtime.health import Health
from shared.runtime.metrics import MAIL_TRANSPORT

KEPT: Final = timedelta(days=30)  # as long as a mail's cause is known not to be sent again


@dataclass(frozen=True, slots=True)
class Addressee:
    """How an address came to be known, as the gate asks: its category, and its contact's roles.

    ``subjects`` are all blind indexes of the address, the current one last.
    """

    category: str
    subjects: tuple[str, ...]
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Posting:
    """What lets mails wait to be sent, each where the gate allows it."""

    mails: Mails
    gate: Gate

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        await self.mails.queue.prepare()
        await prepare_decisions(self.gate.decisions.collection.database)

    async def post(self, message: Message, to: Addressee, *, actor: str, name: str = "") -> bool:
        """Ask for a mail, record the answer, and let it be sent where that is yes.

        ``actor`` is who caused it, ``name`` that of the list or the further role. False where it
        is not allowed, or one of its cause was posted before. Raises ``Transient``.
        """
        use = mail_use(message.purpose, to, name)
        decision = await self.gate.ask(use, to.subjects, actor=actor)
        return decision.allowed and await self.mails.post(message, decision)


def mail_use(purpose: str, to: Addressee, name: str = "") -> Use:
    """Return what a mail is to the gate; each has its link, or it could not be made (CRP-3e)."""
    return Use("mail", purpose, to.category, name=name, roles=to.roles, opt_out_link=True)


def waiting(
    settings: MailSettings, database: Database, purposes: PersonalPolicy, *, keys: Path
) -> Mails:
    """Compose the queue of a service's mails; ``keys`` is the folder of what they are sealed under.

    Its ``wake`` is set with each mail.
    """
    return Mails(
        Deliveries(database["deliveries"], kept=KEPT),
        FileEpochs(keys),
        purposes,
        timedelta(hours=settings.mail_give_up_hours),
    )


def delivering(
    settings: MailSettings,
    posting: Posting,
    health: Health,
    also: Mapping[str, Sender] | None = None,
) -> Delivering:
    """Compose the loop that sends mails, each only while the gate still allows it.

    ``also`` are senders of what else waits in the same queue.
    """
    transport = None
    if settings.smtp_url:
        transport = smtp_of(settings.smtp_url, seconds=settings.mail_seconds)
    MAIL_TRANSPORT.set(transport is not None)
    mails = posting.mails
    sending = Mailing(mails, transport, settings.mail_from, posting.gate.still)
    return Delivering(
        mails.queue,
        {KIND: sending.send, **(also or {})},
        # A mail's own time ends before this, and then its text is forgotten.
        Patience(
            first=settings.mail_first_seconds,
            most=settings.mail_most_seconds,
            span=2 * settings.mail_give_up_hours * 3600,
        ),
        seconds=settings.mail_seconds,
        health=health,
        wake=mails.wake,
    )
