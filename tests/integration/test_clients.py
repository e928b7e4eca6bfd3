"""Clients that people use, made by others, against a registry of real works (crossref.md 8).

Their normal use: one thing, lists, pages by offset and cursor, filters, facets, sorts, errors. Each
is only told where we are; nothing of it is replaced.
"""

import asyncio
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

import crossref.restful
import habanero
import httpx2
import pytest
import requests
from habanero import Crossref, RequestError, WorksContainer, WorksQuery
from oaipmh_scythe import Scythe
from oaipmh_scythe.config import HTTPConfig
from oaipmh_scythe.exceptions import NoRecordsMatch

from tests.conftest import SAMPLES
from tests.depositing import PASSWORD as DEPOSITOR
from tests.depositing import PRESS, article, deposit, members
from tests.platform import Platform
from tests.processes import Place, service, until
from tests.sampled import OWNER, PASSWORD, PLUS, Sampled, Work, in_thread, opened

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it was written for older Pythons
    from sickle import Sickle, oaiexceptions
    from sickle.oaiexceptions import OAIError

ELSEVIER: Final = 78
PREFIX: Final = "10.1016"
UNKNOWN: Final = "10.5555/there-is-none"


@pytest.fixture(scope="module")
def registry(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sampled]:
    samples = SAMPLES if SAMPLES.is_dir() else None

    def opening() -> AbstractAsyncContextManager[Sampled]:
        return opened(platform, tmp_path_factory.mktemp("clients"), samples)

    yield from in_thread(opening)


@pytest.fixture(scope="module")
def works(registry: Sampled) -> dict[str, Work]:
    """The works that the registry holds, by DOI."""
    return dict(registry.held.works)


@pytest.fixture(scope="module")
def owned(registry: Sampled) -> set[str]:
    """The DOIs of the member that owns most."""
    prefixes = {p for p, (owner, _) in registry.held.prefixes.items() if owner == ELSEVIER}
    return {doi for doi, work in registry.held.works.items() if work["prefix"] in prefixes}


# -- habanero ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cr(registry: Sampled) -> Crossref:
    return Crossref(base_url=registry.url, mailto="reader@example.org", timeout=30)


def test_habanero_reads_one_work_and_several(cr: Crossref, works: dict[str, Work]) -> None:
    first, second = sorted(works)[:2]
    one = cr.works(ids=first)
    assert len(one) == 4
    assert one["message-type"] == "work"
    assert one["message"]["DOI"] == first
    assert one["message"]["title"] == works[first]["title"]
    several = cr.works(ids=[first, second])
    assert [said["message"]["DOI"] for said in several] == [first, second]
    assert WorksContainer(several).doi == [first, second]
    for before in ("https://doi.org/", "http://dx.doi.org/", "doi:"):
        assert cr.works(ids=before + first)["message"]["DOI"] == first


def test_habanero_lists_works_with_five_keys_and_six_with_a_cursor(
    cr: Crossref, works: dict[str, Work]
) -> None:
    listed = cr.works(limit=3)
    assert (len(listed), len(listed["message"])) == (4, 5)
    assert len(listed["message"]["items"]) == listed["message"]["items-per-page"] == 3
    assert listed["message"]["total-results"] == len(works)
    paged = cr.works(cursor="*", cursor_max=3, limit=3)
    assert (len(paged), len(paged["message"])) == (4, 6)


def test_habanero_s_cursor_meets_every_work_once(cr: Crossref, works: dict[str, Work]) -> None:
    pages = cr.works(cursor="*", cursor_max=100_000, limit=100)
    found = [item["DOI"] for page in pages for item in page["message"]["items"]]
    assert len(pages) == -(-len(works) // 100)
    assert sorted(found) == sorted(works)
    few = cr.works(query="ecology", cursor="*", cursor_max=30, limit=10)
    dois = [item["DOI"] for page in few for item in page["message"]["items"]]
    assert len(few) == 3
    assert len(set(dois)) == 30


def test_habanero_pages_by_offset(cr: Crossref, works: dict[str, Work]) -> None:
    pages = [cr.works(limit=100, offset=n)["message"] for n in range(0, len(works), 100)]
    assert [page["query"]["start-index"] for page in pages] == list(range(0, len(works), 100))
    assert {item["DOI"] for page in pages for item in page["items"]} == set(works)


def test_habanero_filters_sorts_selects_and_counts_by_facet(
    cr: Crossref, works: dict[str, Work]
) -> None:
    having = {doi for doi, work in works.items() if work.get("reference")}
    said = cr.works(filter={"has_references": True}, limit=1000)["message"]
    assert {item["DOI"] for item in said["items"]} == having
    both = cr.works(filter={"has_references": True, "type": "journal-article"}, limit=0)
    assert both["message"]["total-results"] == len(
        [doi for doi in having if works[doi]["type"] == "journal-article"]
    )
    chosen = cr.works(select=["DOI", "references-count"], sort="references-count", order="asc")
    counts = [item["references-count"] for item in chosen["message"]["items"]]
    assert all(set(item) == {"DOI", "references-count"} for item in chosen["message"]["items"])
    assert counts == sorted(counts)
    facets = cr.works(facet="type-name:*", limit=0)["message"]["facets"]["type-name"]
    kinds = Counter(work["type"] for work in works.values())
    assert sorted(facets["values"].values()) == sorted(kinds.values())


def test_habanero_asks_for_the_works_of_members_and_prefixes(cr: Crossref, owned: set[str]) -> None:
    member = cr.members(ids=ELSEVIER)
    assert member["message-type"] == "member"
    assert member["message"]["counts"]["total-dois"] == len(owned)
    assert PREFIX in member["message"]["prefixes"]
    listed = cr.members(ids=ELSEVIER, works=True, limit=1000)
    assert {item["DOI"] for item in listed["message"]["items"]} == owned
    paged = cr.members(ids=ELSEVIER, works=True, cursor="*", limit=10, cursor_max=1000)
    assert {item["DOI"] for page in paged for item in page["message"]["items"]} == owned
    prefix = cr.prefixes(ids=PREFIX)["message"]
    assert prefix["prefix"].endswith(f"/prefix/{PREFIX}")
    assert prefix["member"].endswith(f"/member/{ELSEVIER}")
    assert cr.prefixes(ids=PREFIX, works=True)["message-type"] == "work-list"
    found = cr.members(query="elsevier")
    assert len(found["message"]) == 4
    assert ELSEVIER in [item["id"] for item in found["message"]["items"]]


def test_habanero_builds_queries_of_works(cr: Crossref, owned: set[str]) -> None:
    query = WorksQuery(cr).members(str(ELSEVIER)).select("DOI", "title").limit(1000)
    assert query.count() == len(owned)
    assert {item["DOI"] for item in query} == owned
    least = WorksQuery(cr).filter(has_references=True).sort("references-count").order("asc")
    assert least.limit(5).execute()["message"]["items"]


def test_habanero_s_errors_are_of_the_classes_it_promises(cr: Crossref) -> None:
    with pytest.raises(httpx2.HTTPStatusError, match="404"):
        cr.works(ids=UNKNOWN)
    with pytest.warns(UserWarning, match="404 on " + UNKNOWN):
        assert cr.works(ids=UNKNOWN, warn=True) is None
    for asked in ({"limit": 2000}, {"filter": {"has_affiliations": "x"}}, {"cursor": "thing"}):
        with pytest.raises(RequestError):
            cr.works(**asked)
    with pytest.raises(RequestError) as refused:
        cr.works(cursor="thing")
    assert refused.value.status_code == 404
    assert refused.value.error == "Cursor specified but it is invalid"
    with pytest.raises(RequestError) as many:
        cr.members(limit=2000)
    assert many.value.status_code == 400
    assert "less than or equal to 1000" in many.value.error


def test_habanero_finds_by_field_queries(cr: Crossref, works: dict[str, Work]) -> None:
    by = cr.works(query_author="carl boettiger", limit=1000)["message"]["items"]
    names = {
        str(person.get("family", "")).lower() for item in by for person in item.get("author", ())
    }
    assert "boettiger" in names
    title = next(w for w in works.values() if w["type"] == "journal-article")["title"][0]
    best = cr.works(query_bibliographic=title, limit=1)["message"]["items"][0]
    assert best["title"][0] == title


FORMS: Final[Mapping[str, bytes]] = {
    "bibtex": b"@article",
    "ris": b"TY  - JOUR",
    "rdf-xml": b"<rdf:RDF",
    "turtle": b"@prefix",
    "crossref-xml": b"<journal_article",
    "crossref-tdm": b"crossref_result",
}


def test_habanero_negotiates_content_at_the_address_of_a_doi(
    registry: Sampled, works: dict[str, Work]
) -> None:
    doi = next(d for d, w in works.items() if w["type"] == "journal-article" and w.get("author"))
    for form, sign in FORMS.items():
        said = habanero.cn.content_negotiation(ids=doi, format=form, url=registry.url, timeout=30)
        assert sign in said.encode(), form
    family = works[doi]["author"][0]["family"]
    for style in ("apa", "elsevier-harvard"):
        said = habanero.cn.content_negotiation(
            ids=doi, format="text", style=style, url=registry.url, timeout=30
        )
        assert family in said
    with pytest.raises(httpx2.HTTPStatusError, match="406"):
        habanero.cn.content_negotiation(ids=doi, format="datacite-xml", url=registry.url)
    with pytest.warns(UserWarning, match="404"):
        several = habanero.cn.content_negotiation(ids=[doi, UNKNOWN], url=registry.url, timeout=30)
    assert several[0].strip().startswith("@article")
    assert several[1] is None


def test_habanero_draws_samples(cr: Crossref, works: dict[str, Work]) -> None:
    drawn = cr.works(sample=7)["message"]
    assert len(drawn["items"]) == drawn["total-results"] == 7
    assert drawn["items-per-page"] == 20
    dois = cr.random_dois(sample=3)
    assert len(set(dois)) == 3
    assert set(dois) <= set(works)


# -- crossrefapi ---------------------------------------------------------------------------------


@pytest.fixture
def restful(registry: Sampled, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Point the library at us: it has a host built in."""

    def here(endpoint: str, context: str | None = None) -> str:
        return "/".join([registry.url, *(part for part in (context, endpoint) if part)])

    monkeypatch.setattr(crossref.restful, "build_url_endpoint", here)
    return crossref.restful


def test_crossrefapi_iterates_all_works_by_its_cursor(restful: Any, works: dict[str, Work]) -> None:
    all_of_them = restful.Works(throttle=False)
    assert all_of_them.count() == len(works)
    assert sorted(item["DOI"] for item in all_of_them) == sorted(works)
    assert all_of_them.version == "1.0.0"


def test_crossrefapi_chains_query_filter_sort_select_and_facet(
    restful: Any, works: dict[str, Work], owned: set[str]
) -> None:
    asked = restful.Works(throttle=False).filter(prefix=PREFIX, has_references="true")
    wanted = {
        doi for doi in owned if works[doi]["prefix"] == PREFIX and works[doi].get("reference")
    }
    assert {item["DOI"] for item in asked} == wanted
    chosen = asked.select("DOI", "title").sort("published").order("asc")
    assert {item["DOI"] for item in chosen} == wanted
    facets = restful.Works(throttle=False).facet("type-name", 5)
    assert 0 < facets["type-name"]["value-count"] <= 5
    found = restful.Works(throttle=False).query("ecology").query(author="boettiger")
    assert 0 < found.count() < len(works)


def test_crossrefapi_reads_one_and_hears_of_none(restful: Any, works: dict[str, Work]) -> None:
    client = restful.Works(throttle=False)
    doi = next(doi for doi, work in works.items() if work.get("reference"))
    assert client.doi(doi)["DOI"] == doi
    assert len(client.doi(doi)["reference"]) == len(works[doi]["reference"])
    assert client.doi(UNKNOWN) is None
    assert (client.doi_exists(doi), client.doi_exists(UNKNOWN)) == (True, False)


def test_crossrefapi_asks_for_members_and_prefixes(restful: Any, owned: set[str]) -> None:
    members = restful.Members(throttle=False)
    assert members.member(ELSEVIER)["id"] == ELSEVIER
    assert members.member_exists(ELSEVIER)
    assert not members.member_exists(121212121212)
    assert {item["DOI"] for item in members.works(ELSEVIER)} == owned
    assert members.query("elsevier").count() == 1
    assert ELSEVIER in [item["id"] for item in members.filter(has_public_references="true")]
    prefixes = restful.Prefixes(throttle=False)
    assert prefixes.prefix(PREFIX)["name"]
    assert {item["DOI"] for item in prefixes.works(PREFIX)} <= owned


def test_crossrefapi_reads_its_limits_and_shows_its_token(restful: Any) -> None:
    etiquette = restful.Etiquette("Reader", "1", "https://example.org", "reader@example.org")
    polite = restful.Works(etiquette=etiquette)
    assert int(polite.x_rate_limit_limit) > 0
    assert polite.x_rate_limit_interval.endswith("s")
    with_token = restful.Works(crossref_plus_token=PLUS, throttle=False)
    assert with_token.count() > 0


# -- crossref-commons ----------------------------------------------------------------------------


@pytest.fixture
def commons(registry: Sampled, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Point the library at us: each of its modules holds the address for itself."""
    import crossref_commons.iteration  # noqa: PLC0415  (they read the address when imported)
    import crossref_commons.relations  # noqa: PLC0415
    import crossref_commons.retrieval  # noqa: PLC0415
    import crossref_commons.sampling  # noqa: PLC0415

    for name in ("iteration", "retrieval", "sampling"):
        module = getattr(crossref_commons, name)
        monkeypatch.setattr(module, "API_URL", registry.url)
    monkeypatch.setattr(crossref_commons.retrieval, "DATA_URL", registry.url)
    return lambda name: getattr(crossref_commons, name)


def test_crossref_commons_retrieves_works_and_members(
    commons: Callable[[str], Any], works: dict[str, Work]
) -> None:
    retrieval = commons("retrieval")
    doi = next(doi for doi, work in works.items() if work.get("reference"))
    said = retrieval.get_publication_as_json(doi)
    assert said["DOI"] == doi
    assert said["references-count"] == len(said["reference"])
    with pytest.raises(ValueError, match="does not exist"):
        retrieval.get_publication_as_json(UNKNOWN)
    assert retrieval.get_member_as_json(str(ELSEVIER))["id"] == ELSEVIER
    with pytest.raises(ValueError, match="does not exist"):
        retrieval.get_member_as_json("121212121212")
    with pytest.raises(ConnectionError, match="400"):
        retrieval.get_member_as_json("not-a-member")


def test_crossref_commons_iterates_by_cursor(
    commons: Callable[[str], Any], works: dict[str, Work]
) -> None:
    iterate = commons("iteration").iterate_publications_as_json
    found = [item["DOI"] for item in iterate(max_results=100_000, queries={})]
    assert sorted(found) == sorted(works)
    some = iterate(filter={"type": "journal-article"}, queries={"query": "ecology"}, max_results=5)
    assert [item["type"] for item in some] == ["journal-article"] * 5


def test_crossref_commons_reads_xml_and_citations(
    commons: Callable[[str], Any], works: dict[str, Work], registry: Sampled
) -> None:
    doi = next(d for d, w in works.items() if w.get("reference") and w.get("author"))
    tree = commons("retrieval").get_publication_as_xml(doi)
    citations = [one for one in tree.iter() if one.tag.rpartition("}")[2] == "citation"]
    assert len(citations) == len(works[doi]["reference"])
    assert works[doi]["author"][0]["family"] in commons("retrieval").get_publication_as_refstring(
        doi, "apa"
    )
    assert commons("relations").get_alias(doi) is None


def test_crossref_commons_reads_what_is_told_of_a_work_at_its_end(
    commons: Callable[[str], Any], registry: Sampled, works: dict[str, Work]
) -> None:
    updated = registry.held.updated()
    assert updated
    for doi in updated:
        said = [(one["DOI"], one["type"]) for one in works[doi]["updated-by"]]
        assert commons("relations").get_related(doi) == said


def test_crossref_commons_draws_samples(
    commons: Callable[[str], Any], works: dict[str, Work]
) -> None:
    draw = commons("sampling").get_sample_chunk
    drawn = draw(5, filter={"type": "journal-article"}, queries={})
    assert len({item["DOI"] for item in drawn}) == 5
    assert all(works[item["DOI"]]["type"] == "journal-article" for item in drawn)


# -- harvesters ----------------------------------------------------------------------------------

HARVESTERS: Final = {"Crossref-Plus-API-Token": f"Bearer {PLUS}"}
GONE: Final = "info:doi/" + UNKNOWN


def test_sickle_harvests_by_every_verb(registry: Sampled, works: dict[str, Work]) -> None:
    sickle = Sickle(f"{registry.url}/oai", headers=HARVESTERS)
    said = sickle.Identify()
    assert (said.protocolVersion, said.granularity) == ("2.0", "YYYY-MM-DDThh:mm:ssZ")
    assert said.deletedRecord == "persistent"
    formats = [one.metadataPrefix for one in sickle.ListMetadataFormats()]
    assert "oai_dc" in formats
    sets = {one.setSpec for one in sickle.ListSets()}
    assert {"J", f"J:{PREFIX}"} <= sets
    harvested = [one.header.identifier for one in sickle.ListRecords(metadataPrefix="oai_dc")]
    assert sorted(harvested) == sorted(f"info:doi/{doi}" for doi in works)  # over several pages
    named = [one.identifier for one in sickle.ListIdentifiers(metadataPrefix="oai_dc")]
    assert sorted(named) == sorted(harvested)
    doi = next(doi for doi, work in works.items() if work.get("title"))
    record = sickle.GetRecord(identifier=f"info:doi/{doi}", metadataPrefix="oai_dc")
    assert record.metadata["title"]
    assert record.header.datestamp


def test_sickle_harvests_a_set_and_a_span(
    registry: Sampled, works: dict[str, Work], owned: set[str]
) -> None:
    sickle = Sickle(f"{registry.url}/oai", headers=HARVESTERS, http_method="POST")
    articles = {d for d in owned if works[d]["type"] == "journal-article"}
    journals = {d for d in articles if works[d]["prefix"] == PREFIX}
    asked = {"metadataPrefix": "oai_dc", "set": f"J:{PREFIX}"}
    found = {one.identifier.removeprefix("info:doi/") for one in sickle.ListIdentifiers(**asked)}
    assert journals <= found <= owned
    days = sorted(works[doi]["deposited"]["date-time"][:10] for doi in found)
    middle = days[len(days) // 2]
    early = sickle.ListIdentifiers(**asked, until=middle)
    late = sickle.ListIdentifiers(**asked, **{"from": middle})
    counts = Counter(one.identifier for one in [*early, *late])
    assert {doi.removeprefix("info:doi/") for doi in counts} == found
    twice = [one for one, count in counts.items() if count == 2]
    assert len(twice) == days.count(middle)


def test_sickle_hears_every_error_by_its_class(registry: Sampled) -> None:
    sickle = Sickle(f"{registry.url}/oai", headers=HARVESTERS)
    asked: list[tuple[type[OAIError], Callable[[], Any]]] = [
        (
            oaiexceptions.IdDoesNotExist,
            lambda: sickle.GetRecord(identifier=GONE, metadataPrefix="oai_dc"),
        ),
        (oaiexceptions.CannotDisseminateFormat, lambda: sickle.ListRecords(metadataPrefix="x")),
        (
            oaiexceptions.NoRecordsMatch,
            lambda: sickle.ListRecords(metadataPrefix="oai_dc", until="1066-10-14"),
        ),
        (oaiexceptions.BadResumptionToken, lambda: sickle.ListRecords(resumptionToken="thing")),
        (oaiexceptions.BadArgument, lambda: sickle.ListRecords(metadataPrefix="oai_dc", x="1")),
    ]
    for fault, ask in asked:
        with pytest.raises(fault):
            ask()
    with pytest.raises(requests.HTTPError, match="401"):
        next(Sickle(f"{registry.url}/oai").ListRecords(metadataPrefix="oai_dc"))


def test_oaipmh_scythe_harvests_with_a_member_s_own_login(
    registry: Sampled, owned: set[str]
) -> None:
    """Records without a token: a member's own, all of them and no other."""
    config = HTTPConfig(auth=(OWNER, PASSWORD))
    with Scythe(f"{registry.url}/oai", http_config=config) as scythe:
        assert scythe.identify().protocolVersion == "2.0"
        assert {one.setSpec for one in scythe.list_sets()} > {"J"}
        found = {one.header.identifier for one in scythe.list_records(metadata_prefix="oai_dc")}
        assert found == {f"info:doi/{doi}" for doi in owned}
        with pytest.raises(NoRecordsMatch):
            next(scythe.list_records(metadata_prefix="oai_dc", from_="2199-01-01"))


# -- depositing ----------------------------------------------------------------------------------


async def test_crossrefapi_deposits_and_polls_until_it_is_registered(place: Place) -> None:
    """By its file name and by its batch, while it waits and once it is done."""
    async with members(place), service("deposits", place) as deposits:
        depositor = crossref.restful.Depositor(
            prefix="10.5555", api_user=PRESS.name, api_key=DEPOSITOR, timeout=60
        )
        depositor.get_endpoint = lambda verb: f"{deposits.url}/servlet/{verb}"
        content = deposit(article("10.5555/by-a-client"), batch="batch-of-a-client").decode()

        async def received() -> bool:
            answer = await asyncio.to_thread(depositor.register_doi, "deposit-1", content)
            return answer.status_code == 200 and "SUCCESS" in answer.text

        await until(received, within=60, what="the deposit is taken")

        async def registered() -> bool:
            asked = depositor.request_doi_status_by_filename
            answer = await asyncio.to_thread(asked, "deposit-1.xml")
            return 'status="completed"' in answer.text

        await until(registered, within=60, what="the deposit is registered")
        by_batch = depositor.request_doi_status_by_batch_id
        answer = await asyncio.to_thread(by_batch, "batch-of-a-client")
        assert "<success_count>1</success_count>" in answer.text
        assert "10.5555/by-a-client" in answer.text
        sent = await asyncio.to_thread(by_batch, "batch-of-a-client", "contents")
        assert "by-a-client" in sent.text
        wrong = crossref.restful.Depositor("10.5555", PRESS.name, "wrong horse", timeout=60)
        wrong.get_endpoint = depositor.get_endpoint
        refused = await asyncio.to_thread(wrong.register_doi, "deposit-2", content)
        assert "SUCCESS" not in refused.text
