"""What every verb needs: the store, the rows, the keys, the time."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from services.consent.errors import Refusal
from services.consent.model.consents import Grounds, KeptConsent, consent_key
from services.consent.model.notices import KeptNotice, ref_of
from services.consent.store import Store
from shared.mail import Gate, Mails, Posting
from shared.mongo import Aggregates, Refused, Saved
from shared.policy.consent import Standing, in_force, purpose_of, standing
from shared.policy.personal import PurposeRow
from shared.policy.registers import AnalyticsFile, CookiesFile, ExportsFile, ListsFile
from shared.policy.roles import RolesPolicy
from shared.policy.uses import UsesPolicy
from shared.privacy.blind import AddressError, BlindIndex
from shared.privacy.keyring import KeyRing
from shared.privacy.receipts import Signer
from shared.privacy.suppression import suppressions
from shared.runtime.clock import SYSTEM
from shared.web.backoff import Backoff

FIRST_LOOK: Final = 0.02  # seconds until the outbox is looked at; it doubles
LONGEST_LOOK: Final = 0.1
AT: Final = ("/email",)
Views = dict[tuple[date, str], Counter[str]]  # by day and dimension: how often which value


@dataclass(frozen=True, slots=True)
class Rows:
    """The policy files that consent obeys."""

    uses: UsesPolicy
    lists: ListsFile
    cookies: CookiesFile
    exports: ExportsFile
    analytics: AnalyticsFile
    roles: RolesPolicy


@dataclass(frozen=True, slots=True)
class Consenting:
    """Consent at work.

    ``key`` signs links and makes suppressions; ``public_url`` begins links.
    """

    store: Store
    rows: Rows
    ring: KeyRing
    blind: BlindIndex
    key: bytes
    signer: Signer
    mails: Mails
    notices_dir: Path
    public_url: str
    ack_seconds: float
    asked: Backoff = field(default_factory=lambda: Backoff(SYSTEM))
    issue_asked: asyncio.Event = field(default_factory=asyncio.Event)
    views: Views = field(default_factory=dict)

    def now(self) -> datetime:
        """Return the time of the store's clock."""
        return self.store.clock.now()

    @property
    def posting(self) -> Posting:
        """What mails go through; of consents the documents themselves are asked."""
        return Posting(self.mails, Gate(self.rows.uses, self.store.decisions, self.worth))

    def subjects(self, address: str) -> tuple[str, ...] | Refused[Refusal]:
        """Return the blind indexes of an address, the one that is written last."""
        if not address.strip().isprintable():
            return Refused(Refusal("address-invalid", "An address is one line.", places=AT))
        try:
            return self.blind.all(address)
        except AddressError as fault:
            return Refused(Refusal("address-invalid", str(fault), places=AT))

    def purpose(self, name: str) -> PurposeRow | Refused[Refusal]:
        """Return the row of a purpose that one can consent to."""
        base, _, which = name.partition(":")
        row = next((one for one in self.rows.uses.personal.file.purposes if one.id == base), None)
        if row is None or row.basis != "consent":
            return Refused(Refusal("purpose-unknown", rule="DOAJ-1a3"))
        if base == "list" and which not in self.rows.uses.lists:
            return Refused(Refusal("list-unknown", rule="CRP-3c"))
        if (base in ("list", "role-mail")) != bool(which):
            return Refused(Refusal("purpose-unknown", rule="DOAJ-1a3"))
        return row

    async def notice_of(self, purpose: str) -> KeptNotice | None:
        """Return the notice that tells of a purpose."""
        row = self.rows.uses.use(purpose_of(purpose))
        named = row.notice if row else None
        return await self.store.notices.load(named) if named else None

    async def grounds(self, purpose: str, at: datetime) -> Grounds | Refused[Refusal]:
        """Return what a yes said at a moment rests on; without a notice in force there is none."""
        notice = await self.notice_of(purpose)
        version = in_force(notice, at) if notice else None
        if notice is None or version is None:
            return Refused(Refusal("no-notice-in-force", rule="CRP-13a"))
        row = self.rows.uses.use(purpose_of(purpose))
        valid = row.valid if row else None
        return Grounds(ref_of(notice.notice, version), at + valid if valid else None)

    async def consent(self, subjects: Sequence[str], purpose: str) -> KeptConsent | None:
        """Return a consent, under whichever version of the index it stands."""
        keys = [consent_key(subject, purpose) for subject in subjects]
        found = await self.store.consents.load_many(keys)
        return next((found[key] for key in reversed(keys) if key in found), None)

    async def no_since(self, subjects: Sequence[str], purpose: str) -> datetime | None:
        """Return since when an address is suppressed for a purpose; None where it is not."""
        entries = suppressions(self.key, purpose, subjects)
        found = (await self.store.suppressions.load_many(entries)).values()
        return max((one.no_since for one in found if one.no_since is not None), default=None)

    async def worth(self, subjects: Sequence[str], purpose: str) -> Standing:
        """Return what the consent of an address to a purpose is worth now."""
        found = await self.consent(subjects, purpose)
        said = standing(found, await self.notice_of(purpose), self.now())
        if said != "given" or found is None:
            return said
        # A no whose second write was lost: newer than the yes that still stands.
        no_since = await self.no_since(subjects, purpose)
        return "suppressed" if no_since is not None and no_since > found.yes_at else said

    async def pending(self, aggregates: Aggregates[Any], key: str, saved: Saved[Any]) -> bool:
        """Wait for the broker; say whether it does not have everything in time."""
        clock = self.store.clock
        deadline, pause = clock.monotonic() + self.ack_seconds, FIRST_LOOK
        while not await aggregates.published(key, saved):
            if clock.monotonic() >= deadline:
                return True
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_LOOK)
        return False
