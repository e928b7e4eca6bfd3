"""Works of every kind of record: what its own table says, and what the parts around it lend.

What is lent is stated here a second time, on purpose: it is what the law compares with.
"""

from collections.abc import Iterable

from hypothesis import strategies as st

from services.deposits.crossref import kinds
from services.deposits.crossref.kinds.books import ITEM_TYPES
from services.deposits.crossref.kinds.common import INSTITUTION_ROW, LANGUAGE_ROW
from services.deposits.crossref.rows import Table
from tests.strategies.deposits.records import finished, one_title, own
from tests.strategies.deposits.rows import (
    VALUES,
    merged,
    numbered,
    one,
    said,
)
from tests.strategies.deposits.values import (
    Fragment,
    Work,
    isbns,
    issns,
    partials,
    plain_titles,
    texts,
    titles,
)

# -- journals ----------------------------------------------------------------------------------

_LENT = ("language", "archive", "doi_data")  # written with the article itself
_JOURNAL = said(kinds.JOURNAL, always=("journal-title", "issn"), skip=_LENT)
_ISSUE = said(kinds.ISSUE, skip=_LENT)
_ARTICLE = own(kinds.ARTICLE, "title", "publication-dates")


@st.composite
def articles(draw: st.DrawFn) -> Work:
    """Return the work object of a journal article."""
    work, issue, article = draw(_JOURNAL), dict(draw(_ISSUE)), draw(_ARTICLE)
    dated = issue.pop("journal-issue", {})
    if "issue" in issue:
        issue["journal-issue"] = {"issue": issue["issue"], **dated}
    return finished({**work, **issue, **article}, "journal-article")


_JOURNAL_RECORD = own(kinds.JOURNAL, "journal-title", "issn")
# The volume inside may be a record too; here it only says its number.
_ISSUE_RECORD = st.tuples(
    st.just({}) | one("volume", texts(12)),
    own(kinds.ISSUE_RECORD, "publication-dates", skip=("journal_volume",)),
).map(merged)
_VOLUME_RECORD = own(kinds.VOLUME, "volume")
_SPELT = {"container-title": "title", "short-container-title": "short-title"}


@st.composite
def journals(draw: st.DrawFn) -> Work:
    """Return the work object of a journal, an issue or a volume, as a record of its own."""
    kind = draw(st.sampled_from(("journal", "journal-issue", "journal-volume")))
    if kind == "journal":
        work = draw(_JOURNAL_RECORD)
        return finished({_SPELT.get(key, key): work[key] for key in work}, kind)
    if kind == "journal-volume":
        return finished({**draw(_JOURNAL), **draw(_VOLUME_RECORD)}, kind)
    work = {**draw(_JOURNAL), **one_title(draw(_ISSUE_RECORD))}
    if "issue" in work:
        dates = {k: work[k] for k in ("published-print", "published-online") if k in work}
        work["journal-issue"] = {"issue": work["issue"], **dates}
    return finished(work, kind)


# -- what stands around a record ---------------------------------------------------------------

_TITLED = one("container-title", st.lists(titles, min_size=1, max_size=1))
_NUMBERED = st.just({}) | numbered("ISBN", isbns)
_PUBLISHER = st.fixed_dictionaries(
    {"publisher": texts(least=2)}, optional={"publisher-location": texts(least=2)}
)
_EDITION = st.just({}) | one("edition-number", texts(12))
_IN_SERIES = st.tuples(_TITLED, numbered("ISSN", issns)).map(merged)


def _around(
    *further: Fragment, outer: Fragment = _IN_SERIES, titled: Fragment = _TITLED
) -> Fragment:
    """Return what a container lends: its title, that of its series or set, numbers, publisher."""
    inner = (titled, _NUMBERED, _PUBLISHER, *further)
    alone = st.tuples(*inner)
    within = st.tuples(outer, *inner)
    only_series = st.tuples(_IN_SERIES, *inner[1:])
    return st.one_of(alone, within, only_series).map(merged)


_BOOK_AROUND = _around(_EDITION, outer=_IN_SERIES | _TITLED)
_INSTITUTION = VALUES["institution"](INSTITUTION_ROW)
_REPORT_AROUND = _around(_EDITION, st.just({}) | _INSTITUTION)
_EVENT = VALUES["event"](next(row for row in kinds.CONFERENCE.rows if row.kind == "event"))
_PAPER_AROUND = _around(
    _EVENT, titled=one("container-title", st.lists(plain_titles, min_size=1, max_size=1))
)
_LANGUAGE = st.just({}) | VALUES["language"](LANGUAGE_ROW)
_DATABASE_AROUND = st.tuples(
    _TITLED, st.just({}) | _PUBLISHER, st.just({}) | _INSTITUTION, _LANGUAGE
).map(merged)


def _made(kind: str, *fragments: Fragment) -> Fragment:
    """Return works of a kind whose own fragment, the last one, comes before what it is lent."""
    return st.tuples(*fragments).map(lambda found: finished(one_title(_layered(found)), kind))


def _layered(found: tuple[Work, ...]) -> Work:
    work: Work = {}
    for fragment in found:
        work |= fragment
    return work


def _of(types: Iterable[str], *fragments: Fragment) -> Fragment:
    return st.sampled_from(sorted(types)).flatmap(lambda kind: _made(kind, *fragments))


# -- books -------------------------------------------------------------------------------------

_PUBLISHED = ("title", "publication-dates", "publisher_name")
_BOOK_TYPES = ("monograph", "edited-book", "reference-book", "book")
books: Fragment = st.one_of(
    *(
        _of(_BOOK_TYPES, own(table, *_PUBLISHED, "series", "set"))
        for table in (kinds.BOOK, kinds.BOOK_IN_SERIES, kinds.BOOK_IN_SET)
    ),
    _made("book-series", own(kinds.SERIES, "title", "issn")),
    _made("book-set", own(kinds.SET, "title")),
)
_ITEM = own(kinds.CONTENT_ITEM, "title")
content_items: Fragment = _of((*ITEM_TYPES.values(), "other"), _BOOK_AROUND, _ITEM)

# -- conferences -------------------------------------------------------------------------------

_PEOPLE = said(kinds.CONFERENCE, always=("event",))
conferences: Fragment = st.one_of(
    _made("proceedings-article", _PAPER_AROUND, own(kinds.PAPER, "title")),
    *(
        _made("proceedings", _PEOPLE, own(table, *_PUBLISHED, "series"))
        for table in (kinds.PROCEEDINGS, kinds.PROCEEDINGS_IN_SERIES)
    ),
    _made("proceedings-series", own(kinds.SERIES, "title", "issn")),
)

# -- dissertations, reports, standards ---------------------------------------------------------

dissertations: Fragment = _made(
    "dissertation",
    own(
        kinds.DISSERTATION,
        *("title", "contributors", "date", "institution"),
        skip=("person_name",),
    ),
)
reports: Fragment = st.one_of(
    _made("report", own(kinds.REPORT, *_PUBLISHED)),
    _made("report", own(kinds.REPORT_IN_SERIES, *_PUBLISHED, "series")),
    _made("report-series", own(kinds.SERIES, "title", "issn")),
    _made("report-component", _REPORT_AROUND, _ITEM),
)
_STANDARD = _made(
    "standard",
    own(kinds.STANDARD, "title", "publisher_name", "standards_body", skip=("designators",)),
)
_LENT_BY_STANDARD = (
    *("ISBN", "isbn-type", "publisher", "publisher-location", "edition-number"),
    *("standards-body", "language"),
)


@st.composite
def standards(draw: st.DrawFn) -> list[Work]:
    """Return a standard and parts of it, whose schema wants the standard's own record."""
    whole = draw(_STANDARD)
    lent = {key: whole[key] for key in _LENT_BY_STANDARD if key in whole}
    lent["container-title"] = whole["title"]
    items = draw(st.lists(_ITEM, max_size=2))
    return [whole, *(finished(one_title({**lent, **item}), "other") for item in items)]


# -- databases, peer reviews, components -------------------------------------------------------

databases: Fragment = st.one_of(
    _made("database", own(kinds.DATABASE, "title", "publisher_name")),
    _made("dataset", _DATABASE_AROUND, own(kinds.DATASET, "title")),
)
_POSTED = _made(
    "posted-content", st.just({"subtype": "preprint"}), own(kinds.POSTED, "title", "posted_date")
)


def posted() -> Fragment:
    """Return the work object of posted content."""
    return _POSTED


peer_reviews: Fragment = _made(
    "peer-review", own(kinds.PEER_REVIEW, "title", "review_date", "relation")
)
_PUBLICATION = st.tuples(
    one("container-title", st.lists(plain_titles, min_size=1, max_size=2)),
    st.just({}) | numbered("ISSN", issns, most=1) | numbered("ISBN", isbns, most=1),
).map(merged)
pending: Fragment = _made(
    "other", _PUBLICATION, own(kinds.PENDING, "acceptance_date", skip=("publication",))
)
_ONE_DATE = st.sampled_from(("published-print", "published-online", "published-other")).flatmap(
    lambda key: one(key, partials)
)
components: Fragment = _made(
    "component",
    st.just({}) | _ONE_DATE,
    own(kinds.COMPONENT, "parent", skip=("publication-dates",)),
)

grants: Fragment = _made("grant", own(kinds.GRANT, "project"))


@st.composite
def with_components(draw: st.DrawFn, parent: Fragment) -> list[Work]:
    """Return a record and components inside it."""
    work = draw(parent)
    inside_it: list[Work] = []
    for component in draw(st.lists(components, min_size=1, max_size=2)):
        ((relation, (item,)),) = component["relation"].items()
        within = {relation: [{**item, "id": work["DOI"]}]}
        inside_it.append({**component, "relation": within})
    return [work, *inside_it]


# -- all of them -------------------------------------------------------------------------------


def _some(work: Fragment) -> st.SearchStrategy[list[Work]]:
    return st.lists(work, min_size=1, max_size=2)


# Each as the works of one submission, by the child of body they are written in.
SUBMISSIONS: dict[str, st.SearchStrategy[list[Work]]] = {
    "journal": _some(articles() | journals()),
    "posted_content": _some(posted()),
    "book": _some(books | content_items),
    "conference": _some(conferences),
    "dissertation": _some(dissertations),
    "report-paper": _some(reports),
    "standard": standards(),
    "database": _some(databases),
    "peer_review": _some(peer_reviews),
    "pending_publication": _some(pending),
    "sa_component": _some(components),
    "grant": _some(grants),
}
PARENTS: Fragment = st.one_of(
    articles(),
    content_items,
    _made("proceedings-article", _PAPER_AROUND, own(kinds.PAPER, "title")),
    dissertations,
    _made("report", own(kinds.REPORT, *_PUBLISHED)),
    _STANDARD,
    databases,
)


def kinds_without_values() -> set[str]:
    """Return the kinds of rows, in every table there is, that nothing here can make."""
    found: set[str] = set()

    def walk(table: Table) -> None:
        for row in table.rows:
            if row.kind and row.kind not in VALUES:
                found.add(row.kind)
            if row.inside is not None:
                walk(row.inside)

    for kind in kinds.KINDS.values():
        walk(kind.table)
    return found
