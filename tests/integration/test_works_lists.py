"""The works lists over HTTP: counted, sampled, sorted and filtered, from topic to answer."""

from typing import Any

import aiohttp
import pytest

from services.distribution.rest.routes import FACETS, FIELD_QUERIES, SORTS
from services.distribution.rest.work_filters import WORK_FILTERS
from shared.events import OrganisationRegistered, PrefixAssigned, WorkRegistered
from tests.events import AT, speaking
from tests.processes import Place, service, until

CANARY = "xyzzyquux"
WORKS = 24
VALUES = {
    "has": "true",
    "is": "false",
    "from": "2020",
    "until": "2020-05",
    "doi": "10.5555/0",
    "updates": "10.5555/0",
    "member": "78",
    "prefix": "10.5555",
    "type": "journal-article",
    "issn": "1234-5679",
    "orcid": "0000-0001-5109-3700",
    "funder": "100000001",
    "award.funder": "10.13039/100000001",
    "archive": "Portico",
    "funder-doi-asserted-by": "publisher",
    "reference-visibility": "open",
    "full-text.type": "text/xml",
    "full-text.application": "text-mining",
    "full-text.version": "vor",
    "license.version": "vor",
    "relation.type": "is-preprint-of",
    "relation.object-type": "doi",
}
NUMBERS = ("citation-id", "license.delay", "gte-award-amount", "lte-award-amount")


def value_of(name: str) -> str:
    if name in NUMBERS:
        return "1"
    return VALUES.get(name) or VALUES.get(name.partition("-")[0], "anything")


def work(number: int) -> WorkRegistered:
    """Return a work; all others cite the one numbered 7."""
    doi = f"10.5555/{number}"
    reference = {"key": "r1", "DOI": "10.5555/7", "article-title": CANARY, "author": CANARY}
    said = {"reference": [reference], "references-count": 1} if number != 7 else {}
    return WorkRegistered(
        doi=doi,
        prefix="10.5555",
        timestamp="1",
        created=AT,
        deposited=AT,
        submission=f"s{number}#0",
        version=1,
        work={
            "type": "journal-article",
            "DOI": doi,
            "title": [f"Study {number}"],
            "resource": {"primary": {"URL": f"https://example.org/{number}"}},
            "issued": {"date-parts": [[2020, 5]]},
            **said,
        },
    )


@pytest.mark.clause("CRR-5")
async def test_lists_are_counted_sampled_sorted_and_filtered_as_the_wire_says(place: Place) -> None:
    async with (
        speaking(place, "accounts", "deposits") as (accounts, deposits),
        aiohttp.ClientSession() as session,
        service("distribution", place, COUNT_SECONDS="0.3", POOL_LIMITS="false") as distribution,
    ):
        await accounts.say(
            OrganisationRegistered(
                organisation=78, name="Press", names=("Press",), registered_at=AT, version=1
            ),
            PrefixAssigned(
                prefix="10.5555",
                owner=78,
                owner_name="Press",
                setting="open",
                assigned_at=AT,
                version=1,
            ),
        )
        await deposits.say(*(work(number) for number in range(WORKS)))

        async def asked(query: str, status: int = 200) -> Any:
            async with session.get(f"{distribution.url}/works?{query}") as answer:
                body = await answer.json()
                assert answer.status == status, (query, body)
                return body["message"]

        async def all_are_listed() -> bool:
            return bool((await asked("rows=0"))["total-results"] == WORKS)

        async def the_cited_one_is_first() -> bool:
            message = await asked("sort=is-referenced-by-count&rows=1&select=DOI")
            return bool(message["items"] == [{"DOI": "10.5555/7"}])

        await until(all_are_listed)
        await until(the_cited_one_is_first)
        last = await asked("sort=is-referenced-by-count&order=asc&rows=1000&select=DOI")
        assert last["items"][-1] == {"DOI": "10.5555/7"}

        sample = await asked("sample=5&filter=has-references:true")
        dois = {item["DOI"] for item in sample["items"]}
        assert len(dois) == sample["total-results"] == 5
        assert "10.5555/7" not in dois
        assert sample["items-per-page"] == 20
        draws = [
            {item["DOI"] for item in (await asked("sample=5&select=DOI"))["items"]}
            for _ in range(6)
        ]
        assert any(one != draws[0] for one in draws[1:])
        assert (await asked("sample=0&rows=3"))["total-results"] == WORKS

        facets = (await asked("facet=*&rows=0"))["facets"]
        assert set(facets) == set(FACETS)
        assert facets["publisher-name"] == {"value-count": 1, "values": {"Press": WORKS}}
        for name in WORK_FILTERS:
            await asked(f"rows=0&filter={name}:{value_of(name)}")
        for name in FIELD_QUERIES:
            await asked(f"rows=0&query.{name}=study")
        for name in SORTS:
            await asked(f"rows=1&sort={name}&order=asc&select=DOI")
        for field in ("query", *(f"query.{name}" for name in FIELD_QUERIES)):
            assert (await asked(f"rows=1&{field}={CANARY}"))["total-results"] == 0
        failures = await asked("sample=101&filter=orcid:x,nope:1&facet=nope:*", status=400)
        assert [one["type"] for one in failures] == [
            "integer-not-valid",
            "facet-not-available",
            "filter-not-available",
            "orcid-not-valid",
        ]
