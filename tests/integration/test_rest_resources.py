"""Members, journals, funders, types, licences, agencies over the wire: one service, one registry.

What is counted is the registry's own; what is named of others was imported with the operator's
command.
"""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import orjson
import pytest

from shared.events import (
    CredentialIssued,
    OrganisationRegistered,
    PrefixAssigned,
    ReferencePreferenceSet,
    TitleRegistered,
    WorkRegistered,
)
from shared.kafka import topics
from shared.privacy.keyfile import load_or_create
from shared.privacy.passwords import hash_password, login_key
from shared.runtime.ids import new_id
from tests import nursery
from tests.events import AT, Voice, speaking
from tests.platform import Platform
from tests.processes import ROOT, Place, Running, service, until

COMMAND: Final = "services.distribution.registers"
PASSWORD: Final = "a password of a test"
JSON_UTF8: Final = "application/json;charset=utf-8"
JOURNAL: Final = "journal:1234-5679"
CC_BY: Final = "https://creativecommons.org/licenses/by/4.0/"
FUNDERS: Final = (
    {
        "id": "100000001",
        "name": "National Science Foundation",
        "alt-names": ["U.S. National Science Foundation", "NSF"],
        "location": "United States",
    },
    {"id": "100000084", "name": "Directorate for Engineering", "parent": "100000001"},
    {"id": "100000147", "name": "Division of Innovation", "parent": "100000084"},
    {"id": "100000003", "name": "Boeing", "location": "United States", "replaces": ["9"]},
    {"id": "9", "name": "Pacific Aero", "location": "Norway", "replaced-by": ["100000003"]},
)
AGENCIES: Final = (
    {"prefix": "10.5061", "agency": "DataCite"},
    {"prefix": "10.1400", "agency": "mEDRA"},
)


@dataclass(frozen=True, slots=True)
class Registry:
    """The running service, the voice of accounts, and what to read it with."""

    running: Running
    place: Place
    accounts: Voice
    session: aiohttp.ClientSession

    async def get(self, path: str, **headers: str) -> tuple[int, bytes, Mapping[str, str]]:
        async with self.session.get(self.running.url + path, headers=headers) as answer:
            return answer.status, await answer.read(), answer.headers

    async def message(self, path: str, **headers: str) -> Any:
        status, body, _ = await self.get(path, **headers)
        assert status == 200, (path, status, body)
        return orjson.loads(body)["message"]

    async def run(self, *words: str) -> tuple[int, str]:
        """Run the operator's command; returns its status and all that it said."""
        log = self.place.folder / f"{new_id()}.log"
        environment = self.place.environment("distribution")
        process = nursery.start(COMMAND, words, environment=environment, log=log)
        return await process.wait(), log.read_text()

    def file(self, name: str, *lines: Mapping[str, Any]) -> str:
        path = self.place.folder / name
        path.write_bytes(b"\n".join(map(orjson.dumps, lines)))
        return str(path)


def work(doi: str, *, year: int = 2020, references: int = 1, **said: Any) -> WorkRegistered:
    listed = [{"key": f"r{n}", "DOI": f"10.5555/c{n}"} for n in range(references)]
    return WorkRegistered(
        doi=doi,
        prefix=doi.partition("/")[0],
        timestamp="1",
        created=AT,
        deposited=AT,
        submission="1#0",
        title=said.pop("title_of", None),
        version=1,
        work={
            "type": "journal-article",
            "title": [f"On {doi}"],
            "DOI": doi,
            "published": {"date-parts": [[year, 5, 1]]},
            "issued": {"date-parts": [[year, 5, 1]]},
            "reference": listed,
            "references-count": references,
            "reference-count": references,
            **said,
        },
    )


POLICYS_QUERY: Final = "/v1.0/works?filter=has-references:true&facet=publisher-name:*&rows=0"
"""As the policy's first question prints it, but for the host."""
IN_JOURNAL: Final[dict[str, Any]] = {
    "title_of": JOURNAL,
    "container-title": ["Journal of Tests"],
    "ISSN": ["1234-5679", "8765-4321"],
    "issn-type": [
        {"type": "electronic", "value": "8765-4321"},
        {"type": "print", "value": "1234-5679"},
    ],
}
RETRACTS: Final[dict[str, Any]] = {
    "update-to": [{"DOI": "10.5555/a", "type": "retraction", "source": "retraction-watch"}]
}
WORKS: Final = (
    work("10.5555/a", **IN_JOURNAL, license=[{"URL": CC_BY}]),
    work("10.5555/b", year=2026, **IN_JOURNAL, references=0),
    work("10.5555/c", funder=[{"name": "NSF", "DOI": "10.13039/100000001"}]),
    work("10.5555/d", funder=[{"name": "Div", "DOI": "10.13039/100000147"}]),
    work("10.5555/e", type="report", license=[{"URL": CC_BY}, {"URL": "http://a.example/l"}]),
    work("10.6666/f", **RETRACTS),
    work("10.6666/g/agency", year=2026),
)


@pytest.fixture(scope="module")
async def registry(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Registry]:
    name = f"t{new_id().replace('-', '')[8:24]}."
    await topics.create(platform.kafka_bootstrap, prefix=name)
    folder = tmp_path_factory.mktemp("resources")
    place = Place(platform.kafka_bootstrap, platform.mongodb_url, name, folder)
    async with (
        speaking(place, "accounts", "deposits") as (accounts, deposits),
        service("distribution", place) as running,
        aiohttp.ClientSession() as session,
    ):
        found = Registry(running, place, accounts, session)
        await _say(found, deposits)
        yield found


async def _say(registry: Registry, deposits: Voice) -> None:
    key = load_or_create(registry.place.folder / "login.key")
    await registry.accounts.say(
        OrganisationRegistered(organisation=78, name="Elm Press", registered_at=AT, version=1),
        OrganisationRegistered(organisation=98, name="Oak House", registered_at=AT, version=1),
        _prefix("10.5555", 78, "Elm Press", setting="closed"),
        _prefix("10.6666", 98, "Oak House", setting="limited"),
        CredentialIssued(
            credential=login_key(key, "elm"),
            organisation=78,
            scopes=("deposit",),
            password_hash=hash_password(PASSWORD),
            version=1,
        ),
    )
    await deposits.say(
        TitleRegistered(
            subject=JOURNAL,
            name="Journal of Tests",
            issns=("1234-5679", "8765-4321"),
            owner_prefix="10.5555",
            version=1,
        ),
        TitleRegistered(
            subject="book:9780000000002",
            name="A Book",
            isbns=("9780000000002",),
            owner_prefix="10.5555",
            version=1,
        ),
        *WORKS,
    )

    async def complete() -> bool:
        listed = (await registry.message("/works?rows=0"))["total-results"]
        return bool(listed == len(WORKS)) and (await registry.get("/works/10.5555/e"))[0] == 200

    await until(complete, what="every work in lists and records")


def _prefix(value: str, owner: int, name: str, **more: Any) -> PrefixAssigned:
    return PrefixAssigned(
        prefix=value, owner=owner, owner_name=name, assigned_at=AT, version=1, **more
    )


@pytest.fixture(scope="module")
async def registers(registry: Registry) -> Registry:
    """Both registers, imported by the operator's command; readers have them within seconds."""
    for name, lines in (("funders", FUNDERS), ("agencies", AGENCIES)):
        status, said = await registry.run("import", name, registry.file(f"{name}.jsonl", *lines))
        assert status == 0, said
        assert f"{len(lines)} records of {name} are live" in said

    async def shown() -> bool:
        agency = await registry.get("/works/10.5061/x/agency")
        return (await registry.message("/funders"))["total-results"] > 0 and agency[0] == 200

    await until(shown, what="the registers at the reader")
    return registry


async def test_a_journal_is_a_title_with_an_issn_and_counts_its_own_works(
    registry: Registry,
) -> None:
    listed = await registry.message("/journals?query=tests&rows=5")
    assert listed.keys() == {"items-per-page", "query", "total-results", "items"}
    assert listed["total-results"] == 1, "a book is no journal"
    for issn in ("1234-5679", "87654321"):
        one = await registry.message(f"/journals/{issn}")
        assert one["title"] == "Journal of Tests"
        assert one["publisher"] == "Elm Press"
        assert one["counts"]["total-dois"] == 2
        assert one["coverage"]["references-backfile"] == 1.0
        assert one["coverage-type"]["all"]["references"] == 0.5
        assert {kind["value"]: kind["type"] for kind in one["issn-type"]} == {
            "1234-5679": "print",
            "8765-4321": "electronic",
        }
        works = await registry.message(f"/journals/{issn}/works")
        assert {item["DOI"] for item in works["items"]} == {"10.5555/a", "10.5555/b"}
    walked = await registry.message("/journals?cursor=*")
    assert walked["items"][0]["ISSN"] == ["1234-5679", "8765-4321"]
    rest = await registry.message(f"/journals?cursor={walked['next-cursor']}")
    assert rest["items"] == []


async def test_funders_come_from_the_imported_register_with_their_hierarchy(
    registers: Registry,
) -> None:
    listed = await registers.message("/funders?query=nat%20sci")
    assert [one["id"] for one in listed["items"]] == ["100000001"]
    norway = await registers.message("/funders?filter=location:Norway")
    assert [one["name"] for one in norway["items"]] == ["Pacific Aero"]
    first = await registers.message("/funders?rows=2&cursor=*")
    assert [one["id"] for one in first["items"]] == ["9", "100000001"]
    rest = await registers.message(f"/funders?rows=5&cursor={first['next-cursor']}")
    assert [one["id"] for one in rest["items"]] == ["100000003", "100000084", "100000147"], (
        "the tops of hierarchies come first"
    )
    for number in ("100000001", "10.13039/100000001", "10.13039%2F100000001"):
        one = await registers.message(f"/funders/{number}")
        assert one["work-count"] == 1
        assert one["descendant-work-count"] == 2
        assert one["descendants"] == ["100000084", "100000147"]
        assert one["hierarchy"] == {"100000001": {"100000084": {"more": True}}}
        works = await registers.message(f"/funders/{number}/works")
        assert {item["DOI"] for item in works["items"]} == {"10.5555/c", "10.5555/d"}
        assert len(works) == 5
    _, _, headers = await registers.get("/funders")
    assert 'rel="terms-of-service"' in headers["Link"]


async def test_an_agency_is_known_by_work_and_by_prefix(registers: Registry) -> None:
    for doi, agency in (
        ("10.5555/A", {"id": "crossref", "label": "Crossref"}),
        ("10.5061/dryad.1", {"id": "datacite", "label": "DataCite"}),
        ("10.1400%2F5", {"id": "medra", "label": "mEDRA"}),
    ):
        said = await registers.message(f"/works/{doi}/agency")
        assert said["agency"] == agency
    assert (await registers.message("/works/10.6666/g/agency"))["DOI"] == "10.6666/g/agency"
    status, body, headers = await registers.get("/works/5/agency")
    assert (status, body, headers["Content-Type"]) == (404, b"Resource not found.", JSON_UTF8)


async def test_a_faulty_file_names_each_line_and_imports_nothing(registers: Registry) -> None:
    file = registers.file("wrong.jsonl", {"id": "1", "name": "A"}, {"id": "1"}, {"id": "x"})
    status, said = await registers.run("import", "funders", file)
    assert status == 1
    assert "line 2: name: missing: add it" in said
    assert "line 3: " in said
    assert "Nothing was imported" in said
    assert (await registers.message("/funders"))["total-results"] == len(FUNDERS)
    status, said = await registers.run("show")
    assert f"funders: {len(FUNDERS)} records" in said


async def test_types_licences_styles_and_locales_are_listed(registry: Registry) -> None:
    types = await registry.message("/types?query=journal&rows=1")
    assert types.keys() == {"total-results", "items"}
    assert types["total-results"] == len(types["items"]) == 30
    assert await registry.message("/types/journal") == {"id": "journal", "label": "Journal"}
    assert (await registry.message("/types/report/works"))["total-results"] == 1
    licences = await registry.message("/licenses")
    assert licences == {
        "total-results": 2,
        "items": [
            {"URL": "http://a.example/l", "work-count": 1},
            {"URL": CC_BY, "work-count": 2},
        ],
    }
    assert (await registry.message("/licenses?rows=1&offset=1"))["items"][0]["URL"] == CC_BY
    found = await registry.message("/licenses?query=10.5555/a&rows=1")
    assert found["total-results"] >= 1
    assert "apa" in (await registry.message("/styles"))["items"]
    assert "en-US" in (await registry.message("/locales"))["items"]


async def test_the_quality_of_a_work_is_fifteen_checks_and_no_reference(
    registry: Registry,
) -> None:
    status, body, headers = await registry.get("/works/10.5555/a/quality")
    assert (status, headers["Content-Type"]) == (200, JSON_UTF8)
    checks = {one["id"]: one["pass"] for one in orjson.loads(body)["message"]}
    assert len(checks) == 15
    assert checks["misc.citations"]
    assert b"10.5555/c0" not in body
    assert (await registry.get("/works/10.5555/none/quality"))[0] == 404


@pytest.mark.parametrize(
    "path",
    [
        *("/journals/4444-4444", "/journals/4444-4444/works", "/funders/10.13039/notarealdoi"),
        *("/funders/10.13039/notarealdoi/works", "/types/tape", "/types/tape/works"),
        *("/members/121212121212/works", "/prefixes/10.9999/works", "/works/5/agency"),
    ],
)
async def test_parameters_are_judged_before_it_is_looked_whether_anything_is_there(
    registry: Registry, path: str
) -> None:
    status, body, headers = await registry.get(path)
    expected = "text/plain" if path.count("/") < 3 and "types" not in path else JSON_UTF8
    expected = "text/plain" if path == "/funders/10.13039/notarealdoi" else expected
    assert (status, body) == (404, b"Resource not found.")
    assert headers["Content-Type"] == expected
    status, body, headers = await registry.get(f"{path}?rows=things")
    assert status == 400
    assert headers["Content-Type"] == JSON_UTF8
    assert orjson.loads(body)["message-type"] == "validation-failure"


@pytest.mark.parametrize(
    "written",
    [
        *("10.5555/A", "10.5555%2Fa", "10.5555/a/", "doi:10.5555/a", "DOI:10.5555/a"),
        *("https://doi.org/10.5555/a", "https%3A%2F%2Fdoi.org%2F10.5555%2Fa"),
        *("http://dx.doi.org/10.5555/a", "https:/doi.org/10.5555/a"),
    ],
)
async def test_a_doi_is_found_however_a_path_has_it(registers: Registry, written: str) -> None:
    for before in ("", "/v1", "/v1.0"):
        assert (await registers.message(f"{before}/works/{written}"))["DOI"] == "10.5555/a"
    for more in ("agency", "quality", "position", "cited-by", "transform/application/json"):
        status, body, _ = await registers.get(f"/works/{written.removesuffix('/')}/{more}")
        assert status == 200, (more, body)


async def test_the_address_of_the_site_leads_to_its_description(registry: Registry) -> None:
    async with registry.session.get(f"{registry.running.url}/", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "/openapi.json")
    described = orjson.loads((await registry.get("/"))[1])
    names = {one["name"] for one in described["components"]["parameters"].values()}
    assert {"filter", "cursor", "select", "query.bibliographic"} <= names


@pytest.mark.clause("CRR-13")
async def test_the_list_of_members_with_open_references_is_live(registry: Registry) -> None:
    async def listed() -> list[int]:
        found = await registry.message("/members?filter=has-public-references:true")
        return [one["id"] for one in found["items"]]

    assert await listed() == []
    change = {"prefix": "10.6666", "owner": 98, "owner_name": "Oak House", "assigned_at": AT}
    await registry.accounts.say(ReferencePreferenceSet(**change, version=2, setting="open"))

    async def oak() -> bool:
        return await listed() == [98]

    await until(oak, what="the member on the list")
    await registry.accounts.say(ReferencePreferenceSet(**change, version=3, setting="limited"))

    async def gone() -> bool:
        return await listed() == []

    await until(gone, what="the member off the list")


async def test_members_are_found_by_how_many_works_they_have(registry: Registry) -> None:
    async def ids(filters: str) -> list[int]:
        found = await registry.message(f"/members?filter={filters}")
        return [one["id"] for one in found["items"]]

    for member in (await registry.message("/members"))["items"]:
        counts = member["counts"]
        for name, count in (("current", "current-dois"), ("backfile", "backfile-dois")):
            assert member["id"] in await ids(f"{name}-doi-count:{counts[count]}")
            assert member["id"] not in await ids(f"{name}-doi-count:{counts[count] + 1}")
    first = await registry.message("/members?rows=1&offset=1")
    assert [one["id"] for one in first["items"]] == [98]


@pytest.mark.clause("CRR-12")
async def test_the_policys_own_query_counts_by_publisher_for_every_setting(
    registry: Registry,
) -> None:
    found = await registry.message(POLICYS_QUERY)
    assert found["items"] == []
    assert found["total-results"] == 6
    values = found["facets"]["publisher-name"]["values"]
    assert values == {"Elm Press": 4, "Oak House": 2}


@pytest.mark.clause("CRR-12")
def test_that_query_is_the_policys_own_word_for_word(samples: Path) -> None:
    text = samples.parent / "sources" / "crossref-reference-distribution-2017.txt"
    if not text.is_file():
        pytest.skip("the text of the policy is not beside the samples")
    assert f"http://api.crossref.org{POLICYS_QUERY} (your browser" in text.read_text()


@pytest.mark.clause("CRR-5")
async def test_a_member_sees_its_own_references_whatever_the_setting(registry: Registry) -> None:
    elm = aiohttp.encode_basic_auth("elm", PASSWORD)

    async def own() -> Any:
        status, body, _ = await registry.get("/works/10.5555/a", Authorization=elm)
        return orjson.loads(body)["message"] if status == 200 else None

    shown = await until(own, what="credentials to be known")
    assert len(shown["reference"]) == 1
    listed = await registry.message("/members/78/works", Authorization=elm)
    assert sum("reference" in item for item in listed["items"]) == 4
    others = await registry.message("/works/10.6666/f", Authorization=elm)
    assert others["references-withheld"]["reason"] == "limited"
    nobody = await registry.message("/journals/1234-5679/works")
    assert not any("reference" in item for item in nobody["items"])
    assert nobody["items"][0]["references-count"] in {0, 1}


@pytest.mark.clause("CRP-12b")
@pytest.mark.clause("CRP-12c")
async def test_what_is_a_third_partys_carries_its_terms_in_records_and_lists(
    registry: Registry,
) -> None:
    one = await registry.message("/works/10.6666/f")
    (told,) = one["sources"]
    assert told["id"] == one["update-to"][0]["source"] == "retraction-watch"
    assert told["terms"]
    assert told["policy"]
    listed = await registry.message("/prefixes/10.6666/works?select=DOI,update-to")
    assert [item.get("sources") for item in listed["items"] if "update-to" in item] == [[told]]
    chosen = await registry.message("/prefixes/10.6666/works?select=DOI,title")
    assert not any("sources" in item for item in chosen["items"])
    page = await registry.message("/sources")
    assert {one["id"] for one in page["items"]} == {"retraction-watch", "open-funder-registry"}

    async def retracted() -> bool:
        return "updated-by" in await registry.message("/works/10.5555/a")

    await until(retracted, what="the retraction at the work that it retracts")
    other = await registry.message("/works/10.5555/a")
    assert other["updated-by"] == [{**one["update-to"][0], "DOI": "10.6666/f"}]
    assert other["sources"] == [{**told, "fields": ["updated-by"]}]


@pytest.mark.clause("CRP-12d")
async def test_changed_terms_withhold_at_the_first_answer_after_the_restart(
    registers: Registry, tmp_path: Path
) -> None:
    for file in (ROOT / "deploy" / "policies").glob("*.toml"):
        (tmp_path / file.name).write_text(file.read_text())
    terms = tmp_path / "sources.toml"
    changed = terms.read_text().replace("restricted = false", "restricted = true")
    terms.write_text(changed.replace('version = "', 'version = "changed-'))
    before = (await registers.get("/works/10.6666/f"))[2]["ETag"]
    place = Place(
        registers.place.kafka_bootstrap,
        registers.place.mongodb_url,
        registers.place.name,
        registers.place.folder / "second",
    )
    place.folder.mkdir()
    async with service("distribution", place, "api", POLICIES_DIR=str(tmp_path)) as running:
        second = Registry(running, place, registers.accounts, registers.session)
        one = await second.message("/works/10.6666/f")
        assert "update-to" not in one
        assert one["sources"][0]["withheld"] == ["update-to"]
        other = await second.message("/works/10.5555/a")
        assert "updated-by" not in other
        assert other["sources"][0]["withheld"] == ["updated-by"]
        status, _, headers = await second.get("/works/10.6666/f", **{"If-None-Match": before})
        assert status == 200, "what was cached under the old terms is not good any more"
        assert headers["ETag"] != before
        assert (await second.message("/funders"))["total-results"] == 0


async def test_recorded_answers_are_given_again(registry: Registry, samples: Path) -> None:
    folder = samples / "crossref" / "exchanges"
    kinds = ("400_journals", "400_funders", "400_prefixes", "404_", "200_types_journal.json")
    files = [one for one in sorted(folder.glob("*.json")) if one.name.startswith(kinds)]
    if not files:
        pytest.skip("the samples hold no exchanges")
    wrong = []
    for file in files:
        recorded = json.loads(file.read_text())
        path = recorded["request"]["uri"].removeprefix("https://api.crossref.org")
        status, body, headers = await registry.get(path)
        said = recorded["response"]
        text = said["body"] if isinstance(said["body"], str) else None
        expected = text.encode() if text else orjson.dumps(said["body"])
        same = body == expected or (text is None and orjson.loads(body) == said["body"])
        kind = said["headers"]["content-type"]
        if (status, headers["Content-Type"]) != (said["status"], kind) or not same:
            wrong.append((file.name, status, headers["Content-Type"], body[:200]))
    assert not wrong
