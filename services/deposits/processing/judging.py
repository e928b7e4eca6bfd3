"""A batch of records, of several submissions, to durable verdicts: works first, then diagnostics.

Death at any point is repaired by doing the batch again (law L1, model.py). Records of one DOI are
judged in their order, in waves; everything else goes in one round trip for the whole batch.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from services.deposits.crossref.submission import Record
from services.deposits.model import (
    Permission,
    Registration,
    Verdict,
    gave_up,
    judge,
    judge_alone,
    key_of,
)
from services.deposits.store import Diagnostics, Held, Works
from services.deposits.store.works import MOST_VERDICTS
from shared.runtime.crashpoints import crashpoint
from shared.runtime.faults import Transient
from shared.runtime.log import get_log
from shared.web.faults import place_of

TRIES: Final = 8  # lost races over one work in a row
RETRY_SECONDS: Final = 0.5

log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class Case:
    """A record to be judged; ``permission`` is None only where the record has no DOI to go by."""

    submission: str
    record: Record
    permission: Permission | None
    resumed: bool = False

    @property
    def name(self) -> str:
        """``<submission>#<record>``."""
        return f"{self.submission}#{self.record.index}"


@dataclass(slots=True)
class Judging:
    """Judges batches against the store."""

    works: Works
    diagnostics: Diagnostics
    now: Callable[[], datetime]
    _crowded: dict[str, list[str]] = field(default_factory=dict)

    async def insist(
        self, cases: Sequence[Case], files: Mapping[str, Verdict], waiting: Callable[[], None]
    ) -> dict[str, Verdict]:
        """Settle a batch, again and again while the store is away: its records must not be lost.

        ``files`` are verdicts on whole files; ``waiting`` is called before each new try. A record
        that cannot be judged for a reason of ours fails alone (a poison record never blocks).
        """
        while True:
            try:
                return await self.settle(cases, files)
            except Transient as fault:
                log.warning("judging again", reason=str(fault), records=len(cases))
                waiting()
                await asyncio.sleep(RETRY_SECONDS)
            except Exception as fault:
                if not cases:
                    raise
                # Not the trace: the fault's own words may quote a record.
                what = {"fault": type(fault).__name__, "place": place_of(fault)}
                log.error("judging failed", records=len(cases), **what)  # noqa: TRY400
                break
        if len(cases) == 1:
            gone = {cases[0].name: gave_up(cases[0].record)}
            return await self.insist([], {**files, **gone}, waiting)
        durable = await self.insist([], files, waiting)
        for case in cases:
            durable |= await self.insist([case], {}, waiting)
        return durable

    async def settle(
        self, cases: Sequence[Case], files: Mapping[str, Verdict] | None = None
    ) -> dict[str, Verdict]:
        """Return the durable verdict of each case; raises ``Transient``: then do it again.

        ``files`` are verdicts on whole files, to be made durable along with them.
        """
        self._crowded.clear()
        # What has a diagnostic is done; only a submission that somebody had before can have one.
        durable = await self.diagnostics.known(case.name for case in cases if case.resumed)
        fresh: dict[str, Verdict] = dict(files or {})
        waiting = []
        for case in cases:
            if case.name in durable:
                continue
            alone = judge_alone(case.record, case.permission)
            if alone is not None:
                fresh[case.name] = alone
            else:
                waiting.append(case)
        for wave in waves(waiting):
            fresh |= await self._wave(wave)
        durable |= await self.diagnostics.add(fresh)
        crashpoint("deposits.diagnostics-written")
        await self._forget()
        return durable

    async def _wave(self, cases: Sequence[Case]) -> dict[str, Verdict]:
        verdicts: dict[str, Verdict] = {}
        for _ in range(TRIES):
            held = await self.works.load([key_of(case.record) for case in cases])
            accepted: dict[str, Registration] = {}
            for case in cases:
                decided = self._decide(case, held.get(key_of(case.record)))
                if isinstance(decided, Registration):
                    accepted[key_of(case.record)] = decided
                else:
                    verdicts[case.name] = decided
            lost = await self.works.save(accepted)
            crashpoint("deposits.work-written")
            for doi, registration in accepted.items():
                if doi not in lost:
                    verdicts[registration.state.submission] = registration.verdict
            cases = [case for case in cases if case.name not in verdicts]
            if not cases:
                return verdicts
        raise Transient("these works are changed by too many at once")

    def _decide(self, case: Case, held: Held | None) -> Registration | Verdict:
        if held is not None:
            if case.name in held.verdicts:
                return held.verdicts[case.name]
            if len(held.verdicts) >= MOST_VERDICTS:
                self._crowded[held.state.doi] = list(held.verdicts)
        assert case.permission is not None  # judge_alone refused those without
        state = held.state if held else None
        return judge(state, case.record, case.permission, name=case.name, now=self.now())

    async def _forget(self) -> None:
        """Take verdicts whose diagnostics are durable out of the works that hold many."""
        if self._crowded:
            names = [name for held in self._crowded.values() for name in held]
            durable = await self.diagnostics.known(names)
            await self.works.forget(
                {
                    doi: [name for name in held if name in durable]
                    for doi, held in self._crowded.items()
                }
            )


def waves(cases: Iterable[Case]) -> list[list[Case]]:
    """Split a batch so that each DOI stands in a wave once, and in its order over the waves."""
    split: list[list[Case]] = []
    seen: dict[str, int] = {}
    for case in cases:
        doi = key_of(case.record)
        wave = seen[doi] = seen.get(doi, -1) + 1
        if wave == len(split):
            split.append([])
        split[wave].append(case)
    return split
