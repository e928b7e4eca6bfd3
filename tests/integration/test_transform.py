"""Content negotiation over the wire: validators, headers, addresses, and clients.

Who sees references in which form is in the leak matrix (tests/probes.py).

One process answers all tests: the registry of the leak matrix, with a work more of each prefix that
also cites by DOI, and some whose DOIs end as routes do.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import Any, Final

import crossref_commons.http_utils as commons_http
import crossref_commons.retrieval as commons
import orjson
import pytest
from habanero import cn
from rdflib import Graph

from shared.events import WorkRegistered
from shared.runtime.ids import new_id
from tests.conftest import own_topics
from tests.leaking import SECRET, Registry, assigned, opened, work
from tests.platform import Platform
from tests.processes import Place, until
from tests.unit.distribution.test_transform_forms import BIBTEX as BIBTEX_RECORDED
from tests.unit.distribution.test_transform_forms import CSL as CSL_RECORDED
from tests.unit.distribution.test_transform_forms import exchange, work_of

CITED: Final = "10.9999/cited"  # by each work here, and said nowhere else
CSL: Final = "application/vnd.citationstyles.csl+json"
UNIXREF: Final = "application/vnd.crossref.unixref+xml"
UNIXSD: Final = "application/vnd.crossref.unixsd+xml"
CARRYING: Final[Mapping[str, tuple[str, ...]]] = {  # form -> what shows that references are in it
    CSL: (SECRET, CITED),
    "application/citeproc+json": (SECRET, CITED),
    "application/json": (SECRET, CITED),
    UNIXREF: (SECRET, CITED),
    "application/unixref+xml": (SECRET, CITED),
    UNIXSD: (SECRET, CITED),
    "application/rdf+xml": (CITED,),
    "text/turtle": (CITED,),
    "text/n-triples": (CITED,),
    "application/n-triples": (CITED,),
    "text/n3": (CITED,),
    "application/ld+json": (CITED,),
}
WITHOUT: Final = (
    "application/x-bibtex",
    "application/x-research-info-systems",
    "text/x-bibliography",
    "text/bibliography",
    "text/plain",
)
ENDINGS: Final = ("/transform", "/transform/text/plain", ".xml")


def transformed(doi: str, **said: Any) -> WorkRegistered:
    """Return the registration of a work as the leak matrix has it, that cites a DOI as well."""
    registered = work(doi)
    shown = registered.work | {
        "author": [
            {"family": "Frank", "given": "Henry S.", "sequence": "first", "affiliation": []}
        ],
        "container-title": ["Science & More"],
        "resource": {"primary": {"URL": "https://example.org/a"}},
        "reference": [
            *registered.work["reference"],
            {"key": "r2", "DOI": CITED, "doi-asserted-by": "crossref"},
        ],
    }
    return registered.model_copy(update={"work": shown | said})


@pytest.fixture(scope="module")
async def shared_registry(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Registry]:
    name = f"t{new_id().replace('-', '')[8:24]}."
    folder = tmp_path_factory.mktemp("transform")
    place = Place(platform.kafka_bootstrap, platform.mongodb_url, name, folder)
    async with own_topics(platform.kafka_bootstrap, name), opened(place) as registry:
        dois = ["10.5001/t", "10.5003/t", "10.5004/t", "10.5003/short.xml", "10.5003/short"]
        await registry.deposits.say(
            *map(transformed, dois), *(transformed(f"10.5003/only{end}") for end in ENDINGS)
        )

        async def stored() -> bool:
            found = [await registry.ask("anonymous", f"/works/10.5003/only{ENDINGS[-1]}")]
            found += [await registry.ask("anonymous", f"/works/{doi}") for doi in dois]
            return all(status == 200 for status, _, _ in found)

        await until(stored, within=20, what="works stored")
        yield registry


@pytest.fixture
async def registry(shared_registry: Registry) -> AsyncIterator[Registry]:
    yield shared_registry
    await shared_registry.restore()


def shows(body: bytes, words: tuple[str, ...]) -> set[bool]:
    return {word.encode() in body for word in words}


@pytest.mark.law("L3")
@pytest.mark.clause("CRR-4")
async def test_after_a_flip_every_form_and_validator_obeys_the_new_setting(
    registry: Registry,
) -> None:
    def path(form: str) -> str:
        return f"/works/10.5003/t/transform/{form}"

    async def dated() -> str | None:
        _, _, headers = await registry.ask("anonymous", path("application/x-bibtex"))
        return headers.get("Last-Modified")

    before = await until(dated, within=15, what="a date that nobody of before has")
    known = {"If-Modified-Since": before}
    assert (await registry.ask("anonymous", path("application/x-bibtex"), **known))[0] == 304
    for caller, form in (("anonymous", CSL), ("anonymous", UNIXSD), ("owner", UNIXREF)):
        _, _, headers = await registry.ask(caller, path(form))
        assert "Last-Modified" not in headers  # counts and agreements have no date
    tags = dict[str, str]()

    async def unchanged(form: str) -> bool:  # once what matching and counts change is in it
        _, _, headers = await registry.ask("anonymous", path(form))
        tags[form] = headers["ETag"]
        known = {"If-None-Match": tags[form]}
        return (await registry.ask("anonymous", path(form), **known))[:2] == (304, b"")

    for form in (*CARRYING, *WITHOUT):
        await until(partial(unchanged, form), within=15, what=f"{form} to be as it was")
        hidden = path(form).replace("10.5003", "10.5001")
        _, _, headers = await registry.ask("anonymous", hidden)
        known = {"If-None-Match": headers["ETag"]}
        assert (await registry.ask("owner", hidden, **known))[0] == 200
    assert len(set(tags.values())) == len(tags)
    for prefix, setting in (("10.5003", "closed"), ("10.5004", "open")):
        await registry.prefer(prefix, setting)

    async def obeyed() -> bool:
        _, body, _ = await registry.ask("anonymous", "/10.5004/t", Accept=UNIXREF)
        return SECRET.encode() in body

    await until(obeyed, within=5)
    for form in CARRYING:
        known = {"If-None-Match": tags[form], "If-Modified-Since": before}
        status, body, headers = await registry.ask("anonymous", path(form), **known)
        assert (status, shows(body, (SECRET, CITED))) == (200, {False})
        assert headers["ETag"] != tags[form]
    # The date of before is not confirmed any more either.
    turtle = path("text/turtle")
    status, _, headers = await registry.ask("anonymous", turtle, **{"If-Modified-Since": before})
    assert (status, headers.get("Last-Modified") == before) == (200, False)


@pytest.mark.law("L3")
async def test_stale_knowledge_shows_no_references_in_any_form_and_recovers(
    registry: Registry,
) -> None:
    registry.accounts.marking = False

    async def stale() -> bool:
        _, body, _ = await registry.ask("anonymous", "/10.5003/t")
        return b"knowledge-stale" in body

    await until(stale, within=10, what="knowledge older than its bound")
    for form, words in CARRYING.items():
        path = f"/works/10.5003/t/transform/{form}"
        status, body, headers = await registry.ask("anonymous", path)
        assert (status, shows(body, words)) == (200, {False})
        assert headers["Cache-Control"] == "no-store"
        assert "Last-Modified" not in headers
        assert (await registry.ask("owner", path))[0] == 503
    registry.accounts.marking = True

    async def fresh() -> bool:
        return SECRET.encode() in (await registry.ask("anonymous", "/10.5003/t"))[1]

    await until(fresh, within=10)


async def test_headers_methods_and_errors_are_those_of_the_rest_interface(
    registry: Registry,
) -> None:
    path = "/v1/works/10.5003%2Ft/transform"
    accept = {"Accept": "text/html, application/x-bibtex;q=0.5, text/turtle;q=0.1"}
    status, body, headers = await registry.ask("anonymous", path, **accept)
    assert status == 200
    assert headers["Content-Type"] == "application/x-bibtex"
    assert body.startswith(b" @article{Frank_2020, title={On things measured}, ISSN={1234-5679}")
    assert rb"journal={Science \& More}" in body
    assert headers["x-api-pool"] == "public"
    assert headers["x-rate-limit-interval"] == "1s"
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["Link"] == '<http://dx.doi.org/10.5003/t>; rel="canonical"'
    head = await registry.ask("anonymous", path, "HEAD", **accept)
    assert (head[0], head[1]) == (200, b"")
    assert head[2]["Content-Length"] == str(len(body))
    _, _, polite = await registry.ask("anonymous", f"{path}?mailto=a@example.org")
    assert polite["x-api-pool"] == "polite"
    for missing in ("/works/10.5003/none/transform", "/10.5003/none", "/works/10.5003/none.xml"):
        assert (await registry.ask("anonymous", missing, Accept="image/png"))[:2] == (
            404,
            b"Resource not found.",
        )
    refused = await registry.ask(
        "anonymous", path, **{"Crossref-Plus-API-Token": "Bearer none such"}
    )
    assert refused[0] == 401


@pytest.mark.parametrize(
    ("path", "accept", "what", "among"),
    [
        ("/works/10.5003/t/transform", "image/png", "media-type", UNIXSD),
        ("/10.5003/t", "application/json;q=0", "media-type", "text/turtle"),
        ("/works/10.5003/t/transform/image/png", "*/*", "media-type", UNIXSD),
        ("/10.5003/t", "text/x-bibliography; style=aps", "style", "apa"),
        ("/10.5003/t", "text/x-bibliography; locale=xx", "locale", "de-DE"),
        ("/works/10.5003/t/transform/text/plain?style=../apa", "*/*", "style", "apa"),
    ],
)
async def test_what_there_is_is_told_to_who_wants_something_else(
    registry: Registry, path: str, accept: str, what: str, among: str
) -> None:
    status, body, headers = await registry.ask("anonymous", path, Accept=accept)
    said = orjson.loads(body)
    assert (status, said["what"], among in said["available"]) == (406, what, True)
    assert headers["Content-Type"] == "application/problem+json"


async def test_a_doi_may_end_as_a_route_does(registry: Registry) -> None:
    for ending in ENDINGS:
        status, body, _ = await registry.ask("anonymous", f"/works/10.5003/only{ending}")
        assert (status, orjson.loads(body)["message"]["DOI"]) == (200, f"10.5003/only{ending}")
    # Where both are there, a DOI that ends in .xml is itself; another's record is not given for it.
    status, body, _ = await registry.ask("anonymous", "/works/10.5003/short.xml")
    assert orjson.loads(body)["message"]["DOI"] == "10.5003/short.xml"
    whole = f"/works/10.5003/only{ENDINGS[0]}/transform/text/plain"
    assert (await registry.ask("anonymous", whole))[0] == 200


async def test_xml_leads_to_unixsd(registry: Registry) -> None:
    url = f"{registry.running.url}/v1/works/10.5003%2Ft.xml?mailto=a@example.org"
    async with registry.session.get(url, allow_redirects=False) as answer:
        assert answer.status == 302
        assert answer.headers["Location"] == (
            f"/v1/works/10.5003%2Ft/transform/{UNIXSD}?mailto=a@example.org"
        )
    status, body, headers = await registry.ask("anonymous", "/v1/works/10.5003/t.xml")
    assert (status, headers["Content-Type"]) == (200, UNIXSD)
    assert f'<doi provider="crossref">{CITED}</doi>'.encode() in body


# What the registry that answers says itself: who owns and who cites the work, and when it was told.
OURS: Final = frozenset({"created", "deposited", "indexed", "is-referenced-by-count", "member"})


async def test_the_recorded_transforms_are_answered_word_for_word(registry: Registry) -> None:
    recorded = exchange(CSL_RECORDED)
    doi = recorded["DOI"]
    said = work_of({key: value for key, value in recorded.items() if key not in OURS})
    await registry.accounts.say(assigned("10.1126", "open", 1))
    await registry.deposits.say(work(doi).model_copy(update={"work": said}))

    async def whole() -> Any:
        path = f"/works/{doi}/transform/{CSL}"
        status, body, _ = await registry.ask("anonymous", path)
        found = orjson.loads(body) if status == 200 else {}
        return found if "reference" in found else None

    given = await until(whole, within=10)
    assert given.keys() == recorded.keys()
    assert {key for key in recorded if given[key] != recorded[key]} == OURS
    path = f"/v1/works/{doi.replace('/', '%2F')}/transform"
    _, body, headers = await registry.ask("anonymous", path, Accept="application/x-bibtex")
    assert body.decode() == exchange(BIBTEX_RECORDED)
    assert headers["Content-Type"] == "application/x-bibtex"


def _by_clients(url: str) -> dict[str, Any]:
    commons.API_URL = commons.DATA_URL = url
    commons_http.COMMON_HEADERS.clear()
    doi = "10.5003/t"
    negotiated = {
        form: cn.content_negotiation(ids=doi, format=form, url=url)
        for form in ("bibtex", "rdf-xml", "turtle", "ris", "crossref-xml", "crossref-tdm")
    }
    return {
        **negotiated,
        "text": cn.content_negotiation(
            ids=doi, format="text", style="ieee", locale="de-DE", url=url
        ),
        "json": commons.get_publication_as_json(doi),
        "xml": commons.get_publication_as_xml(doi),
        "refstring": commons.get_publication_as_refstring(doi, "apa"),
    }


async def test_habanero_and_crossref_commons_negotiate_as_their_users_have_them(
    registry: Registry,
) -> None:
    said = await asyncio.to_thread(_by_clients, registry.running.url)
    assert said["bibtex"].startswith(" @article{Frank_2020,")
    assert said["ris"].startswith("TY  - JOUR\n")
    for form, name in (("rdf-xml", "xml"), ("turtle", "turtle")):
        assert len(Graph().parse(data=said[form], format=name)) > 10
    assert "<journal_article" in said["crossref-xml"]
    assert "crossref_result" in said["crossref-tdm"]
    assert "„On things measured“" in said["text"]
    assert said["json"]["DOI"] == "10.5003/t"
    assert said["xml"].tag.endswith("crossref_result")
    assert said["refstring"].startswith("Frank, H. S. (2020). On things measured. Science & More")
