"""Cited-by over the wire: the owner's list, the open list, counts, and what matching finds.

One process answers all tests. Who may see what is written down here by hand, not read from the
policy file.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import aiohttp
import orjson
import pytest
from lxml import etree

from shared.events import (
    OrganisationRegistered,
    PrefixAssigned,
    ReferencePreferenceSet,
    WorkRegistered,
    WorkUpdated,
)
from shared.kafka import topics
from shared.runtime.clock import SYSTEM
from shared.runtime.ids import new_id
from tests.callers import PASSWORD, basic, login, token
from tests.events import AT, Voice, speaking
from tests.platform import Platform
from tests.processes import OPERATOR, Place, service, until
from tests.receiving import receiving

CITED_OWNER: Final = 78
CITING_OWNER: Final = 99
SECRET: Final = "Xyzzyography"  # stands in every reference list and nowhere else
CITED: Final = "10.5001/cited"
CITING: Final = {"closed": "10.6001/c", "limited": "10.6002/l", "open": "10.6003/o"}
POSTED: Final = "10.6003/preprint"
NS: Final = "{http://www.crossref.org/qrschema/2.0}"
SEEN: Final = {
    "anonymous": {CITING["open"], POSTED},
    "cited owner": {CITING["open"], POSTED},
    "expired plus": {CITING["open"], POSTED},
    "operator": {CITING["open"], POSTED},
    "plus": {CITING["open"], CITING["limited"], POSTED},
    "citing owner": {*CITING.values(), POSTED},
}

pytestmark = pytest.mark.clause("CRR-5")


@dataclass(slots=True)
class Registry:
    """A distribution, and callers of every kind."""

    url: str
    accounts: Voice
    deposits: Voice
    headers: dict[str, dict[str, str]]
    session: aiohttp.ClientSession

    async def ask(self, caller: str, path: str, **more: Any) -> tuple[int, bytes, Any]:
        method = more.pop("method", "GET")
        async with self.session.request(
            method, self.url + path, headers=self.headers[caller], **more
        ) as answer:
            return answer.status, await answer.read(), answer.headers

    async def said(self, caller: str, path: str) -> Any:
        status, body, _ = await self.ask(caller, path)
        assert status == 200, (status, body)
        return orjson.loads(body)

    async def count(self, doi: str) -> int:
        status, body, _ = await self.ask("anonymous", f"/works/{doi}")
        return orjson.loads(body)["message"]["is-referenced-by-count"] if status == 200 else -1

    async def links(self, query: str, caller: str = "cited owner") -> set[tuple[str, str]]:
        status, body, _ = await self.ask(caller, f"/servlet/getForwardLinks?{query}")
        assert status == 200, (status, body)
        assert SECRET.encode() not in body
        return set(links_in(body))


def links_in(body: bytes) -> Iterator[tuple[str, str]]:
    """Yield cited and citing DOI of each forward link."""
    for link in etree.fromstring(body).iter(f"{NS}forward_link"):
        doi = link.find(f"*/{NS}doi")
        assert doi is not None
        yield link.get("doi") or "", doi.text or ""


def prefix(name: str, owner: int, setting: str, version: int = 1) -> Any:
    kind = PrefixAssigned if version == 1 else ReferencePreferenceSet
    return kind(
        prefix=name,
        owner=owner,
        owner_name=f"Press {owner}",
        setting=setting,
        assigned_at=AT,
        version=version,
    )


def work(
    doi: str,
    *references: dict[str, Any],
    version: int = 1,
    kind: str = "journal-article",
    **more: Any,
) -> Any:
    listed = [{"key": f"r{n}", **one} for n, one in enumerate(references)]
    event = WorkRegistered if version == 1 else WorkUpdated
    return event(
        doi=doi,
        prefix=doi.partition("/")[0],
        timestamp=str(version),
        created=AT,
        deposited=AT,
        submission="1#0",
        version=version,
        work={
            "type": kind,
            "title": ["On citing"],
            "container-title": ["Journal of Tests"],
            "DOI": doi,
            "ISSN": ["1234-5679"],
            "author": [{"given": "Ann", "family": "Author", "sequence": "first"}],
            "issued": {"date-parts": [[2020, 5]]},
            "references-count": len(listed),
            **({"reference": listed} if listed else {}),
            **more,
        },
    )


SAID: Final[dict[str, Any]] = {
    "DOI": CITED.upper(),
    "unstructured": SECRET,
    "doi-asserted-by": "publisher",
}
FOUND: Final[dict[str, Any]] = {
    "type": "journal-article",
    "title": ["The slow measurement of very small quiet rooms"],
    "container-title": ["Annals of Measured Things"],
    "volume": "12",
    "page": "345-367",
    "author": [{"given": "Berta", "family": "Brown"}],
    "issued": {"date-parts": [[2011]]},
    "resource": {"primary": {"URL": "https://press.example/rooms"}},
}
TEXT: Final[dict[str, Any]] = {
    "unstructured": "Brown, B. (2011). The slow measurement of very small quiet rooms. "
    "Annals of Measured Things 12(3), 345-367."
}
FIELDS: Final[dict[str, Any]] = {
    "author": "Brown",
    "journal-title": "Ann. Meas. Things",
    "volume": "12",
    "first-page": "345",
    "year": "2011",
}


@pytest.fixture(scope="module")
async def registry(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Registry]:
    name = f"t{new_id().replace('-', '')[8:24]}."
    await topics.create(platform.kafka_bootstrap, prefix=name)
    folder = tmp_path_factory.mktemp("cited-by")
    place = Place(platform.kafka_bootstrap, platform.mongodb_url, name, folder)

    async with (
        speaking(place, "accounts", "deposits") as (accounts, deposits),
        service(
            "distribution",
            place,
            CALLBACK_NETWORKS="127.0.0.0/8",
            DELIVERY_FIRST_SECONDS="0.1",
        ) as running,
        aiohttp.ClientSession() as session,
    ):
        await accounts.say(
            OrganisationRegistered(
                organisation=CITED_OWNER, name="Press", registered_at=AT, version=1
            ),
            prefix("10.5001", CITED_OWNER, "closed"),
            *(
                prefix(doi.partition("/")[0], CITING_OWNER, setting)
                for setting, doi in CITING.items()
            ),
            login(place, "cited", CITED_OWNER),
            login(place, "citing", CITING_OWNER),
            token("plus", timedelta(hours=1)),
            token("lapsed", timedelta(hours=-1)),
        )
        await deposits.say(
            work(CITED, resource={"primary": {"URL": "https://press.example/cited"}}),
            *(work(doi, SAID) for doi in CITING.values()),
            work(POSTED, SAID, kind="posted-content"),
        )
        made = Registry(
            running.url,
            accounts,
            deposits,
            {
                "anonymous": {},
                "plus": {"Crossref-Plus-API-Token": "Bearer plus"},
                "expired plus": {"Crossref-Plus-API-Token": "Bearer lapsed"},
                "cited owner": basic("cited"),
                "citing owner": basic("citing"),
                "operator": OPERATOR,
            },
            session,
        )

        async def complete() -> bool:
            if await made.count(CITED) != 4:
                return False
            found = await made.said("citing owner", f"/works/{CITED}/cited-by")
            return bool(found["message"]["total-results"] == 4)

        await until(complete, within=40, what="all counted and matched")
        yield made


async def test_the_owner_of_the_cited_work_learns_who_cites_it_whatever_they_chose(
    registry: Registry,
) -> None:
    everyone = {(CITED, doi) for doi in CITING.values()}
    assert await registry.links(f"doi={CITED}") == everyone
    assert await registry.links(f"doi={CITED}&include_postedcontent=true") == everyone | {
        (CITED, POSTED)
    }
    status, body, headers = await registry.ask(
        "anonymous", f"/servlet/getForwardLinks?usr=cited&pwd={PASSWORD}&doi=doi:{CITED.upper()}"
    )
    assert (status, set(links_in(body))) == (200, everyone)
    assert headers["Cache-Control"] == "no-store"
    form = {"usr": "cited", "pwd": PASSWORD, "doi": CITED}
    status, body, _ = await registry.ask(
        "anonymous", "/servlet/getForwardLinks", method="POST", data=form
    )
    assert (status, set(links_in(body))) == (200, everyone)
    assert etree.fromstring(body).get("version") == "2.0"
    (one,) = (
        cite
        for cite in etree.fromstring(body).iter(f"{NS}journal_cite")
        if cite.findtext(f"{NS}doi") == CITING["closed"]
    )
    assert one.get("fl_count") == "0"
    assert one.findtext(f"{NS}journal_title") == "Journal of Tests"
    assert one.findtext(f".//{NS}surname") == "Author"


@pytest.mark.parametrize("asked", [CITED, "10.5001", "10.5001/unregistered"])
async def test_nobody_but_the_owner_of_the_cited_work_gets_the_list(
    registry: Registry, asked: str
) -> None:
    said = {}
    for caller in SEEN:
        status, body, _ = await registry.ask(caller, f"/servlet/getForwardLinks?doi={asked}")
        said[caller] = status
        assert status == 200 or not any(doi.encode() in body for doi in CITING.values())
    assert said == {
        "anonymous": 401,
        "expired plus": 401,
        "plus": 403,
        "operator": 403,
        "citing owner": 403,
        "cited owner": 200,
    }


async def test_a_prefix_is_asked_for_by_the_days_on_which_matches_were_made(
    registry: Registry,
) -> None:
    everyone = {(CITED, doi) for doi in CITING.values()}
    today = SYSTEM.now().date()
    day = timedelta(days=1)
    assert everyone <= await registry.links("doi=10.5001")
    assert everyone <= await registry.links(f"doi=10.5001&startDate={today - day}&endDate={today}")
    assert everyone <= await registry.links(f"doi=10.5001&endDate={today}")
    assert await registry.links(f"doi=10.5001&date={today - 2 * day}") == set()
    assert await registry.links(f"doi={CITED}&startDate={today + day}") == set()
    for wrong in ("date=yesterday", f"startDate={today}&endDate={today - day}", "doi="):
        status, _, _ = await registry.ask(
            "cited owner", f"/servlet/getForwardLinks?doi=10.5001&{wrong}"
        )
        assert status == (200 if wrong == "doi=" else 400)


@pytest.mark.law("L3")
async def test_the_open_list_holds_the_citing_works_whose_references_the_reader_may_see(
    registry: Registry,
) -> None:
    for caller, seen in SEEN.items():
        status, body, headers = await registry.ask(caller, f"/works/{CITED}/cited-by")
        assert status == 200
        message = orjson.loads(body)["message"]
        assert {item["DOI"] for item in message["items"]} == seen, caller
        assert (message["total-results"], message["is-referenced-by-count"]) == (len(seen), 4)
        assert SECRET.encode() not in body
        assert not any(doi.encode() in body for doi in {*CITING.values()} - seen)
        assert headers["Cache-Control"] == "private, no-cache"
        assert "Authorization" in headers["Vary"]


async def test_the_open_list_is_walked_page_by_page(registry: Registry) -> None:
    walked, cursor = [], "*"
    for _ in range(4):
        page = await registry.said(
            "citing owner", f"/works/{CITED}/cited-by?rows=2&cursor={cursor}"
        )
        walked += [item["DOI"] for item in page["message"]["items"]]
        if not page["message"]["items"]:
            break
        cursor = page["message"]["next-cursor"]
    assert walked == sorted(SEEN["citing owner"])
    for wrong in (
        f"/works/{CITED}/cited-by?cursor=x",
        f"/works/10.6003/o/cited-by?cursor={cursor}",
    ):
        status, _, _ = await registry.ask("anonymous", wrong)
        assert status == 400
    status, body, _ = await registry.ask("anonymous", "/works/10.5001/none/cited-by")
    assert (status, body) == (404, b"Resource not found.")


@pytest.mark.law("L3")
async def test_a_preference_takes_a_citing_work_out_of_the_open_list_and_not_from_its_count(
    registry: Registry,
) -> None:
    await registry.accounts.say(prefix("10.6003", CITING_OWNER, "closed", 2))

    async def nothing() -> bool:
        page = (await registry.said("anonymous", f"/works/{CITED}/cited-by"))["message"]
        assert page["is-referenced-by-count"] == 4
        return bool(page["total-results"] == 0 and page["items"] == [])

    await until(nothing)
    assert len(await registry.links(f"doi={CITED}")) == 3
    await registry.accounts.say(prefix("10.6003", CITING_OWNER, "open", 3))
    await until(lambda: _true(nothing))


async def _true(nothing: Any) -> bool:
    return not await nothing()


async def test_a_count_is_for_everyone_and_a_resolver_leads_to_the_work(
    registry: Registry,
) -> None:
    asked = "pid=somebody@example.org&noredirect=true"
    status, body, _ = await registry.ask("anonymous", f"/openurl/?id=doi:{CITED}&{asked}")
    found = etree.fromstring(body).find(f".//{NS}query")
    assert found is not None
    assert (status, found.get("status"), found.get("fl_count")) == (200, "resolved", "4")
    assert b"somebody" not in body
    _, body, _ = await registry.ask("anonymous", f"/openurl/?id=doi:10.5001/none&{asked}")
    found = etree.fromstring(body).find(f".//{NS}query")
    assert found is not None
    assert (found.get("status"), found.get("fl_count")) == ("unresolved", "0")
    status, _, headers = await registry.ask(
        "anonymous", f"/openurl?id=doi:{CITED}", allow_redirects=False
    )
    assert (status, headers["Location"]) == (302, "https://press.example/cited")
    status, _, _ = await registry.ask("anonymous", "/openurl?id=doi:10.5001/none")
    assert status == 404


async def test_a_reference_is_matched_when_its_work_arrives_and_no_longer_when_it_is_gone(
    registry: Registry,
) -> None:
    citing, cited = "10.6003/waits", "10.5001/rooms"
    wrong = {**FIELDS, "volume": "13", "first-page": "1"}
    await registry.deposits.say(work(citing, TEXT, wrong), work("10.6001/waits", FIELDS))

    async def shown() -> Any:
        status, body, headers = await registry.ask("anonymous", f"/works/{citing}")
        return (
            (orjson.loads(body)["message"]["reference"], headers["ETag"]) if status == 200 else ()
        )

    before = await until(shown)
    assert not any("DOI" in one for one in before[0])
    await registry.deposits.say(work(cited, **FOUND))
    await until(lambda: _is(registry.count(cited), 2), what="both are matched and counted")
    references, validator = await shown()
    assert references[0] == {"key": "r0", **TEXT, "DOI": cited, "doi-asserted-by": "crossref"}
    assert references[1] == {"key": "r1", **wrong}
    assert validator != before[1]
    assert await registry.links(f"doi={cited}") == {(cited, citing), (cited, "10.6001/waits")}
    closed = orjson.loads((await registry.ask("anonymous", "/works/10.6001/waits"))[1])["message"]
    assert "reference" not in closed
    page = await registry.said("anonymous", f"/works/{cited}/cited-by")
    assert [item["DOI"] for item in page["message"]["items"]] == [citing]

    status, body, _ = await registry.ask(
        "anonymous", f"/getResolvedRefs?usr=citing&pwd={PASSWORD}&doi=10.6001/waits", method="POST"
    )
    assert status == 200
    assert orjson.loads(body)["matched-references"] == [
        {"key": "r0", "doi": cited, "doi-asserted-by": "crossref"}
    ]
    status, _, _ = await registry.ask("cited owner", "/getResolvedRefs?doi=10.6001/waits")
    assert status == 403
    asked = "noredirect=true&title=Ann+Meas+Things&volume=12&spage=345&date=2011&aulast=Brown"
    _, body, _ = await registry.ask("anonymous", f"/openurl?{asked}")
    assert re.search(rb'status="resolved" fl_count="2"', body)

    await registry.deposits.say(work(citing, wrong, version=2))  # CRR-11
    await until(
        lambda: _is(registry.count(cited), 1), what="a reference that is gone counts no more"
    )
    assert await registry.links(f"doi={cited}") == {(cited, "10.6001/waits")}
    page = await registry.said("anonymous", f"/works/{cited}/cited-by")
    assert page["message"]["items"] == []


async def test_a_later_work_finds_what_is_registered_by_its_words(registry: Registry) -> None:
    cited = "10.5001/words"
    title = "An inquiry into the patience of lighthouse keepers"
    await registry.deposits.say(work(cited, **{**FOUND, "title": [title], "volume": "77"}))
    await until(lambda: _is(registry.count(cited), 0))

    async def searchable() -> bool:
        found = await registry.said("anonymous", "/works?query=lighthouse&rows=0")
        return bool(found["message"]["total-results"] == 1)

    await until(searchable)
    # Neither its year nor its first name stands where features look for them.
    text = {"unstructured": f"See also on this {title}, by Berta Brown"}
    await registry.deposits.say(work("10.6003/words", text))
    await until(lambda: _is(registry.count(cited), 1), what="found by a search of its words")


async def test_the_owner_is_called_for_each_new_citation_of_what_it_watches(
    registry: Registry,
) -> None:
    cited = "10.5001/watched"
    await registry.deposits.say(work(cited))
    await until(lambda: _is(registry.count(cited), 0))
    async with receiving() as hears:
        watched = {"of": cited, "url": f"{hears.url}/late/1/citations"}
        for caller, refused in {"anonymous": 401, "citing owner": 403, "plus": 403}.items():
            status, _, _ = await registry.ask(
                caller, "/cited-by/alerts", method="POST", json=watched
            )
            assert status == refused
        private = {**watched, "url": "http://10.0.0.1/inside"}
        status, _, _ = await registry.ask(
            "cited owner", "/cited-by/alerts", method="POST", json=private
        )
        assert status == 422
        status, body, _ = await registry.ask(
            "cited owner", "/cited-by/alerts", method="POST", json=watched
        )
        made = orjson.loads(body)
        assert (status, made["of"]) == (201, cited)
        await registry.deposits.say(work("10.6001/news", {"DOI": cited}))
        first, second = await hears.called("/late/1/citations", 2)
        assert first.body == second.body
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert second.signed_with(made["secret"])
        assert orjson.loads(second.body)["type"] == "citation.found"
        assert orjson.loads(second.body)["data"] == {
            "alert": made["id"],
            "cited": cited,
            "citing": "10.6001/news",
        }
        listed = await registry.said("cited owner", "/cited-by/alerts")
        assert [one["id"] for one in listed["items"]] == [made["id"]]
        assert made["secret"] not in orjson.dumps(listed).decode()
        assert (await registry.said("citing owner", "/cited-by/alerts"))["items"] == []
        path = f"/cited-by/alerts/{made['id']}"
        for caller, answered in (("citing owner", 404), ("cited owner", 204), ("cited owner", 404)):
            assert (await registry.ask(caller, path, method="DELETE"))[0] == answered


async def _is(asked: Any, wanted: int) -> bool:
    await asyncio.sleep(0)
    return bool(await asked == wanted)
