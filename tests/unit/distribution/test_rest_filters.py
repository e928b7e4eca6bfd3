"""Every filter, facet and field query, from the words of a caller to the works they find."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, quote

import pytest

from services.distribution.rest.facets import facets_message
from services.distribution.rest.params import WorksQuery, parse_works
from services.distribution.rest.plan import search_request
from services.distribution.rest.routes import FIELD_QUERIES
from services.distribution.search import SearchIndex, SearchPage, SearchRequest, open_index
from tests.unit.distribution.search_samples import doc, put
from tests.unit.distribution.test_rest_lists import KnownOwners
from tests.unit.distribution.told_works import NSF, WELLCOME, WORKS

OWNERS = KnownOwners(
    members={1: ["10.5555"]}, settings={"10.5555": "open"}, names={"10.5555": "Elm Press"}
)
OTHERS = {*WORKS} - {"placed"}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchIndex]:
    opened = open_index(tmp_path_factory.mktemp("index"), schema_version="1")
    put(opened, (doc(f"10.5555/{name}", **work) for name, work in WORKS.items()))
    yield opened
    opened.close()


def answered(index: SearchIndex, query: str) -> tuple[WorksQuery, SearchPage]:
    asked = parse_works(parse_qsl(query, keep_blank_values=True))
    assert isinstance(asked, WorksQuery), asked
    request = search_request(asked, OWNERS, cursor_key=b"key", seed=4)
    assert isinstance(request, SearchRequest)
    return asked, index.search(request)


def found(index: SearchIndex, query: str) -> set[str]:
    _, page = answered(index, query)
    assert page.total == len(page.hits)
    return {hit.doi.partition("/")[2] for hit in page.hits}


@pytest.mark.parametrize(
    ("filters", "works"),
    [
        ("isbn:978-0-306-40615-7", {"placed"}),
        ("orcid:http://orcid.org/0000-0001-5109-370X", {"placed"}),
        ("ror-id:https://ror.org/05gq02987", {"placed"}),
        ("ror-id:05gq02987", {"placed"}),
        ("affiliation:A Place", {"placed"}),
        ("container-title:A Journal, with commas", {"placed"}),
        ("category-name:Pharmacy, general,has-abstract:1", {"placed"}),
        ("group-title:Ecology", {"placed"}),
        ("publisher-name:A House", {"placed"}),
        ("publisher-name:Elm Press", OTHERS),
        ("publisher-name:Elm Press,publisher-name:A House", {*WORKS}),
        ("article-number:e12", {"placed"}),
        ("alternative-id:ALT 1", {"placed"}),
        ("archive:Portico", {"placed"}),
        ("archive:CLOCKSS", set()),
        ("assertion:received", {"placed"}),
        ("assertion-group:history", {"placed"}),
        ("content-domain:a.example", {"placed"}),
        ("clinical-trial-number:isrctn1", {"placed"}),
        ("updates:10.9999/old", {"placed"}),
        ("update-type:correction", {"placed"}),
        ("update-type:retraction", set()),
        ("citation-id:1", set()),
        ("funder:100000001", {"funded", "grant"}),
        (f"funder:10.13039/{WELLCOME}", {"funded"}),
        (f"funder:{WELLCOME},funder:{NSF}", {"funded", "grant"}),
        ("funder-doi-asserted-by:crossref", {"funded"}),
        (f"award.number:CBET-0756451,award.funder:10.13039/{NSF}", {"funded"}),
        (f"award.number:CBET-0756451,award.funder:10.13039/{WELLCOME}", set()),
        (f"award.number:x1,award.number:cbet0756451,award.funder:{WELLCOME}", {"funded"}),
        ("gte-award-amount:5000,lte-award-amount:5000", {"grant"}),
        ("gte-award-amount:5001", set()),
        ("license.url:https://b.example/tdm", {"licensed"}),
        ("license.url:https://b.example/tdm,license.version:vor", set()),
        ("license.version:vor,license.delay:365", {"licensed"}),
        ("license.version:vor,license.delay:364", set()),
        ("license.delay:0", {"licensed"}),
        ("license.url:https://b.example/tdm,license.delay:0,license.version:tdm", {"licensed"}),
        ("full-text.type:text/xml,full-text.version:vor", {"linked"}),
        ("full-text.type:text/xml,full-text.version:am", set()),
        ("relation.type:is-preprint-of", {"related"}),
        ("relation.object:https://doi.org/10.9999/x,relation.object-type:doi", {"related"}),
        ("relation.object:10.9999/x,relation.object-type:issn", set()),
        ("relation.object:10.9999/secret", set()),
        ("has-abstract:true", {"placed"}),
        ("has-affiliation:t", {"placed"}),
        ("has-alias:true", set()),
        ("has-archive:1", {"placed"}),
        ("has-assertion:1", {"placed"}),
        ("has-authenticated-orcid:1", {"placed"}),
        ("has-award:1", {"funded", "grant"}),
        ("has-clinical-trial-number:1", {"placed"}),
        ("has-content-domain:1", {"placed"}),
        ("has-description:1", {"placed"}),
        ("has-domain-restriction:1", {"placed"}),
        ("has-event:1", {"grant"}),
        ("has-full-text:1", {"linked"}),
        ("has-funder:1", {"funded", "grant"}),
        ("has-funder-doi:1", {"funded", "grant"}),
        ("has-license:1", {"licensed"}),
        ("has-orcid:1", {"placed"}),
        ("has-prime-doi:false", {*WORKS}),
        ("has-relation:1", {"related"}),
        ("has-ror-id:1", {"placed"}),
        ("has-update:1", {"placed"}),
        ("has-update-policy:1", {"placed"}),
        ("is-update:1", {"placed"}),
        ("is-update:0", OTHERS),
        ("from-posted-date:2016-03-01,until-posted-date:2016", {"placed"}),
        ("from-accepted-date:2015-04", set()),
        ("until-approved-date:2014-01", {"placed"}),
        ("from-awarded-date:2021-05-01,until-awarded-date:2021-05", {"grant"}),
        ("from-event-start-date:2020-02-03", {"grant"}),
        ("until-event-end-date:2020-02-04", set()),
    ],
)
def test_a_filter_finds_the_works_that_it_says(
    index: SearchIndex, filters: str, works: set[str]
) -> None:
    assert found(index, f"filter={quote(filters)}&rows=100") == works


@pytest.mark.parametrize(
    ("field", "words", "works"),
    [
        ("affiliation", "place", {"placed"}),
        ("author", "DOE", {"placed"}),
        ("chair", "chairman", {"placed"}),
        ("container-title", "journal", {"placed"}),
        ("contributor", "overset", {"placed"}),
        ("degree", "phd", {"placed"}),
        ("description", "widget", {"placed"}),
        ("editor", "fitz", {"placed"}),
        ("event-acronym", "mtg", {"grant"}),
        ("event-location", "nairobi", {"grant"}),
        ("event-name", "meeting", {"grant"}),
        ("event-sponsor", "sponsors", {"grant"}),
        ("event-theme", "widgets", {"grant"}),
        ("funder-name", "wellcome", {"funded"}),
        ("publisher-location", "boston", {"placed"}),
        ("publisher-name", "house", {"placed"}),
        ("publisher-name", "élm", OTHERS),
        ("publisher-name", "elm house", {*WORKS}),
        ("publisher-name", "nobody", set()),
        ("standards-body-acronym", "bos", {"placed"}),
        ("standards-body-name", "standards", {"placed"}),
        ("title", "study", {*WORKS}),
        ("translator", "overset", {"placed"}),
        ("bibliographic", "doe 95", {"placed"}),
    ],
)
def test_a_field_query_finds_the_works_whose_field_holds_a_word(
    index: SearchIndex, field: str, words: str, works: set[str]
) -> None:
    assert field in FIELD_QUERIES
    assert found(index, f"query.{field}={quote(words)}&rows=100") == works


@pytest.mark.parametrize(
    ("facet", "values"),
    [
        ("affiliation", {"A Place": 1}),
        ("archive", {"Portico": 1}),
        ("assertion", {"received": 1}),
        ("assertion-group", {"history": 1}),
        ("category-name", {"Pharmacy, general": 1}),
        ("container-title", {"A Journal, with commas": 1}),
        (
            "funder-doi",
            {f"https://doi.org/10.13039/{NSF}": 2, f"https://doi.org/10.13039/{WELLCOME}": 1},
        ),
        ("funder-name", {"NSF": 1, "Wellcome": 1}),
        ("journal-issue", {"7": 1}),
        ("journal-volume", {"n 95": 1}),
        ("license", {"https://a.example/by?v=(1)": 1, "https://b.example/tdm": 1}),
        ("link-application", {"a": 1, "b": 1}),
        ("orcid", {"https://orcid.org/0000-0001-5109-370X": 1}),
        ("publisher-name", {"Elm Press": 5, "A House": 1}),
        ("relation-type", {"has-part": 1, "is-preprint-of": 1}),
        ("ror-id", {"https://ror.org/05gq02987": 1}),
        ("source", {"Crossref": 6}),
        ("update-type", {"correction": 1}),
    ],
)
def test_a_facet_counts_its_values_in_the_form_of_the_wire(
    index: SearchIndex, facet: str, values: dict[str, int]
) -> None:
    asked, page = answered(index, f"rows=0&facet={facet}:*")
    message: dict[str, Any] = facets_message(asked, page.facets, OWNERS)
    assert message == {facet: {"value-count": len(values), "values": values}}


def test_a_sample_says_how_many_it_is_and_keeps_its_rows(index: SearchIndex) -> None:
    asked, page = answered(index, "sample=2&filter=is-update:0")
    assert (asked.rows, page.total, len(page.hits)) == (20, 2, 2)
    assert found(index, "sample=100") == {*WORKS}
    assert found(index, "sample=0") == {*WORKS}
