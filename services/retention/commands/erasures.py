"""What is asked of erasures: begun, approved, taken back, refused, and shown; each once.

Nobody is named here in clear: whom an erasure is about stands in it as blind indexes, sealed under
a key of its own, or as keys.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from services.retention.erasure.fencing import holds
from services.retention.erasure.saga import Saga
from services.retention.model import erasures
from services.retention.model.erasure_plans import erasure_id
from services.retention.model.erasure_states import Exempt, KeptErasure
from services.retention.model.erasures import GIVEN_UP, Attested, Decided, Refusal
from services.retention.model.expecting import Expected, expected
from services.retention.wiring import Due
from shared.events.orders import KeptUnits
from shared.events.personal import Sealed
from shared.mongo import Refused
from shared.privacy import vault
from shared.privacy.certificates.statement import SALT_BYTES
from shared.privacy.subjects import Subjects
from shared.runtime.ids import new_pseudonym, random_bytes

Answer = KeptErasure | Refused[Refusal]


@dataclass(frozen=True, slots=True)
class Erasures:
    """The erasures; ``services.retention.wiring.Erasing`` is what other parts see of them.

    ``touch`` has the loop of this process look at one now, where there is one.
    """

    saga: Saga
    touch: Callable[[str], None] = lambda _erasure: None

    async def due(self, due: Due) -> str:
        """Begin the erasure of what a due clock names, once; return its id.

        Only the service that has it is asked: what else there is of the person stays.
        """
        return await self._begun(
            KeptErasure(
                erasure=erasure_id("due-clock", due.clock),
                cause="due-clock",
                cause_id=due.clock,
                rule=due.rule,
                asked_by="due-clock",
                asked_records=due.records,
                services=(due.service,),
                times={"looking": self.saga.now()},
                salt=random_bytes(SALT_BYTES).hex(),
            )
        )

    async def asked(
        self,
        request: str,
        subjects: Sealed | None,
        *,
        exempt: Sequence[tuple[str, str, datetime]] = (),
        actor: str,
        records: Sequence[KeptUnits] = (),
    ) -> str:
        """Plan the erasure of a person, once for a request; return its id.

        ``exempt``: class, reason (certificates' words) and date of review of what is kept.
        ``records`` are keys that are known to be the person's; alone, nothing else is meant.
        """
        return await self._begun(
            KeptErasure(
                erasure=erasure_id("request", request),
                cause="request",
                cause_id=request,
                asked_by=actor,
                subjects=subjects,
                asked_records=tuple(records),
                exempt=tuple(
                    Exempt.model_validate({"cls": cls, "reason": reason, "review_at": at})
                    for cls, reason, at in exempt
                ),
                services=self.saga.policy.services,
                times={"looking": self.saga.now()},
                salt=random_bytes(SALT_BYTES).hex(),
            )
        )

    async def stands(self, erasure: str) -> str | None:
        """Return the step that an erasure is at, None where there is none."""
        known = await self.shown(erasure)
        return None if known is None else known.step

    async def held(self, known: KeptErasure) -> tuple[str, ...]:
        """Return the holds that stand now on keys that are to go, none where they are gone."""
        if "destroyed" in known.times or known.step in GIVEN_UP or not known.keys:
            return ()
        return await holds(self.saga, known.keys)

    def expected(self, known: KeptErasure) -> Expected:
        """Return when the levels are expected that are still to come."""
        return expected(known, self.saga.bounds, self.saga.now())

    async def shown(self, erasure: str) -> KeptErasure | None:
        """Return an erasure, or None."""
        return await self.saga.store.erasures.load(erasure)

    async def sealed(self, request: str, indexes: Sequence[str]) -> Sealed | None:
        """Seal blind indexes for an erasure under a key of its own; None where it has begun.

        Raises ``Transient``.
        """
        if await self.shown(erasure_id("request", request)) is not None:
            return None
        return await vault.seal(
            self.saga.house.ring,
            Subjects.of(indexes),
            person=new_pseudonym(),
            unit="subjects",
            record=erasure_id("request", request),
        )

    async def approve(
        self, erasure: str, by: str, *, plan: str | None = None, at_once: bool = False
    ) -> Answer:
        """Approve a plan; after the cooling-off it is carried out, without it where ``at_once``."""
        now, rows = self.saga.now(), self.saga.policy.file
        until = now + (timedelta(0) if at_once else rows.cooling_off.lasts)
        decide = partial(
            erasures.approve,
            by=by,
            plan=plan,
            at=now,
            rests_until=until,
            late_from=until + rows.overdue_after.lasts,
        )
        return await self._saved(erasure, decide)

    async def take_back(self, erasure: str, by: str) -> Answer:
        """Take an erasure back, while nothing is destroyed."""
        return await self._saved(erasure, partial(erasures.take_back, by=by, at=self.saga.now()))

    async def refuse(self, erasure: str, by: str, reason: str) -> Answer:
        """Refuse an erasure, before anything is fenced."""
        return await self._saved(
            erasure, partial(erasures.refuse, by=by, reason=reason, at=self.saga.now())
        )

    async def attest(
        self, erasure: str, processor: str, what: Attested, by: str, at: datetime
    ) -> Answer:
        """Write down what staff attest of a processor: told, or completed, and when."""
        decide = partial(
            erasures.attest, processor=processor, what=what, by=by, at=at, now=self.saga.now()
        )
        return await self._saved(erasure, decide)

    async def _begun(self, new: KeptErasure) -> str:
        await self._saved(new.erasure, partial(erasures.begin, new=new))
        return new.erasure

    async def _saved(self, erasure: str, decide: Callable[[KeptErasure | None], Decided]) -> Answer:
        saved = await self.saga.store.erasures.update(erasure, decide)
        self.touch(erasure)
        return saved if isinstance(saved, Refused) else saved.state
