"""SearchRequest -> the engine's query. Words are cut here: no query syntax can be smuggled in."""

import itertools
import re
from collections.abc import Iterable, Sequence
from typing import Final

import tantivy

from services.distribution.search.keys import key_span
from services.distribution.search.reading import whole
from services.distribution.search.request import (
    Between,
    Clause,
    During,
    Flagged,
    Having,
    OneOf,
    Words,
)
from services.distribution.search.schema import (
    BOOKKEEPING,
    FLAG,
    OFFSETS,
    PART,
    TEXT_FIELDS,
    sort_column,
    term_column,
)
from services.distribution.search.terms import (
    BETWEEN,
    DELAY_DIGITS,
    LONGEST_DELAY,
    delay_term,
    part_term,
)

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
            column, before = term_column(field)
            return _any_of(column, sorted(f"{before}{value}" for value in values), schema=schema)
        case Flagged(flag, present):
            flagged = tantivy.Query.term_query(schema, FLAG, flag, index_option="basic")
            others = [(MUST, works(schema)), (NOT, flagged)]
            return flagged if present else tantivy.Query.boolean_query(others)
        case During(moment, spans):
            column = sort_column(moment, descending=True)
            ranges = [key_range(column, *key_span(*span), schema=schema) for span in spans]
            alternatives = tantivy.Query.boolean_query([(SHOULD, span) for span in ranges])
            return ranges[0] if len(ranges) == 1 else alternatives
        case Between(amount, low, high):
            return key_range(amount.value, low, high, schema=schema)
        case Having():
            return _having(clause, schema=schema)


def _having(clause: Having, *, schema: tantivy.Schema) -> tantivy.Query:
    if clause.within is not None:
        return tantivy.Query.regex_query(schema, PART, _delays(clause))
    return _any_of(PART, sorted(_part_terms(clause)), schema=schema)


def _any_of(column: str, terms: list[str], *, schema: tantivy.Schema) -> tantivy.Query:
    """Return the query of what has one of these terms.

    A set of terms gathers its works before any is looked at; one term alone is followed as it is
    needed, which is several times quicker beside other clauses.
    """
    if len(terms) == 1:
        return tantivy.Query.term_query(schema, column, terms[0], index_option="basic")
    return tantivy.Query.term_set_query(schema, column, terms)


def _part_terms(clause: Having) -> Iterable[str]:
    """Yield the terms of all choices of values, one of each part."""
    names = [name for name, _ in clause.named]
    for values in itertools.product(*(sorted(values) for _, values in clause.named)):
        yield part_term(clause.part, dict(zip(names, values, strict=True)))


def _delays(clause: Having) -> str:
    """Return the pattern of the licences that are due within so many days.

    The engine has no ranges of terms, and licences are few beside works: it looks through them.
    """
    named, anything = dict(clause.named), f"[^{BETWEEN}]*"
    url, version = ("|".join(map(_literal, sorted(named.get(n, ())))) for n in ("url", "version"))
    most = f"{min(clause.within or 0, LONGEST_DELAY):0{DELAY_DIGITS}}"
    before = delay_term("", "", 0).partition(BETWEEN)[0]
    where = BETWEEN.join((before, f"({url or anything})", f"({version or anything})"))
    return f"{where}{BETWEEN}({_at_most(most)})"


def _at_most(digits: str) -> str:
    """Return the pattern of the numbers up to this one, of as many digits."""
    smaller = [
        f"{digits[:place]}[0-{int(digit) - 1}][0-9]{{{len(digits) - place - 1}}}"
        for place, digit in enumerate(digits)
        if digit != "0"
    ]
    return "|".join((*smaller, digits))


def _literal(value: str) -> str:
    return re.sub(r"([^0-9A-Za-z])", _escaped, whole(value))


def _escaped(found: re.Match[str]) -> str:
    return f"\\{found[1]}" if found[1].isascii() else found[1]


def _words(text: Words, *, schema: tantivy.Schema, words: tantivy.TextAnalyzer) -> tantivy.Query:
    name = TEXT_FIELDS[text.field]
    terms = [
        (SHOULD, tantivy.Query.term_query(schema, name, word, index_option="freq"))
        for word in dict.fromkeys(words.analyze(text.text))
    ]
    terms += [
        (SHOULD, tantivy.Query.const_score_query(_clause(one, schema=schema), score))
        for one, score in text.alternatives
    ]
    return tantivy.Query.boolean_query(terms) if terms else tantivy.Query.empty_query()
