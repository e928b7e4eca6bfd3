"""The demo, whole: 197 real works through the front door and back, equal but for what is named."""

import asyncio
import json
import os
import sys
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
    environment: dict[str, str]
    logins: dict[str, dict[str, str]]
    tokens: dict[str, str]
    session: aiohttp.ClientSession

    def owner(self, doi: str) -> dict[str, str]:
        member = facts.depositor()[doi.partition("/")[0]]
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
        environment = {
            **os.environ,
            "ACCOUNTS_URL": accounts.url,
            "DEPOSITS_URL": deposits.url,
            "DISTRIBUTION_URL": distribution.url,
            "COLOPHON_HOME": str(place.folder),
            "OPERATOR_TOKEN_FILE": str(place.folder / "operator.token"),
        }
        empty = Demo(distribution, environment, {}, {}, session)
        status, said = await empty.run("load")
        assert status == 0, said
        kept = json.loads((place.folder / "demo-credentials.json").read_text())
        yield Demo(distribution, environment, kept["logins"], kept["plus"], session)


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
        own = await demo.message(path, **demo.owner(source["DOI"]))
        assert facts.comparable(own) == facts.expected_reading(source)
        said = {
            "owner": own,
            "plus": await demo.message(path, **plus),
            "expired": await demo.message(path, **lapsed),
            "anonymous": await demo.message(path),
        }
        setting = facts.depositor()[source["DOI"].partition("/")[0]].setting or "limited"
        count = len(source.get("reference", ()))
        for reader, message in said.items():
            assert message["references-count"] == message["reference-count"] == count
            seen[reader] += len(message.get("reference", ()))
        assert ("reference" in said["plus"]) is (count > 0 and setting != "closed")
        assert ("reference" in said["anonymous"]) is (count > 0 and setting == "open")
        assert ("reference" in said["expired"]) is ("reference" in said["anonymous"])
    assert seen["owner"] == 8331
    assert 0 < seen["anonymous"] == seen["expired"] < seen["plus"] < seen["owner"]
    await counted_as_the_set_says(demo)
    await the_policy_text_s_own_query_works(demo)
    status, said_again = await demo.run("load")
    assert (status, "loaded already" in said_again) == (0, True)
    status, story = await demo.run("story")
    assert status == 0, story


async def counted_as_the_set_says(demo: Demo) -> None:
    """Citations within the set are counted, whatever the citing works' settings."""

    async def counted() -> bool:
        wrong = [
            doi
            for doi, count in facts.cited_by().items()
            if (await demo.message("/works/" + doi))["is-referenced-by-count"] != count
        ]
        return not wrong

    assert sum(facts.cited_by().values()) > 0
    await until(counted, within=60, what="every work counted as the set cites it")


async def the_policy_text_s_own_query_works(demo: Demo) -> None:
    """Facet by publisher of the works that have references, whatever their settings."""
    path = "/works?filter=has-references:true&facet=publisher-name:*&rows=0"
    message = await demo.message(path)
    having = [work for work in facts.works() if work.get("reference")]
    names: dict[str, int] = {}
    for work in having:
        name = facts.expected_reading(work)["publisher"]
        names[name] = names.get(name, 0) + 1
    assert message["total-results"] == len(having) == 173
    assert message["items"] == []
    assert message["facets"]["publisher-name"] == {"value-count": len(names), "values": names}
    openly = await demo.message(path.replace("true&", "true,reference-visibility:open&"))
    assert 0 < openly["total-results"] < len(having)
