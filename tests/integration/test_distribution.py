"""Distribution by itself, over the wire: what it shows of what the topics say."""

import asyncio
from typing import Any

import aiohttp
import orjson
import pytest

from shared.events import (
    OrganisationRegistered,
    PrefixAssigned,
    ReferencePreferenceSet,
    TitleRegistered,
    TitleTransferred,
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
    doi: str = DOI,
    *,
    version: int = 1,
    cites: tuple[str, ...] = ("10.5555/B",),
    kind: Any = None,
    title: str | None = None,
) -> Any:
    reference = [{"key": f"r{n}", "DOI": cited} for n, cited in enumerate(cites)]
    return (kind or WorkRegistered)(
        doi=doi,
        prefix=doi.partition("/")[0],
        timestamp=str(version),
        created=AT,
        deposited=AT,
        submission="1#0",
        title=title,
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


async def test_a_position_says_where_a_work_is_and_whose_setting_it_is_under(
    place: Place,
) -> None:
    title = "journal:1234-5679"
    async with (
        speaking(place, "accounts", "deposits") as (accounts, deposits),
        aiohttp.ClientSession() as session,
        service("distribution", place) as distribution,
    ):
        await accounts.say(prefix(setting="open"), prefix("10.6666", setting="closed"))
        await deposits.say(
            TitleRegistered(subject=title, name="T", owner_prefix="10.5555", version=1)
        )
        await deposits.say(work("10.5555/a", title=title), work("10.5555/b/position"))

        async def at(path: str) -> Any:
            status, body, _ = await get(session, distribution.url + path)
            return orjson.loads(body)["message"] if status == 200 else None

        async def settled(setting: str, version: int) -> Any:
            here = await at("/v1/works/10.5555/A/position")
            done = (
                here
                and here["reference-visibility"] == setting
                and (here["search"] or {}).get("owner-prefix") == here["owner-prefix"]
                and (here["stored"] or {}).get("version") == version
                and here["stored"]["citations-counted"]
                and here["search"]["version"] == version
            )
            return here if done else None

        here = await until(lambda: settled("open", 1), what="in the store and in the lists")
        assert here["doi"] == "10.5555/a"
        assert here["stored"]["deposited"] == "2026-01-01T00:00:00.000Z"
        assert here["search"] == {"version": 1, "behind": 0, "owner-prefix": "10.5555"}
        await deposits.say(
            TitleTransferred(subject=title, name="T", owner_prefix="10.6666", version=2)
        )
        here = await until(lambda: settled("closed", 1), what="under its new owner everywhere")
        assert here["owner-prefix"] == "10.6666"
        await deposits.say(work("10.5555/a", version=2, title=title, kind=WorkUpdated))
        await until(lambda: settled("closed", 2), what="the new state everywhere")
        # A DOI that ends so itself is a work.
        shown = await until(lambda: at("/works/10.5555/b/position"))
        assert shown["DOI"] == "10.5555/b/position"
        assert (await at("/works/10.5555/b/position/position"))["stored"]["version"] == 1
        for path, wanted in (("none/position", 404), ("a/position?rows=1", 400)):
            assert (await get(session, f"{distribution.url}/works/10.5555/{path}"))[0] == wanted
        _, figures, _ = await get(session, distribution.url + "/metrics")
        assert b'colophon_event_seconds_count{group="search"}' in figures
        assert b"colophon_search_transfers_due 0.0" in figures


async def test_a_drained_service_ends_promptly_and_well(place: Place) -> None:
    async with (
        speaking(place, "accounts", "deposits"),
        service("distribution", place) as distribution,
    ):
        distribution.process.terminate()
        async with asyncio.timeout(5):
            assert await distribution.process.wait() == 0
