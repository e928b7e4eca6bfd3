"""Every kind of record, and files that others wrote, through the front door and back."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from deploy.demo import facts
from deploy.demo.deposit_xml import Head, deposit
from shared.kafka import topics
from shared.runtime.ids import new_id
from tests.depositing import PRESS, Client, assigned, client, members
from tests.platform import Platform
from tests.processes import Place, Running, service, until
from tests.strategies import deposits
from tests.unit.deposits.test_crossref_samples import FAILED, FILES, REFUSED

# The prefixes of the samples belong to one member here, whoever has them in the world.
PREFIXES = ("10.5555", "10.50505", "10.7554", "10.5334", "10.1136")
SUBMISSIONS = 4  # of each kind; the laws read many more, without a service
# Files that hold one DOI twice, under one timestamp: the second is not newer.
TWICE = re.compile(r"duplicate_in_file|article_uploads")


@dataclass(frozen=True, slots=True)
class House:
    """Deposits and distribution, and a member with all these prefixes, open to everybody."""

    site: Client
    distribution: Running

    async def read(self, doi: str) -> Any:
        """Return a work as anybody reads it, once it is there and its owner is known."""

        async def shown() -> Any:
            url = f"{self.distribution.url}/works/{quote(doi, safe='')}"
            async with self.site.session.get(url) as answer:
                message = (await answer.json())["message"] if answer.status == 200 else {}
                return message if "member" in message else None

        return await until(shown, within=40, what=f"{doi} is shown")


@pytest.fixture(scope="module")
async def house(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    name = f"e{new_id().replace('-', '')[8:24]}."
    await topics.create(platform.kafka_bootstrap, prefix=name)
    place = Place(
        platform.kafka_bootstrap, platform.mongodb_url, name, tmp_path_factory.mktemp("kinds")
    )
    async with (
        members(place) as accounts,
        service("deposits", place) as depositing,
        service("distribution", place) as distribution,
        client(depositing) as site,
    ):
        openly = {"setting": "open"}
        await accounts.say(
            *(assigned(one, 78, version=2).model_copy(update=openly) for one in PREFIXES)
        )
        yield House(site, distribution)


def random_submissions(body: str) -> list[list[deposits.Work]]:
    """Return random submissions of a kind, their DOIs replaced by some of the member's own."""
    found: list[list[deposits.Work]] = []

    @settings(
        max_examples=SUBMISSIONS,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(works=deposits.SUBMISSIONS[body])
    def gather(works: list[deposits.Work]) -> None:
        dois = [f"10.5555/{body}.{len(found)}.{n}" for n in range(len(works))]
        found.append(
            [
                work | {"DOI": doi, "URL": f"https://doi.org/{doi}"}
                for work, doi in zip(works, dois, strict=True)
            ]
        )

    gather()
    return found


@pytest.mark.clause("CRR-1")
@pytest.mark.clause("CRR-10")
@pytest.mark.parametrize("body", deposits.SUBMISSIONS)
async def test_random_works_of_every_kind_are_deposited_projected_and_read_back_equal(
    house: House, body: str
) -> None:
    for number, works in enumerate(random_submissions(body)):
        content = deposit(works, Head(f"{body}-{number}", "20260101000000"))
        _, log = await house.site.now(content, file_name=f"{body}-{number}.xml")
        assert [status for status, *_ in log.records] == ["Success"] * len(works), log
        for work in works:
            read = await house.read(work["DOI"])
            of_the_registry = {key: read[key] for key in ("prefix", "member", "source")}
            of_the_registry["publisher"] = work.get("publisher", "Press 78")
            assert facts.comparable(read) == facts.comparable(work | of_the_registry)


@pytest.mark.skipif(not FILES, reason="the samples folder is not beside this checkout")
async def test_files_of_others_get_through_the_wire_the_answers_their_names_promise(
    house: House,
) -> None:
    for number, path in enumerate(FILES, start=1):
        # As if one member had sent them one after the other, counting up.
        content = re.sub(rb"<timestamp>\d+<", b"<timestamp>%d<" % number, path.read_bytes())
        status, log = await house.site.now(content, file_name=path.name)
        assert status == 200, path.name
        ended = await rules_of(house.site, log.submission)
        if path.name in REFUSED:
            assert ended == {REFUSED[path.name]}
        else:
            repeated = {"version"} if TWICE.search(path.name) else set()
            assert ended - repeated == FAILED.get(path.name, set()), path.name


async def rules_of(site: Client, submission: str) -> set[str]:
    """Return the rules that records of a submission failed by."""
    status, listed = await site.get(
        f"/submissions/{submission}/records?status=Failure", login=PRESS
    )
    assert status == 200
    return {one["problem"]["type"].rpartition(":")[2] for one in listed["items"]}
