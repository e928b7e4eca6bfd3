"""Parameters: what is asked is understood, and everything that is wrong is said, in wire words."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.distribution.rest.envelope import (
    Answer,
    cursor_invalid,
    resource_not_found,
    route_not_found,
    validation_failure,
)
from services.distribution.rest.params import (
    ListQuery,
    WorksQuery,
    parse_list,
    parse_single,
    parse_works,
)
from services.distribution.rest.plan import CursorInvalid
from services.distribution.rest.routes import (
    FUNDERS,
    JOURNALS,
    KNOWN_PARAMETERS,
    LICENSES,
    MEMBERS,
    SELECTS,
    TYPES,
    WORKS,
    Route,
)
from services.distribution.search import Moment

CURSOR_ADVICE = " Use the cursor parameter to page further into result sets."

parse_members = partial(parse_list, MEMBERS)


def works(query: str) -> WorksQuery:
    parsed = parse_works(parse_qsl(query, keep_blank_values=True))
    assert isinstance(parsed, WorksQuery), parsed
    return parsed


def wrong(query: str, parse: Callable[..., Any] = parse_works) -> list[tuple[str, str, str]]:
    failures = parse(parse_qsl(query, keep_blank_values=True))
    assert isinstance(failures, list), failures
    return [(failure.type, failure.value, failure.message) for failure in failures]


def test_nothing_asked_is_the_first_twenty() -> None:
    assert works("") == WorksQuery(rows=20, offset=0)


def test_the_policy_texts_own_query_is_understood() -> None:
    asked = works("filter=has-references:true&facet=publisher-name:*&rows=0")
    assert asked.filters == (("has-references", (True,)),)
    assert asked.facets == (("publisher-name", None),)
    assert asked.rows == 0


def test_everything_at_once() -> None:
    asked = works(
        "query=fish+soup&query.author=carl&query.title=x&rows=5&offset=7&sort=updated&order=asc"
        "&filter=member:78,member:98,type:journal-article,from-pub-date:2019-02,issn:12345678"
        "&select=DOI,title&facet=type-name:5,published:*&mailto=someone@example.org"
    )
    assert (asked.query, asked.fields) == ("fish soup", (("author", "carl"), ("title", "x")))
    assert (asked.rows, asked.offset, asked.sort, asked.descending) == (
        5,
        7,
        Moment.DEPOSITED,
        False,
    )
    filters = dict(asked.filters)
    assert filters["member"] == (78, 98)
    assert filters["issn"] == ("1234-5678",)
    assert asked.facets == (("type-name", 5), ("published", None))
    assert asked.select == ("DOI", "title")
    assert asked.polite
    assert "example" not in repr(asked)


def test_a_value_may_hold_commas() -> None:
    assert dict(works("filter=type-name:Some, other,more,type:journal").filters) == {
        "type-name": ("Some, other,more",),
        "type": ("journal",),
    }
    assert dict(works("filter=type:book, has-references:1").filters)["has-references"] == (True,)


def test_a_filter_given_twice_is_one_filter_with_two_values() -> None:
    assert works("filter=type:book&filter=type:journal") == works("filter=type:book,type:journal")


@pytest.mark.parametrize("form", ["*", "t", "T", "1", "*:*"])
def test_all_facets_can_be_asked_for_at_once(form: str) -> None:
    assert dict(works(f"facet={form}").facets) == dict.fromkeys(WORKS.facets)


def test_a_facet_count_that_is_no_number_is_twenty() -> None:
    assert works("facet=type-name:x").facets == (("type-name", 20),)


@pytest.mark.parametrize(
    ("query", "failure"),
    [
        (
            "rows=things",
            (
                "integer-not-valid",
                "things",
                (
                    "Integer specified as things but must be a positive integer less than or equal"
                    " to 1000. "
                ),
            ),
        ),
        (
            "rows=1001",
            (
                "integer-not-valid",
                "1001",
                (
                    "Integer specified as 1001 but must be a positive integer less than or equal"
                    " to 1000. "
                ),
            ),
        ),
        (
            "offset=10001",
            (
                "integer-not-valid",
                "10001",
                (
                    "Integer specified as 10001 but must be a positive integer less than or equal"
                    f" to 10000. {CURSOR_ADVICE}"
                ),
            ),
        ),
        (
            "offset=9990&rows=20",
            (
                "integer-not-valid",
                "9990",
                (
                    "Integer specified as 9990 but must be a positive integer less than or equal"
                    f" to 9980. {CURSOR_ADVICE}"
                ),
            ),
        ),
        (
            "filter=member:x",
            (
                "integer-not-valid",
                "x",
                "Integer specified as x but must be a positive integer. ",
            ),
        ),
        (
            "sample=101",
            (
                "integer-not-valid",
                "101",
                (
                    "Integer specified as 101 but must be a positive integer less than or equal"
                    " to 100. "
                ),
            ),
        ),
        (
            "sample=5&rows=5",
            (
                "sample-with-rows-or-offset",
                "sample",
                "Sample cannot be combined with rows or offset",
            ),
        ),
        (
            "sample=5&cursor=*",
            (
                "cursor-with-offset-or-sample",
                "cursor",
                "Cursor cannot be combined with offset or sample",
            ),
        ),
        (
            "filter=orcid:0000-0001",
            (
                "orcid-not-valid",
                "0000-0001",
                (
                    "ORCID specified as 0000-0001 but must be of the form: aaaa-aaaa-aaaa-aaab"
                    " where a is a digit and b is a digit or 'X'"
                ),
            ),
        ),
        (
            "filter=funder:NSF",
            (
                "funder-id-not-valid",
                "NSF",
                "Funder ID specified as NSF but must be a DOI or positive integer",
            ),
        ),
        (
            "filter=award.funder:NSF",
            (
                "funder-id-not-valid",
                "NSF",
                "Funder ID specified as NSF but must be a DOI or positive integer",
            ),
        ),
        (
            "filter=license.version:final",
            (
                "version-not-valid",
                "final",
                "Version specified as final but must be one of: vor, am, tdm",
            ),
        ),
        (
            "filter=license.delay:-1",
            (
                "integer-not-valid",
                "-1",
                "Integer specified as -1 but must be a positive integer. ",
            ),
        ),
        (
            "filter=full-text.type:text/*",
            (
                "content-type-not-valid",
                "text/*",
                (
                    "Content type specified as text/* but must be a valid MIME type without"
                    " wildcards"
                ),
            ),
        ),
        (
            "filter=full-text.application:fun",
            (
                "intended-application-not-valid",
                "fun",
                (
                    "Intended application specified as fun but must be one of: unspecified,"
                    " text-mining, similarity-checking"
                ),
            ),
        ),
        (
            "filter=archive:Attic",
            (
                "archive-not-valid",
                "Attic",
                ("Archive specified as Attic but must be one of: Portico, CLOCKSS, LOCKSS, DWT"),
            ),
        ),
        (
            "filter=funder-doi-asserted-by:me",
            (
                "funder-doi-asserted-by-not-valid",
                "me",
                (
                    "Funder DOI asserted by party specified as me but must be one of: crossref,"
                    " publisher"
                ),
            ),
        ),
        (
            "cursor=*&offset=5",
            (
                "cursor-with-offset-or-sample",
                "cursor",
                "Cursor cannot be combined with offset or sample",
            ),
        ),
        (
            "order=up",
            (
                "sort-order-not-valid",
                "up",
                "Sort order specified as up but must be one of: asc, desc, 1, -1",
            ),
        ),
        (
            "cursor-max=5",
            (
                "unknown-parameter",
                "cursor-max",
                (
                    "Parameter cursor-max specified but there is no such parameter available on any"
                    " route"
                ),
            ),
        ),
        (
            "filter=has-references:maybe",
            (
                "boolean-not-valid",
                "maybe",
                "Boolean specified as maybe but must be one of: t, true, 1, f, false, 0",
            ),
        ),
        (
            "filter=from-pub-date:2019-02-30",
            (
                "date-not-legitimate",
                "2019-02-30",
                (
                    "Date 2019-02-30 specified in the correct format but represents an illegitimate"
                    " date."
                ),
            ),
        ),
        (
            "filter=until-index-date:yesterday",
            (
                "date-not-valid",
                "yesterday",
                (
                    "Date specified as yesterday but must be of the form: yyyy or yyyy-MM or"
                    " yyyy-MM-dd"
                ),
            ),
        ),
        (
            "filter=doi:5",
            (
                "doi-not-valid",
                "5",
                (
                    "DOI specified as 5 but must be of the form: 10.prefix/suffix where prefix is 4"
                    " or more digits and suffix  is a string"
                ),
            ),
        ),
        (
            "filter=prefix:1016",
            (
                "prefix-not-valid",
                "1016",
                (
                    "Prefix specified as 1016 but must be of the form: 10.digits where digits is 4"
                    " or more digits"
                ),
            ),
        ),
        (
            "filter=issn:1",
            (
                "issn-not-valid",
                "1",
                (
                    "ISSN specified as 1 but must be of the form: aaaa-aaab where a is a digit, and"
                    " b is a digit or 'X'"
                ),
            ),
        ),
        (
            "filter=reference-visibility:shut",
            (
                "reference-visibility-not-valid",
                "shut",
                "Reference visibility specified as shut but must be one of: open, limited, closed",
            ),
        ),
    ],
)
def test_each_failure_has_its_type_value_and_words(
    query: str, failure: tuple[str, str, str]
) -> None:
    assert wrong(query) == [failure]


@pytest.mark.parametrize(
    ("query", "kind", "value", "begins"),
    [
        ("select=language", "select-not-available", "language", "Select 'language' specified but"),
        (
            "facet=nope:*",
            "facet-not-available",
            "nope",
            "Facet 'nope' specified but there is no",
        ),
        ("query.nope=x", "field-query-not-available", "nope", "Field query 'nope' specified"),
        (
            "filter=relation.type:cousin",
            "relation-type-not-valid",
            "cousin",
            "Relation type specified as cousin but must be one of: is-derived-from, ",
        ),
        (
            "filter=relation.object-type:thing",
            "relation-object-type-not-valid",
            "thing",
            "Relation object type specified as thing but must be one of: doi, issn, ",
        ),
        ("filter=nope:x", "filter-not-available", "nope", "Filter 'nope' specified but there"),
        ("sort=things", "sort-field-not-valid", "things", "Sort field specified as things but"),
        (
            "filter=type:tape",
            "type-not-valid",
            "tape",
            "Type specified as tape but must be one of:",
        ),
        ("rows=1&rows=2", "integer-not-valid", "1,2", "Integer specified as 1,2 but must"),
    ],
)
def test_what_a_route_has_not_is_named_with_what_it_has(
    query: str, kind: str, value: str, begins: str
) -> None:
    ((found, given_value, message),) = wrong(query)
    assert (found, given_value) == (kind, value)
    assert message.startswith(begins)


EVERYTHING_WRONG = (
    "query.nope=1&select=w&filter=type:z,foo:1&facet=bar:2&sort=y&order=up&cursor=*&offset=x"
    "&sample=101&rows=many&nope=1"
)


def test_all_failures_are_listed_in_the_order_in_which_the_wire_looks_at_them() -> None:
    assert [(kind, value) for kind, value, _ in wrong(EVERYTHING_WRONG)] == [
        ("unknown-parameter", "nope"),
        ("sample-with-rows-or-offset", "sample"),
        ("integer-not-valid", "many"),
        ("integer-not-valid", "101"),
        ("integer-not-valid", "x"),
        ("cursor-with-offset-or-sample", "cursor"),
        ("sort-order-not-valid", "up"),
        ("sort-field-not-valid", "y"),
        ("select-not-available", "w"),
        ("facet-not-available", "bar"),
        ("filter-not-available", "foo"),
        ("type-not-valid", "z"),
        ("field-query-not-available", "nope"),
    ]


def test_what_is_no_list_of_pairs_is_said_first_and_once() -> None:
    failures = wrong("rows=x&filter=type,nope&facet=issn,nope,orcid:5")
    assert [(kind, value) for kind, value, _ in failures] == [
        ("pair-list-form-invalid", "issn,nope,orcid:5"),
        ("pair-list-form-invalid", "type,nope"),
        ("integer-not-valid", "x"),
        ("facet-not-available", "nope"),
        ("filter-not-available", "nope"),
        ("type-not-valid", None),
    ]
    assert failures[1][2] == (
        "Pair list form specified as 'type,nope' but should be of the form: key:val,...,keyN:valN"
    )
    assert " specified as  but must be one of: " in failures[-1][2]


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("filter=", ["pair-list-form-invalid", "filter-not-available"]),
        ("facet=", ["pair-list-form-invalid", "facet-not-available"]),
        ("select=", ["select-not-available"]),
    ],
)
def test_an_empty_list_has_one_name_that_is_not_available(query: str, kinds: list[str]) -> None:
    assert [kind for kind, _, _ in wrong(query)] == kinds
    assert wrong(query)[-1][1] == ""


@pytest.mark.parametrize(
    ("trailing", "same"),
    [
        ("filter=type:book,", "filter=type:book"),
        ("select=DOI,title,,", "select=DOI,title"),
        ("facet=type-name:3,", "facet=type-name:3"),
        ("filter=,&select=,&facet=,", ""),
    ],
)
def test_commas_at_the_end_of_a_list_say_nothing(trailing: str, same: str) -> None:
    assert works(trailing) == works(same)


def test_a_facet_lists_one_value_at_least_and_a_thousand_at_most() -> None:
    asked = works("facet=issn:0,orcid:1001,license:1000,source:*,archive:many").facets
    assert dict(asked) == {"issn": 1, "orcid": 1000, "license": 1000, "source": None, "archive": 20}


def test_words_are_said_as_they_came_and_blank_ones_look_for_nothing() -> None:
    assert works("query=").terms == ""
    assert works("query=+").query is None
    assert works("").terms is None


def test_a_number_is_looked_at_even_where_it_is_not_allowed() -> None:
    said = wrong("rows=abc&offset=3&sample=1000", parse_single)
    assert [(kind, value) for kind, value, _ in said] == [
        *(("parameter-not-allowed", name) for name in ("rows", "sample", "offset")),
        ("integer-not-valid", "abc"),
        ("integer-not-valid", "1000"),
    ]


@pytest.mark.parametrize("route", [MEMBERS, JOURNALS, FUNDERS, LICENSES, TYPES])
def test_an_offset_into_names_that_is_no_number_is_refused_without_a_limit(route: Route) -> None:
    ((kind, value, message),) = wrong("offset=things", partial(parse_list, route))
    assert (kind, value) == ("integer-not-valid", "things")
    assert message == "Integer specified as things but must be a positive integer. "
    ((_, _, message),) = wrong(f"offset={route.most_offset}", partial(parse_list, route))
    assert message.endswith(f"equal to {route.most_offset - 20}. {CURSOR_ADVICE}")


@pytest.mark.parametrize("parameter", [p for p in KNOWN_PARAMETERS if p != "mailto"])
def test_a_single_record_takes_no_parameter_that_would_change_it(parameter: str) -> None:
    expected = ("parameter-not-allowed", parameter, f"This route does not support {parameter}")
    assert wrong(f"{parameter}=1", parse_single) == [expected]


def test_who_is_asking_is_allowed_everywhere() -> None:
    assert not isinstance(parse_single([("mailto", "a@example.org")]), list)
    assert not isinstance(parse_members([("mailto", "a@example.org")]), list)


@given(st.lists(st.tuples(st.sampled_from(KNOWN_PARAMETERS) | st.text(), st.text())))
def test_no_parameter_stops_the_parser_and_no_failure_lacks_its_words(
    pairs: list[tuple[str, str]],
) -> None:
    for parse in (parse_works, parse_members, parse_single):
        parsed = parse(pairs)
        if isinstance(parsed, list):
            assert parsed
            assert all(failure.type and failure.message for failure in parsed)


@given(st.sampled_from(SELECTS))
def test_everything_selectable_is_selectable(name: str) -> None:
    assert works(f"select={name}").select == (name,)


def test_members_are_filtered_as_the_wire_says() -> None:
    parsed = parse_members([("filter", "has-public-references:true,prefix:10.1016")])
    assert parsed == ListQuery(
        filters=(("has-public-references", (True,)), ("prefix", ("10.1016",)))
    )
    ((kind, _, message),) = wrong("filter=backfile-doi-count:few", parse_members)
    assert kind == "integer-not-valid"
    assert message == "Integer specified as few but must be a positive integer. "


# -- Against what the real service answered.

_ERA_C = "prefix, backfile-doi-count, current-doi-count"
_ERA_B = (
    "prefix, has-public-references, reference-visibility, backfile-doi-count, current-doi-count"
)
"""The members' filters since the setting was withdrawn there, and with it (crossref.md 1.5)."""


def exchange(samples: Path, name: str) -> dict[str, Any]:
    file = samples / "crossref" / "exchanges" / f"{name}.json"
    if not file.is_file():
        pytest.skip(f"the sample {file.name} is absent")
    loaded: dict[str, Any] = json.loads(file.read_text())
    return loaded


def asked(recorded: dict[str, Any]) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(recorded["request"]["uri"]).query, keep_blank_values=True)


@pytest.mark.parametrize(
    ("name", "parse"),
    [
        ("400_works_10_1371_journal_pone_0033693_query_author_carl_boettiger", parse_single),
        ("400_prefixes_10_1371_query_editor_cooper", parse_single),
        ("400_funders_10_13039_100000001_query_container_title_engineering", parse_single),
        ("400_journals_2167_8359_query_bibliographic_fish", parse_single),
        ("400_members_filter_has_full_text_true", parse_members),
        ("400_journals_sort_things", partial(parse_list, JOURNALS)),
        ("400_journals_filter_has_assertion_true", partial(parse_list, JOURNALS)),
        ("400_funders_filter_has_assertion_true", partial(parse_list, FUNDERS)),
        ("400_funders_sample_2", partial(parse_list, FUNDERS)),
    ],
)
def test_failures_equal_those_of_the_real_service(
    samples: Path, name: str, parse: Callable[..., Any]
) -> None:
    recorded = exchange(samples, name)
    answer = validation_failure(parse(asked(recorded)))
    expected = json.dumps(recorded["response"]["body"]).replace(_ERA_C, _ERA_B)
    assert json.dumps(json.loads(answer.body)) == expected
    assert answer.status == recorded["response"]["status"]
    assert answer.content_type == recorded["response"]["headers"]["content-type"]


@pytest.mark.parametrize(
    ("name", "looked_for"),
    [
        ("404_members_121212121212_works", "work-list"),
        ("404_prefixes_10_9999_works", "work-list"),
        ("404_funders_10_13039_notarealdoi_works", "work-list"),
        ("404_journals_4444_4444_works", "work-list"),
        ("404_types_tape_works", "work-list"),
        ("404_works_5_agency", "work-agency"),
    ],
)
def test_an_unknown_id_is_answered_as_the_real_service_does(
    samples: Path, name: str, looked_for: str
) -> None:
    recorded = exchange(samples, name)["response"]
    assert resource_not_found(looked_for) == Answer(
        recorded["status"], recorded["headers"]["content-type"], recorded["body"].encode()
    )


@pytest.mark.parametrize(
    "name",
    [
        "200_members_2984_works_rows_0_facet_issn",
        "200_members_98_works_rows_3_select_DOI_title",
        "200_members_98_works_rows_5_cursor",
        "200_members_98_works_rows_7_query_author_carl_boettiger",
        "200_prefixes_10_1016_works_rows_2",
        "200_works_query_ecology_query_author_carl_boettiger",
        "200_works_query_ecology_rows_3_select_DOI_title_author_published",
        "200_works_rows_2",
        "200_journals_2167_8359_works_filter_type_journal_article_query_bibliographic_fish",
        "200_journals_2167_8359_works_query_ecology_sort_score_order_desc",
        "200_types_journal_article_works",
        "200_funders_10_13039_100000001_works_filter_has_assertion_true",
        "200_journals_1803_2427_works",
        "200_works_query_publisher_name_Universidade_Federal_de_Santa_Maria",
        "200_works_query_widget_cursor_next_04bc53",
        "200_works_sample_2",
        "200_works_sample_5",
    ],
)
def test_what_the_real_service_answers_is_asked_for_without_failure(
    samples: Path, name: str
) -> None:
    recorded = exchange(samples, name)
    parsed = parse_works(asked(recorded))
    assert isinstance(parsed, WorksQuery), parsed
    assert parsed.rows == recorded["response"]["body"]["message"]["items-per-page"]


# What the documents of api.crossref.org name (crossref.md 1.4, 1.5, 1.7).
_FILTERS = """
    has-references reference-visibility citation-id doi member prefix type type-name issn isbn orcid
    ror-id container-title group-title publisher-name affiliation category-name article-number
    alternative-id archive has-abstract has-affiliation has-alias has-archive has-assertion
    has-authenticated-orcid has-award has-clinical-trial-number has-content-domain has-description
    has-domain-restriction has-event has-full-text has-funder has-funder-doi has-license has-orcid
    has-prime-doi has-relation has-ror-id has-update has-update-policy is-update updates update-type
    assertion assertion-group content-domain clinical-trial-number award.funder award.number
    gte-award-amount lte-award-amount funder funder-doi-asserted-by license.url license.version
    license.delay full-text.type full-text.version full-text.application relation.type
    relation.object relation.object-type
"""
_DATED = """
    index deposit update created pub issued online-pub print-pub posted accepted approved awarded
    event-start event-end
"""
_FACETS = """
    affiliation archive assertion assertion-group category-name container-title funder-doi
    funder-name issn journal-issue journal-volume license link-application orcid published
    publisher-name relation-type ror-id source type-name update-type
"""
_FIELDS = """
    affiliation author bibliographic chair container-title contributor degree description editor
    event-acronym event-location event-name event-sponsor event-theme funder-name publisher-location
    publisher-name standards-body-acronym standards-body-name title translator
"""
_SORTS = """
    created deposited indexed is-referenced-by-count issued published published-online
    published-print references-count relevance score updated
"""


def test_the_works_routes_take_all_that_the_wire_names_and_nothing_else() -> None:
    dated = {f"{end}-{name}-date" for end in ("from", "until") for name in _DATED.split()}
    assert set(WORKS.filters) == {*_FILTERS.split(), *dated}
    assert set(WORKS.facets) == set(_FACETS.split())
    assert set(WORKS.fields) == set(_FIELDS.split())
    assert set(WORKS.sorts) == set(_SORTS.split())


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ("select=nope", ["abstract", "URL", "resource"], "editor"),
        ("query.nope=x", ["affiliation", "degree", "event-acronym"], "event-sponsor"),
        ("sort=nope", ["score", "created", "issued"], "deposited"),
        ("facet=nope:1", ["*", "affiliation", "funder-name"], "assertion-group"),
    ],
)
def test_a_failure_lists_names_in_the_order_of_the_wire(
    query: str, first: list[str], last: str
) -> None:
    ((_, _, message),) = wrong(query)
    listed = message.rpartition(": ")[2].split(", ")
    assert (listed[:3], listed[-1]) == (first, last)


def test_a_failure_lists_the_filters_in_the_order_of_the_wire() -> None:
    ((_, _, message),) = wrong("filter=nope:1")
    listed = message.partition("are: ")[2].split(", ")
    assert listed[:3] == ["until-approved-date", "has-assertion", "from-print-pub-date"]
    assert listed == list(WORKS.filters)


def test_a_sample_of_none_is_a_list() -> None:
    assert works("sample=0&rows=5") == works("rows=5")
    assert works("sample=100").sample == 100


def test_the_two_error_bodies_without_a_record_are_as_documented() -> None:
    thing = cursor_invalid(CursorInvalid("thing"))
    assert (thing.status, thing.content_type) == (404, "application/json")
    assert thing.body == (
        b'{"status":"failed","message-type":"resource-failure","message":[{"type":"cursor-invalid"'
        b',"value":"thing","message":"Cursor specified but it is invalid"}]}'
    )
    lost = route_not_found()
    assert lost.status == 404
    assert lost.body == (
        b'{"status":"error","message-type":"route-not-found","message-version":"1.0.0",'
        b'"message":"Route not found"}'
    )
