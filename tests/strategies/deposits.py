"""Random valid deposits, built from the mapping's own tables.

Every row of a table that carries something names the kind of its value; `VALUES` says how a value
of that kind looks in a work object. A new row of a known kind is thereby generated at once, and a
row of an unknown kind fails `test_every_row_has_values`. What follows from the values (issued,
delays, counts) is stated here a second time, on purpose: it is what the law compares with.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import strategies as st
from stdnum.iso7064 import mod_11_2

from services.deposits.crossref.kinds import ARTICLE, ISSUE, JOURNAL, KINDS, POSTED
from services.deposits.crossref.rows import Row, Table
from services.deposits.crossref.vocabulary import (
    LINK_APPLICATIONS,
    PEOPLE_KEYS,
    UPDATE_LABELS,
)

Work = dict[str, Any]
Fragment = st.SearchStrategy[Work]

# -- text --------------------------------------------------------------------------------------

_CHARACTERS = st.characters(
    exclude_categories=("Cs", "Cc", "Cn"), exclude_characters="\r\ufffe\uffff"
) | st.sampled_from("&<>\"' \n\u00a0é")


def _worn(text: str) -> str:
    return text.strip(" \t\r\n")


def texts(most: int = 24, *, least: int = 1) -> st.SearchStrategy[str]:
    """Return plain texts whose ends are no XML white space."""
    return (
        st.text(_CHARACTERS, min_size=least, max_size=most)
        .map(_worn)
        .filter(lambda text: len(text) >= least)
    )


def lines(most: int = 24, *, least: int = 1) -> st.SearchStrategy[str]:
    """Return texts without white space that a schema would collapse."""
    return (
        texts(most, least=least)
        .map(lambda t: t.replace("\n", "_").replace("  ", "_"))
        .map(lambda t: t.replace("  ", "_"))
    )


def escaped(text: str) -> str:
    """Return text as XML content, written as the work object has it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


_ASCII = "abcdefghijklmnopqrstuvwxyz0123456789"
_words = st.text(_ASCII, min_size=2, max_size=8)
_FACES = ("i", "b", "sup", "sub", "scp", "tt", "u")
_MATH = '<mml:math xmlns:mml="http://www.w3.org/1998/Math/MathML"><mml:mi>x</mml:mi></mml:math>'
_face = st.builds(lambda tag, t: f"<{tag}>{escaped(t)}</{tag}>", st.sampled_from(_FACES), texts(8))
titles = st.builds(
    lambda first, rest: first + "".join(rest),
    texts(16).map(escaped),
    st.lists(_face | texts(8).map(escaped) | st.just(_MATH), max_size=3),
)
_jats_face = st.builds(
    lambda tag, t: f"<jats:{tag}>{escaped(t)}</jats:{tag}>",
    st.sampled_from(("italic", "bold", "sup", "sub", "sc")),
    texts(8),
)
_paragraph = st.lists(_jats_face | texts(16).map(escaped), max_size=3).map(
    lambda parts: f"<jats:p>{''.join(parts)}</jats:p>" if "".join(parts) else "<jats:p />"
)
abstracts = st.lists(_paragraph, min_size=1, max_size=2).map("".join)

# -- small values ------------------------------------------------------------------------------

_days = st.dates(min_value=date(1400, 1, 1), max_value=date(2200, 12, 31))
partials = st.builds(
    lambda day, precision: {"date-parts": [[day.year, day.month, day.day][:precision]]},
    _days,
    st.integers(1, 3),
)
urls = st.builds(
    lambda scheme, host, path: f"{scheme}://{host}.example.org/{path}",
    st.sampled_from(("http", "https", "ftp")),
    _words,
    st.text(_ASCII + "/?&=;()-._~", max_size=12),
)
dois = st.builds(
    lambda registrant, suffix: f"10.{registrant}/{suffix}",
    st.integers(1000, 999_999_999),
    st.text(_ASCII + "()<>&;:.-_/", min_size=1, max_size=12),
)


def stamp(day: date) -> Work:
    """Return the instant a day begins at, as the work object has it."""
    began = datetime(day.year, day.month, day.day, tzinfo=UTC)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return {
        "date-parts": [[day.year, day.month, day.day]],
        "date-time": f"{day.year:04d}-{day.month:02d}-{day.day:02d}T00:00:00Z",
        "timestamp": (began - epoch).days * 86_400_000,
    }


def _orcid(number: int) -> str:
    digits = f"{number:015d}"
    digits += mod_11_2.calc_check_digit(digits)
    return "https://orcid.org/" + "-".join(digits[at : at + 4] for at in range(0, 16, 4))


_issns = st.from_regex(r"\A[0-9]{4}-[0-9]{3}[0-9X]\Z")
_media = st.sampled_from(("print", "electronic"))
_LANGUAGES = ("en", "fr", "de", "ko", "pt", "ru")
_POSTED_TYPES = (
    "preprint",
    "working_paper",
    "letter",
    "dissertation",
    "report",
    "review",
    "other",
)
_MIME_TYPES = ("unspecified", "application/pdf", "application/xml", "text/html", "text/xml")
_RELATIONS = (
    "is-preprint-of",
    "has-review",
    "is-supplemented-by",
    "references",
    "is-version-of",
    "is-variant-form-of",
    "based-on-data",
)
_CITATION_TYPES = ("journal_article", "book", "dataset", "software", "web_resource", "other")


def record(**values: st.SearchStrategy[Any]) -> Fragment:
    """Return dicts with all of the keys."""
    return st.fixed_dictionaries(values)


def _one_role(role: str) -> list[Work]:
    return [{"role": role, "vocabulary": "crossref"}]


_roles = (st.just("author") | st.sampled_from((*sorted(PEOPLE_KEYS), "reviewer"))).map(_one_role)
_institution_ids = st.sampled_from(("ROR", "ISNI", "WIKIDATA")).flatmap(
    lambda kind: st.builds(
        lambda word: {
            "id": f"https://{kind.lower()}.org/{word}",
            "id-type": kind,
            "asserted-by": "publisher",
        },
        _words,
    )
)


def _licence(version: str, url: str, start: date) -> Work:
    return {"content-version": version, "URL": url, "start": stamp(start)}


def _update(doi: str, kind: str, day: date) -> Work:
    return {
        "DOI": doi,
        "type": kind,
        "label": UPDATE_LABELS[kind],
        "source": "publisher",
        "updated": stamp(day),
    }


@st.composite
def _funders(draw: st.DrawFn) -> Work:
    funder: Work = {"name": draw(texts())}
    if draw(st.booleans()):
        doi = f"10.13039/{draw(st.integers(100, 10**12))}"
        by = draw(st.sampled_from(("publisher", "crossref")))
        identifier = {"id": doi, "id-type": "DOI", "asserted-by": by}
        funder |= {"DOI": doi, "doi-asserted-by": by, "id": [identifier]}
    if awards := draw(st.lists(texts(12), max_size=3)):
        funder |= {"award": awards, "award-info": [{"award-number": awards}]}
    return funder


_assertions = st.fixed_dictionaries(
    {"name": st.text("abcdefghij", min_size=2, max_size=8)},
    optional={
        "value": texts(),
        "label": lines(12, least=2),
        "order": st.integers(-3, 30),
        "URL": urls,
        "explanation": record(URL=urls),
        "group": record(
            name=st.text("abcdefghij", min_size=2, max_size=8), label=lines(12, least=2)
        ),
    },
)
_trials = st.fixed_dictionaries(
    {
        "clinical-trial-number": texts(12),
        "registry": st.text("abcdefghij-", min_size=4, max_size=8).map("10.18810/".__add__),
    },
    optional={"type": st.sampled_from(("preResults", "results", "postResults"))},
)
_free = st.fixed_dictionaries(
    {},
    optional={
        key: _days.map(lambda d: {"date-parts": [[d.year, d.month, d.day]]})
        for key in ("start-date", "end-date")
    },
)
_relations = st.dictionaries(
    st.sampled_from(_RELATIONS),
    st.lists(
        record(
            **{
                "id-type": st.sampled_from(("doi", "uri", "pmid", "other")),
                "id": texts(16),
                "asserted-by": st.just("subject"),
            }
        ),
        min_size=1,
        max_size=2,
    ),
    min_size=1,
    max_size=2,
)
_links = st.lists(
    record(
        **{
            "URL": urls,
            "content-type": st.sampled_from(_MIME_TYPES),
            "content-version": st.sampled_from(("vor", "am")),
            "intended-application": st.sampled_from([x for *_, x in LINK_APPLICATIONS]),
        }
    ),
    min_size=1,
    max_size=4,
)


def _in_order(links: list[Work]) -> list[Work]:
    order = [application for *_, application in LINK_APPLICATIONS]
    return sorted(links, key=lambda link: order.index(link["intended-application"]))


_targets = st.fixed_dictionaries({"URL": urls}, optional={"label": lines(12, least=3)})
_domains = st.lists(_words.map(lambda w: f"{w}.example.org"), min_size=1, max_size=2)


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
    return record(**{key: uri, kind: _media})


def _nothing() -> Fragment:
    return st.just({})


VALUES: dict[str, Values] = {
    "text": _single(texts(least=2)),
    "short": _single(texts(12)),
    "loose": _single(texts(30)),
    "numbering": _single(texts(10)),
    "title": _single(titles),
    "journal-title": _single(texts(20).map(escaped)),
    "abstract": _single(abstracts),
    "language": _single(st.sampled_from(_LANGUAGES)),
    "name": _single(texts(16)),
    "surname": _single(texts(16)),
    "suffix": _single(texts(6)),
    "archive": _single(st.sampled_from(("CLOCKSS", "LOCKSS", "Portico", "KB", "DWT"))),
    "identifier": _single(texts(16)),
    "posted-type": _single(st.sampled_from(_POSTED_TYPES)),
    "date": _single(partials),
    "page": _single(texts(12)),
    "key": _single(lines(12)),
    "citation-type": lambda _: _nothing() | one("type", st.sampled_from(_CITATION_TYPES)),
    "standards-body": _single(texts(16)),
    "designator": _single(texts(16, least=2)),
    "sequence": _single(st.sampled_from(("first", "additional"))),
    "role": lambda row: _nothing() if row.since != "4.3.0" else one("role", _roles),
    "affiliation": lambda _: _nothing(),  # the 4.x form; the writer speaks 5.x
    "institution-id": _single(_institution_ids),
    "institution": lambda row: one(row.key, st.lists(_institutions(), min_size=1, max_size=2)),
    "affiliations": lambda _: one("affiliation", st.lists(_institutions(), max_size=2)),
    "alt-name": lambda _: one("alternate-name", st.lists(lines(12), min_size=1, max_size=2)),
    "orcid": _fragment(
        record(
            **{
                "ORCID": st.integers(0, 10**15 - 1).map(_orcid),
                "authenticated-orcid": st.booleans(),
            }
        )
    ),
    "contributors": lambda row: _people(row.inside),
    "person": lambda row: said(
        _inside(row), always=("sequence", "role", "surname", "affiliations")
    ),
    "organization": lambda row: said(_inside(row), always=("sequence", "role", "text")).map(
        lambda person: {**person, "name": " ".join(person["name"].split("\n"))}
    ),
    "anonymous": lambda row: said(_inside(row), always=("sequence", "role", "affiliations")).map(
        lambda person: {**person, "name": "Anonymous"}
    ),
    "publication-dates": lambda row: st.dictionaries(
        st.sampled_from(row.keys), partials, min_size=1
    ),
    "issue-dates": lambda _: one(
        "journal-issue",
        st.dictionaries(st.sampled_from(("published-print", "published-online")), partials),
    ),
    "issn": _fragment(
        st.lists(record(type=_media, value=_issns), min_size=1, max_size=3).map(
            lambda found: {"ISSN": [issn["value"] for issn in found], "issn-type": found}
        )
    ),
    "article-number": _fragment(one("article-number", texts(12))),
    "version": lambda row: one("version", said(_inside(row), always=("short",))),
    "doi": _fragment(one("DOI", dois)),
    "timestamp": lambda _: _nothing(),  # no part of the work object
    "url": _fragment(one("resource", urls.map(lambda url: {"primary": {"URL": url}}))),
    "links": _fragment(
        st.fixed_dictionaries(
            {},
            optional={
                "link": _links.map(_in_order),
                "resource": st.lists(_targets, min_size=1, max_size=2).map(
                    lambda targets: {"secondary": targets}
                ),
            },
        )
    ),
    "references": lambda row: one("reference", references(_inside(row))),
    "reference": lambda _: _nothing(),
    "reference-issn": _fragment(_reference_number("ISSN", "issn-type", _issns)),
    "reference-isbn": _fragment(
        _reference_number("ISBN", "isbn-type", st.from_regex(r"\A978[0-9]{10}\Z"))
    ),
    "reference-doi": _fragment(
        record(**{"DOI": dois.map(str.upper), "doi-asserted-by": st.just("publisher")})
    ),
    "policy": _fragment(one("update-policy", dois.map("https://doi.org/".__add__))),
    "domains": _fragment(one("content-domain", record(domain=_domains))),
    "domain-exclusive": _fragment(
        one("content-domain", record(**{"crossmark-restriction": st.booleans()}))
    ),
    "update": _single(st.builds(_update, dois, st.sampled_from(sorted(UPDATE_LABELS)), _days)),
    "assertion": _single(_assertions),
    "funder": _single(_funders()),
    "free-to-read": _single(_free),
    "license": _single(
        st.builds(_licence, st.sampled_from(("vor", "am", "tdm", "unspecified")), urls, _days)
    ),
    "trial": _single(_trials),
    "relation": _fragment(one("relation", _relations)),
}


def _inside(row: Row) -> Table:
    assert row.inside is not None
    return row.inside


def _institutions() -> Fragment:
    from services.deposits.crossref.people import INSTITUTION  # noqa: PLC0415

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
    """Return what an element of a table may say, merged; kinds in `always` are never left out."""
    needed, left_out = set(always), set(skip)
    parts: list[Fragment] = []
    for row in table.rows:
        if row.read is None or row.kind in left_out or row.element in left_out:
            continue
        if row.kind:
            fragment = VALUES[row.kind](row)
            if row.kind in needed:
                needed.discard(row.kind)
            else:
                fragment = _nothing() | fragment
        elif row.inside is not None:
            fragment = said(row.inside, always=always, skip=skip)
        else:
            continue
        parts.append(fragment)
    return st.tuples(*parts).map(_merged)


def _merged(fragments: Iterable[Work]) -> Work:
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


_LENT = ("language", "archive", "doi_data")  # written with the article itself
# The programs stand inside crossmark or beside it, never in both places.
_BESIDE = ("crossmark",)
_INSIDE = ("fr:program", "ai:program", "ct:program", "version_info")

_JOURNAL = said(JOURNAL, always=("journal-title", "issn"), skip=_LENT)
_ISSUE = said(ISSUE, skip=_LENT)


def _crossmarked(table: Table, always: tuple[str, ...]) -> Fragment:
    beside = said(table, always=always, skip=_BESIDE)
    # custom_metadata's own rows are the same programs; only the outer ones are left out.
    inside = st.tuples(
        said(table, always=always, skip=(*_INSIDE, "crossmark")),
        said(_row(table, "crossmark"), always=("policy",)),
    ).map(_merged)
    return beside | inside


def _row(table: Table, element: str) -> Table:
    return next(_inside(row) for row in table.rows if row.element == element)


_ARTICLE = _crossmarked(ARTICLE, ("title", "publication-dates", "doi", "url"))
_POSTED = _crossmarked(POSTED, ("title", "date", "doi", "url"))


@st.composite
def articles(draw: st.DrawFn) -> Work:
    """Return the work object of a journal article."""
    work, issue, own = draw(_JOURNAL), dict(draw(_ISSUE)), draw(_ARTICLE)
    dated = issue.pop("journal-issue", {})
    if "issue" in issue:
        issue["journal-issue"] = {"issue": issue["issue"], **dated}
    return finished(_tidy({**work, **issue, **own}), "journal-article")


@st.composite
def posted(draw: st.DrawFn) -> Work:
    """Return the work object of posted content."""
    return finished(_tidy({"subtype": "preprint", **draw(_POSTED)}), "posted-content")


def _tidy(work: Work) -> Work:
    """Keep to what one titles element and one crossmark element can say."""
    work = dict(work)
    if "posted" in work:
        work["title"] = work["title"][:1]
    if "update-policy" not in work:
        for key in ("content-domain", "update-to", "assertion"):
            work.pop(key, None)
    else:
        chosen = {"domain": [], "crossmark-restriction": False}
        work["content-domain"] = {**chosen, **work.get("content-domain", {})}
    work["original-title"] = work.get("original-title", [])[:1]
    work["subtitle"] = work.get("subtitle", [])[: 2 if work["original-title"] else 1]
    return {key: value for key, value in work.items() if value not in ([], None)}


def finished(work: Work, kind: str) -> Work:
    """Add what follows: identity, issued, delays, counts."""
    dates = [
        work[key]["date-parts"][0]
        for key in ("posted", "published-print", "published-online", "published-other")
        if key in work
    ]
    issued = min(dates)
    first = date(*(*issued, 1, 1)[:3])
    doi = work["DOI"].lower()
    licences = [
        {**x, "delay-in-days": max(0, (date(*x["start"]["date-parts"][0]) - first).days)}
        for x in work.get("license", ())
    ]
    count = len(work.get("reference", ()))
    return {
        "content-domain": {"domain": [], "crossmark-restriction": False},
        **work,
        **({"license": licences} if licences else {}),
        "type": kind,
        "DOI": doi,
        "URL": f"https://doi.org/{doi}",
        "issued": {"date-parts": [issued]},
        "published": {"date-parts": [issued]},
        "reference-count": count,
        "references-count": count,
    }


def kinds_without_values() -> set[str]:
    """Return the kinds of rows, in every table there is, that nothing here can make."""
    found: set[str] = set()

    def walk(table: Table) -> None:
        for row in table.rows:
            if row.kind and row.kind not in VALUES:
                found.add(row.kind)
            if row.inside is not None:
                walk(row.inside)

    for kind in KINDS.values():
        walk(kind.table)
    return found
