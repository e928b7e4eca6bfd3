"""A key epoch begins and ends wherever retention is killed meanwhile, and no key is lost (P2)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import pytest

from shared.mongo import Aggregates, connect
from shared.privacy import vault
from shared.privacy.epochs import FileEpochs
from shared.privacy.keyring import KeyRing
from shared.privacy.lifecycle import KeptKeys
from shared.privacy.personal import Personal, PersonalData
from shared.runtime.ids import new_pseudonym
from tests.processes import OPERATOR, Place, Running, service, until

# The third epoch is the first that ends another one.
POINTS = ("retention.epoch-made:2", "retention.epoch-aside", "retention.epoch-ended")
ROLES = ("api", "erasures")
OFTEN = {"ROTATION_SECONDS": "0.1", "REPLICA": "one"}


class Details(PersonalData, schema="test.killed-rotation.v1"):
    """What this test keeps of a person."""

    name: Annotated[str, Personal("account", ("account-admin",))]


@pytest.fixture
async def ring(place: Place) -> AsyncIterator[KeyRing]:
    """Make and open keys as a service does, that asks for each key each time."""
    async with connect(place.mongodb_url, place.environment("x")["DATABASE_PREFIX"] + "keys") as at:
        keys = Aggregates(at["keys"], KeptKeys.model_validate_json, "/services/accounts")
        yield KeyRing(keys, FileEpochs(place.folder), timedelta(seconds=30), lambda: False)


async def begin(session: aiohttp.ClientSession, running: Running) -> int:
    async with session.post(running.url + "/epochs") as answer:
        assert answer.status == 202
        number = (await answer.json())["current"]
        assert isinstance(number, int)
        return number


async def shown(session: aiohttp.ClientSession, running: Running) -> dict[int, Any]:
    async with session.get(running.url + "/epochs") as answer:
        said = await answer.json()
    return {one["number"]: one for one in said["epochs"]}


async def took_over(session: aiohttp.ClientSession, running: Running, number: int) -> None:
    async def done() -> bool:
        said = await shown(session, running)
        standing = [one for one, of in said.items() if not of["gone_at"]]
        return said[number]["took_over_at"] is not None and standing == [number - 1, number]

    await until(done, within=30, what=f"epoch {number} took over and the one before the last ended")


@pytest.mark.law("P2")
@pytest.mark.parametrize("point", POINTS)
async def test_a_rotation_goes_on_where_it_was_killed(
    place: Place, ring: KeyRing, point: str
) -> None:
    people = [new_pseudonym() for _ in range(5)]
    sealed = [
        await vault.seal(ring, Details(name="Mary"), person=one, unit="u", record="r")
        for one in people
    ]
    async with aiohttp.ClientSession(headers=OPERATOR) as session:
        async with service("retention", place, *ROLES, COLOPHON_CRASH=point, **OFTEN) as running:
            assert await begin(session, running) == 2
            await took_over(session, running, 2)
            assert await begin(session, running) == 3
            assert await running.ended() == -9
        async with service("retention", place, *ROLES, **OFTEN) as running:
            await took_over(session, running, 3)
            assert files(place.folder) == {"kek-2.key", "kek-3.key"}
    opened = await vault.reveal(ring, Details, sealed)
    assert all(one.data == Details(name="Mary") for one in opened)


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("kek-*")}
