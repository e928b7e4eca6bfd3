"""Summaries of works (counts, coverage, breakdowns), kept until the index changes."""

import asyncio
from dataclasses import dataclass, field

from services.distribution.host import Host
from services.distribution.rest.members import Works
from services.distribution.rest.summary import CURRENT_YEARS, Summary, summarise
from services.distribution.search import Clause, During, Facet, Moment, OneOf, date_bounds


@dataclass(slots=True)
class Summaries:
    """What is said of the works of members and journals, as of this host's index."""

    host: Host
    _kept: dict[OneOf, Summary] = field(default_factory=dict)
    _of: int = -1  # the generation of the index that they were made of

    async def of(self, clause: OneOf, *, checked: int) -> Summary:
        """Return the summary of the works that a clause finds; ``checked`` in epoch ms."""
        generation = self.host.index.generation
        if generation != self._of:
            self._kept, self._of = {}, generation
        kept, found = self._kept, self._kept.get(clause)
        if found is None:
            counted = await self._count(clause, facet=Facet.PROFILE)
            found = summarise(counted, this_year=self._year(), checked=checked)
            kept[clause] = found
        return found

    async def by_owner(self) -> dict[int, Works]:
        """Return how many works of each time every member has."""
        first = f"{self._year() - CURRENT_YEARS:04}"
        begins = (date_bounds(first) or (0, 0))[0]
        current = await self._count(During(Moment.ISSUED, ((begins, None),)), facet=Facet.OWNER)
        backfile = await self._count(
            During(Moment.ISSUED, ((None, begins - 1),)), facet=Facet.OWNER
        )
        gate = self.host.gate
        return {
            member: Works(
                sum(current.get(prefix, 0) for prefix in gate.prefixes_of_member(member)),
                sum(backfile.get(prefix, 0) for prefix in gate.prefixes_of_member(member)),
            )
            for member in gate.members()
        }

    def now(self) -> int:
        """Return this moment in epoch ms, which summaries are said to be checked at."""
        return int(self.host.clock.now().timestamp() * 1000)

    async def _count(self, clause: Clause, *, facet: Facet) -> dict[str, int]:
        return dict(await asyncio.to_thread(self.host.index.count, [clause], facet))

    def _year(self) -> int:
        return self.host.clock.now().year
