"""The topic products: each work as its audience may see it, through flips, transfers, removals."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from shared.events import (
    OrganisationRegistered,
    PrefixAssigned,
    ReferencePreferenceSet,
    TitleRegistered,
    TitleTransferred,
    WorkOwnerAssigned,
    WorkRegistered,
    WorkUpdated,
)
from tests.events import AT, Voice, speaking
from tests.processes import OPERATOR, Place, Running, service, until
from tests.products import OPEN, PLUS, everything, fold

SETTINGS = {"10.5001": "closed", "10.5002": "limited", "10.5003": "open"}


def work(doi: str, *, version: int = 1, references: int = 2, title: str | None = None) -> Any:
    kind = WorkRegistered if version == 1 else WorkUpdated
    listed = [{"key": f"r{n}", "unstructured": f"Reference {n} of {doi}"} for n in range(references)]
    return kind(
        doi=doi,
        prefix=doi.partition("/")[0],
        timestamp=str(version),
        created=AT,
        deposited=AT,
        submission=f"{version}#0",
        version=version,
        title=title,
        work={
            "type": "journal-article",
            "DOI": doi,
            "title": [f"Version {version}"],
            **({"reference": listed} if listed else {}),
            "references-count": references,
            "reference-count": references,
        },
    )


def assigned(prefix: str, setting: str, *, owner: int = 78, version: int = 1) -> Any:
    kind = PrefixAssigned if version == 1 else ReferencePreferenceSet
    return kind(
        prefix=prefix,
        owner=owner,
        owner_name=f"Press {owner}",
        setting=setting,
        assigned_at=AT,
        version=version,
    )


async def known(accounts: Voice) -> None:
    """Have three prefixes, one of each setting."""
    await accounts.say(
        OrganisationRegistered(organisation=78, name="Press", registered_at=AT, version=1),
        *(assigned(prefix, setting) for prefix, setting in SETTINGS.items()),
    )


@contextlib.asynccontextmanager
async def publishing(place: Place, **environment: str) -> AsyncIterator[Running]:
    async with service("distribution", place, "projector", "products", **environment) as running:
        yield running


async def shows(place: Place, topic: str, expected: dict[str, bool], *, version: int = 1) -> None:
    """Wait until the newest records show references as expected, at least at ``version``."""
    seen: dict[str, Any] = {}

    async def agreed() -> bool:
        nonlocal seen
        seen = await fold(place, topic)
        return all(
            doi in seen and seen[doi].version >= version and seen[doi].shows is shown
            for doi, shown in expected.items()
        )

    try:
        await until(agreed, within=30, what=f"{topic} as expected")
    except AssertionError:
        wrong = {doi: seen.get(doi) for doi in expected}
        raise AssertionError(f"{topic} shows {wrong}") from None


@pytest.mark.clause("CRR-5")
@pytest.mark.clause("CRR-6")
@pytest.mark.clause("CRR-7")
async def test_each_product_holds_each_work_as_its_audience_may_see_it(place: Place) -> None:
    async with speaking(place, "accounts", "deposits") as (accounts, deposits):
        await known(accounts)
        await deposits.say(*(work(f"{prefix}/1") for prefix in SETTINGS))
        async with publishing(place):
            await shows(place, OPEN, {"10.5001/1": False, "10.5002/1": False, "10.5003/1": True})
            await shows(place, PLUS, {"10.5001/1": False, "10.5002/1": True, "10.5003/1": True})
            held = await fold(place, OPEN)
            assert held["10.5002/1"].work["references-withheld"] == {
                "reason": "limited",
                "reference-visibility": "limited",
            }
            assert [one.work["reference-count"] for one in held.values()] == [2, 2, 2]


@pytest.mark.law("L3")
@pytest.mark.clause("CRR-4")
async def test_after_a_flip_a_work_is_published_again_as_it_may_be_seen_now(place: Place) -> None:
    async with (
        speaking(place, "accounts", "deposits") as (accounts, deposits),
        aiohttp.ClientSession(headers=OPERATOR) as session,
    ):
        await known(accounts)
        dois = [f"10.5003/{n}" for n in range(40)]
        await deposits.say(*map(work, dois), work("10.5002/1"))
        async with publishing(place) as running, service("distribution", place, "api") as api:
            await shows(place, OPEN, dict.fromkeys(dois, True))
            await accounts.say(assigned("10.5003", "closed", version=2))
            await shows(place, OPEN, dict.fromkeys(dois, False))
            await shows(place, PLUS, dict.fromkeys(dois, False) | {"10.5002/1": True})

            async def done() -> Any:
                async with session.get(api.url + "/products/jobs") as answer:
                    assert answer.status == 200, await answer.text()
                    told = await answer.json()
                jobs = [one for one in told["jobs"] if one["name"] == "10.5003"]
                ended = sum(one["done"] for one in jobs if one["state"] == "done")
                return ended == len(dois) and told["left"] == 0

            await until(done, what=f"the jobs of the flip done; {running.log}")


@pytest.mark.law("L3")
async def test_works_follow_their_title_and_their_own_owner(place: Place) -> None:
    def title(prefix: str, version: int) -> Any:
        kind = TitleRegistered if version == 1 else TitleTransferred
        return kind(
            subject="journal:1234-5679", name="Annals", owner_prefix=prefix, version=version
        )

    async with speaking(place, "accounts", "deposits") as (accounts, deposits):
        await known(accounts)
        await deposits.say(title("10.5003", 1))
        dois = [f"10.5003/{n}" for n in range(5)]
        await deposits.say(*(work(doi, title="journal:1234-5679") for doi in dois))
        async with publishing(place):
            await shows(place, OPEN, dict.fromkeys(dois, True))
            await deposits.say(title("10.5002", 2))
            await shows(place, OPEN, dict.fromkeys(dois, False))
            await shows(place, PLUS, dict.fromkeys(dois, True))
            await deposits.say(
                WorkOwnerAssigned(subject=dois[0], owner_prefix="10.5003", version=1)
            )
            await shows(place, OPEN, dict.fromkeys(dois, False) | {dois[0]: True})


@pytest.mark.clause("CRR-11")
async def test_references_removed_by_a_redeposit_are_not_in_the_new_record(place: Place) -> None:
    async with speaking(place, "accounts", "deposits") as (accounts, deposits):
        await known(accounts)
        await deposits.say(work("10.5003/1"))
        async with publishing(place):
            await shows(place, OPEN, {"10.5003/1": True})
            await deposits.say(work("10.5003/1", version=2, references=0))
            await shows(place, OPEN, {"10.5003/1": False}, version=2)
            newest = (await fold(place, PLUS))["10.5003/1"].work
            assert "references-withheld" not in newest
            assert newest["reference-count"] == 0
