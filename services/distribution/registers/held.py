"""The registers that a host answers from, in memory, as new as the store's within seconds."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from services.distribution.registers import keeping
from services.distribution.registers.funders import Funders, grow
from services.distribution.registers.keeping import Live
from services.distribution.registers.records import KINDS, Agency, Funder, Record
from shared.mongo import Database
from shared.runtime.faults import Transient
from shared.runtime.health import Health
from shared.runtime.log import get_log
from shared.runtime.service import wait_any

LOOK_SECONDS: Final = 2.0

log = get_log(__name__)


@dataclass(slots=True)
class Registers:
    """What was imported of each register."""

    database: Database
    health: Health
    funders: Funders = field(default_factory=Funders)
    agencies: Mapping[str, str] = field(default_factory=dict)
    live: dict[str, Live] = field(default_factory=dict)

    def agency(self, doi: str) -> str | None:
        """Return the name of the other agency that a DOI's prefix belongs to, None if none."""
        return self.agencies.get(doi.partition("/")[0])

    async def run(self, draining: asyncio.Event) -> None:
        """Look for newer registers until told to drain; a store that is away is waited for."""
        self.health.unready("registers", "has not read the registers of others yet")
        while not draining.is_set():
            try:
                await self.look()
            except Transient as fault:
                log.warning("registers not read", reason=str(fault))
            else:
                self.health.ready("registers")
            await wait_any(draining, timeout=LOOK_SECONDS)

    async def look(self) -> None:
        """Take over what is newer. Raises ``Transient``."""
        for register in KINDS:
            now = await keeping.live(self.database, register)
            if now is None or now == self.live.get(register):
                continue
            records = await keeping.load(self.database, now)
            if records is not None:  # else an import made a newer one live meanwhile
                self._take(register, records)
                self.live[register] = now

    def _take(self, register: str, records: list[Record]) -> None:
        match register:
            case "funders":
                self.funders = grow(one for one in records if isinstance(one, Funder))
            case "agencies":
                self.agencies = {
                    one.prefix: one.agency for one in records if isinstance(one, Agency)
                }
