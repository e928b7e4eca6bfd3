"""OAI-PMH over the wire: every verb, clients that others wrote, and who is shown what.

One process answers all tests.
"""

import asyncio
import gzip
import warnings
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import product, zip_longest
from typing import Any, Final

import aiohttp
import oaipmh_scythe
import pytest
from lxml import etree

from services.distribution.oai.sets import token_of
from shared.events import TitleRegistered
from shared.kafka import topics
from shared.runtime.clock import SYSTEM
from shared.runtime.ids import new_id
from tests.callers import PASSWORD
from tests.harvesting import (
    BOOK,
    JOURNAL,
    OAI,
    SECRET,
    SETTINGS,
    Harvested,
    doi_of,
    error,
    harvested,
    valid,
    work,
)
from tests.platform import Platform
from tests.processes import Place, until

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of sickle's own patterns
    import sickle  # type: ignore[import-untyped]

CITED_BY: Final = "{http://www.crossref.org/qrschema/2.0}"
RECORDS: Final = ("GetRecord", "ListRecords")
FORMATS: Final = ("cr_unixsd", "cr_unixml", "oai_dc")
CARRYING: Final = frozenset({"cr_unixsd", "cr_unixml"})
ASKED: Final[Mapping[str, Mapping[str, str]]] = {
    "Identify": {},
    "ListMetadataFormats": {"identifier": "info:doi/{prefix}/0"},
    "ListSets": {},
    "ListIdentifiers": {"metadataPrefix": "{kind}", "set": "J:{prefix}"},
    "ListRecords": {"metadataPrefix": "{kind}", "set": "J:{prefix}"},
    "GetRecord": {"metadataPrefix": "{kind}", "identifier": "info:doi/{prefix}/0"},
}
ANSWERED: Final[Mapping[str, Mapping[str, Any]]] = {
    "anonymous": dict.fromkeys(RECORDS, 401),
    "plus": {},
    "expired plus": dict.fromkeys(RECORDS, 401),
    "owner": {},
    "other member": {"GetRecord": 403, "ListRecords": "noRecordsMatch"},
    "operator": dict.fromkeys(RECORDS, 403),
}
"""What a caller is answered who asks for records of a member; everything else is for all."""
CALLERS: Final = tuple(ANSWERED)
SEEN_BY: Final[Mapping[str | None, frozenset[str]]] = {
    "open": frozenset({"plus", "owner"}),
    "limited": frozenset({"plus", "owner"}),
    None: frozenset({"plus", "owner"}),  # nobody chose: limited since 2018
    "closed": frozenset({"owner"}),
}
MANY: Final = tuple(f"10.6000/n{n:03}" for n in range(430))
TITLES: Final = tuple(f"journal:t{n:03}" for n in range(205))  # sets for more than a page
IN: Final = tuple(zip_longest(MANY, TITLES))
ODD: Final = "10.6000/(sici)1097<1::a>3.0;2-#%25"
OTHERS: Final = {
    "10.5003/in-title": ("journal-article", JOURNAL),
    "10.6000/chapter": ("book-chapter", BOOK),
    "10.6000/preprint": ("posted-content", None),
    "10.6000/series": ("book-series", None),
    ODD: ("journal-article", None),
}
CITING: Final = "10.6000/citing"
OWNED: Final = tuple(f"{prefix}/{n}" for prefix in SETTINGS for n in range(3))
TOTAL: Final = len(MANY) + len(OTHERS) + len(OWNED) + 1


@pytest.fixture(scope="module")
async def registry(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Harvested]:
    name = f"t{new_id().replace('-', '')[8:24]}."
    await topics.create(platform.kafka_bootstrap, prefix=name)
    place = Place(
        platform.kafka_bootstrap, platform.mongodb_url, name, tmp_path_factory.mktemp("oai")
    )
    async with harvested(place) as one:
        await one.deposits.say(
            *(
                TitleRegistered(subject=title, name="T", owner_prefix="10.6000", version=1)
                for title in TITLES
            ),
            *(work(doi, number // 100, title=title) for number, (doi, title) in enumerate(IN)),
            *(work(doi, 10) for doi in OWNED),
            work(CITING, 11, cites="10.5001/0"),
            *(work(doi, 11, kind=kind, title=title) for doi, (kind, title) in OTHERS.items()),
        )
        await one.holds(TOTAL)
        yield one


async def test_every_verb_answers_validly_what_the_registry_holds(registry: Harvested) -> None:
    said = (await registry.told(verb="Identify")).find(f"{OAI}Identify")
    assert said.findtext(f"{OAI}baseURL") == registry.url
    assert said.findtext(f"{OAI}earliestDatestamp") == "2026-03-01T12:00:00Z"
    formats = await registry.told(verb="ListMetadataFormats", identifier="info:doi/10.5001/0")
    assert {*FORMATS, "cr_citedby"} == {one.text for one in formats.iter(f"{OAI}metadataPrefix")}
    sets = await registry.walk("anonymous", "ListSets")
    named = {one.findtext(f"{OAI}setSpec"): one.findtext(f"{OAI}setName") for one in sets}
    assert named["J:10.5003:journal.1234-5679"] == "On Things"
    assert named["B:10.6000"] == "Press 99 & Sons"
    assert {"J", "B", "S", "S:10.6000", "B:10.6000:book.9780000000002"} <= named.keys()
    assert len(named) == len(sets) > len(TITLES)
    for spec in named.keys() - {f"J:10.6000:{token_of(title)}" for title in TITLES[1:]}:
        listed = await registry.walk(
            "anonymous", "ListIdentifiers", metadataPrefix="oai_dc", set=spec or ""
        )
        assert all(spec in [one.text for one in head.iter(f"{OAI}setSpec")] for head in listed)
    record = await registry.told(
        "plus", verb="GetRecord", metadataPrefix="oai_dc", identifier=f"info:doi/{ODD.upper()}"
    )
    assert doi_of(record) == "10.6000/(sici)1097%3C1::a%3E3.0;2-%23%2525"
    again = await registry.told(
        "plus", verb="GetRecord", metadataPrefix="oai_dc", identifier=f"info:doi/{doi_of(record)}"
    )
    assert doi_of(again) == doi_of(record)
    assert [one.text for one in again.iter(f"{OAI}setSpec")] == ["J", "J:10.6000"]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({}, "badVerb"),
        ({"verb": "Nonsense"}, "badVerb"),
        ({"verb": "Identify", "set": "J"}, "badArgument"),
        ({"verb": "ListIdentifiers"}, "badArgument"),
        (
            {"verb": "ListIdentifiers", "metadataPrefix": "oai_dc", "from_": "2026-13-01"},
            "badArgument",
        ),
        (
            {
                "verb": "ListIdentifiers",
                "metadataPrefix": "oai_dc",
                "from_": "2026-03-01",
                "until": "2026-03-01T12:00:00Z",
            },
            "badArgument",
        ),
        ({"verb": "ListIdentifiers", "metadataPrefix": "\x01"}, "badArgument"),
        ({"verb": "ListIdentifiers", "metadataPrefix": "marc21"}, "cannotDisseminateFormat"),
        (
            {"verb": "ListIdentifiers", "metadataPrefix": "oai_dc", "set": "J:10.4"},
            "noRecordsMatch",
        ),
        ({"verb": "ListIdentifiers", "metadataPrefix": "oai_dc", "set": "X"}, "noRecordsMatch"),
        ({"verb": "ListIdentifiers", "metadataPrefix": "oai_dc", "set": "J::"}, "badArgument"),
        (
            {"verb": "ListIdentifiers", "metadataPrefix": "oai_dc", "until": "2020-01-01"},
            "noRecordsMatch",
        ),
        ({"verb": "ListRecords", "resumptionToken": "no-token"}, "badResumptionToken"),
        ({"verb": "ListMetadataFormats", "identifier": "info:doi/10.5/none"}, "idDoesNotExist"),
        ({"verb": "ListMetadataFormats", "identifier": "oai:x:1"}, "idDoesNotExist"),
    ],
)
async def test_a_wrong_question_gets_the_protocol_s_own_error(
    registry: Harvested, said: dict[str, str], code: str
) -> None:
    for method in ("GET", "POST"):
        status, body, _ = await registry.ask(method=method, **said)
        assert (status, error(valid(body))) == (200, code)


async def test_a_repeated_argument_and_a_token_of_another_verb_are_refused(
    registry: Harvested,
) -> None:
    asked = registry.url + "?verb=ListIdentifiers&metadataPrefix=oai_dc"
    async with registry.session.get(asked + "&metadataPrefix=oai_dc") as answer:
        assert error(valid(await answer.read())) == "badArgument"
    async with registry.session.get(asked) as answer:
        token = valid(await answer.read()).findtext(f".//{OAI}resumptionToken")
    refused = await registry.told("plus", verb="ListRecords", resumptionToken=token)
    assert error(refused) == "badResumptionToken"


async def test_a_form_of_whatever_bytes_is_answered(registry: Harvested) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=nonsense"}
    for body, code in ((b"verb=\xff%ff&\x00", "badVerb"), (b"verb=Identify&a=%00", "badArgument")):
        async with registry.session.post(registry.url, data=body, headers=headers) as answer:
            assert (answer.status, error(valid(await answer.read()))) == (200, code)


async def test_the_old_address_gives_unixml_where_no_format_is_named_and_the_new_one_asks(
    registry: Harvested,
) -> None:
    said = {"verb": "GetRecord", "identifier": "info:doi/10.5003/0"}
    assert error(await registry.told("plus", **said)) == "badArgument"
    _, body, _ = await registry.ask("plus", path="/OAIHandler", **said)
    root = valid(body)
    assert root.find(f".//{OAI}metadata")[0].tag == "{http://www.crossref.org/xschema/1.1}crossref"


async def test_a_span_holds_both_its_ends_in_days_and_in_seconds(registry: Harvested) -> None:
    async def count(**span: str) -> int:
        found = await registry.walk("anonymous", "ListIdentifiers", metadataPrefix="oai_dc", **span)
        return len(found)

    assert await count(from_="2026-03-01", until="2026-03-01") == TOTAL
    assert await count(from_="2026-03-01T12:01:00Z", until="2026-03-01T12:02:00Z") == 200
    assert await count(from_="2026-03-01T12:04:00Z", until="2026-03-01T12:04:00Z") == 30
    assert await count(from_="2026-03-01T12:10:30Z") == len(OTHERS) + 1


async def test_large_answers_are_compressed_for_who_takes_gzip(registry: Harvested) -> None:
    said = {"verb": "ListIdentifiers", "metadataPrefix": "oai_dc"}
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        headers = {"Accept-Encoding": "gzip"}
        async with session.get(registry.url, params=said, headers=headers) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            valid(gzip.decompress(await answer.read()))


@pytest.mark.parametrize("client", ["sickle", "scythe"])
async def test_clients_harvest_everything_once_and_what_changes_meanwhile_in_its_newest_state(
    registry: Harvested, client: str
) -> None:
    """Works of later pages change after the first page was read, and one of the first page does."""
    changed = {"sickle": (MANY[0], MANY[300]), "scythe": (MANY[1], MANY[301])}[client]
    first, walking = asyncio.Event(), asyncio.get_running_loop()
    onward = asyncio.Event()
    seen: list[tuple[str, str]] = []

    def harvest() -> None:
        for number, (doi, title) in enumerate(_titles(registry, client)):
            seen.append((doi, title))
            if number == 150:
                walking.call_soon_threadsafe(first.set)
                asyncio.run_coroutine_threadsafe(onward.wait(), walking).result()

    harvesting = asyncio.create_task(asyncio.to_thread(harvest))
    started = asyncio.create_task(first.wait())
    await asyncio.wait({started, harvesting}, timeout=10, return_when=asyncio.FIRST_COMPLETED)
    assert started.done()
    now = SYSTEM.now()
    await registry.deposits.say(*(work(doi, version=2, deposited=now) for doi in changed))

    async def listed() -> bool:
        status, body, _ = await registry.ask(
            "anonymous",
            verb="ListIdentifiers",
            metadataPrefix="oai_dc",
            from_=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
        if status == 503:  # the list may be ahead of the records for a moment, and says so
            assert b"record-on-its-way" in body
            return False
        assert status == 200, body
        return {*changed} <= {doi_of(one) for one in valid(body).iter(f"{OAI}header")}

    await until(listed, within=10, what="the changed works")
    onward.set()
    await asyncio.wait_for(harvesting, 30)
    times = Counter(doi for doi, _ in seen)
    assert len(times) == TOTAL
    # Given twice: what had been given before it changed; everything else once.
    assert {doi for doi, many in times.items() if many > 1} == {changed[0]}
    newest = dict(seen)
    assert all(newest[doi].endswith(", 2") for doi in changed)


@pytest.mark.law("L3")
@pytest.mark.clause("CRR-2")
@pytest.mark.clause("CRR-5")
@pytest.mark.clause("CRR-6")
@pytest.mark.clause("CRR-7")
@pytest.mark.clause("CRR-15")
async def test_no_verb_shows_anybody_more_or_less_than_the_setting_says(
    registry: Harvested,
) -> None:
    assert await leaks(registry, SETTINGS) == []


@pytest.mark.clause("CRR-5")
async def test_who_cites_a_work_is_told_to_its_owner_alone(registry: Harvested) -> None:
    one = {"verb": "GetRecord", "identifier": "info:doi/10.5001/0"}
    several = {"verb": "ListRecords", "set": "J:10.5001"}
    answers = {
        **dict.fromkeys(("anonymous", "expired plus"), (401, 401, 401)),
        **dict.fromkeys(("plus", "operator"), (403, 403, 403)),
        "other member": (403, 200, 200),
    }
    for caller, due in answers.items():
        asked = [one, several, {**several, "verb": "ListIdentifiers"}]
        got = [await registry.ask(caller, metadataPrefix="cr_citedby", **said) for said in asked]
        assert tuple(status for status, _, _ in got) == due, caller
        assert not any(CITING.encode() in body for _, body, _ in got)

    async def told() -> bool:
        root = await registry.told("owner", metadataPrefix="cr_citedby", **one)
        links = root.findall(f".//{CITED_BY}forward_link")
        return [link.get("doi") for link in links] == ["10.5001/0"]

    await until(told, within=15, what="the citation")
    listed = await registry.walk("owner", "ListRecords", metadataPrefix="cr_citedby")
    assert {doi_of(record) for record in listed} == {*OWNED, "10.5003/in-title"}
    found = {doi_of(one): [d.text for d in one.iter(f"{CITED_BY}doi")] for one in listed}
    assert {doi: citing for doi, citing in found.items() if citing} == {"10.5001/0": [CITING]}
    assert not any(SECRET in etree.tostring(record, encoding="unicode") for record in listed)


async def test_a_member_harvests_its_own_by_a_form_with_its_login(registry: Harvested) -> None:
    said = {"verb": "ListRecords", "metadataPrefix": "oai_dc", "usr": "owner", "pwd": PASSWORD}
    for method in ("GET", "POST"):
        status, body, _ = await registry.ask(method=method, **said)
        root = valid(body)
        assert status == 200
        assert {doi_of(one) for one in root.iter(f"{OAI}record")} == {*OWNED, "10.5003/in-title"}
        assert PASSWORD.encode() not in body
        wrong = {**said, "pwd": "wrong"}
        assert (await registry.ask(method=method, **wrong))[0] == 401


@pytest.mark.law("L3")
@pytest.mark.clause("CRR-4")
async def test_after_a_flip_the_next_page_of_a_list_under_way_obeys(registry: Harvested) -> None:
    """Each setting moves on by one, and back."""
    moved: dict[str, str | None] = {
        "10.5001": "open",
        "10.5002": "closed",
        "10.5003": "limited",
        "10.5004": "closed",
    }
    first = await registry.told("plus", verb="ListRecords", metadataPrefix="cr_unixsd")
    for settings in (moved, SETTINGS):
        for prefix, setting in settings.items():
            await registry.prefer(prefix, setting)

        async def obeyed(settings: Any = settings) -> bool:
            return not await leaks(registry, settings, RECORDS[:1], ("cr_unixml",))

        await until(obeyed, within=30, what="the setting in force")  # many asks
        token = first.findtext(f".//{OAI}resumptionToken")
        while token:
            page = await registry.told("plus", verb="ListRecords", resumptionToken=token)
            token = page.findtext(f".//{OAI}resumptionToken")
            for record in page.iter(f"{OAI}record"):
                prefix = doi_of(record).partition("/")[0]
                may = prefix in settings and "plus" in SEEN_BY[settings[prefix]]
                seen = SECRET in etree.tostring(record, encoding="unicode")
                assert seen is may or prefix not in settings
        assert await leaks(registry, settings, formats=FORMATS[:1]) == []


@pytest.mark.law("L3")
async def test_stale_knowledge_harvests_no_references_and_recovers(registry: Harvested) -> None:
    said = {"verb": "ListRecords", "metadataPrefix": "cr_unixsd", "set": "J:10.5003"}
    registry.accounts.marking = False

    async def stale() -> bool:
        return (await registry.ask("plus", **said))[0] == 503

    try:
        await until(stale, within=10, what="knowledge older than its bound")
        for verb, kind in product(RECORDS, CARRYING):
            asked = {"verb": verb, "metadataPrefix": kind}
            asked |= {"identifier": "info:doi/10.5003/0"} if verb == "GetRecord" else {}
            status, body, headers = await registry.ask("plus", **asked)
            assert (status, SECRET.encode() in body) == (503, False)
            assert int(headers["Retry-After"]) > 0
        assert (await registry.ask(verb="ListIdentifiers", metadataPrefix="cr_unixsd"))[0] == 200
    finally:
        registry.accounts.marking = True

    async def fresh() -> bool:
        status, body, _ = await registry.ask("plus", **said)
        return status == 200 and SECRET.encode() in body

    await until(fresh, within=10)


async def leaks(
    registry: Harvested,
    settings: Mapping[str, str | None],
    verbs: Sequence[str] = tuple(ASKED),
    formats: Sequence[str] = FORMATS,
) -> list[str]:
    """Ask everything as everybody; return what differs from what the policy says."""
    wrong = []
    for (prefix, setting), caller, verb in product(settings.items(), CALLERS, verbs):
        # Every format by GET; what else there is to differ, in the first.
        ways = [(kind, "GET") for kind in (formats if verb in RECORDS else formats[:1])]
        for kind, method in (*ways, (formats[0], "POST"), (formats[0], "HEAD")):
            said = {
                name: value.format(prefix=prefix, kind=kind) for name, value in ASKED[verb].items()
            }
            status, body, headers = await registry.ask(caller, method=method, verb=verb, **said)
            code = error(valid(body)) if body and status == 200 else None
            due = ANSWERED[caller].get(verb, 200)
            shown = status == 200 and verb in RECORDS and kind in CARRYING and method != "HEAD"
            may = shown and caller in SEEN_BY[setting]
            if (
                (code or status) != (due if body or due != "noRecordsMatch" else 200)
                or (SECRET.encode() in body) is not may
                or (status == 200 and headers["Cache-Control"] != "private, no-cache")
                or (status == 200 and "Crossref-Plus-API-Token" not in headers["Vary"])
            ):
                wrong.append(f"{caller} {setting} {verb} {kind} {method}: {code or status}")
    return wrong


def _titles(registry: Harvested, client: str) -> Any:
    """Harvest oai_dc with somebody else's client; yield DOI and title."""
    other: Any
    record: Any
    found: Any
    headers = registry.callers["plus"]
    if client == "sickle":
        one = sickle.Sickle(registry.url, headers=headers, max_retries=3)
        assert one.Identify().granularity == "YYYY-MM-DDThh:mm:ssZ"
        assert len(list(one.ListSets())) > 10
        assert "oai_dc" in {found.metadataPrefix for found in one.ListMetadataFormats()}
        assert len(list(one.ListIdentifiers(metadataPrefix="oai_dc", set="J:10.5003"))) == 4
        record = one.GetRecord(metadataPrefix="oai_dc", identifier="info:doi/10.5003/0")
        assert record.header.setSpecs == ["J", "J:10.5003"]
        with pytest.raises(sickle.oaiexceptions.NoRecordsMatch):
            one.ListRecords(metadataPrefix="oai_dc", until="1999-01-01")
        for found in one.ListRecords(metadataPrefix="oai_dc"):
            yield found.header.identifier.removeprefix("info:doi/"), found.metadata["title"][0]
        return

    def bear(request: Any) -> Any:
        request.headers.update(headers)
        return request

    how = oaipmh_scythe.HTTPConfig(auth=bear, http_method="POST")
    with oaipmh_scythe.Scythe(registry.url, http_config=how) as other:
        assert other.identify().granularity == "YYYY-MM-DDThh:mm:ssZ"
        assert len(list(other.list_sets())) > 10
        assert "oai_dc" in {found.metadataPrefix for found in other.list_metadata_formats()}
        assert len(list(other.list_identifiers(metadata_prefix="oai_dc", set_="J:10.5003"))) == 4
        record = other.get_record(identifier="info:doi/10.5003/0", metadata_prefix="oai_dc")
        assert record.header.setSpecs == ["J", "J:10.5003"]
        with pytest.raises(oaipmh_scythe.exceptions.NoRecordsMatch):
            list(other.list_records(metadata_prefix="oai_dc", until="1999-01-01"))
        for found in other.list_records(metadata_prefix="oai_dc"):
            yield found.header.identifier.removeprefix("info:doi/"), found.metadata["title"][0]
