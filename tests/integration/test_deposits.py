"""Deposits as member systems use it: the real process on the real broker and store."""

from collections.abc import AsyncIterator

import pytest

from tests.depositing import PRESS, Client, article, client, deposit, members
from tests.processes import Place, service


@pytest.fixture
async def site(place: Place) -> AsyncIterator[Client]:
    async with members(place), service("deposits", place) as running, client(running) as found:
        yield found


async def test_x(site: Client) -> None:
    status, log = await site.now(deposit(article("10.5555/One"), article("10.5555/two")))
    print(status, log)
    status, log = await site.now(deposit(article("10.5555/One"), article("10.5555/three", timestamp=7)))
    print(status, log)
    n = await site.later(deposit(article("10.5555/One", timestamp=8)))
    print(await site.ended(n))
    print(await site.log(file_name="batch.xml"))
    print(await site.log(doi_batch_id="batch-1"))
    print(await site.get("/submissions"))
