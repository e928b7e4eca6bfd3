"""What workers say of how far they heard, kept for whoever acts on what is due."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from services.retention.model.hearing import Heard, heard_before
from shared.mongo import Database, faults
from shared.runtime.faults import Transient
from shared.runtime.ids import new_id
from shared.runtime.log import get_log

HEARD: Final = "heard"
WORDS: Final = 6  # in the time that one is believed
FORGOTTEN: Final = 60  # times that time

log = get_log(__name__)


@dataclass(slots=True)
class Hearing:
    """The words of all workers; ``within``: what was heard so long ago may be acted upon.

    ``places``: all partitions that facts come from (`shared.kafka.faust_edge.named`).
    """

    database: Database
    places: Collection[str]
    within: timedelta
    now: Callable[[], datetime]
    _worker: str = field(default_factory=new_id)
    _said: Heard | None = None
    _heard: bool | None = None

    async def note(self, places: frozenset[str], before: datetime) -> None:
        """Say that all that was written in these partitions before a moment was applied."""
        said = self._said
        if said and said.places == places and before - said.before < self.within / WORDS:
            return
        rows = self.database[HEARD]
        try:
            with faults():
                await rows.replace_one(
                    {"_id": self._worker}, {"places": sorted(places), "before": before}, upsert=True
                )
                await rows.delete_many({"before": {"$lt": before - FORGOTTEN * self.within}})
        except Transient as fault:
            log.warning("how far facts were heard cannot be kept", reason=str(fault))
            return
        self._said = Heard(places, before)

    async def all_heard(self) -> bool:
        """Say whether all facts were heard that were written until lately. Raises ``Transient``."""
        with faults():
            rows = await self.database[HEARD].find({}).to_list(None)
        said = [Heard(frozenset(row["places"]), row["before"]) for row in rows]
        before = heard_before(said, self.places)
        heard = before is not None and self.now() - before <= self.within
        if heard is not self._heard:
            tell = log.warning if self._heard else log.info
            tell("what is due is acted upon" if heard else "what is due waits for facts unheard")
            self._heard = heard
        return heard
