"""A batch of records, of several submissions, to durable verdicts: works first, then diagnostics.

Death at any point is repaired by doing the batch again (law L1, model). Records of one DOI are
judged in their order, in waves; everything else goes in one round trip for the whole batch.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from services.deposits.model import (
    Refused,
    Registration,
    Verdict,
    gave_up,
    judge,
    judge_alone,
    key_of,
)
from services.deposits.processing.case import Case
from services.deposits.processing.standing import Standings
from services.deposits.store import Diagnostics, Held, Works
from services.deposits.store.works import MOST_VERDICTS
from shared.runtime.crashpoints import crashpoint
from shared.runtime.faults import Transient
from shared.runtime.log import get_log
from shared.web.faults import place_of

TRIES: Final = 8  # lost races over one work in a row
RETRY_SECONDS: Final = 0.5

# Binds refusals, by submission, to those that are still ours, and returns these.
Bind = Callable[[Mapping[str, Mapping[str, Verdict]]], Awaitable[set[str]]]

log = get_log(__name__)


@dataclass(slots=True)
class Wave:
    """One record a DOI, on its way: decided, then written, then said."""

    open: list[Case]
    held: Mapping[str, Held] = field(default_factory=dict)
    accepted: dict[str, Registration] = field(default_factory=dict)
    refused: dict[str, tuple[Case, Verdict]] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    unsettled: set[str] = field(default_factory=set)  # submissions that must wait, or are not ours

    def close(self) -> None:
        """Go on with what has no verdict yet and may have one."""
        self.open = [
            case
            for case in self.open
            if case.name not in self.verdicts and case.submission not in self.unsettled
        ]
        self.accepted = {}
        self.refused = {}


@dataclass(slots=True)
class Judging:
    """Judges batches against the store."""

    works: Works
    diagnostics: Diagnostics
    standings: Standings
    bind: Bind
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

        ``files`` are verdicts on whole files, to be made durable along with them. A case without a
        verdict waits for newer knowledge of prefixes, or its submission is another worker's.
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
        unsettled: set[str] = set()
        for cases_of_wave in waves(waiting):
            # Of one submission what comes later waits for what is earlier.
            wave = Wave([case for case in cases_of_wave if case.submission not in unsettled])
            await self._settle(wave)
            fresh |= wave.verdicts
            unsettled |= wave.unsettled
        durable |= await self.diagnostics.add(fresh)
        crashpoint("deposits.diagnostics-written")
        for case in cases:
            if case.name in durable:
                case.refused.pop(case.name, None)
        await self._forget()
        return durable

    async def _settle(self, wave: Wave) -> None:
        for _ in range(TRIES):
            if not wave.open:
                return
            await self._decide(wave)
            # Before anything is written that a record refused here might later be granted by.
            await self._refuse(wave)
            await self._register(wave)
            wave.close()
        if wave.open:
            raise Transient("these works are changed by too many at once")

    # -- deciding ----------------------------------------------------------------------------------

    async def _decide(self, wave: Wave) -> None:
        """Load what the cases rest on, and judge them by it."""
        wave.held = await self.works.load([key_of(case.record) for case in wave.open])
        wave.verdicts |= await self._said(wave)
        wave.close()
        standings = await self.standings.of(wave.open, wave.held)
        now = self.now()
        for case in wave.open:
            assert case.permission is not None  # judge_alone refused those without
            bound = case.refused.get(case.name)
            if bound is not None:
                wave.refused[case.name] = (case, bound)
                continue
            decided = judge(
                case.record, case.permission, standings[case.name], name=case.name, now=now
            )
            match decided:
                case Registration():
                    wave.accepted[key_of(case.record)] = decided
                case Refused(verdict, final=True):
                    wave.refused[case.name] = (case, verdict)
                case Refused():
                    wave.unsettled.add(case.submission)
                case _:
                    wave.verdicts[case.name] = decided

    async def _said(self, wave: Wave) -> dict[str, Verdict]:
        """Return the verdicts that works hold, and where works forgot some, the diagnostics."""
        said, forgotten = {}, []
        for case in wave.open:
            held = wave.held.get(key_of(case.record))
            if held is None:
                continue
            if case.name in held.verdicts:
                said[case.name] = held.verdicts[case.name]
            elif held.forgot:
                forgotten.append(case.name)
            if len(held.verdicts) >= MOST_VERDICTS:
                self._crowded[key_of(case.record)] = list(held.verdicts)
        return said | await self.diagnostics.known(forgotten)

    # -- writing -----------------------------------------------------------------------------------

    async def _refuse(self, wave: Wave) -> None:
        """Bind refusals that rest on more than the file (model, fact 5)."""
        first = [one for one in wave.refused.values() if not one[0].resumed]
        for case, verdict in first:
            case.refused[case.name] = verdict
        if first:
            ours = await self.bind({case.submission: case.refused for case, _ in first})
            crashpoint("deposits.refusals-bound")
            for case, verdict in first:
                if case.submission in ours:
                    wave.verdicts[case.name] = verdict
                else:
                    wave.unsettled.add(case.submission)
        later = {
            key_of(case.record): (case, verdict)
            for case, verdict in wave.refused.values()
            if case.resumed and case.name not in case.refused
        }
        if later:
            lost = await self.works.refuse(
                {
                    doi: (held.version if (held := wave.held.get(doi)) else 0, case.name, verdict)
                    for doi, (case, verdict) in later.items()
                }
            )
            wave.verdicts |= {
                case.name: verdict for doi, (case, verdict) in later.items() if doi not in lost
            }
        # What was bound by whoever had the submission before needs no more.
        wave.verdicts |= {
            case.name: verdict
            for case, verdict in wave.refused.values()
            if case.resumed and case.name in case.refused
        }

    async def _register(self, wave: Wave) -> None:
        """Write what was accepted: titles, then works with their verdicts."""
        # Records of a submission that waits are judged again, in their order.
        waiting = {key_of(case.record) for case in wave.open if case.submission in wave.unsettled}
        accepted = {doi: one for doi, one in wave.accepted.items() if doi not in waiting}
        accepted = await self.standings.enter(accepted)
        accepted = await self.standings.warn(accepted, wave.held)
        lost = await self.works.save(accepted)
        crashpoint("deposits.work-written")
        written = {doi: one for doi, one in accepted.items() if doi not in lost}
        for registration in written.values():
            wave.verdicts[registration.state.submission] = registration.verdict
        await self.standings.leave(written, wave.held)

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
