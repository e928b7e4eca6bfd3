"""Small values: texts, dates, identifiers, people's roles, licences and the like."""

import re
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import strategies as st
from stdnum import ean
from stdnum.iso7064 import mod_11_2

from services.deposits.crossref.vocabulary import LINK_APPLICATIONS, PEOPLE_KEYS, UPDATE_LABELS

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


def names(most: int = 16) -> st.SearchStrategy[str]:
    """Return names of persons: the schema wants them without digits and question marks."""
    return texts(most).map(lambda text: re.sub(r"[\d?]", "_", text))


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
plain_titles = texts(20).map(escaped)
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

days = st.dates(min_value=date(1400, 1, 1), max_value=date(2200, 12, 31))
partials = st.builds(
    lambda day, precision: {"date-parts": [[day.year, day.month, day.day][:precision]]},
    days,
    st.integers(1, 3),
)
full_days = days.map(lambda day: {"date-parts": [[day.year, day.month, day.day]]})
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


def orcid(number: int) -> str:
    """Return an iD with a right check digit, as a URL."""
    digits = f"{number:015d}"
    digits += mod_11_2.calc_check_digit(digits)
    return "https://orcid.org/" + "-".join(digits[at : at + 4] for at in range(0, 16, 4))


issns = st.from_regex(r"\A[0-9]{4}-[0-9]{3}[0-9X]\Z")
isbns = st.integers(0, 10**9 - 1).map(lambda n: f"978{n:09d}" + ean.calc_check_digit(f"978{n:09d}"))
media = st.sampled_from(("print", "electronic"))
LANGUAGES = ("en", "fr", "de", "ko", "pt", "ru")
POSTED_TYPES = (
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
CITATION_TYPES = ("journal_article", "book", "dataset", "software", "web_resource", "other")


def record(**values: st.SearchStrategy[Any]) -> Fragment:
    """Return dicts with all of the keys."""
    return st.fixed_dictionaries(values)


def _one_role(role: str) -> list[Work]:
    return [{"role": role, "vocabulary": "crossref"}]


roles = (st.just("author") | st.sampled_from((*sorted(PEOPLE_KEYS), "reviewer"))).map(_one_role)
institution_ids = st.sampled_from(("ROR", "ISNI", "WIKIDATA")).flatmap(
    lambda kind: st.builds(
        lambda word: {
            "id": f"https://{kind.lower()}.org/{word}",
            "id-type": kind,
            "asserted-by": "publisher",
        },
        _words,
    )
)


def licence(version: str, url: str, start: date) -> Work:
    """Return a licence whose start is said."""
    return {"content-version": version, "URL": url, "start": stamp(start)}


def update(doi: str, kind: str, day: date) -> Work:
    """Return what an update of another work says."""
    return {
        "DOI": doi,
        "type": kind,
        "label": UPDATE_LABELS[kind],
        "source": "publisher",
        "updated": stamp(day),
    }


@st.composite
def funders(draw: st.DrawFn) -> Work:
    """Return a funder with its awards."""
    funder: Work = {"name": draw(texts())}
    if draw(st.booleans()):
        doi = f"10.13039/{draw(st.integers(100, 10**12))}"
        by = draw(st.sampled_from(("publisher", "crossref")))
        identifier = {"id": doi, "id-type": "DOI", "asserted-by": by}
        funder |= {"DOI": doi, "doi-asserted-by": by, "id": [identifier]}
    if awards := draw(st.lists(texts(12), max_size=3)):
        funder |= {"award": awards, "award-info": [{"award-number": awards}]}
    return funder


assertions = st.fixed_dictionaries(
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
trials = st.fixed_dictionaries(
    {
        "clinical-trial-number": texts(12),
        "registry": st.text("abcdefghij-", min_size=4, max_size=8).map("10.18810/".__add__),
    },
    optional={"type": st.sampled_from(("preResults", "results", "postResults"))},
)
free = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("start-date", "end-date"), full_days),
)
relations = st.dictionaries(
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
parents = st.builds(
    lambda relation, doi: {relation: [{"id-type": "doi", "id": doi, "asserted-by": "subject"}]},
    st.sampled_from(("is-part-of", "is-referenced-by", "is-required-by", "is-translation-of")),
    dois,
)
links = st.lists(
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


def in_order(links: list[Work]) -> list[Work]:
    """Return links in the order the work object has them."""
    order = [application for *_, application in LINK_APPLICATIONS]
    return sorted(links, key=lambda link: order.index(link["intended-application"]))


targets = st.fixed_dictionaries({"URL": urls}, optional={"label": lines(12, least=3)})
domains = st.lists(_words.map(lambda w: f"{w}.example.org"), min_size=1, max_size=2)
