"""Titles, owners, transfers, parts and conflicts: the real process on the real broker and store."""

from collections.abc import AsyncIterator
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from shared.events import (
    TitleChanged,
    TitleRegistered,
    TitleTransferred,
    WorkOwnerAssigned,
    WorkRegistered,
    WorkState,
    WorkUpdated,
)
from shared.kafka import topics
from shared.runtime.ids import new_id
from tests.depositing import (
    OTHER,
    PRESS,
    Client,
    Log,
    Login,
    article,
    citations,
    client,
    deposit,
    members,
    published,
)
from tests.platform import Platform
from tests.processes import OPERATOR, Place, service

ANNALS = ("Annals of Transfers", "2377-1666")
NOT_YOURS = "User with ID: {} can't submit into handle, please contact the Crossref admin"


@pytest.fixture(scope="module")
async def house(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """One place for all tests here: they keep apart by their DOIs and titles."""
    name = f"t{new_id().replace('-', '')[8:24]}."
    await topics.create(platform.kafka_bootstrap, prefix=name)
    folder = tmp_path_factory.mktemp("ownership")
    return Place(platform.kafka_bootstrap, platform.mongodb_url, name, folder)


@pytest.fixture(scope="module")
async def site(house: Place) -> AsyncIterator[Client]:
    async with members(house), service("deposits", house) as running, client(running) as found:
        yield found


async def say(site: Client, path: str, said: Any, headers: dict[str, str] = OPERATOR) -> Any:
    async with site.session.post(site.url + path, json=said, headers=headers) as answer:
        return answer.status, await answer.json(content_type=None)


async def one(site: Client, content: bytes, *, login: Login = PRESS) -> tuple[str, str]:
    """Deposit one record; return its status and message."""
    _, log = await site.now(content, login=login)
    assert len(log.records) == 1, log
    return log.records[0][0], log.records[0][2]


def written_by(author: str, content: str) -> str:
    """Return an article with an author: then it may be compared with others."""
    person = (
        '<contributors><person_name sequence="first" contributor_role="author">'
        f"<surname>{author}</surname></person_name></contributors><publication_date"
    )
    return content.replace("<publication_date", person, 1)


@pytest.mark.clause("CRR-1")
async def test_the_journey_of_a_title(site: Client, house: Place) -> None:
    first, second = "10.5555/journey.1", "10.5555/journey.2"
    for doi in (first, second):
        said = await one(site, deposit(article(doi), journal=ANNALS))
        assert said == ("Success", "Successfully added")

    # Another member may not deposit under it, in the words that its system shows.
    status, log = await site.now(deposit(article("10.6666/j"), journal=ANNALS), login=OTHER)
    assert status == 403
    taken = (
        'ISSN "23771666" has already been assigned, title/issn: Annals of Transfers/23771666 is '
        "owned by publisher: 10.5555"
    )
    assert log.records == [("Failure", "10.6666/j", taken)]

    # A name of its own is taken and told; the operator can make it known.
    renamed = ("Annals of Movements", ANNALS[1])
    status, found = await site.get("/titles?issn=23771666", login=None)
    assert status == 200
    (title,) = found["items"]
    assert (title["id"], title["owner-prefix"]) == ("journal:2377-1666", "10.5555")
    named = f"/titles/{title['id']}/names"
    number = await site.later(deposit(article(first, timestamp=2), journal=renamed))
    (record,) = (await site.ended(number))["records"]
    assert [said["rule"] for said in record["advice"]] == ["title-differs"]
    assert (await say(site, named, {"name": renamed[0]}))[0] == 200
    number = await site.later(deposit(article(first, timestamp=3), journal=renamed))
    (record,) = (await site.ended(number))["records"]
    assert record["advice"] == []

    # A single work goes to the other member, and is refused to the one it had.
    status, said = await say(
        site, "/transfers", {"to": "10.6666", "works": [first.upper(), "10.5555/nowhere"]}
    )
    assert status == 200, said
    assert said == {
        "to": "10.6666",
        "transferred": [{"subject": first, "from": "10.5555", "to": "10.6666", "version": 1}],
        "unchanged": [],
        "unknown": ["10.5555/nowhere"],
    }
    later = deposit(article(first, timestamp=4), journal=ANNALS)
    assert await one(site, later) == ("Failure", NOT_YOURS.format(78))
    # The new owner updates it although neither the DOI's prefix nor the title is its own.
    assert await one(site, later, login=OTHER) == ("Success", "Successfully updated")

    # Then the whole title goes; what stands in it goes along.
    move = {"to": "10.6666", "titles": [title["id"], "journal:0000-0000"]}
    _, said = await say(site, "/transfers", move)
    assert [moved["subject"] for moved in said["transferred"]] == [title["id"]]
    assert said["unknown"] == ["journal:0000-0000"]
    _, again = await say(site, "/transfers", move)
    assert (again["transferred"], again["unchanged"]) == ([], [title["id"]])
    later = deposit(article(second, timestamp=5), journal=ANNALS)
    assert await one(site, later) == ("Failure", NOT_YOURS.format(78))
    assert await one(site, later, login=OTHER) == ("Success", "Successfully updated")
    new = deposit(article("10.5555/journey.3"), journal=ANNALS)
    status, message = await one(site, new)
    assert status == "Failure"
    assert message.endswith("is owned by publisher: 10.6666")
    assert await one(site, deposit(article("10.6666/j"), journal=ANNALS), login=OTHER) == (
        "Success",
        "Successfully added",
    )

    # And every step of it stands on the topics in its order.
    ownership = await published(house, "deposits.ownership.v1", at_least=4)
    about = [event for event in ownership if event.key == title["id"]]
    assert [type(event) for event in about] == [TitleRegistered, TitleChanged, TitleTransferred]
    assert [event.aggregate_version for event in about] == [1, 2, 3]
    assert [type(event) for event in ownership if event.key == first] == [WorkOwnerAssigned]
    works = [
        event
        for event in await published(house, "deposits.works.v1", at_least=7)
        if isinstance(event, WorkState)
    ]
    assert {work.title for work in works if work.doi in (first, second)} == {title["id"]}
    assert [type(work) for work in works if work.doi == second] == [WorkRegistered, WorkUpdated]
    assert {work.prefix for work in works if work.doi == second} == {"10.5555"}


@pytest.mark.clause("CRR-11")
async def test_a_part_replaces_references_and_an_empty_one_removes_them(
    site: Client, house: Place
) -> None:
    doi = "10.5555/part.1"
    await one(site, deposit(article(doi, timestamp=9)))
    part = {"operation": "doDOICitUpload"}
    steps = (("n1", "n2"), ())
    for keys in steps:
        number = await later(site, citations(doi, *keys), **part)
        (record,) = (await site.ended(number))["records"]
        assert (record["status"], record["msg"]) == ("Success", "Successfully updated")
    number = await later(site, citations("10.5555/part.none", "n1"), **part)
    (record,) = (await site.ended(number))["records"]
    assert (record["status"], record["problem"]["errors"][0]["rule"]) == ("Failure", "doi-unknown")
    states = [
        event
        for event in await published(house, "deposits.works.v1", at_least=3)
        if isinstance(event, WorkState) and event.doi == doi
    ]
    assert [len(state.work.get("reference", ())) for state in states] == [1, 2, 0]
    assert [state.work["reference-count"] for state in states] == [1, 2, 0]
    assert {state.timestamp for state in states} == {"9"}
    assert {tuple(state.work["title"]) for state in states} == {("A title",)}
    assert {state.title for state in states} == {"journal:2167-8359"}


async def later(site: Client, content: bytes, **fields: str) -> str:
    status, text = await site.post("/servlet/deposit", content, **fields)
    assert status == 200, text
    return text.partition("Submission ID: ")[2].partition("<")[0]


async def test_a_work_that_another_doi_is_already_is_added_with_a_warning_and_reported(
    site: Client,
) -> None:
    dois = [f"10.5555/same.{number}" for number in range(3)]
    contents = [deposit(written_by("Twice", article(doi))) for doi in dois]
    assert await one(site, contents[0]) == ("Success", "Successfully added")
    status, text = await site.post(
        "/v2/deposits", contents[1], spelling=("usr", "pwd"), part="mdFile"
    )
    assert status == 200
    assert Log.of(text).records == [("Warning", dois[1], "Added with conflict")]
    assert Log.of(text).counts["warning_count"] == 1
    said = fromstring(text).find("record_diagnostic")
    assert said is not None
    number = said.findtext("conflict_id")
    assert number
    assert number.isdigit()
    assert [doi.text for doi in said.iterfind("dois_in_conflict/doi")] == [dois[0]]

    async def conflicts(**headers: str) -> list[list[str]]:
        status, found = await site.get("/conflicts", login=None, **headers)
        assert status == 200, found
        return [
            sorted(work["doi"] for work in group["works"])
            for group in found["items"]
            if group["id"] == number
        ]

    assert await conflicts(**PRESS.basic) == await conflicts(**OPERATOR) == [dois[:2]]
    assert await conflicts(**OTHER.basic) == []
    assert (await site.get("/conflicts", login=None))[0] == 401
    # One that says it is something else resolves it.
    other = deposit(written_by("Another", article(dois[1], timestamp=2)))
    assert await one(site, other) == ("Success", "Successfully updated")
    assert await conflicts(**OPERATOR) == []
    assert (await one(site, contents[2]))[0] == "Warning"
    assert await conflicts(**OPERATOR) == [[dois[0], dois[2]]]


async def test_what_is_not_a_transfer_is_refused_and_says_why(site: Client) -> None:
    works = {"works": ["10.5555/a"]}
    status, problem = await say(site, "/transfers", {"to": "10.7777", **works})
    assert (status, problem["type"]) == (400, "urn:colophon:problem:prefix-unknown")
    assert problem["errors"][0]["at"] == "/to"
    assert problem["errors"][0]["remedy"]
    for said in (
        {"to": "10.6666"},
        {"to": "10.6666", **works, "titles": ["journal:x"]},
        {"to": "10.6666", "works": ["no doi"]},
        {"to": "10.6666", "works": [f"10.5555/{n}" for n in range(1001)]},
    ):
        status, problem = await say(site, "/transfers", said)
        assert status == 422, problem
    for headers in ({}, PRESS.basic):
        status, _ = await say(site, "/transfers", {"to": "10.6666", **works}, headers)
        assert status in (401, 403)
        status, _ = await say(site, "/titles/journal:2167-8359/names", {"name": "x"}, headers)
        assert status in (401, 403)
    assert (await site.get("/titles/journal:nowhere", login=None))[0] == 404


async def test_titles_are_found_by_words_identifiers_and_owner(site: Client) -> None:
    journal = ("The Finding of Titles", "1050-124X")
    await one(site, deposit(article("10.5555/find.1"), journal=journal))
    for query, found in (
        ("query=titles%20FINDING", True),
        ("query=titles%20nowhere", False),
        ("issn=1050-124X", True),
        ("issn=1050124x&owner-prefix=10.6666", False),
        ("query=finding&owner-prefix=10.5555", True),
        ("isbn=9780306406157", False),
    ):
        status, page = await site.get(f"/titles?{query}", login=None)
        assert status == 200, page
        names = [title["name"] for title in page["items"]]
        assert (names == [journal[0]]) == found, query
    _, page = await site.get("/titles?rows=1", login=None)
    _, after = await site.get(f"/titles?rows=1&offset={page['next']}", login=None)
    assert page["items"][0]["id"] < after["items"][0]["id"]
