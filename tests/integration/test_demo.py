"""The demo, whole: 233 real works through the front door and back, equal but for what is named."""

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from deploy.demo import facts
from tests.processes import ROOT, Place, Running, service, until


@dataclass(frozen=True, slots=True)
class Demo:
    """The three services with the demo in them, and how to ask as each member."""

    distribution: Running
    place: Place
    environment: dict[str, str]
    logins: dict[str, dict[str, str]]
    tokens: dict[str, str]
    session: aiohttp.ClientSession

    def role_of(self, member: facts.Member) -> dict[str, str]:
        said = self.logins[str(member.id)]
        return {"Authorization": aiohttp.encode_basic_auth(said["login"], said["password"])}

    async def message(self, path: str, **headers: str) -> Any:
        async with self.session.get(self.distribution.url + path, headers=headers) as answer:
            assert answer.status == 200, (path, answer.status)
            return (await answer.json())["message"]

    async def run(self, command: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "deploy.demo",
            command,
            cwd=ROOT,
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, output.decode()


@pytest.fixture
async def demo(place: Place) -> AsyncIterator[Demo]:
    async with (
        service("accounts", place) as accounts,
        service("deposits", place) as deposits,
        service("distribution", place) as distribution,
        aiohttp.ClientSession() as session,
    ):
        there = place.environment("distribution")
        environment = {
            **os.environ,
            "ACCOUNTS_URL": accounts.url,
            "DEPOSITS_URL": deposits.url,
            "DISTRIBUTION_URL": distribution.url,
            "COLOPHON_HOME": str(place.folder),
            "OPERATOR_TOKEN_FILE": str(place.folder / "operator.token"),
            **{name: there[name] for name in ("MONGODB_URL", "DATABASE_PREFIX")},
        }
        empty = Demo(distribution, place, environment, {}, {}, session)
        status, said = await empty.run("load")
        assert status == 0, said
        kept = json.loads((place.folder / "demo-credentials.json").read_text())
        yield Demo(distribution, place, environment, kept["logins"], kept["plus"], session)


@pytest.mark.clause("CRR-1")
@pytest.mark.clause("CRR-6")
@pytest.mark.clause("CRR-7")
@pytest.mark.clause("CRR-8")
@pytest.mark.clause("CRR-10")
@pytest.mark.clause("CRR-12")
@pytest.mark.law("L4")
@pytest.mark.timeout(600)
async def test_the_demo_is_read_back_equal_and_each_member_s_setting_holds(demo: Demo) -> None:
    seen = {"owner": 0, "plus": 0, "expired": 0, "anonymous": 0}
    plus = {"Crossref-Plus-API-Token": "Bearer " + demo.tokens["plus"]}
    lapsed = {"Crossref-Plus-API-Token": "Bearer " + demo.tokens["expired"]}
    for source in facts.works():
        path = "/works/" + source["DOI"]
        owner = facts.owner(source)
        asked = {"owner": demo.role_of(owner), "plus": plus, "expired": lapsed, "anonymous": {}}
        told = await asyncio.gather(*(demo.message(path, **who) for who in asked.values()))
        said = dict(zip(asked, told, strict=True))
        assert facts.comparable(said["owner"]) == facts.comparable(source)
        setting = owner.setting or "limited"
        count = len(source.get("reference", ()))
        for reader, message in said.items():
            assert message["references-count"] == message["reference-count"] == count
            seen[reader] += len(message.get("reference", ()))
        assert ("reference" in said["plus"]) is (count > 0 and setting != "closed")
        assert ("reference" in said["anonymous"]) is (count > 0 and setting == "open")
        assert ("reference" in said["expired"]) is ("reference" in said["anonymous"])
    assert seen["owner"] == 8531
    assert 0 < seen["anonymous"] == seen["expired"] < seen["plus"] < seen["owner"]
    await twelve_works_show_the_owner_they_were_transferred_to(demo)
    await one_report_under_two_dois_is_told_as_a_conflict(demo)
    await counted_as_the_set_says(demo)
    await the_policy_text_s_own_query_works(demo)
    await journals_and_funders_count_the_works_of_the_set(demo)
    status, said_again = await demo.run("load")
    assert (status, "loaded already" in said_again) == (0, True)
    status, story = await demo.run("story")
    assert status == 0, story


async def twelve_works_show_the_owner_they_were_transferred_to(demo: Demo) -> None:
    """And obey its setting, not that of their DOI's prefix: who deposited them reads as others."""
    moved = [work for work in facts.works() if work["DOI"] in facts.transferred()]
    assert len(moved) == 12
    shown = {}
    for source in moved:
        before = facts.depositor()[source["DOI"].partition("/")[0]]
        read = await demo.message("/works/" + source["DOI"], **demo.role_of(before))
        assert {key: read[key] for key in ("prefix", "member", "publisher")} == {
            "prefix": source["prefix"],
            "member": source["member"],
            "publisher": facts.owner(source).name,
        }
        shown[source["DOI"]] = len(read.get("reference", ()))
        await until(lambda work=source: listed(demo, work), within=20, what="the list to follow")
    assert sum(shown.values()) == sum(
        len(work.get("reference", ()))
        for work in moved
        if facts.owner(work).setting == "open" or work["member"] in {"311", "78"}
    )


async def listed(demo: Demo, work: facts.Work) -> bool:
    """Whether a work is listed under its owner's prefix."""
    path = f"/prefixes/{work['prefix']}/works?filter=doi:{work['DOI']}&rows=0"
    return bool((await demo.message(path))["total-results"])


async def one_report_under_two_dois_is_told_as_a_conflict(demo: Demo) -> None:
    """The only works of the demo that say the same of themselves; both are registered."""
    token = (demo.place.folder / "operator.token").read_text().strip()
    url = demo.environment["DEPOSITS_URL"] + "/conflicts"
    headers = {"Authorization": f"Bearer {token}"}
    async with demo.session.get(url, headers=headers) as answer:
        assert answer.status == 200
        (conflict,) = (await answer.json())["items"]
    assert sorted(work["doi"] for work in conflict["works"]) == [
        "10.2172/10115553",
        "10.2172/7118251",
    ]


async def counted_as_the_set_says(demo: Demo) -> None:
    """Citations within the set are counted, whatever the citing works' settings."""

    async def counted() -> bool:
        wrong = [
            doi
            for doi, count in facts.cited_by().items()
            if (await demo.message("/works/" + doi))["is-referenced-by-count"] != count
        ]
        return not wrong

    async def told() -> bool:
        said = [(await demo.message("/works/" + doi)).get("updated-by") for doi in updated]
        return said == list(updated.values())

    assert sum(facts.cited_by().values()) > 0
    await until(counted, within=60, what="every work counted as the set cites it")
    # Two works are new versions of themselves, which their records tell as the source does.
    updated = {work["DOI"]: work["updated-by"] for work in facts.works() if "updated-by" in work}
    await until(told, within=60, what="updates told at the works that they update")


async def the_policy_text_s_own_query_works(demo: Demo) -> None:
    """Facet by publisher, as each work shows it, of those with references, whatever the setting."""
    path = "/works?filter=has-references:true&facet=publisher-name:*&rows=0"
    message = await demo.message(path)
    having = [work for work in facts.works() if work.get("reference")]
    names = dict(Counter(facts.comparable(work)["publisher"] for work in having))
    assert message["total-results"] == len(having) == 180
    assert message["items"] == []
    assert message["facets"]["publisher-name"] == {"value-count": len(names), "values": names}
    openly = await demo.message(path.replace("true&", "true,reference-visibility:open&"))
    assert 0 < openly["total-results"] < len(having)


async def journals_and_funders_count_the_works_of_the_set(demo: Demo) -> None:
    """The registers of the demo are there, imported by the operator's command."""
    foundation = await demo.message("/funders/10.13039/100000001")
    numbers = {"100000001", *foundation["descendants"]}
    naming = [
        work
        for work in facts.works()
        if numbers & {str(one.get("DOI"))[9:] for one in work.get("funder", ())}
    ]
    assert foundation["name"] == "National Science Foundation"
    assert foundation["descendant-work-count"] == len(naming) > foundation["work-count"] > 0
    issns = {issn for work in facts.works() for issn in work.get("ISSN", ())}
    journal = await demo.message("/journals/2167-8359")
    assert journal["title"] == "PeerJ"
    in_it = [work for work in facts.works() if "2167-8359" in work.get("ISSN", ())]
    assert journal["counts"]["total-dois"] == len(in_it)
    assert 0 < (await demo.message("/journals?rows=0"))["total-results"] <= len(issns)
