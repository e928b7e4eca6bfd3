"""A callback that was promised comes, whatever dies in between: rather twice than not at all."""

from collections.abc import AsyncIterator
from typing import Any, Final

import aiohttp
import pytest

from shared.kafka import topics
from shared.runtime.ids import new_id
from tests.depositing import PRESS, Client, article, client, deposit, members
from tests.platform import Platform
from tests.processes import Place, service, until
from tests.receiving import receiving
from tests.striking import some_of

POINTS: Final = ("deposits.callback-enqueued", "deliveries.sent")
QUICK: Final = {
    "CALLBACK_NETWORKS": "127.0.0.0/8",
    "CALLBACK_SECONDS": "1",
    "DELIVERY_FIRST_SECONDS": "0.2",
    "LEASE_SECONDS": "1",
    "REPLICA": "one",
}


@pytest.fixture(scope="module")
async def house(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Place]:
    name = f"k{new_id()[:8]}."
    await topics.create(platform.kafka_bootstrap, prefix=name)
    folder = tmp_path_factory.mktemp("callbacks")
    place = Place(platform.kafka_bootstrap, platform.mongodb_url, name, folder)
    async with members(place):
        yield place


@pytest.mark.law("L1")
@pytest.mark.parametrize("point", some_of([*POINTS, "deposits.diagnostics-written"]))
async def test_a_promised_callback_comes_whole_wherever_the_process_is_killed(
    house: Place, point: str
) -> None:
    path = f"/ok/{point}"
    async with receiving() as receiver:
        async with (
            service("deposits", house, COLOPHON_CRASH=point, **QUICK) as dying,
            client(dying) as site,
        ):
            number = await sent(site, receiver.url + path, f"10.5555/{point}")
            assert await dying.ended() == -9
        async with service("deposits", house, **QUICK) as running, client(running) as site:

            async def delivered() -> Any:
                _, view = await site.get(f"/submissions/{number}")
                return view["callback"] if view["callback"]["state"] == "delivered" else None

            shown = await until(delivered, within=30, what="the callback delivered")
            calls = await receiver.called(path)
            # Sent before the death and not written down: then it is sent again, as the same.
            assert len(calls) == shown["tries"] == (2 if point == "deliveries.sent" else 1)
            assert {call.headers["webhook-id"] for call in calls} == {f"submission_{number}"}
            assert len({call.body for call in calls}) == 1


async def sent(site: Client, callback: str, doi: str) -> str:
    async with site.session.post(f"{site.url}/callbacks/secret", headers=PRESS.basic) as answer:
        assert answer.status == 201
    async with site.session.post(
        f"{site.url}/submissions",
        params={"callback": callback},
        data=deposit(article(doi)),
        headers={**PRESS.basic, "Content-Type": "application/xml"},
        timeout=aiohttp.ClientTimeout(total=20),
    ) as answer:
        assert answer.status == 202
        return str((await answer.json())["id"])
