"""What every verb about requests of people needs: store, keys, policy, mails and the time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeVar

from services.retention.mails.requests import Pages
from services.retention.model.requests.errors import Refusal
from services.retention.model.requests.state import (
    By,
    KeptRequest,
    Note,
    Representative,
    Requester,
    no,
)
from services.retention.store.requests import RequestStore
from services.retention.wiring import Rooms
from shared.events.decisions import Refused
from shared.events.personal import Sealed
from shared.mail import Addressee, Message, Posting
from shared.policy.requests import Limit, RequestsPolicy
from shared.privacy import vault
from shared.privacy.blind import AddressError, BlindIndex
from shared.privacy.keyring import KeyRing
from shared.privacy.personal import PersonalData
from shared.privacy.vault import Withheld, reveal, seal
from shared.runtime.locks import Locks
from shared.web.quotas import Quotas

REQUESTER = "requester"  # categories of uses.toml
ROLE = "privacy-role"
# Under which name who asks stands in a request.
RECORDS: Final[Mapping[type[PersonalData], str]] = {
    Requester: "requester",
    Representative: "representative",
}
Who = TypeVar("Who", Requester, Representative)


@dataclass(frozen=True, slots=True)
class Opened:
    """A request in clear; ``withheld`` says why nothing is there of who asks, if nothing is."""

    state: KeptRequest
    requester: Requester | None
    withheld: Withheld | None
    representative: Representative | None
    notes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests of people. ``mailboxes`` are the addresses of roles, empty where there is none."""

    store: RequestStore
    ring: KeyRing
    index: BlindIndex
    policy: RequestsPolicy
    posting: Posting
    quotas: Quotas[Limit]
    rooms: Rooms
    pages: Pages
    code_key: bytes
    mailboxes: Mapping[str, str]
    locks: Locks = field(default_factory=Locks)

    def now(self) -> datetime:
        """Return the time of the store's clock."""
        return self.store.clock.now()

    def by(self, actor: str) -> By:
        """Return who acts now."""
        return By(actor, self.now())

    def indexes(self, address: str, place: str) -> tuple[str, ...] | Refused[Refusal]:
        """Return the blind indexes of an address, the current one last."""
        try:
            return self.index.all(address)
        except AddressError:
            return no("address-invalid", "", "", place)

    async def covered(self, request: KeptRequest) -> list[str] | None:
        """Return every blind index that a request is about; None where who asked is gone.

        A further address counts once staff vouch for it: a code that somebody read at their own
        address opens nobody else's data, and erases none (DOAJ-1a10).
        """
        requester = await self.requester(request)
        if requester is None:
            return None
        addresses = requester.addresses(vouched=request.vouched)
        return sorted({index for one in addresses for index in self.index.all(one)})

    async def note(self, request: KeptRequest, name: str, text: str | None) -> Mapping[str, Sealed]:
        """Seal what staff wrote of a request; nothing where they wrote nothing.

        What was sealed before under this name stays: a step is taken once.
        """
        if not text or name in request.records:
            return {}
        sealed = await seal(
            self.ring,
            Note(text=text),
            person=request.person,
            unit=request.request,
            record=f"{request.request}-{name}",
        )
        return {name: sealed}

    async def requester(self, request: KeptRequest) -> Requester | None:
        """Return who asked, in clear, to answer them; None where that is gone."""
        found = await self._revealed(request, Requester, to_person=True)
        return found.data if found else None

    async def representative(self, request: KeptRequest) -> Representative | None:
        """Return who asked on the person's behalf, to answer them; None where there is none."""
        found = await self._revealed(request, Representative, to_person=True)
        return found.data if found else None

    async def notes(self, request: KeptRequest, *, to_person: bool = True) -> Mapping[str, str]:
        """Return what staff wrote, in clear, by what it is about."""
        named = {
            name: sealed
            for name, sealed in request.records.items()
            if sealed.schema_id == Note.schema_id
        }
        opened = await reveal(self.ring, Note, list(named.values()), to_person=to_person)
        return {name: one.data.text for name, one in zip(named, opened, strict=True) if one.data}

    async def opened(self, request: KeptRequest) -> Opened:
        """Return all of a request as staff may see it, nothing of what is held.

        Raises ``Transient``.
        """
        requester = await self._revealed(request, Requester, to_person=False)
        representative = await self._revealed(request, Representative, to_person=False)
        return Opened(
            request,
            requester.data if requester else None,
            requester.withheld if requester else "gone",
            representative.data if representative else None,
            await self.notes(request, to_person=False),
        )

    async def _revealed(
        self, request: KeptRequest, kind: type[Who], *, to_person: bool
    ) -> vault.Opened[Who] | None:
        sealed = request.records.get(RECORDS[kind])
        if sealed is None:
            return None
        return (await reveal(self.ring, kind, [sealed], to_person=to_person))[0]

    async def post_to_person(
        self, message: Message, subjects: tuple[str, ...], *, actor: str
    ) -> None:
        """Let a mail to whoever asked wait to be sent; once for its cause. Raises ``Transient``."""
        await self.posting.post(message, Addressee(REQUESTER, subjects), actor=actor)

    async def post_to_role(self, message: Message) -> None:
        """Let a mail to a role wait to be sent; once for its cause. Raises ``Transient``."""
        await self.posting.post(message, Addressee(ROLE, self.index.all(message.to)), actor="clock")
