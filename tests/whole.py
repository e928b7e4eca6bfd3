"""The whole of an erasure in tests: every service that holds something of people, and retention.

Topics of personal data have the profile of privacy.md section 8, so that what takes minutes takes
seconds, and keys are out of hand in two.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.privacy.canaries import canaries
from deploy.privacy.register import Entry, entries
from shared.kafka import topics
from shared.kafka.connection import client
from shared.kafka.topics import declared
from shared.runtime.ids import new_id
from tests import planting
from tests.erasing import hasty
from tests.mailbox import Mailbox
from tests.planting import World
from tests.processes import OPERATOR, Place, Running, service, until

HOLDERS: Final = ("accounts", "consent", "deposits", "retention")
PROFILE: Final = {
    "cleanup.policy": "compact",
    "min.cleanable.dirty.ratio": "0.0",
    "max.compaction.lag.ms": "1000",
    "segment.ms": "1000",
    "file.delete.delay.ms": "500",
    "delete.retention.ms": "1000",
    "message.timestamp.type": "LogAppendTime",
}
STEPS: Final = ("looking", "planned", "approved", "collected", "fenced", "destroying", "destroyed")


@dataclass(slots=True)
class Whole:
    """All services at a place, each to be ended and begun again, and who speaks with them."""

    place: Place
    world: World
    settings: Mapping[str, str]
    running: dict[str, AsyncExitStack] = field(default_factory=dict)

    async def begin(self, name: str, *, ready: bool = True, **more: str) -> Running:
        """Start a service, whose former process is ended."""
        await self.end(name)
        self.running[name] = AsyncExitStack()
        roles = () if name != "deposits" else ("api", "relay", "worker", "deliver", "reactions")
        found = await self.running[name].enter_async_context(
            service(name, self.place, *roles, ready=False, **{**self.settings, **more})
        )
        services = {**self.world.services, name: found}
        self.world.services = services
        if ready:
            await found.ready(within=90)
        return found

    async def end(self, name: str) -> None:
        """End a service."""
        if name in self.running:
            await self.running.pop(name).aclose()

    async def retention(self, method: str, path: str, body: Any = None) -> Any:
        """Ask retention as the operator, again where it does not answer for now."""

        async def heard() -> Any:
            with contextlib.suppress(aiohttp.ClientError):
                status, said = await self.world.ask(
                    "retention", method, path, body, headers=OPERATOR
                )
                return (status, said) if status != planting.UNAVAILABLE else None
            return None

        status, said = await until(heard, within=60, what=f"an answer of {path}")
        assert status < 300, (path, status, said)
        return said

    async def at(self, erasure: str, *steps: str, within: float = 90.0) -> Any:
        """Wait until an erasure is at one of these steps, and return it."""
        last: dict[str, Any] = {}

        async def there() -> Any:
            last.update(await self.retention("GET", f"/erasures/{erasure}"))
            return last if last["state"] in steps else None

        try:
            return await until(there, within=within, what=f"the erasure at {steps}", pause=0.2)
        except AssertionError:
            raise AssertionError(f"it stands: {last.get('state')}, {last.get('waits')}") from None


async def create(bootstrap: str, prefix: str, seconds: int = 1) -> None:
    """Create every topic, those of personal data with segments of so many ``seconds``."""
    profile = {**PROFILE, "segment.ms": f"{seconds}000"}
    admin = AIOKafkaAdminClient(**client(bootstrap))
    await admin.start()
    try:
        await admin.create_topics(
            [
                NewTopic(prefix + one.name, one.partitions, 1, topic_configs=profile)
                for one in declared().values()
                if one.by_person
            ]
        )
    finally:
        await admin.close()
    await topics.create(bootstrap, prefix=prefix)


@contextlib.asynccontextmanager
async def whole(
    place: Place, box: Mailbox, broker_files: Path, every: float = 0.5, **policy: Any
) -> AsyncIterator[Whole]:
    """Run every service that holds something of people, with an organisation that deposits.

    ``every``: seconds between two rounds of what goes round; ``policy``: what else
    tests.erasing.hasty may change.
    """
    policies = hasty(place.folder / "policies", asked=HOLDERS, **policy)
    settings = {
        "SMTP_URL": box.url,
        "MAIL_FIRST_SECONDS": "0.1",
        "DELIVERY_FIRST_SECONDS": "0.2",
        "POLICIES_DIR": str(policies),
        "NUDGE_SECONDS": str(every),
        "REQUEST_SECONDS": str(every),
        "ROTATION_SECONDS": str(every),
        "BROKER_LOG_DIRS": f'{{"1": "{broker_files}"}}',
    }
    beside = [Entry(schema, name, (), (), "self") for schema, name in planting.BESIDE]
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        )
        world = World(session, {}, box, canaries([*entries(), *beside], new_id()))
        found = Whole(place, world, settings)
        for name in HOLDERS:
            await found.begin(name, ready=False)
            stack.push_async_callback(found.end, name)
        await asyncio.gather(*(one.ready(within=90) for one in world.services.values()))
        await world.ok("consent", "POST", "/notices", headers=OPERATOR)
        await planting.member(world)
        yield found
