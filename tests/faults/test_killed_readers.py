"""Kill -9 of a reader at every named place: it comes back and shows the fold of the log."""

import asyncio
from typing import Any, Final

import aiohttp
import orjson
import pytest

from shared.events import OrganisationRegistered, Outgoing, PrefixAssigned, WorkState
from shared.events.deposits import WorkRegistered, WorkUpdated
from shared.kafka import dead
from tests.events import AT, Voice, speaking
from tests.processes import Place, Running, service, until
from tests.striking import some_of

WORKS: Final = 30
POINTS: Final = (
    "consume.applied",
    "consume.committed",
    "consume.dead-letter-sent",
    "search.before-commit",
    "search.committed",
    "distribution.matches-written",
)
HUB: Final = "10.5555/hub"


def work(doi: str, *, version: int, cites: tuple[str, ...]) -> WorkState:
    kind = WorkRegistered if version == 1 else WorkUpdated
    return kind(
        doi=doi,
        prefix="10.5555",
        timestamp=str(version),
        created=AT,
        deposited=AT,
        submission=f"{version}#0",
        version=version,
        work={
            "type": "journal-article",
            "title": [f"Version {version}"],
            "DOI": doi,
            **({"reference": [said(doi, c) for c in cites]} if cites else {}),
            "references-count": len(cites),
            "reference-count": len(cites),
        },
    )


def said(citing: str, cited: str) -> dict[str, str]:
    """Return a reference: of every other citing work one without a DOI, to be matched."""
    if int(citing.rpartition("/")[2]) % 4 == 1:
        return {"key": cited, "DOI": cited}
    return {"key": cited, "unstructured": f"See https://doi.org/{cited}."}


async def publish(accounts: Voice, deposits: Voice, version: int) -> None:
    """Publish one version of every work; odd works cite the hub in odd versions only."""
    if version == 1:
        await accounts.say(
            OrganisationRegistered(organisation=78, name="Press", registered_at=AT, version=1),
            PrefixAssigned(
                prefix="10.5555",
                owner=78,
                owner_name="Press",
                setting="open",
                assigned_at=AT,
                version=1,
            ),
        )
        # Right envelope, wrong content: the projector must park it and go on.
        poison = Outgoing(
            "deposits.works.v1",
            b"10.5555/poison",
            b'{"doi": "10.5555/poison"}',
            (
                ("ce_specversion", b"1.0"),
                ("ce_id", b"poison"),
                ("ce_source", b"/services/deposits"),
                ("ce_type", b"deposits.work-registered.v1"),
                ("ce_time", b"2026-01-01T00:00:00Z"),
                ("content-type", b"application/json"),
            ),
        )
        await deposits.send([poison])
        await deposits.say(work(HUB, version=1, cites=()))
    await deposits.say(
        *(
            work(f"10.5555/{n}", version=version, cites=(HUB,) if n % 2 and version % 2 else ())
            for n in range(WORKS)
        )
    )


async def shown(session: aiohttp.ClientSession, running: Running) -> dict[str, Any] | None:
    """Return every work as the lists show it, or None where a route does not answer yet."""
    async with session.get(running.url + "/works?rows=100&sort=created&order=asc") as answer:
        if answer.status != 200:
            return None
        listed = orjson.loads(await answer.read())["message"]["items"]
    return {one["DOI"]: one for one in listed}


@pytest.mark.law("L2")
@pytest.mark.law("L5")
@pytest.mark.parametrize("point", some_of(POINTS, most=2))
async def test_a_reader_killed_anywhere_shows_the_fold_of_the_log(place: Place, point: str) -> None:
    async with (
        speaking(place, "accounts", "deposits") as (accounts, deposits),
        aiohttp.ClientSession() as session,
    ):
        newest = 1
        await publish(accounts, deposits, newest)
        async with service(
            "distribution", place, ready=False, COLOPHON_CRASH=point, REPLICA="one"
        ) as first:
            async with asyncio.timeout(60):
                while first.process.returncode is None:
                    newest += 1
                    await publish(accounts, deposits, newest)
                    await first.ends_within(1)
            assert first.process.returncode == -9
        newest += 1
        await publish(accounts, deposits, newest)
        async with service("distribution", place, REPLICA="one") as second:

            async def folded() -> bool:
                works = await shown(session, second)
                return (
                    works is not None
                    and len(works) == WORKS + 1
                    and works[HUB]["is-referenced-by-count"] == newest % 2 * WORKS // 2
                    and all(
                        works[f"10.5555/{n}"]["title"] == [f"Version {newest}"]
                        and works[f"10.5555/{n}"]["references-count"] == n % 2 * (newest % 2)
                        for n in range(WORKS)
                    )
                )

            await until(folded, within=45, what=f"the fold of the log; {second.log}")

            async def parked() -> bool:
                letters = await dead.open_letters(
                    place.kafka_bootstrap, "distribution.projector", prefix=place.name
                )
                return [one.about["ce_id"] for one in letters] == ["poison"]

            await until(parked, within=15, what="the poison parked, once")
