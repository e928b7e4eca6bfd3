"""What works say of each other, shown and found at the other end, from topic to answer."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import orjson
import pytest
from lxml import etree

from shared.events import Event, PrefixAssigned, WorkRegistered, WorkUpdated
from shared.kafka import topics
from shared.runtime.ids import new_id
from tests.events import AT, Voice, speaking
from tests.platform import Platform
from tests.processes import Place, service, until

ARTICLE: Final = "10.5555/article"
LATE: Final = "10.5555/late"
REVIEW: Final = "10.6666/review"
CITING: Final = "10.6666/citing"
ERRATUM: Final = "10.5555/erratum"
SD: Final = "{http://www.crossref.org/qrschema/3.0}"
STAMP: Final = {
    "date-parts": [[2012, 5, 8]],
    "date-time": "2012-05-08T00:00:00Z",
    "timestamp": 1336435200000,
}
CORRECTION: Final = {
    "type": "correction",
    "label": "Correction",
    "source": "publisher",
    "updated": STAMP,
}


def item(doi: str, by: str = "subject") -> dict[str, str]:
    return {"id-type": "doi", "id": doi, "asserted-by": by}


def work(doi: str, version: int = 1, /, **said: Any) -> Event:
    return (WorkRegistered if version == 1 else WorkUpdated)(
        doi=doi,
        prefix=doi.partition("/")[0],
        timestamp=str(version),
        created=AT,
        deposited=AT,
        submission="1#0",
        version=version,
        work={
            "type": "journal-article",
            "DOI": doi,
            "title": [f"On {doi}"],
            "resource": {"primary": {"URL": f"https://example.org/{doi}"}},
            "issued": {"date-parts": [[2020, 5]]},
            **said,
        },
    )


REVIEWS: Final = {"is-review-of": [item(ARTICLE.upper()), item(LATE)]}
CITATIONS: Final = {"cites": [item(ARTICLE)], "references": [item(ARTICLE)]}
"""As a work says that keeps its references to itself."""


@dataclass(frozen=True, slots=True)
class Registry:
    """A running service, and the voice of deposits."""

    url: str
    deposits: Voice
    session: aiohttp.ClientSession

    async def get(self, path: str) -> tuple[bytes, Mapping[str, str]]:
        async with self.session.get(self.url + path) as answer:
            body = await answer.read()
            assert answer.status == 200, (path, body)
            return body, answer.headers

    async def message(self, path: str) -> Any:
        return orjson.loads((await self.get(path))[0])["message"]

    async def found(self, filters: str) -> list[str]:
        listed = await self.message(f"/works?select=DOI&filter={filters}")
        return sorted(one["DOI"] for one in listed["items"])


@pytest.fixture(scope="module")
async def registry(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Registry]:
    name = f"t{new_id().replace('-', '')[8:24]}."
    await topics.create(platform.kafka_bootstrap, prefix=name)
    folder = tmp_path_factory.mktemp("ends")
    place = Place(platform.kafka_bootstrap, platform.mongodb_url, name, folder)
    async with (
        speaking(place, "accounts", "deposits") as (accounts, deposits),
        service("distribution", place, COUNT_SECONDS="0.3") as running,
        aiohttp.ClientSession() as session,
    ):
        for prefix, owner, setting in (("10.5555", 78, "open"), ("10.6666", 98, "closed")):
            await accounts.say(
                PrefixAssigned(
                    prefix=prefix,
                    owner=owner,
                    owner_name=f"House {owner}",
                    setting=setting,
                    assigned_at=AT,
                    version=1,
                )
            )
        yield Registry(running.url, deposits, session)


@pytest.mark.law("L4")
@pytest.mark.clause("CRR-2")
async def test_what_others_say_of_a_work_is_told_at_its_end_but_never_who_cites_it(
    registry: Registry,
) -> None:
    await registry.deposits.say(work(ARTICLE, relation={"has-comment": [item("10.5555/own")]}))
    one = f"/works/{ARTICLE}"

    async def there() -> Any:
        async with registry.session.get(registry.url + one) as answer:
            return answer.headers.get("ETag") if answer.status == 200 else None

    bare = await until(there, what="the article")
    reference = [{"key": "r1", "DOI": ARTICLE}]
    await registry.deposits.say(
        work(REVIEW, type="peer-review", relation=REVIEWS),
        work(CITING, relation=CITATIONS, reference=reference),
        work(ERRATUM, 1, **{"update-to": [{"DOI": ARTICLE, **CORRECTION}]}),
    )

    async def told() -> Any:
        message = await registry.message(one)
        known = message["relation"], message["is-referenced-by-count"], "updated-by" in message
        return message if len(known[0]) > 1 and known[1:] == (1, True) else None

    message = await until(told, what="what is said of the article")
    relation = {
        "has-comment": [item("10.5555/own")],
        "has-review": [item(REVIEW, by="object")],
    }
    assert message["relation"] == relation
    assert message["updated-by"] == [{"DOI": ERRATUM, **CORRECTION}]
    assert await there() != bare
    # It was said of a work before there was one.
    await registry.deposits.say(work(LATE))
    late = {"has-review": [item(REVIEW, by="object")]}

    async def told_late() -> bool:
        async with registry.session.get(f"{registry.url}/works/{LATE}") as answer:
            said = await answer.json() if answer.status == 200 else {"message": {}}
            return bool(said["message"].get("relation") == late)

    await until(told_late, what="what was said of a work that was not there yet")

    async def listed() -> bool:
        return await registry.found("relation.type:has-review") == [ARTICLE, LATE]

    await until(listed, what="the lists know it")
    assert await registry.found("has-update:true") == [ARTICLE]
    assert await registry.found(f"relation.object:{REVIEW},relation.object-type:doi") == [
        ARTICLE,
        LATE,
    ]
    assert await registry.found("has-relation:true") == sorted([ARTICLE, CITING, LATE, REVIEW])
    lists = await registry.message("/works?facet=relation-type:*&rows=9&select=DOI,relation")
    assert lists["facets"]["relation-type"]["values"] == {
        "has-comment": 1,
        "has-review": 2,
        "is-review-of": 1,
        "references": 1,  # at the work that says it
    }
    assert {"DOI": ARTICLE, "relation": relation} in lists["items"]
    # Who cites it keeps its references: nowhere at this end is it named.
    for filters in (f"relation.object:{CITING}", "relation.type:is-referenced-by"):
        assert await registry.found(filters) == []
    forms = (
        "application/vnd.citationstyles.csl+json",
        "application/vnd.crossref.unixref+xml",
        "application/vnd.crossref.unixsd+xml",
        "text/turtle",
        "application/x-bibtex",
    )
    shown = [
        (await registry.get(path))[0]
        for path in (
            one,
            f"/works?filter=doi:{ARTICLE}",
            f"/works?filter=doi:{ARTICLE}&select=DOI,relation,updated-by",
            *(f"{one}/transform/{form}" for form in forms),
        )
    ]
    assert not any(CITING.encode() in body.lower() for body in shown)
    claims = etree.fromstring(shown[3 + forms.index(UNIXSD)]).iter(f"{SD}crm-item")
    assert [(one.get("claim"), one.text) for one in claims if one.get("name") == "relation"] == [
        ("correction", ERRATUM),
        ("hasReview", REVIEW),
    ]
    assert REVIEW.encode() not in shown[3 + forms.index(UNIXREF)]  # not its own deposit's word


UNIXREF: Final = "application/vnd.crossref.unixref+xml"
UNIXSD: Final = "application/vnd.crossref.unixsd+xml"


@pytest.mark.law("L4")
async def test_what_is_no_longer_said_is_no_longer_told(registry: Registry) -> None:
    """Only in part, too: the review goes on to review another work."""
    await registry.deposits.say(
        work("10.5555/first"),
        work("10.5555/second"),
        work("10.6666/third", relation={"is-review-of": [item("10.5555/first")]}),
    )

    async def reviewed(number: str) -> bool:
        try:
            message = await registry.message(f"/works/10.5555/{number}")
        except AssertionError:
            return False
        return "has-review" in message["relation"]

    async def lists() -> list[str]:
        return await registry.found("relation.object:10.6666/third")

    async def in_list() -> bool:
        return await lists() == ["10.5555/first"]

    async def moved() -> bool:
        return await reviewed("second") and not await reviewed("first")

    async def moved_in_list() -> bool:
        return await lists() == ["10.5555/second"]

    await until(lambda: reviewed("first"), what="the claim")
    await until(in_list, what="the claim in lists")
    await registry.deposits.say(
        work("10.6666/third", 2, relation={"is-review-of": [item("10.5555/second")]})
    )
    await until(moved, what="the claim at the other work")
    await until(moved_in_list, what="the claim in lists at the other work")
    await registry.deposits.say(work("10.6666/third", 3))

    async def gone() -> bool:
        return not await reviewed("second") and not await lists()

    await until(gone, what="the claim gone")
