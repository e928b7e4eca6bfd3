"""Versions of the schedule, holds, reviews and lists: composed, and what they do by themselves."""

import asyncio

from services.retention.api import keeping
from services.retention.commands.exemptions import Exemptions
from services.retention.commands.held import Held
from services.retention.commands.holds import Holds
from services.retention.commands.reports import ROUNDS, KeptRounds, Reports
from services.retention.commands.reviews import Reviews
from services.retention.commands.schedules import Changing, Versions
from services.retention.store import keeping as kept
from services.retention.store.erasures import open_erasures
from services.retention.store.holding import open_holds, open_reviews, open_schedules
from services.retention.store.records import open_records
from services.retention.wiring import House, Part, Rooms
from shared.mongo import Lease
from shared.policy.erasure import load_erasure
from shared.policy.files import read
from shared.policy.requests import load_requests
from shared.policy.retention import Schedule
from shared.runtime.loops import step_forever

STALL_SECONDS = 300.0


async def open_part(house: House, rooms: Rooms) -> Part:
    """Compose it; it is the first part that others ask, for it says which schedule counts."""
    text = read(house.settings.policies_dir / "retention.toml")
    versions = Versions(open_schedules(house.database), house.schedule, text, house.clock)
    await versions.begin()
    rooms.schedules = versions
    records = open_records(house.database, versions.current, house.clock)
    store = open_holds(house.database)
    held = Held(store, house.database, records, house.keys, versions, rooms, house.clock)
    holds = Holds(store, records, house.keys.documents, held, versions, house.clock)
    rooms.holds = holds
    reviews = Reviews(open_reviews(house.database), records, holds, versions, rooms, house.clock)
    rooms.reviews = reviews
    rounds = kept(house.database, ROUNDS, KeptRounds)
    reports = Reports(house.database, records, rounds, versions, holds, reviews, house.clock)

    def check(schedule: Schedule) -> None:
        schedule.require(classes=[row.id for row in house.personal.file.classes])

    changing = Changing(versions, house.database, holds, check, house.clock)
    exemptions = Exemptions(
        open_erasures(house.database, clock=house.clock).erasures,
        rounds,
        reviews,
        load_erasure(house.settings.policies_dir / "erasure.toml"),
        {load_requests(house.settings.policies_dir, house.schedule).file.kept.cls},
        house.clock,
    )
    upkeep = Upkeep(house, held, reviews, reports, exemptions)
    return Part(
        routes=[
            *keeping.holds(holds),
            *keeping.reviews(reviews),
            *keeping.reports(reports),
            *keeping.schedules(changing),
        ],
        running={"clocks": {"upkeep": upkeep.run}},
    )


class Upkeep:
    """What is done without anybody asking, by one process at a time."""

    def __init__(
        self,
        house: House,
        held: Held,
        reviews: Reviews,
        reports: Reports,
        exemptions: Exemptions,
    ) -> None:
        self.house, self.held, self.exemptions = house, held, exemptions
        self.reviews, self.reports = reviews, reports
        self.lease = Lease(house.database["leases"], "upkeep", house.settings.replica_name)
        self.next_sweep = float("-inf")

    async def run(self, draining: asyncio.Event) -> None:
        """Step until told to drain."""
        await step_forever(
            "upkeep",
            self.step,
            draining,
            health=self.house.health,
            every=self.house.settings.upkeep_seconds,
            within=STALL_SECONDS,
        )

    async def step(self) -> bool:
        """Bring on holds, reviews and lists; nobody is wrong where two do it at once."""
        if not await self.lease.hold():
            return False
        if await self.held.step():
            return True
        await self.reviews.step()
        await self.reports.make()
        if self.house.clock.monotonic() >= self.next_sweep:
            await self.held.again()
            await self.exemptions.step()
            sweep = self.house.settings.sweep_seconds
            self.next_sweep = self.house.clock.monotonic() + sweep
        return False
