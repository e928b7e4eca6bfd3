"""Distribution by itself, over the wire: what it shows of what the topics say."""

import asyncio
from typing import Any

import aiohttp
import pytest

from shared.events import (
    OrganisationRegistered,
    PrefixAssigned,
    ReferencePreferenceSet,
    WorkRegistered,
    WorkUpdated,
)
from tests.events import AT, speaking
from tests.processes import Place, service, until

DOI = "10.5555/a(1);<2>"


def prefix(
    prefix: str = "10.5555", *, version: int = 1, kind: Any = PrefixAssigned, **more: Any
) -> Any:
    return kind(
        prefix=prefix, owner=78, owner_name="Press", assigned_at=AT, version=version, **more
    )


def work(
    doi: str = DOI, *, version: int = 1, cites: tuple[str, ...] = ("10.5555/B",), kind: Any = None
) -> Any:
    reference = [{"key": f"r{n}", "DOI": cited} for n, cited in enumerate(cites)]
    return (kind or WorkRegistered)(
        doi=doi,
        prefix=doi.partition("/")[0],
        timestamp=str(version),
        created=AT,
        deposited=AT,
        submission="1#0",
        version=version,
        work={
            "type": "journal-article",
            "title": ["On tests"],
            "DOI": doi,
            "ISSN": ["1234-5679"],
            "references-count": len(reference),
            "reference-count": len(reference),
            **({"reference": reference} if reference else {}),
            "published": {"date-parts": [[2020, 5]]},
            "issued": {"date-parts": [[2020, 5]]},
        },
    )


async def get(session: aiohttp.ClientSession, url: str, **more: Any) -> Any:
    async with session.get(url, **more) as answer:
        return answer.status, await answer.read(), answer.headers


@pytest.mark.clause("CRR-7")
@pytest.mark.clause("CRR-5")
async def test_a_preference_decides_what_every_route_shows(place: Place) -> None:
    async with (
        speaking(place, "accounts", "deposits") as (accounts, deposits),
        aiohttp.ClientSession() as session,
        service("distribution", place) as distribution,
    ):
        await accounts.say(
            OrganisationRegistered(
                organisation=78, name="Press", names=("Press",), registered_at=AT, version=1
            ),
            prefix(setting="open"),
        )
        await deposits.say(work(), work("10.5555/b", cites=()))

        async def shown(path: str) -> Any:
            async with session.get(distribution.url + path) as answer:
                return (await answer.json()) if answer.status == 200 else None

        one = await until(lambda: shown("/works/10.5555/A(1);%3C2%3E"))
        message = await until(
            lambda: _with(
                shown("/works/10.5555/A(1);%3C2%3E"), lambda m: "reference" in m["message"]
            )
        )
        assert one["message-type"] == "work"
        assert message["message"]["member"] == "78"
        assert message["message"]["publisher"] == "Press"
        await until(
            lambda: _with(shown("/works?rows=0"), lambda m: m["message"]["total-results"] == 2)
        )
        await until(
            lambda: _with(
                shown("/works/10.5555/b"), lambda m: m["message"]["is-referenced-by-count"] == 1
            )
        )
        await accounts.say(prefix(version=2, kind=ReferencePreferenceSet, setting="closed"))
        for path in ("/v1/works/10.5555%2Fa(1);<2>", "/works/10.5555/a(1);<2>"):
            closed = await until(
                lambda path=path: _with(shown(path), lambda m: "reference" not in m["message"])
            )
            assert closed["message"]["references-withheld"] == {
                "reason": "closed",
                "reference-visibility": "closed",
            }
            assert closed["message"]["references-count"] == 1
        for path in (
            "/works",
            "/members/78/works",
            "/prefixes/10.5555/works",
            "/works?select=reference",
        ):
            items = (await shown(path))["message"]["items"]
            assert len(items) == 2 - (path.endswith("reference") and 1) or items
            assert not any("reference" in item for item in items)
        facets = await shown("/works?filter=has-references:true&facet=publisher-name:*&rows=0")
        assert facets["message"]["facets"]["publisher-name"]["values"] == {"Press": 1}
        member = (await shown("/members/78"))["message"]
        assert member["prefix"][0]["reference-visibility"] == "closed"
        await deposits.say(work(version=2, cites=(), kind=WorkUpdated))
        await until(
            lambda: _with(
                shown("/works/10.5555/b"), lambda m: m["message"]["is-referenced-by-count"] == 0
            )
        )
        status, body, headers = await get(session, distribution.url + "/works/10.5555/none")
        assert (status, body, headers["Content-Type"]) == (
            404,
            b"Resource not found.",
            "text/plain",
        )


async def _with(answer: Any, condition: Any) -> Any:
    found = await answer
    return found if found and condition(found) else None


async def test_a_drained_service_ends_promptly_and_well(place: Place) -> None:
    async with (
        speaking(place, "accounts", "deposits"),
        service("distribution", place) as distribution,
    ):
        distribution.process.terminate()
        async with asyncio.timeout(5):
            assert await distribution.process.wait() == 0
