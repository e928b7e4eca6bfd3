"""OAI-PMH, its pure parts: arguments, spans, sets, identifiers, tokens, Dublin Core."""

import base64
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from services.distribution.oai import verbs
from services.distribution.oai.datestamps import Span, span_of, written
from services.distribution.oai.dublin_core import dublin_core
from services.distribution.oai.faults import Fault
from services.distribution.oai.identifiers import dois_of, identifier_of
from services.distribution.oai.sets import (
    FAMILIES,
    clauses_of,
    specs_of,
    title_of,
    token_of,
)
from services.distribution.oai.tokens import Walk, read_token, write_token
from services.distribution.rest.types import TYPE_LABELS
from services.distribution.search import After, FromStart, OneOf, Term
from services.distribution.search.keys import seconds_of

KEY = b"k" * 32
TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
KINDS = st.sampled_from(("journal", "book", "conference"))
OWNERS = st.from_regex(r"10\.[0-9]{4,9}", fullmatch=True)
SPEC = re.compile(r"[A-Za-z0-9\-_.!~*'()]+(:[A-Za-z0-9\-_.!~*'()]+)*")


def code(question: Any) -> str:
    with pytest.raises(Fault) as caught:
        question()
    return caught.value.code


@given(TEXT)
def test_an_identifier_is_a_uri_that_leads_back_to_its_doi(rest: str) -> None:
    doi = f"10.1002/{rest}".lower()
    identifier = identifier_of(doi)
    assert re.fullmatch(r"info:doi/[!-~]+", identifier)
    assert not set(identifier) & set('<>"{}|\\^`')
    assert dois_of(identifier)[0] == doi
    assert doi in dois_of(f"INFO:DOI/{doi}")


@pytest.mark.parametrize("other", ["", "10.1/a", "oai:crossref.org:10.1/a", "doi:10.1/a"])
def test_what_is_no_identifier_of_a_doi_names_nothing(other: str) -> None:
    assert dois_of(other) == ()


@given(KINDS, TEXT)
def test_a_title_has_one_token_that_is_legal_in_a_set_and_leads_back_to_it(
    kind: str, rest: str
) -> None:
    title = f"{kind}:{rest}"
    assert SPEC.fullmatch(token_of(title))
    assert ":" not in token_of(title)
    assert title_of(token_of(title)) == title


@given(TEXT)
def test_no_two_tokens_name_one_title(token: str) -> None:
    found = title_of(token)
    assert found is None or token_of(found) == token


def test_tokens_of_usual_titles_can_be_read() -> None:
    assert token_of("journal:1234-567x") == "journal.1234-567x"
    assert token_of("book:9780000000002") == "book.9780000000002"


def test_every_type_of_work_is_in_one_family() -> None:
    families = list(FAMILIES.values())
    assert frozenset().union(*families) == frozenset(TYPE_LABELS)
    assert sum(len(kinds) for kinds in families) == len(TYPE_LABELS)


@given(st.sampled_from(sorted(TYPE_LABELS)), OWNERS, st.none() | st.tuples(KINDS, TEXT))
def test_a_work_is_found_by_every_set_that_its_header_names(
    kind: str, owner: str, named: tuple[str, str] | None
) -> None:
    title = named and ":".join(named)
    has = {Term.TYPE: kind, Term.OWNER: owner, Term.STANDING: f"{title}|{owner}"}
    specs = specs_of(kind, owner, title)
    assert len(specs) == (2 if title is None else 3)
    for spec in specs:
        assert SPEC.fullmatch(spec)
        clauses = clauses_of(spec)
        assert clauses
        assert all(isinstance(one, OneOf) and has[one.field] in one.values for one in clauses)


@pytest.mark.parametrize("spec", ["X", "J:10.1:a", "J:10.1:journal.a:b", "j", "J:10.1:journal.~zz"])
def test_there_can_be_no_such_set(spec: str) -> None:
    assert clauses_of(spec) is None


@pytest.mark.parametrize("spec", ["", ":", "J:", "J::x", "J 1", "J:ü", "J:<"])
def test_what_is_no_set_spec_is_a_bad_argument(spec: str) -> None:
    assert code(lambda: clauses_of(spec)) == "badArgument"


@given(st.integers(seconds_of("0001-01-01T00:00:00Z"), seconds_of("9999-12-31T23:59:59Z")))
def test_a_datestamp_says_its_second_and_asks_for_it(second: int) -> None:
    said = written(second)
    assert seconds_of(said) == second
    assert span_of(said, said) == Span(second, second)
    assert span_of(said[:10], said[:10]).holds(second)


@pytest.mark.parametrize(
    ("from_", "until"),
    [
        ("2026-02-30", None),
        ("2026", None),
        ("2026-01-01T00:00:00", None),
        ("2026-01-01T00:00:00+01:00", None),
        ("2026-01-01T24:00:00Z", None),
        ("2026-01-01T00:00:60Z", None),
        ("2026-01-01T00:00:00.5Z", None),
        (None, "\u0662\u0660\u0662\u0666-01-01"),
        ("2026-01-02", "2026-01-01"),
        ("2026-01-01", "2026-01-01T00:00:00Z"),
    ],
)
def test_a_span_is_refused(from_: str | None, until: str | None) -> None:
    assert code(lambda: span_of(from_, until)) == "badArgument"


ARGUMENTS = st.dictionaries(st.sampled_from(("from", "until", "set", "metadataPrefix")), TEXT)
WALKS = st.builds(
    Walk,
    st.sampled_from(("ListRecords", "ListIdentifiers", "ListSets")),
    ARGUMENTS,
    st.integers(0, 10**9),
    st.builds(After, st.integers(0, 2**64 - 1), TEXT) | st.builds(FromStart),
)


@given(WALKS)
def test_a_token_is_the_list_that_it_was_made_of(walk: Walk) -> None:
    assert read_token(write_token(walk, key=KEY), verb=walk.verb, key=KEY) == walk


@given(WALKS, st.data())
def test_an_altered_token_is_refused(walk: Walk, data: st.DataObject) -> None:
    token = write_token(walk, key=KEY)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from([one for one in "Aa0-_.=z~" if one != token[place]]))
    altered = token[:place] + other + token[place + 1 :]
    if _raw(altered) != _raw(token):  # unused bits of base64 say nothing
        assert code(lambda: read_token(altered, verb=walk.verb, key=KEY)) == "badResumptionToken"


def _raw(token: str) -> list[bytes]:
    try:
        parts = token.split(".")
        return [
            base64.b64decode(one + "=" * (-len(one) % 4), b"-_", validate=True) for one in parts
        ]
    except ValueError:
        return []


@given(WALKS)
def test_a_token_of_another_registry_or_verb_is_refused(walk: Walk) -> None:
    token = write_token(walk, key=KEY)
    assert code(lambda: read_token(token, verb=walk.verb, key=b"o")) == "badResumptionToken"
    assert code(lambda: read_token(token, verb="GetRecord", key=KEY)) == "badResumptionToken"


@given(st.text())
def test_no_text_that_is_no_token_is_taken_for_one(text: str) -> None:
    assert code(lambda: read_token(text, verb="ListRecords", key=KEY)) == "badResumptionToken"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("", "badVerb"),
        ("verb=identify", "badVerb"),
        ("verb=Identify&verb=Identify", "badVerb"),
        ("verb=Identify&metadataPrefix=oai_dc", "badArgument"),
        ("verb=GetRecord&metadataPrefix=oai_dc", "badArgument"),
        ("verb=ListSets&set=J", "badArgument"),
        ("verb=ListRecords&metadataPrefix=", "badArgument"),
        ("verb=ListRecords&metadataPrefix=a&metadataPrefix=a", "badArgument"),
        ("verb=ListRecords&metadataPrefix=a b", "badArgument"),
        ("verb=ListRecords&metadataPrefix=a&set=\x00", "badArgument"),
        ("verb=ListRecords&resumptionToken=x&metadataPrefix=a", "badArgument"),
        ("verb=GetRecord&resumptionToken=x", "badArgument"),
        ("verb=ListRecords&metadataPrefix=a&nonsense=1", "badArgument"),
    ],
)
def test_a_question_that_is_not_the_protocol_s_is_refused(said: str, expected: str) -> None:
    pairs = [tuple(one.split("=", 1)) for one in said.split("&") if one]
    assert code(lambda: verbs.read(pairs)) == expected  # type: ignore[arg-type]


def test_what_a_sender_made_up_is_not_said_back() -> None:
    with pytest.raises(Fault) as caught:
        verbs.read([("verb", "Identify"), ("<script>", "x")])
    assert "script" not in caught.value.says


def test_only_the_old_manner_has_a_format_where_none_is_named() -> None:
    pairs = [("verb", "ListRecords"), ("set", "J")]
    assert code(lambda: verbs.read(pairs)) == "badArgument"
    asked = verbs.read(pairs, verbs.AS_BEFORE)
    assert asked.arguments == {"set": "J", "metadataPrefix": "cr_unixml"}
    assert asked.said == {"set": "J"}
    assert verbs.read([("verb", "ListSets")], verbs.AS_BEFORE).arguments == {}


def test_dublin_core_says_what_a_work_is_without_its_references() -> None:
    root = etree.fromstring(
        dublin_core(
            {
                "DOI": "10.1/a",
                "URL": "https://doi.org/10.1/a",
                "type": "journal-article",
                "title": ["On <i>things</i> &amp; \x01more"],
                "subtitle": ["A study"],
                "author": [{"given": "Ada", "family": "Lovelace"}, {"name": "The Club"}],
                "editor": [{"family": "Only"}],
                "published": {"date-parts": [[2020, 5, None]]},
                "container-title": ["On Things"],
                "ISSN": ["1234-5679"],
                "ISBN": ["http://id.crossref.org/isbn/9780000000002"],
                "license": [{"URL": "https://licence.example/"}],
                "reference": [{"key": "1", "unstructured": "secret"}],
                "relation": {"cites": [{"id": "secret"}]},
            }
        )
    )
    said = [(etree.QName(one).localname, one.text) for one in root]
    assert said == [
        ("title", "On things & more"),
        ("title", "A study"),
        ("creator", "Lovelace, Ada"),
        ("creator", "The Club"),
        ("contributor", "Only"),
        ("date", "2020-05"),
        ("type", "journal-article"),
        ("identifier", "https://doi.org/10.1/a"),
        ("identifier", "info:doi/10.1/a"),
        ("identifier", "urn:isbn:9780000000002"),
        ("source", "On Things"),
        ("source", "urn:issn:1234-5679"),
        ("rights", "https://licence.example/"),
    ]
