"""The index's fields, how words are cut, and a document's form in the engine."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import tantivy

from services.distribution.search.document import SearchDoc
from services.distribution.search.flags import FLAGS
from services.distribution.search.keys import (
    UNKNOWN_LAST_ASCENDING,
    UNKNOWN_LAST_DESCENDING,
    draw_key,
    sort_key,
)
from services.distribution.search.request import (
    Amount,
    Facet,
    Moment,
    Tally,
    Term,
    Text,
)
from services.distribution.search.terms import BETWEEN

LAYOUT: Final = 5  # raise it when the fields below change: every index is then rebuilt

FLAG: Final = "has"
VERSION: Final = "version"
TOLD: Final = "told"
"""A digest of what other works say of one (claims.digest); 0: nothing."""
BOOKKEEPING: Final = "bookkeeping"
PAYLOAD: Final = "payload"
OFFSETS: Final = "__offsets__"
KEY: Final = "key"
"""Values of all terms that are not counted: ``name<BETWEEN>value``."""
PART: Final = "part"
"""Sub-records by their parts (terms.part_terms)."""
DRAW: Final = "draw"
"""A number that says nothing of a work, for drawing samples."""

WORDS: Final = "words"
LONGEST_WORD: Final = 60  # characters; longer ones are identifiers or noise
TEXT_FIELDS: Final[Mapping[Text, str]] = {text: f"text-{text.value}" for text in Text}

# Dates that every work has need one column; of the others, works without a date come last in both
# directions, as readers are used to, so they need one column for each direction.
ALWAYS_KNOWN: Final = frozenset({Moment.INDEXED, Moment.DEPOSITED, Moment.CREATED})

_MASK: Final = {flag: 1 << place for place, flag in enumerate(FLAGS)}


def sort_column(by: Moment | Tally, *, descending: bool) -> str:
    """Return the name of the column that holds the keys of a sort."""
    two_columns = isinstance(by, Moment) and by not in ALWAYS_KNOWN
    return f"by-{by.value}-up" if two_columns and not descending else f"by-{by.value}"


_COUNTED: Final = frozenset(facet.value for facet in Facet)
_OWN_COLUMNS: Final = frozenset({Term.DOI, Term.OWNER, Term.STANDING})
_NOT_LISTED: Final = frozenset({Facet.OWNER, Facet.PROFILE, Facet.TYPE, Facet.YEAR})
_TEXT_FACETS: Final = tuple(facet for facet in Facet if facet not in _NOT_LISTED)


def term_column(term: Term) -> tuple[str, str]:
    """Return the column that a term's values are in, and what stands before them there."""
    if term in _OWN_COLUMNS or term.value in _COUNTED:
        return term.value, ""
    return KEY, f"{term.value}{BETWEEN}"


_MOMENT_COLUMNS: Final = tuple(
    (moment, sort_column(moment, descending=descending), unknown)
    for moment in Moment
    for descending, unknown in ((True, UNKNOWN_LAST_DESCENDING), (False, UNKNOWN_LAST_ASCENDING))
    if descending or moment not in ALWAYS_KNOWN
)
REFERENCES_COLUMN: Final = sort_column(Tally.REFERENCES, descending=True)
CITED_BY_COLUMN: Final = sort_column(Tally.CITED_BY, descending=True)


def build_schema() -> tantivy.Schema:
    """Return the index's schema."""
    builder = tantivy.SchemaBuilder()
    for name in (Term.TYPE.value, *(facet.value for facet in _TEXT_FACETS)):
        builder.add_text_field(name, fast=True, tokenizer_name="raw", index_option="basic")
    for name in (KEY, PART):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    builder.add_text_field(
        Term.OWNER, stored=True, fast=True, tokenizer_name="raw", index_option="basic"
    )
    builder.add_text_field(Term.STANDING, tokenizer_name="raw", index_option="basic")
    builder.add_text_field(Term.DOI, stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field(FLAG, tokenizer_name="raw", index_option="basic")
    builder.add_text_field(Facet.PROFILE, fast=True, tokenizer_name="raw", index_option="basic")
    builder.add_unsigned_field(Facet.YEAR, fast=True)
    for number in (VERSION, TOLD, DRAW, *Amount):
        builder.add_unsigned_field(number, fast=True)
    for column in (
        REFERENCES_COLUMN,
        CITED_BY_COLUMN,
        *(column for _, column, _ in _MOMENT_COLUMNS),
    ):
        builder.add_unsigned_field(column, fast=True)
    for text in TEXT_FIELDS.values():
        builder.add_text_field(text, tokenizer_name=WORDS, index_option="freq")
    builder.add_text_field(BOOKKEEPING, tokenizer_name="raw", index_option="basic")
    builder.add_bytes_field(PAYLOAD, stored=True)
    return builder.build()


def word_cutter() -> tantivy.TextAnalyzer:
    """Return how text and queries are cut into words: letters and digits, folded, lower-case."""
    return (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        .filter(tantivy.Filter.remove_long(LONGEST_WORD))
        .filter(tantivy.Filter.lowercase())
        .filter(tantivy.Filter.ascii_fold())
        .build()
    )


@functools.cache
def _cutter() -> tantivy.TextAnalyzer:
    return word_cutter()


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text as the index has them."""
    return frozenset(_cutter().analyze(text))


def standing(title: str, owner: str) -> str:
    """Return the value of Term.STANDING of works that are held under an owner prefix for a title.

    One value of both, so that the works whose title has another owner now are found by a look at
    the field's dictionary, in one step however many works there are.
    """
    return f"{title}|{owner}"


def read_standing(value: str) -> tuple[str, str]:
    """Return title and owner prefix; a title may hold the sign between them, a prefix cannot."""
    title, _, owner = value.rpartition("|")
    return title, owner


@dataclass(frozen=True, slots=True)
class Profile:
    """What statistics need of a work: its type, its year of issue, what it has."""

    type: str
    year: int | None
    has: frozenset[str]


def encode_profile(doc: SearchDoc) -> str:
    """Return a work's profile as one countable value: type|year|flags in hexadecimal."""
    mask = sum(bit for flag, bit in _MASK.items() if flag in doc.has)
    return f"{doc.type}|{doc.issued_year or ''}|{mask:x}"


def decode_profile(value: str) -> Profile:
    """Return the profile that encode_profile made the value from."""
    kind, year, flags = value.split("|")
    mask = int(flags, 16)
    return Profile(
        type=kind,
        year=int(year) if year else None,
        has=frozenset(flag for flag, bit in _MASK.items() if mask & bit),
    )


def to_document(doc: SearchDoc, *, schema: tantivy.Schema) -> tantivy.Document:
    """Return the engine's form of a search document."""
    fields: dict[str, Any] = {
        Term.DOI.value: doc.doi,
        Term.OWNER.value: doc.owner,
        Term.TYPE.value: doc.type,
        FLAG: sorted(doc.has),
        VERSION: doc.version,
        TOLD: doc.told or 0,
        DRAW: draw_key(doc.doi),
        Facet.PROFILE.value: encode_profile(doc),
        REFERENCES_COLUMN: sort_key(doc.references, doc.doi),
        CITED_BY_COLUMN: sort_key(doc.cited_by or 0, doc.doi),
        PART: list(doc.parts),
        Amount.AWARD.value: list(doc.award_amounts),
        **_values(doc),
    }
    if doc.title is not None:
        fields[Term.STANDING.value] = standing(doc.title, doc.owner)
    if doc.published_year is not None:
        fields[Facet.YEAR.value] = doc.published_year
    for moment, column, unknown in _MOMENT_COLUMNS:
        fields[column] = sort_key(doc.moments.get(moment, unknown), doc.doi)
    for text, said in doc.texts.items():
        fields[TEXT_FIELDS[text]] = said
    return tantivy.Document.from_dict(fields, schema)


def _values(doc: SearchDoc) -> dict[str, list[str]]:
    """Return the values of terms and facets by column."""
    found: dict[str, list[str]] = {}
    for term, values in doc.terms.items():
        column, before = term_column(term)
        found.setdefault(column, []).extend(f"{before}{value}" for value in values)
    for facet, values in doc.counted.items():
        found.setdefault(facet.value, []).extend(values)
    return found
