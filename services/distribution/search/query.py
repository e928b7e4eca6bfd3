"""SearchRequest -> the engine's query. Words are cut here: no query syntax can be smuggled in."""

from collections.abc import Iterable, Sequence
from typing import Final

import tantivy

from services.distribution.search.keys import key_span
from services.distribution.search.request import Clause, During, Flagged, OneOf, Words
from services.distribution.search.schema import BOOKKEEPING, FLAG, OFFSETS, TEXT_FIELDS, sort_column

MUST: Final = tantivy.Occur.Must
SHOULD: Final = tantivy.Occur.Should
NOT: Final = tantivy.Occur.MustNot


def compile_query(
    clauses: Iterable[Clause],
    texts: Sequence[Words],
    *,
    schema: tantivy.Schema,
    words: tantivy.TextAnalyzer,
) -> tantivy.Query | None:
    """Return the query of all clauses and texts together, None where nothing is asked.

    Only texts contribute to the score.
    """
    parts = [(MUST, _unscored(_clause(clause, schema=schema))) for clause in clauses]
    parts += [(MUST, _words(text, schema=schema, words=words)) for text in texts]
    return tantivy.Query.boolean_query(parts) if parts else None


def works(schema: tantivy.Schema) -> tantivy.Query:
    """Return the query of all works: every document but the index's own bookkeeping."""
    return tantivy.Query.boolean_query(
        [
            (MUST, tantivy.Query.all_query()),
            (NOT, tantivy.Query.term_query(schema, BOOKKEEPING, OFFSETS)),
        ]
    )


def key_range(
    column: str, low: int | None, high: int | None, *, schema: tantivy.Schema
) -> tantivy.Query:
    """Return the query of all works whose key lies in low..high, both inclusive."""
    return tantivy.Query.range_query(
        schema, column, tantivy.FieldType.Unsigned, lower_bound=low, upper_bound=high
    )


def both(first: tantivy.Query, second: tantivy.Query) -> tantivy.Query:
    """Return the query of what satisfies both; only the first contributes to the score."""
    return tantivy.Query.boolean_query([(MUST, first), (MUST, _unscored(second))])


def _unscored(query: tantivy.Query) -> tantivy.Query:
    return tantivy.Query.const_score_query(query, 0.0)


def _clause(clause: Clause, *, schema: tantivy.Schema) -> tantivy.Query:
    match clause:
        case OneOf(field, values):
            return tantivy.Query.term_set_query(schema, field.value, sorted(values))
        case Flagged(flag, present):
            flagged = tantivy.Query.term_query(schema, FLAG, flag, index_option="basic")
            if present:
                return flagged
            return tantivy.Query.boolean_query([(MUST, works(schema)), (NOT, flagged)])
        case During(moment, spans):
            column = sort_column(moment, descending=True)
            ranges = (key_range(column, *key_span(*span), schema=schema) for span in spans)
            return tantivy.Query.boolean_query([(SHOULD, span) for span in ranges])


def _words(text: Words, *, schema: tantivy.Schema, words: tantivy.TextAnalyzer) -> tantivy.Query:
    name = TEXT_FIELDS[text.field]
    terms = [
        (SHOULD, tantivy.Query.term_query(schema, name, word, index_option="freq"))
        for word in dict.fromkeys(words.analyze(text.text))
    ]
    return tantivy.Query.boolean_query(terms) if terms else tantivy.Query.empty_query()
