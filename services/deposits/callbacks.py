"""Callbacks: a depositor that gave a URL is told once its submission has ended, signed.

The URL lies sealed in the submission, which is marked to be called back in the write that promises
it. When it is completed its delivery is enqueued, under an id that follows from its number, and
then the mark is taken away: whoever dies in between leaves it to the next. The delivery holds the
number alone; what is sent is made from the submission at each try, so it is the same each time. It
holds nothing that a depositor chose: no file name, no batch id.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import aiohttp
import orjson

from services.deposits.errors import NO_SECRET, Refusal, callback_refused
from services.deposits.store import RawKeys, Submission, Submissions
from services.deposits.store.keys import SCHEMA
from services.deposits.store.secrets import MOST, Secret, Secrets
from shared.mongo.deliveries import Deliveries, Delivery, New
from shared.mongo.delivering import Failed, Outcome
from shared.privacy.envelope import (
    UnsealError,
    new_sealed_key,
    open_text,
    seal_text,
    unseal,
)
from shared.privacy.epochs import KeyProvider
from shared.privacy.signatures import new_webhook_secret
from shared.runtime.clock import SYSTEM, Clock, rfc3339
from shared.runtime.crashpoints import crashpoint
from shared.runtime.faults import Busy, Transient
from shared.runtime.health import Health
from shared.runtime.log import get_log
from shared.runtime.service import wait_any
from shared.web.calling import call
from shared.web.outgoing import Network, refused_url

KIND: Final = "callback"
TYPE: Final = "submission.completed"
SECRET_SCHEMA: Final = "deposits.callback-secrets.v1"  # noqa: S105  (names a place)
AT_ONCE: Final = 100
LOOK_SECONDS: Final = 0.5
TRIES: Final = 5  # lost races over one login's secrets

log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class Rotated:
    """A new secret in clear, shown once, and until when the former ones sign too."""

    secret: str
    made_at: datetime
    former_until: datetime | None


@dataclass(frozen=True, slots=True)
class Callbacks:
    """Who may be called back, with what secret, and how far that is."""

    submissions: Submissions
    secrets: Secrets
    queue: Deliveries
    keys: KeyProvider
    raw_keys: RawKeys
    exempt: Sequence[Network]
    overlap: timedelta
    public_url: str = ""
    clock: Clock = SYSTEM

    async def refused(self, url: str, credential: str) -> Refusal | None:
        """Say why a callback cannot be promised, or None where it can."""
        why = refused_url(url, self.exempt)
        if why is not None:
            return callback_refused(why)
        return None if (await self.secrets.of(credential)).secrets else NO_SECRET

    async def rotate(self, credential: str, *, overlap: timedelta | None = None) -> Rotated:
        """Make a login's secret, or a new one; former ones sign too for ``overlap``."""
        for _ in range(TRIES):
            now = self.clock.now()
            kept = await self.secrets.of(credential)
            until = now + (self.overlap if overlap is None else overlap)
            former = [
                Secret(one.sealed, one.key, one.made_at, min(until, one.until or until))
                for one in kept.secrets[: MOST - 1]
            ]
            former = [one for one in former if one.until is not None and one.until > now]
            secret = new_webhook_secret()
            newest = self._sealed(credential, secret, now)
            if await self.secrets.put(credential, [newest, *former], over=kept.version):
                return Rotated(secret, now, former[0].until if former else None)
        raise Busy("this login's secret is changed by too many at once")

    async def made_at(self, credential: str) -> list[tuple[datetime, datetime | None]]:
        """Return when each secret in force was made and when it ends, the newest first."""
        now = self.clock.now()
        kept = await self.secrets.of(credential)
        return [(one.made_at, one.until) for one in kept.secrets if _in_force(one, now)]

    async def delivery(self, submission: Submission) -> Delivery | None:
        """Return how far a callback is; None where it was not enqueued yet, or long ago."""
        return await self.queue.one(message_id(submission.id))

    async def in_clear(self, credential: str) -> list[str]:
        """Return the secrets in force, the newest first; raises ``UnsealError``."""
        now = self.clock.now()
        kept = await self.secrets.of(credential)
        return [
            open_text(
                unseal(self.keys, one.key),
                one.sealed,
                schema=SECRET_SCHEMA,
                field="/secret",
                record=credential,
            )
            for one in kept.secrets
            if _in_force(one, now)
        ]

    def _sealed(self, credential: str, secret: str, now: datetime) -> Secret:
        key = new_sealed_key(self.keys, f"callback.{credential}")
        sealed = seal_text(
            unseal(self.keys, key),
            secret,
            schema=SECRET_SCHEMA,
            field="/secret",
            record=credential,
        )
        return Secret(sealed, key, now, None)


@dataclass(slots=True)
class Announcing:
    """The role that turns ends of submissions into deliveries; ``told`` is called for each."""

    callbacks: Callbacks
    told: asyncio.Event
    health: Health = field(default_factory=Health)

    async def run(self, draining: asyncio.Event) -> None:
        """Announce until told to drain."""
        self.health.promise("callbacks", within=60)
        while not draining.is_set():
            try:
                found = await self.announce()
            except Transient as fault:
                log.warning("callbacks interrupted", reason=str(fault))
                found = 0
            self.health.beat("callbacks")
            if found < AT_ONCE:
                await wait_any(draining, timeout=LOOK_SECONDS)
        self.health.retire("callbacks")

    async def announce(self) -> int:
        """Enqueue the callbacks of submissions that ended; return how many there were."""
        ended = await self.callbacks.submissions.to_call_back(most=AT_ONCE)
        if ended:
            await self.callbacks.queue.enqueue([_announced(one) for one in ended])
            crashpoint("deposits.callback-enqueued")
            await self.callbacks.submissions.called_back([one.id for one in ended])
            self.told.set()
        return len(ended)


@dataclass(frozen=True, slots=True)
class Calling:
    """The sender of callbacks."""

    callbacks: Callbacks
    session: aiohttp.ClientSession

    async def send(self, delivery: Delivery) -> Outcome:
        """Call a submission's URL once."""
        callbacks = self.callbacks
        found = await callbacks.submissions.one(delivery.payload["submission"])
        if found is None or found.callback is None:
            return Failed("submission-gone", final=True)
        try:
            key = await callbacks.raw_keys.open(found)
            url = open_text(key, found.callback, schema=SCHEMA, field="/callback", record=found.id)
            secrets = await callbacks.in_clear(found.credential)
        except UnsealError:
            return Failed("keys-gone", final=True)
        if not secrets:
            return Failed("no-secret", final=True)
        body = body_of(found, callbacks.public_url)
        now = callbacks.clock.now()
        return await call(self.session, url, body, secrets=secrets, message=delivery.id, now=now)


def message_id(submission: str) -> str:
    """Return the ``webhook-id`` of a submission's callback; it holds no full stop."""
    return f"submission_{submission}"


def body_of(submission: Submission, public_url: str) -> bytes:
    """Return what a callback says: the same bytes at each try."""
    state = submission.state
    here = f"{public_url}/submissions/{submission.id}"
    said = {
        "type": TYPE,
        "timestamp": None if state.completed_at is None else rfc3339(state.completed_at),
        "data": {
            "submission": submission.id,
            "status": state.status,
            "counts": {
                "records": state.record_count,
                "success": state.success_count,
                "warning": state.warning_count,
                "failure": state.failure_count,
            },
            "links": {"self": here, "records": f"{here}/records"},
        },
    }
    return orjson.dumps(said)


def _announced(submission: Submission) -> New:
    share = f"organisation:{submission.state.organisation}"
    return New(message_id(submission.id), KIND, {"submission": submission.id}, share)


def _in_force(secret: Secret, now: datetime) -> bool:
    return secret.until is None or secret.until > now
