"""The feed of changes over the wire: nothing is passed over, and the gate decides as it is sent.

One process answers all tests. What each caller may see is written down by hand.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import aiohttp
import orjson
import pytest

from shared.events import (
    CredentialChanged,
    OrganisationRegistered,
    PrefixAssigned,
    ReferencePreferenceSet,
    TitleRegistered,
    TitleTransferred,
    WorkOwnerAssigned,
    WorkRegistered,
    WorkUpdated,
)
from shared.kafka import topics
from shared.privacy.passwords import token_key
from shared.runtime.ids import new_id
from tests.callers import basic, login, token
from tests.events import AT, Voice, speaking
from tests.platform import Platform
from tests.processes import Place, Running, service, until

SECRET: Final = "Xyzzyography"
FEED: Final = "/works/changes"
STREAM: Final = "/works/changes/stream"
PLUS: Final = {"Crossref-Plus-API-Token": "Bearer plus"}
SETTINGS: Final = {"10.5001": "closed", "10.5002": "limited", "10.5003": "open"}
SEEN_BY: Final[Mapping[str, frozenset[str]]] = {
    "anonymous": frozenset({"open"}),
    "lapsed": frozenset({"open"}),
    "plus": frozenset({"open", "limited"}),
    "owner": frozenset({"open", "limited", "closed"}),
}


def assigned(prefix: str, setting: str | None, version: int = 1) -> Any:
    kind = PrefixAssigned if version == 1 else ReferencePreferenceSet
    return kind(
        prefix=prefix,
        owner=78,
        owner_name="Press",
        setting=setting,
        assigned_at=AT,
        version=version,
    )


def work(doi: str, *, version: int = 1, title: str | None = None) -> Any:
    kind = WorkRegistered if version == 1 else WorkUpdated
    return kind(
        doi=doi,
        prefix=doi.partition("/")[0],
        title=title,
        timestamp=str(version),
        created=AT,
        deposited=AT,
        submission=f"{version}#0",
        version=version,
        work={
            "type": "journal-article",
            "title": [f"Version {version}"],
            "DOI": doi,
            "issued": {"date-parts": [[2020]]},
            "reference": [{"key": "r1", "unstructured": f"{SECRET} in {doi}"}],
            "references-count": 1,
            "reference-count": 1,
        },
    )


@dataclass(slots=True)
class Registry:
    """A distribution, and who asks it."""

    running: Running
    accounts: Voice
    deposits: Voice
    session: aiohttp.ClientSession
    callers: Mapping[str, Mapping[str, str]]
    versions: dict[str, int] = field(default_factory=dict)

    async def ask(self, path: str, caller: str = "anonymous") -> tuple[int, Any, Any]:
        async with self.session.get(
            self.running.url + path, headers=self.callers[caller]
        ) as answer:
            body = await answer.read()
            return answer.status, orjson.loads(body), answer.headers

    async def present(self) -> str:
        _, body, _ = await self.ask(FEED)
        assert body["message"]["items"] == []
        return str(body["message"]["next-cursor"])

    async def walk(
        self, since: str, caller: str = "anonymous", rows: int = 7, wait: int = 0
    ) -> tuple[list[Any], str]:
        """Return all that follows, page by page."""
        found: list[Any] = []
        while True:
            path = f"{FEED}?since={since}&rows={rows}&wait={wait}"
            status, body, _ = await self.ask(path, caller)
            assert status == 200, body
            since = body["message"]["next-cursor"]
            if not body["message"]["items"]:
                return found, since
            found += body["message"]["items"]

    async def prefer(self, prefix: str, setting: str) -> None:
        version = self.versions[prefix] = self.versions.get(prefix, 1) + 1
        await self.accounts.say(assigned(prefix, setting, version))

    @contextlib.asynccontextmanager
    async def streaming(
        self, caller: str = "anonymous", last: str | None = None
    ) -> AsyncIterator["Stream"]:
        headers = {**self.callers[caller], **({"Last-Event-ID": last} if last else {})}
        async with self.session.get(self.running.url + STREAM, headers=headers) as answer:
            assert answer.status == 200
            assert answer.content_type == "text/event-stream"
            stream = Stream(answer)
            await stream.next("position")
            yield stream


@dataclass(slots=True)
class Stream:
    """Server-sent events as they come."""

    answer: aiohttp.ClientResponse
    last: str = ""

    async def any(self) -> tuple[str, Any]:
        said: dict[str, str] = {}
        async with asyncio.timeout(15):
            while True:
                line = (await self.answer.content.readline()).decode().rstrip("\n")
                if not line and "data" in said:
                    self.last = said["id"]
                    return said["event"], orjson.loads(said["data"])
                if not line and self.answer.content.at_eof():
                    return "end", None
                name, _, value = line.partition(": ")
                if name:
                    said[name] = value

    async def next(self, kind: str) -> Any:
        while True:
            event, said = await self.any()
            assert event != "end"
            if event == kind:
                return said

    async def work(self, doi: str) -> Any:
        while True:
            said = await self.next("work-changed")
            if said["DOI"] == doi:
                return said["work"]


@pytest.fixture(scope="module")
async def registry(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Registry]:
    name = f"t{new_id().replace('-', '')[8:24]}."
    await topics.create(platform.kafka_bootstrap, prefix=name)
    folder = tmp_path_factory.mktemp("changes")
    place = Place(platform.kafka_bootstrap, platform.mongodb_url, name, folder)
    tokens = {"plus": 1, "lapsed": -1, "revoked": 1}
    async with (
        speaking(place, "accounts", "deposits") as (accounts, deposits),
        aiohttp.ClientSession() as session,
    ):
        # Before it starts: what a reader finds who comes later, read from the log.
        await accounts.say(
            OrganisationRegistered(organisation=78, name="Press", registered_at=AT, version=1),
            *(assigned(prefix, setting) for prefix, setting in SETTINGS.items()),
            assigned("10.5004", "open"),
            login(place, "owner", 78),
            *(token(name, timedelta(hours=hours)) for name, hours in tokens.items()),
        )
        await deposits.say(*(work(f"{prefix}/{n}") for prefix in SETTINGS for n in range(5)))
        async with service("distribution", place) as running:
            callers = {
                "anonymous": {},
                "owner": basic("owner"),
                **{name: {"crossref-api-key": f"Bearer {name}"} for name in tokens},
            }
            registry = Registry(running, accounts, deposits, session, callers)

            async def stored() -> bool:
                found = [
                    (await session.get(f"{running.url}/works/{prefix}/4")).status
                    for prefix in SETTINGS
                ]
                return found == [200] * 3

            await until(stored, within=20, what="the works are stored")
            yield registry


def works(found: list[Any]) -> dict[str, Any]:
    return {one["DOI"]: one["work"] for one in found if one["type"] == "work-changed"}


@pytest.mark.law("L3")
@pytest.mark.law("L4")
@pytest.mark.clause("CRR-6")
@pytest.mark.clause("CRR-7")
async def test_a_walk_from_the_beginning_has_every_work_as_this_caller_may_see_it(
    registry: Registry,
) -> None:
    for caller, seen in SEEN_BY.items():
        found, _ = await registry.walk("*", caller)
        for doi, one in works(found).items():
            may = SETTINGS[doi.partition("/")[0]] in seen
            assert (SECRET in str(one)) is may, (caller, doi)
            assert ("references-withheld" in one) is not may, (caller, doi)
            assert one["references-count"] == 1
        assert len(works(found)) == 15
        told = {o["prefix"]: o for o in found if o["type"] == "preference-changed"}
        assert {p: told[p]["reference-visibility"] for p in SETTINGS} == SETTINGS
    status, _, headers = await registry.ask(f"{FEED}?since=*", "plus")
    assert (status, headers["Cache-Control"]) == (200, "private, no-cache")
    assert headers["x-api-pool"] == "plus"
    assert "Authorization" in headers["Vary"]


async def test_a_cursor_goes_on_where_it_ended_and_a_long_poll_waits_for_what_comes(
    registry: Registry,
) -> None:
    since = await registry.present()
    assert await registry.walk(since) == ([], (await registry.walk(since))[1])
    waiting = asyncio.ensure_future(registry.ask(f"{FEED}?since={since}&wait=20"))
    await registry.deposits.say(work("10.5003/0", version=2))
    _, body, _ = await waiting
    (only,) = body["message"]["items"]
    assert (only["DOI"], only["work"]["title"]) == ("10.5003/0", ["Version 2"])
    # A position from the past is read from the log, and the newest state stands for all.
    await registry.deposits.say(*(work("10.5003/1", version=n) for n in range(2, 9)))

    async def complete() -> bool:
        found, _ = await registry.walk(since)
        return works(found).get("10.5003/1", {}).get("title") == ["Version 8"]

    await until(complete, what="the newest state")
    found, _ = await registry.walk(since, rows=1000)
    assert sorted(works(found)) == ["10.5003/0", "10.5003/1"]
    of_a_day = await registry.ask(f"{FEED}?since=2020-01-01&rows=1000")
    assert len(works(of_a_day[1]["message"]["items"])) == 15
    assert (await registry.ask(f"{FEED}?since=2099-01-01"))[1]["message"]["items"] == []


async def test_what_is_asked_wrongly_is_refused_in_the_wires_own_form(registry: Registry) -> None:
    status, body, _ = await registry.ask(f"{FEED}?rows=5000&filter=a")
    assert (status, body["message-type"], len(body["message"])) == (400, "validation-failure", 2)
    for path in (FEED, STREAM):
        status, body, _ = await registry.ask(f"{path}?since=AAAA")
        assert (status, body["message"][0]["type"]) == (404, "cursor-invalid")
    assert (await registry.ask(f"{STREAM}?wait=5"))[0] == 400


@pytest.mark.law("L3")
@pytest.mark.clause("CRR-4")
async def test_a_flip_reaches_the_readers_of_the_feed_and_all_that_is_sent_after_it_obeys(
    registry: Registry,
) -> None:
    since = await registry.present()
    async with registry.streaming() as open_, registry.streaming("owner") as owner:
        await registry.deposits.say(work("10.5004/0"))
        assert "reference" in await open_.work("10.5004/0")
        await registry.prefer("10.5004", "closed")
        said = await open_.next("preference-changed")
        assert (said["prefix"], said["reference-visibility"]) == ("10.5004", "closed")
        await registry.deposits.say(work("10.5004/0", version=2), work("10.5004/1"))
        for doi in ("10.5004/0", "10.5004/1"):
            assert SECRET not in str(await open_.work(doi))
            assert SECRET in str(await owner.work(doi))
        # Who resumes from before the flip is shown how things are now.
        found, _ = await registry.walk(since)
        assert SECRET not in str(found)
        async with registry.streaming(last=since) as resumed:
            assert SECRET not in str(await resumed.work("10.5004/1"))
    await registry.prefer("10.5004", "open")

    async def opened() -> bool:
        return SECRET in str((await registry.walk(since))[0])

    await until(opened, what="open again")


@pytest.mark.law("L3")
async def test_a_transfer_of_a_work_or_a_title_is_in_the_feed_and_changes_what_is_shown(
    registry: Registry,
) -> None:
    title = "journal:1234-5679"
    await registry.deposits.say(
        TitleRegistered(
            subject=title, name="T", issns=("1234-5679",), owner_prefix="10.5003", version=1
        ),
        work("10.5003/titled", title=title),
        work("10.5003/single"),
    )
    async with registry.streaming(last=await registry.present()) as stream:
        await registry.deposits.say(
            TitleTransferred(
                subject=title, name="T", issns=("1234-5679",), owner_prefix="10.5001", version=2
            )
        )
        # How it was registered may come first: a position is a little behind what was told.
        while (said := await stream.next("ownership-changed"))["prefix"] != "10.5001":
            assert (said["title"], said["prefix"]) == (title, "10.5003")
        assert (said["title"], said["ISSN"]) == (title, ["1234-5679"])
        await registry.deposits.say(
            WorkOwnerAssigned(subject="10.5003/single", owner_prefix="10.5001", version=1)
        )
        while (one := await stream.work("10.5003/single"))["prefix"] != "10.5001":
            assert one["prefix"] == "10.5003"
        assert SECRET not in str(one)
        await registry.deposits.say(work("10.5003/titled", version=2, title=title))
        assert SECRET not in str(await stream.work("10.5003/titled"))


@pytest.mark.clause("CRR-6")
async def test_a_stream_ends_when_its_token_is_revoked(registry: Registry) -> None:
    async with registry.streaming("revoked") as stream:
        await registry.deposits.say(work("10.5002/0", version=2))
        assert "reference" in await stream.work("10.5002/0")
        await registry.accounts.say(
            CredentialChanged(
                credential=token_key("revoked"),
                organisation=500,
                scopes=("plus",),
                revoked=True,
                version=2,
            )
        )
        while (said := await stream.any())[0] != "end":
            assert said[0] == "position"
    assert (await registry.session.get(registry.running.url + FEED)).status == 200


@pytest.mark.law("L3")
async def test_while_preferences_are_not_known_freshly_the_feed_is_silent(
    registry: Registry,
) -> None:
    since = await registry.present()
    async with registry.streaming() as stream:
        registry.accounts.marking = False

        async def stale() -> bool:
            status, _, headers = await registry.ask(f"{FEED}?since={since}")
            return status == 503 and int(headers["Retry-After"]) > 0

        try:
            await until(stale, within=15, what="stale")
            await registry.deposits.say(work("10.5003/stale"))
            line = await asyncio.wait_for(stream.answer.content.readline(), 10)
            assert line.startswith(b": waiting")
        finally:
            registry.accounts.marking = True
        assert "reference" in await stream.work("10.5003/stale")


async def test_a_stream_ends_in_order_when_the_service_is_told_to_stop(
    registry: Registry,
) -> None:
    async with registry.streaming() as stream:
        registry.running.process.terminate()
        async with asyncio.timeout(15):
            while (await stream.any())[0] != "end":
                pass
    await registry.running.ended(within=15)
