"""Keys of personal data on the real store and broker: made, told of, fenced, destroyed (law P2)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

import aiohttp
import pytest

from services.retention.commands import Keys
from services.retention.store import open_keys
from shared.events.decisions import Refused
from shared.events.personal import Sealed
from shared.kafka.knowledge import Knowledge
from shared.mongo import Database, connect
from shared.policy.personal import load_personal
from shared.privacy import vault
from shared.privacy.keyring import Erased, FencedError, KeyRing, Restricted
from shared.privacy.personal import Personal, PersonalData
from shared.privacy.rings import key_ring
from shared.runtime.ids import new_pseudonym
from shared.runtime.settings import ServiceSettings
from tests.depositing import PRESS, Client, article, deposit, members
from tests.processes import OPERATOR, ROOT, Place, service, until

CANARY = "cnry-5a1f0c9b7e2d4a68b0c3"


class Details(PersonalData, schema="test.details.v1"):
    """What a test keeps of a person."""

    name: Annotated[str, Personal("account", ("account-admin",))]


@dataclass
class House:
    """A key ring as a service has it, and retention's hand on the same documents."""

    ring: KeyRing
    keys: Keys
    database: Database
    url: str

    async def kept(self, person: str) -> Sealed:
        return await vault.seal(
            self.ring, Details(name=CANARY), person=person, unit="u", record="r"
        )

    async def opened(self, sealed: Sealed) -> vault.Opened[Details]:
        return (await vault.reveal(self.ring, Details, [sealed]))[0]


@asynccontextmanager
async def house(place: Place) -> AsyncIterator[House]:
    """Run retention, and a key ring that hears of fences."""
    environment = place.environment("test")
    settings = ServiceSettings(
        **{name.lower(): text for name, text in environment.items() if name.isupper()}
    )
    personal = load_personal(ROOT / "deploy" / "policies" / "personal.toml")
    draining = asyncio.Event()
    async with (
        service("retention", place) as running,
        connect(place.mongodb_url, settings.database_prefix + "keys") as database,
        asyncio.TaskGroup() as group,
    ):
        ring, fences = key_ring(settings, database, personal)
        following = group.create_task(fences.run(draining))
        await until(lambda: _fresh(fences), within=60, what="knowledge of fences")
        yield House(ring, Keys(open_keys(database), timedelta()), database, running.url)
        draining.set()
        await following


async def _fresh(fences: Knowledge) -> bool:
    return fences.fresh()


@pytest.mark.law("P2")
async def test_a_fence_ends_reading_and_writing_everywhere_and_what_is_destroyed_stays_so(
    place: Place,
) -> None:
    async with house(place) as here, aiohttp.ClientSession(headers=OPERATOR) as operator:
        person, other = new_pseudonym(), new_pseudonym()
        keys = f"{person}.account"
        sealed, others = await here.kept(person), await here.kept(other)
        assert (await here.opened(sealed)).data == Details(name=CANARY)
        assert CANARY not in str(sealed)

        await here.keys.fence(keys, "request-1")

        async def gone() -> bool:
            return isinstance((await here.opened(sealed)).unopened, Erased)

        await until(gone, what="the key evicted")
        with pytest.raises(FencedError):
            await here.kept(person)
        assert isinstance(await here.keys.destroy(keys), Refused)  # nobody saw it stand yet
        await here.keys.confirm(keys)
        await here.keys.destroy(keys)
        assert await gone()
        with pytest.raises(FencedError):
            await here.kept(person)
        async with operator.get(f"{here.url}/keys/{keys}") as answer:
            said = await answer.json()
        assert (said["fence"], said["units"], said["cause"]) == ("destroyed", [], "request-1")
        stored: Any = await here.database["keys"].find_one({"_id": keys})
        assert '"units":{}' in stored["state"]
        assert (await here.opened(others)).data == Details(name=CANARY)


@pytest.mark.law("P4")
async def test_a_hold_keeps_keys_from_everybody_and_from_being_fenced(place: Place) -> None:
    async with house(place) as here:
        person = new_pseudonym()
        keys = f"{person}.account"
        sealed = await here.kept(person)
        await here.keys.restrict(keys, "case-7")

        async def restricted() -> bool:
            return (await here.opened(sealed)).unopened == Restricted(("case-7",))

        await until(restricted, what="the hold known")
        assert isinstance(await here.keys.fence(keys, "request-1"), Refused)
        await here.keys.release(keys, "case-7")
        assert (await here.opened(sealed)).data == Details(name=CANARY)


@pytest.mark.soak
@pytest.mark.law("P2")
@pytest.mark.clause("CRP-11a")
async def test_the_file_of_a_submission_goes_with_its_key_and_its_works_stay(
    place: Place,
) -> None:
    async with (
        house(place) as here,
        members(place),
        service("deposits", place) as running,
        aiohttp.ClientSession() as session,
    ):
        site = Client(session, running.url)
        number = await site.later(deposit(article("10.5555/kept")), file_name="kept.xml")
        await site.ended(number)
        name = place.environment("deposits")["DATABASE_PREFIX"] + "deposits"
        async with connect(place.mongodb_url, name) as database:
            found: Any = await database["submissions"].find_one({"_id": number})
        keys, _, unit = found["kid"].rpartition(".")
        assert unit == number
        assert "wrapped" not in found
        await here.keys.fence_unit(keys, unit)

        async def gone() -> bool:
            asked = f"{running.url}/submissions/{number}/contents"
            async with session.get(asked, headers=PRESS.basic) as answer:
                return answer.status == 410

        await until(gone, within=40, what="the file out of reach")
        _, view = await site.get(f"/submissions/{number}")
        assert (view["file_name"], view["success_count"]) == (None, 1)
