"""Mails that wait: one for each cause, address and text sealed under a key of the mail's own.

Between a double mail and a lost one this chooses the double: a process that dies after the server
took a mail and before that is written down leaves it to be sent once more, under the same
Message-ID, by which mailboxes know it. A code that never comes keeps somebody out; the same code
twice does not.
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from typing import Any, Final, Protocol

from shared.mail.message import Message, written
from shared.mongo.client import faults
from shared.mongo.deliveries import Deliveries, Delivery, New
from shared.mongo.delivering import Failed, Outcome, Sent
from shared.policy.decisions import KeptDecision
from shared.policy.personal import PersonalPolicy
from shared.privacy.envelope import (
    SealedKey,
    UnsealError,
    new_sealed_key,
    open_text,
    seal_text,
    unseal,
)
from shared.privacy.epochs import KeyProvider
from shared.runtime.clock import SYSTEM, Clock, parse_rfc3339, rfc3339
from shared.runtime.crashpoints import crashpoint

KIND: Final = "mail"
SCHEMA: Final = "mail.waiting.v1"
FIELDS: Final = ("to", "subject", "text", "html", "preferences", "unsubscribe")

About = Mapping[str, str]
StillAllowed = Callable[[About], Awaitable[bool]]


class Transport(Protocol):
    """What hands a mail over (shared.mail.smtp)."""

    async def send(self, mail: EmailMessage) -> Outcome:
        """Hand a mail over, once."""
        ...


@dataclass(frozen=True, slots=True)
class Mails:
    """The mails of one service that wait to be sent; ``wake`` is set with each."""

    queue: Deliveries
    keys: KeyProvider
    purposes: PersonalPolicy
    given_up_after: timedelta
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    clock: Clock = SYSTEM

    async def post(self, message: Message, decision: KeptDecision) -> bool:
        """Let a mail be sent, once for its cause, by a recorded yes; False where it was posted.

        ``decision`` is asked again before each try (law P7). Raises ``PolicyError`` for a purpose
        that has no row (DOAJ-1a3), ``ValueError`` for a decision that is no yes to this purpose,
        ``Transient``.
        """
        self.purposes.purpose(message.purpose)
        if not decision.allowed or decision.use.purpose != message.purpose:
            raise ValueError("a mail is posted by a recorded yes to its own purpose (law P7)")
        until = message.until or self.clock.now() + self.given_up_after
        texts = {name: text for name in FIELDS if (text := getattr(message, name)) is not None}
        name = f"{KIND}:{message.cause}"
        payload = {
            "purpose": message.purpose,
            "until": rfc3339(until),
            "about": {"decision": decision.decision},
            "sealed": seal_fields(self.keys, texts, schema=SCHEMA, record=name),
        }
        new = await self.queue.enqueue([New(name, KIND, payload, message.share)])
        self.wake.set()
        return bool(new)

    def opened(self, one: Delivery) -> Message:
        """Return a waiting mail in clear; raises ``UnsealError``."""
        texts = open_fields(self.keys, one.payload["sealed"], schema=SCHEMA, record=one.id)
        return Message(
            cause=one.id.removeprefix(f"{KIND}:"),
            purpose=one.payload["purpose"],
            share=one.share,
            to=texts["to"],
            subject=texts["subject"],
            text=texts["text"],
            html=texts.get("html"),
            preferences=texts.get("preferences"),
            unsubscribe=texts.get("unsubscribe"),
        )

    async def empty(self, one: Delivery) -> None:
        """Forget what a mail says, once it needs to be said no more. Raises ``Transient``."""
        with faults():
            await self.queue.collection.update_one(
                {"_id": one.id}, {"$unset": {"payload.sealed": ""}}
            )


@dataclass(frozen=True, slots=True)
class Mailing:
    """The sender of mails; without a transport they wait.

    ``allowed`` is asked right before each try: what was withdrawn meanwhile is not sent.
    """

    mails: Mails
    transport: Transport | None
    sender: str
    allowed: StillAllowed

    async def send(self, one: Delivery) -> Outcome:
        """Try one mail. Raises ``Transient``."""
        if "sealed" not in one.payload:
            # It was taken, and whoever handed it over died before that was written down.
            return Sent("taken")
        outcome = await self._try(one)
        crashpoint("mail.taken")
        if isinstance(outcome, Sent) or outcome.final:
            await self.mails.empty(one)
        return outcome

    async def _try(self, one: Delivery) -> Outcome:
        now = self.mails.clock.now()
        if now >= parse_rfc3339(one.payload["until"]):
            return Failed("too-late", final=True)
        if self.transport is None:
            return Failed("no-transport")
        if not await self.allowed(one.payload["about"]):
            return Failed("no-longer-allowed", final=True)
        try:
            message = self.mails.opened(one)
        except UnsealError:
            return Failed("unreadable")
        return await self.transport.send(
            written(message, sender=self.sender, at=min(one.since, now))
        )


def seal_fields(
    keys: KeyProvider, texts: Mapping[str, str], *, schema: str, record: str
) -> dict[str, Any]:
    """Encrypt texts under a new key of their own, wrapped under the current epoch."""
    key = new_sealed_key(keys, record)
    opened = unseal(keys, key)
    return {
        "epoch": key.epoch,
        "key": base64.b64encode(key.wrapped).decode(),
        "values": {
            name: seal_text(opened, text, schema=schema, field=f"/{name}", record=record)
            for name, text in texts.items()
        },
    }


def open_fields(
    keys: KeyProvider, sealed: Mapping[str, Any], *, schema: str, record: str
) -> dict[str, str]:
    """Decrypt what ``seal_fields`` made for this record; raises ``UnsealError`` otherwise."""
    key = unseal(keys, SealedKey(record, sealed["epoch"], base64.b64decode(sealed["key"])))
    return {
        name: open_text(key, text, schema=schema, field=f"/{name}", record=record)
        for name, text in sealed["values"].items()
    }
