"""Accepting a deposit: sealed chunks first, then the submission; only then it is promised."""

import hashlib
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from html import unescape

from services.deposits import model
from services.deposits.depositors import address_in, indexed
from services.deposits.errors import QUEUE_FULL, USER_QUEUE_FULL, Refusal
from services.deposits.processing import Worker
from services.deposits.store import New, RawFiles, RawKeys, Submissions, Taken, using
from services.deposits.store.keys import SCHEMA
from shared.privacy.blind import BlindIndex
from shared.privacy.envelope import OpenKey, seal_stream, seal_text
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.crashpoints import crashpoint
from shared.runtime.faults import Busy
from shared.runtime.ids import new_number

COUNT_SECONDS = 10.0  # how long a count of pending submissions is gone by
HEAD_BYTES = 16_384  # of a file, within which its batch id stands
_BATCH_ID = re.compile(rb"<(?:\w+:)?doi_batch_id\s*>([^<]{1,400})</")


@dataclass(frozen=True, slots=True)
class Depositor:
    """Who deposits: a login and its organisation."""

    credential: str
    organisation: int


@dataclass(frozen=True, slots=True)
class Sealed:
    """A file whose chunks are durable, and which is no submission yet."""

    submission: str
    depositor: Depositor
    new: New


@dataclass(slots=True)
class Accepting:
    """The commands that take deposits in; ``workers`` are those of this process."""

    submissions: Submissions
    files: RawFiles
    keys: RawKeys
    blind: BlindIndex
    pending_per_user: int
    pending: int
    workers: Sequence[Worker] = ()
    clock: Clock = SYSTEM
    _last: int = 0
    _counted: dict[str | None, tuple[float, int]] = field(default_factory=dict)

    async def room(self, depositor: Depositor) -> Refusal | None:
        """Refuse where too many submissions wait already.

        Counts are looked at every ten seconds and added up in between, so a limit may be passed by
        what arrives at other replicas meanwhile.
        """
        if await self._pending(depositor.credential, self.pending_per_user):
            return USER_QUEUE_FULL
        if await self._pending(None, self.pending):
            return QUEUE_FULL
        return None

    async def seal(
        self, depositor: Depositor, parts: AsyncIterator[bytes], *, file_name: str | None
    ) -> Sealed:
        """Write a file as it comes, encrypted under a key of its own.

        Where ``parts`` raises, what was written is taken away again.
        """
        submission = self._number()
        made = await self.keys.make(submission)
        key = using(partial(self.keys.ring.key, made.kid), made)
        measured = _Measured(parts)
        now = self.clock.now()
        begun = False
        try:
            async for chunk in seal_stream(key, measured.parts(), record=submission):
                await self.files.add(submission, chunk, now=now)
                begun = True
        except Taken:
            raise Busy("this number was given to another upload at the same moment") from None
        except BaseException:  # also where it is cancelled: the client may have gone away
            if begun:
                await self.files.discard(submission)
            raise
        state, event = model.received(
            submission, organisation=depositor.organisation, now=self.clock.now()
        )
        new = New(
            state=state,
            event=event,
            credential=depositor.credential,
            size=measured.size,
            sha256=measured.digest.hexdigest(),
            kid=made.kid,
            file_name=_sealed(await key(), file_name, submission, field="/file_name"),
            lookup=(
                *self._lookup(depositor, file_name, batch_id_in(bytes(measured.head))),
                made.kid.partition(".")[0],
                *indexed(self.blind, address_in(bytes(measured.head))),
            ),
        )
        return Sealed(submission, depositor, new)

    async def submit(
        self, sealed: Sealed, *, correlation: str | None, callback: str | None = None
    ) -> str:
        """Make a sealed file a submission: from here on it is promised. Return its number.

        ``callback`` is the URL to call when it ends.
        """
        crashpoint("deposits.chunks-written")
        new = sealed.new
        if callback is not None:
            key = await self.keys.ring.key(new.kid)
            url = _sealed(key, callback, sealed.submission, field="/callback")
            new = replace(new, callback=url)
        worker = next((one for one in self.workers if one.has_room(sealed.new.size)), None)
        offer = worker.offer(sealed.depositor.organisation) if worker else None
        submission = None
        try:
            submission = await self.submissions.add(new, offer=offer, correlation=correlation)
        finally:
            if worker is not None and offer is not None:
                worker.hand(submission, offer)
        crashpoint("deposits.submission-inserted")
        for name in (sealed.depositor.credential, None):
            if name in self._counted:
                at, count = self._counted[name]
                self._counted[name] = (at, count + 1)
        if worker is None:
            for one in self.workers:
                one.wake.set()
        return sealed.submission

    async def give_up(self, sealed: Sealed) -> None:
        """Take a sealed file away that shall be no submission."""
        await self.files.discard(sealed.submission)

    def _number(self) -> str:
        """Return a new number: within this process each is greater than the last."""
        self._last = max(new_number(), self._last + 1)
        return str(self._last)

    def _lookup(
        self, depositor: Depositor, file_name: str | None, batch_id: str | None
    ) -> tuple[str, ...]:
        """Return what a submission is found by from its acceptance on, its batch id included."""
        credential = depositor.credential
        names = (("file", file_name), ("batch", batch_id))
        return (
            credential,
            *(
                self.submissions.hashed(kind, name, credential=credential)
                for kind, name in names
                if name is not None
            ),
        )

    async def _pending(self, credential: str | None, limit: int) -> bool:
        now = self.clock.monotonic()
        at, count = self._counted.get(credential, (float("-inf"), 0))
        if now - at > COUNT_SECONDS:
            count = await self.submissions.pending(credential, most=limit)
            if len(self._counted) > limit:
                self._counted.clear()
            self._counted[credential] = (now, count)
        return count >= limit


@dataclass(slots=True)
class _Measured:
    """A stream, its size and its hash, taken as it passes."""

    source: AsyncIterator[bytes]
    size: int = 0
    head: bytearray = field(default_factory=bytearray)
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    async def parts(self) -> AsyncIterator[bytes]:
        """Pass the stream on."""
        async for part in self.source:
            if self.size < HEAD_BYTES:
                self.head += part[: HEAD_BYTES - self.size]
            self.size += len(part)
            self.digest.update(part)
            yield part


def batch_id_in(head: bytes) -> str | None:
    """Return the batch id that the beginning of a file seems to have, to look it up by.

    The file is not read yet: a depositor may ask for it at once by the name that it gave it.
    Whoever reads the file finds the true one and enters that too.
    """
    found = _BATCH_ID.search(head)
    if found is None:
        return None
    return unescape(found[1].decode("utf-8", "replace")).strip() or None


def _sealed(key: OpenKey, text: str | None, submission: str, *, field: str) -> str | None:
    if text is None:
        return None
    return seal_text(key, text, schema=SCHEMA, field=field, record=submission)
