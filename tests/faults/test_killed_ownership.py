"""Law L1 where a verdict rests on more than its file: titles half made, refusals half said."""

import contextlib
from typing import Final

import aiohttp
import pytest

from shared.events import TitleRegistered, WorkState
from shared.mongo import connect
from tests.depositing import (
    JOURNALS,
    Client,
    article,
    citations,
    client,
    deposit,
    members,
    published,
)
from tests.processes import Place, service

POINTS: Final = ("deposits.title-reserved", "deposits.refusals-bound")
QUICK: Final = {"LEASE_SECONDS": "1"}
DOI: Final = "10.5555/k"


async def sent_to_its_death(site: Client, content: bytes, operation: str) -> None:
    with contextlib.suppress(aiohttp.ClientError):
        await site.post("/servlet/deposit", content, operation=operation)


@pytest.mark.law("L1")
async def test_a_title_half_registered_and_a_refusal_half_said_end_as_they_began(
    place: Place,
) -> None:
    reserved, bound = POINTS
    async with members(place):
        async with (
            service("deposits", place, COLOPHON_CRASH=reserved, **QUICK) as dying,
            client(dying) as site,
        ):
            await sent_to_its_death(site, deposit(article(DOI, timestamp=1)), "doMDUpload")
            assert await dying.ended() == -9
        async with (
            service("deposits", place, COLOPHON_CRASH=bound, **QUICK) as dying,
            client(dying) as site,
        ):
            # What was reserved for a title that never came does not keep it from coming.
            _, listed = await site.get("/submissions")
            view = await site.ended(listed["items"][0]["id"])
            assert [one["status"] for one in view["records"]] == ["Success"]
            await sent_to_its_death(site, citations(f"{DOI}.2", "r"), "doDOICitUpload")
            assert await dying.ended() == -9
        name = f"{place.name.replace('.', '_')}deposits"
        async with connect(place.mongodb_url, name) as database:
            (waiting,) = await database["submissions"].find({"open": True}).to_list(None)
            assert [one["rule"] for one in waiting["refused"]] == ["doi-unknown"]
            assert await database["diagnostics"].count_documents({}) == 1
            # The DOI comes to be in the meantime: the refusal was said, if to nobody.
            work = await database["works"].find_one({"_id": DOI})
            assert work is not None
            again = work["state"].replace(DOI, f"{DOI}.2")
            await database["works"].insert_one(
                {"_id": f"{DOI}.2", "version": 1, "state": again, "outbox": []}
            )
        async with service("deposits", place, **QUICK) as running, client(running) as site:
            view = await site.ended(waiting["_id"])
            assert [one["rule"] for one in view["records"]] == ["doi-unknown"]
            later = await site.post("/v2/deposits", citations(f"{DOI}.2", "r"))
            assert "Successfully updated" in later[1]
            titles = await published(place, "deposits.ownership.v1", at_least=1)
            assert [type(one) for one in titles] == [TitleRegistered]
            assert titles[0].key == f"journal:{JOURNALS['10.5555'][1]}"
            works = await published(place, "deposits.works.v1", at_least=2)
            assert [one.title for one in works if isinstance(one, WorkState)] == [titles[0].key] * 2
