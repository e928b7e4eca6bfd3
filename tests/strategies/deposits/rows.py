"""Values of rows by their kind, and what an element of a table may say."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from hypothesis import strategies as st

from services.deposits.crossref.people import INSTITUTION
from services.deposits.crossref.rows import Row, Table
from services.deposits.crossref.vocabulary import PEOPLE_KEYS, UPDATE_LABELS
from tests.strategies.deposits import grants
from tests.strategies.deposits.values import (
    CITATION_TYPES,
    LANGUAGES,
    POSTED_TYPES,
    Fragment,
    Work,
    abstracts,
    assertions,
    days,
    dois,
    domains,
    free,
    full_days,
    funders,
    in_order,
    institution_ids,
    isbns,
    issns,
    licence,
    lines,
    links,
    media,
    names,
    orcid,
    parents,
    partials,
    plain_titles,
    record,
    relations,
    roles,
    targets,
    texts,
    titles,
    trials,
    update,
    urls,
)

# -- values by kind ----------------------------------------------------------------------------


def one(key: str, value: st.SearchStrategy[Any]) -> Fragment:
    """Return a fragment with one key."""
    return value.map(lambda v: {key: v})


Values = Callable[[Row], Fragment]


def _single(value: st.SearchStrategy[Any]) -> Values:
    """Return fragments of a row's key: the value, or a short list where the row has many."""

    def fragments(row: Row) -> Fragment:
        listed = st.lists(value, min_size=1, max_size=3)
        return one(row.key, listed if row.many else value)

    return fragments


def _fragment(fragment: Fragment) -> Values:
    return lambda _: fragment


def _reference_number(key: str, kind: str, number: st.SearchStrategy[str]) -> Fragment:
    uri = number.map(lambda n: f"https://id.crossref.org/{key.lower()}/{n}")
    return record(**{key: uri, kind: media})


def _reviewed(value: st.SearchStrategy[str]) -> Values:
    """Return fragments of a field of `review`."""
    return lambda row: one("review", value.map(lambda v: {row.keys[0].removeprefix("review."): v}))


def numbered(key: str, number: st.SearchStrategy[str], *, most: int = 3) -> Fragment:
    """Return ISSNs or ISBNs under their key and under that of their media."""
    return st.lists(record(type=media, value=number), min_size=1, max_size=most).map(
        lambda found: {key: [n["value"] for n in found], f"{key.lower()}-type": found}
    )


def _nothing() -> Fragment:
    return st.just({})


_named = one("container-title", st.lists(titles, min_size=1, max_size=1))
_PLAIN = ("proceedings_title",)  # titles in which the schema has no markup
_LEAST = {"conference_name": 3}  # characters, where the schema wants more than 2

VALUES: dict[str, Values] = {
    "text": lambda row: _single(texts(least=_LEAST.get(row.element, 2)))(row),
    "short": _single(texts(12)),
    "loose": _single(texts(30)),
    "numbering": _single(texts(10)),
    "title": lambda row: _single(plain_titles if row.element in _PLAIN else titles)(row),
    "journal-title": _single(plain_titles),
    "abstract": _single(abstracts),
    "language": _single(st.sampled_from(LANGUAGES)),
    "name": _single(names()),
    "surname": _single(names()),
    "suffix": _single(texts(6)),
    "archive": _single(st.sampled_from(("CLOCKSS", "LOCKSS", "Portico", "KB", "DWT"))),
    "identifier": _single(texts(16)),
    "posted-type": _single(st.sampled_from(POSTED_TYPES)),
    "date": lambda row: one(row.key, full_days if row.element == "review_date" else partials),
    "page": _single(texts(12)),
    "key": _single(lines(12)),
    "citation-type": lambda _: _nothing() | one("type", st.sampled_from(CITATION_TYPES)),
    "standards-body": _single(texts(16)),
    "designator": _single(texts(16, least=2)),
    "sequence": _single(st.sampled_from(("first", "additional"))),
    "role": lambda row: _nothing() if row.since != "4.3.0" else one("role", roles),
    "affiliation": lambda _: _nothing(),  # the 4.x form; the writer speaks 5.x
    "institution-id": _single(institution_ids),
    "institution": lambda row: one(row.key, st.lists(_institutions(), min_size=1, max_size=2)),
    "affiliations": lambda _: one("affiliation", st.lists(_institutions(), max_size=2)),
    "alt-name": lambda _: one("alternate-name", st.lists(lines(12), min_size=1, max_size=2)),
    "orcid": _fragment(
        record(
            **{
                "ORCID": st.integers(0, 10**15 - 1).map(orcid),
                "authenticated-orcid": st.booleans(),
            }
        )
    ),
    "contributors": lambda row: _people(row.inside),
    "person": lambda row: said(inside(row), always=("sequence", "role", "surname", "affiliations")),
    "organization": lambda row: said(inside(row), always=("sequence", "role", "text")).map(
        lambda person: {
            **person,
            "name": " ".join(filter(None, re.split(r"[ \n]+", person["name"]))),
        }
    ),
    "anonymous": lambda row: said(inside(row), always=("sequence", "role", "affiliations")).map(
        lambda person: {**person, "name": "Anonymous"}
    ),
    "publication-dates": lambda row: st.dictionaries(
        st.sampled_from(row.keys), partials, min_size=1
    ),
    "issue-dates": lambda _: one(
        "journal-issue",
        st.dictionaries(st.sampled_from(("published-print", "published-online")), partials),
    ),
    "issn": _fragment(numbered("ISSN", issns)),
    "isbn": _fragment(numbered("ISBN", isbns)),
    "article-number": _fragment(one("article-number", texts(12))),
    "version": lambda row: one("version", said(inside(row), always=("short",))),
    "doi": _fragment(one("DOI", dois)),
    "timestamp": lambda _: _nothing(),  # no part of the work object
    "url": _fragment(one("resource", urls.map(lambda url: {"primary": {"URL": url}}))),
    "links": _fragment(
        st.fixed_dictionaries(
            {},
            optional={
                "link": links.map(in_order),
                "resource": st.lists(targets, min_size=1, max_size=2).map(
                    lambda targets: {"secondary": targets}
                ),
            },
        )
    ),
    "references": lambda row: one("reference", references(inside(row))),
    "reference": lambda _: _nothing(),
    "reference-issn": _fragment(_reference_number("ISSN", "issn-type", issns)),
    "reference-isbn": _fragment(
        _reference_number("ISBN", "isbn-type", st.from_regex(r"\A978[0-9]{10}\Z"))
    ),
    "reference-doi": _fragment(
        record(**{"DOI": dois.map(str.upper), "doi-asserted-by": st.just("publisher")})
    ),
    "policy": _fragment(one("update-policy", dois.map("https://doi.org/".__add__))),
    "domains": _fragment(one("content-domain", record(domain=domains))),
    "domain-exclusive": _fragment(
        one("content-domain", record(**{"crossmark-restriction": st.booleans()}))
    ),
    "update": _single(st.builds(update, dois, st.sampled_from(sorted(UPDATE_LABELS)), days)),
    "assertion": _single(assertions),
    "funder": _single(funders()),
    "free-to-read": _single(free),
    "license": _single(
        st.builds(licence, st.sampled_from(("vor", "am", "tdm", "unspecified")), urls, days)
    ),
    "trial": _single(trials),
    "relation": _fragment(one("relation", relations)),
    "series": _fragment(
        st.tuples(
            one("container-title", st.lists(titles, min_size=1, max_size=1)),
            numbered("ISSN", issns),
        ).map(lambda found: found[0] | found[1])
    ),
    "set": _fragment(
        st.fixed_dictionaries(
            {"container-title": st.lists(titles, min_size=1, max_size=1)},
            optional={"part-number": texts(12)},
        )
    ),
    "event": lambda row: one(row.key, said(inside(row), always=("conference_name",))),
    "event-dates": _fragment(
        st.dictionaries(st.sampled_from(("start", "end")), partials, min_size=1)
    ),
    "standards-body-of": lambda row: one(
        row.key, said(inside(row), always=("standards_body_name", "standards_body_acronym"))
    ),
    "parent": _fragment(one("relation", parents)),
    "targets": _fragment(
        one("link", links.map(in_order))
        | one("resource", record(secondary=st.lists(targets, min_size=1, max_size=2)))
    ),
    "review-stage": _reviewed(st.sampled_from(("pre-publication", "post-publication"))),
    "review-type": _reviewed(st.sampled_from(("referee-report", "author-comment", "aggregate"))),
    "review-recommendation": _reviewed(st.sampled_from(("major-revision", "reject", "accept"))),
    "review-round": _reviewed(st.integers(0, 20).map(str)),
    "review-language": _reviewed(st.sampled_from(LANGUAGES)),
    "review-statement": _reviewed(texts(30)),
    "review-number": _reviewed(texts(8)),
    "project": _single(grants.projects),
    "worded": lambda row: one(row.key, st.lists(grants.worded("title"), min_size=1)),
    "amount": _single(grants.amounts),
    "ror": _single(grants.rors),
    "award-start": _fragment(grants.starts),
}


def inside(row: Row) -> Table:
    """Return the table of a composite row."""
    assert row.inside is not None
    return row.inside


def _institutions() -> Fragment:
    return said(INSTITUTION, always=("text",))


def _people(table: Table | None) -> Fragment:
    assert table is not None
    made = [VALUES[row.kind](row) for row in table.rows]
    person = st.one_of(made[0], made[0], *made)  # most contributors are people

    def by_key(people: list[Work]) -> Work:
        found: Work = {}
        for made in people:
            whole = {"affiliation": [], **made}
            key = PEOPLE_KEYS.get(whole["role"][0]["role"], "contributor")
            found.setdefault(key, []).append(whole)
        return found

    return st.lists(person, min_size=1, max_size=4).map(by_key)


def references(table: Table) -> st.SearchStrategy[list[Work]]:
    """Return reference lists with keys that are unique."""
    reference = said(table, always=("key",))
    return st.lists(reference, min_size=1, max_size=4, unique_by=lambda r: r["key"])


# -- tables ------------------------------------------------------------------------------------


def said(table: Table, *, always: Iterable[str] = (), skip: Iterable[str] = ()) -> Fragment:
    """Return what an element of a table may say, merged.

    `always` and `skip` name kinds or elements: the first row of each in `always` is never left
    out, and none of those in `skip` are said.
    """
    needed, left_out = set(always), set(skip)
    parts: list[Fragment] = []
    for row in table.rows:
        if row.read is None or row.kind in left_out or row.element in left_out:
            continue
        if row.kind:
            fragment = VALUES[row.kind](row)
            if named := needed & {row.kind, row.element}:
                needed -= named
            else:
                fragment = _nothing() | fragment
        elif row.inside is not None:
            fragment = said(row.inside, always=always, skip=skip)
        else:
            continue
        parts.append(fragment)
    return st.tuples(*parts).map(merged)


def merged(fragments: Iterable[Work]) -> Work:
    """Return fragments as one: lists are joined, dicts merged, else the first value stands."""
    whole: Work = {}
    for fragment in fragments:
        for key, value in fragment.items():
            known = whole.get(key)
            if isinstance(known, dict) and isinstance(value, dict):
                whole[key] = known | value
            elif isinstance(known, list) and isinstance(value, list):
                whole[key] = known + value
            else:
                whole.setdefault(key, value)
    return whole
