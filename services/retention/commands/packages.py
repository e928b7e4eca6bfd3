"""What is asked of access packages: made once for a request, fetched once, and then gone.

Whoever fetches shows a code that only they were given; its hash alone is kept (DOAJ-9a2).
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any, Final, Protocol

from services.retention.model import orders, packages
from services.retention.model.packages import KeptPackage, Refusal, over
from services.retention.packages.building import CLASS, Chunks, Making
from services.retention.packages.contents import Contents
from services.retention.packages.portable import TakenAlong
from services.retention.packages.reading import Reader, Whose
from services.retention.store.packages import PackageStore
from services.retention.wiring import Holding, House, Keeps
from shared.events.orders import EvidenceState, OrderState
from shared.mongo import Refused
from shared.policy.packages import PackagesFile
from shared.policy.requests import Scope
from shared.privacy import vault
from shared.privacy.receipts import Signer
from shared.privacy.subjects import Subjects
from shared.privacy.telling import Rows, Told
from shared.runtime.clock import rfc3339
from shared.runtime.crashpoints import crashpoint
from shared.runtime.faults import Transient
from shared.runtime.ids import new_id, new_pseudonym, new_token

Answer = KeptPackage | Refused[Refusal]
EXPIRED: Final = "expired"
# Topics whose keys are the units of a class of keys: what became of somebody's deposit files.
WHOLE: Final[Mapping[str, str]] = {"deposits.submissions.v1": "deposit-contact"}


class Answers(Protocol):
    """Where answers of services to orders are kept (store/erasures.py)."""

    async def answers(self, order: str) -> Mapping[str, EvidenceState]:
        """Return what services answered to an order, the newest of each."""
        ...


async def _everything(_request: str) -> Scope:
    return "everything"


@dataclass(slots=True)
class Packages:
    """Access packages at work; ``register`` is what fields are for, as deploy writes it.

    ``scope`` says what the package of a request holds, by the request's number.
    """

    house: House
    store: PackageStore
    answers: Answers
    keeps: Keeps | None
    services: tuple[str, ...]
    policy: PackagesFile
    register: Mapping[str, Any]
    signer: Signer
    holds: Holding | None = None
    scope: Callable[[str], Awaitable[Scope]] = _everything
    touch: Callable[[str], None] = lambda _package: None
    chunks: Chunks = field(init=False)

    def __post_init__(self) -> None:
        """Open the chunks."""
        self.chunks = Chunks(self.store.chunks, self.house.ring)

    def now(self) -> datetime:
        """Return the time."""
        return self.house.clock.now()

    # -- asked ---------------------------------------------------------------------------------

    async def asked(
        self, request: str, indexes: Sequence[str], code: str | None = None
    ) -> tuple[KeptPackage, str | None]:
        """Have a package made of whom these indexes are, once for a request.

        Returns its document and the code that opens it: ``code``, or a new one where none is given;
        None where it was asked for before with another. Raises ``Transient``.
        """
        package, code = request, code or new_token()
        known = await self.store.packages.load(package)
        if known is not None:
            return known, code if hmac.compare_digest(known.code, _hashed(code)) else None
        person = new_pseudonym()
        subjects = await vault.seal(
            self.house.ring,
            Subjects.of(indexes),
            person=person,
            unit="subjects",
            record=package,
        )
        new = KeptPackage(
            package=package,
            scope=await self.scope(request),
            request=request,
            person=person,
            code=_hashed(code),
            subjects=subjects,
            order=new_id(),
            asked=self.services,
            times={"looking": self.now()},
        )
        saved = await self.store.packages.update(package, partial(packages.ask, new=new))
        if isinstance(saved, Refused) or saved.state.code != new.code:
            raise Transient("this package is asked for by several at once")
        self.touch(package)
        return saved.state, code

    async def shown(self, package: str) -> KeptPackage | None:
        """Return a package's document, or None."""
        return await self.store.packages.load(package)

    async def stands(self, package: str) -> str | None:
        """Return the step that a package is at, None where there is none."""
        known = await self.shown(package)
        return None if known is None else known.step

    async def opened(self, package: str, code: str) -> Answer:
        """Return a package that may be fetched by this code; whatever is wrong reads the same."""
        known = await self.shown(package)
        kept = known.code if known is not None else _hashed("")
        if not hmac.compare_digest(kept, _hashed(code)) or known is None:
            return packages.UNKNOWN
        return packages.unopened(known, self.now()) or known

    async def end(self, package: str, why: str) -> Answer:
        """End a package; the loop destroys its key."""
        return await self._moved(package, "ended", why=why)

    # -- carried on ----------------------------------------------------------------------------

    async def carry_on(self, package: str) -> bool:
        """Take the next step of a package, if it can be taken; say whether it was."""
        known = await self.store.packages.load(package)
        if known is None or known.step == "gone":
            return False
        return await _STEPS[known.step](self, known)

    async def look(self, known: KeptPackage) -> bool:
        """Ask every service whose keys it holds something under, and wait for all of them."""
        await self._order(known, partial(orders.give, new=packages.order_of(known, self.now())))
        answers = await self.answers.answers(known.order)
        ready = {
            name: one
            for name, one in answers.items()
            if name in known.asked and one.outcome in ("found", "nothing-found")
        }
        if set(ready) != set(known.asked):
            return False
        found = tuple(units for name in sorted(ready) for units in ready[name].keys_found)
        told = tuple(sorted({one for answer in ready.values() for one in answer.processors}))
        await self._order(known, partial(orders.end, at=self.now()))
        done = await self._moved(known.package, "answered", found=found, processors=told)
        return not isinstance(done, Refused)

    async def make(self, known: KeptPackage) -> bool:
        """Read, write and seal; then it can be fetched."""
        whose = await self.whose(known)
        if whose is None:
            return not isinstance(await self.end(known.package, EXPIRED), Refused)
        settings, at = self.house.settings, rfc3339(self.now())
        told = await self._told(known)
        reader = Reader(self.house.ring, settings.kafka_bootstrap, settings.topic_prefix, whose, {})
        making = Making(
            known,
            reader,
            self._contents(known, told),
            {
                "recipients": list(known.processors),
                "kept": list(await self.keeps.kept(known.found)) if self.keeps else [],
                "held": list(await self.holds.stated(known.found)) if self.holds else [],
            },
            dict.fromkeys(known.asked, "answered"),
            self.signer,
            at,
        )
        await self.chunks.discard(known.package)
        count = await self.chunks.write(known, making.parts())
        crashpoint("packages.written")
        done = await self._moved(
            known.package,
            "made",
            chunks=count,
            octets=making.octets,
            sha256=making.sha.hexdigest(),
            until=self.now() + self.policy.ready.lasts,
        )
        return not isinstance(done, Refused)

    async def whose(self, known: KeptPackage) -> Whose | None:
        """Return who a package is about; None where that cannot be read any more."""
        if known.subjects is None:
            return None
        opened = (await vault.reveal(self.house.ring, Subjects, [known.subjects]))[0]
        if opened.data is None:
            return None
        people = {one.keys_id.partition(".")[0] for one in known.found}
        return Whose(frozenset(people), opened.data.every, _whole(known))

    def _contents(self, known: KeptPackage, told: Mapping[str, Mapping[str, Rows]]) -> Contents:
        if known.scope == "portable":
            return TakenAlong(self.register, means=self.policy.portable.means)
        return Contents(self.register, told)

    async def _told(self, known: KeptPackage) -> dict[str, Mapping[str, Rows]]:
        """Return what services told beside their topics, by service and kind."""
        answers = await self.answers.answers(known.order)
        sealed = {name: one.told for name, one in answers.items() if one.told is not None}
        opened = await vault.reveal(self.house.ring, Told, list(sealed.values()))
        return {
            name: said
            for name, one in zip(sealed, opened, strict=True)
            if one.data is not None and (said := one.data.read())
        }

    async def rest(self, known: KeptPackage) -> bool:
        """Wait to be fetched, until its time is up."""
        if not over(known, self.now()):
            return False
        return not isinstance(await self.end(known.package, EXPIRED), Refused)

    async def forget(self, known: KeptPackage) -> bool:
        """Destroy its keys, then what is sealed under them."""
        cause = f"package:{known.package}"
        for cls in (CLASS, Subjects.retention_class()):
            keys = f"{known.person}.{cls}"
            await self.house.keys.fence(keys, cause)
            await self.house.keys.confirm(keys)
            gone = await self.house.keys.destroy(keys)
            if isinstance(gone, Refused):
                return False  # too early: somebody may have the key in hand
        crashpoint("packages.destroyed")
        await self.chunks.discard(known.package)
        await self._order(known, partial(orders.end, at=self.now()))
        done = await self._moved(known.package, "forgotten", subjects=None)
        return not isinstance(done, Refused)

    async def _moved(self, package: str, verb: str, **changes: object) -> Answer:
        return await self.decided(
            package, lambda known: packages.move(known, verb, at=self.now(), **changes)
        )

    async def decided(
        self, package: str, decide: Callable[[KeptPackage | None], packages.Decided]
    ) -> Answer:
        """Change a package by compare-and-set. Raises ``Transient``."""
        saved = await self.store.packages.update(package, decide)
        self.touch(package)
        return saved if isinstance(saved, Refused) else saved.state

    async def _order(
        self, known: KeptPackage, decide: Callable[[OrderState | None], orders.Decided]
    ) -> None:
        await self.store.orders.update(known.order, decide)


_STEPS: Final[Mapping[str, Callable[[Packages, KeptPackage], Awaitable[bool]]]] = {
    "looking": Packages.look,
    "making": Packages.make,
    "ready": Packages.rest,
    "going": Packages.forget,
}


def _whole(known: KeptPackage) -> dict[str, frozenset[bytes]]:
    """Return keys of records that are about the person and say so nowhere, by topic."""
    return {
        topic: frozenset(
            unit.encode()
            for one in known.found
            if one.keys_id.endswith(f".{cls}")
            for unit in one.units
        )
        for topic, cls in WHOLE.items()
    }


def _hashed(code: str) -> str:
    return sha256(code.encode()).hexdigest()
