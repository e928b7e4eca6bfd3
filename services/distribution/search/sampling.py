"""Works drawn by chance from all that a question finds.

Every work has a number that says nothing of it (schema.DRAW), so works are spread evenly over its
range. A few stretches of that range begin at random places and are as long as it takes to hold more
works than are asked for; of those that are in them, the sample is drawn. Each work is in a stretch
with the same chance, whatever the question, and nothing is read of the others. Where the works are
few, it is drawn from all of them.
"""

import hashlib
import struct
from typing import Any, Final, Protocol, cast

import tantivy

from services.distribution.search.keys import DRAW_BITS
from services.distribution.search.query import both, key_range
from services.distribution.search.schema import DRAW

FEW: Final = 4_000  # works that are looked at one by one
STRETCHES: Final = 8
SPARE: Final = 8  # times as many works are in the stretches as are asked for
_RANGE: Final = 1 << DRAW_BITS


class _Result(Protocol):
    count: int | None
    hits: list[tuple[Any, tantivy.DocAddress]]


def draw(
    searcher: tantivy.Searcher,
    query: tantivy.Query,
    *,
    rows: int,
    seed: int,
    schema: tantivy.Schema,
) -> list[tantivy.DocAddress]:
    """Return ``rows`` works of a query, drawn by chance, in no order; all where they are fewer."""
    total = cast("_Result", searcher.search(query, limit=1, count=True)).count or 0
    if total > FEW:
        length = max(_RANGE * rows * SPARE // (total * STRETCHES), 1)
        query = both(query, _stretches(_starts(seed), length, schema=schema))
        total = cast("_Result", searcher.search(query, limit=1, count=True)).count or 0
    if not total:
        return []
    hits = searcher.search(query, limit=total, count=False).hits
    return sorted((address for _, address in hits), key=lambda one: _lot(seed, one))[:rows]


def _lot(seed: int, one: tantivy.DocAddress) -> bytes:
    """Return the lot of a work in the draw of this seed."""
    drawn = f"{seed}/{one.segment_ord}/{one.doc}"
    return hashlib.blake2b(drawn.encode(), digest_size=16).digest()


def _starts(seed: int) -> tuple[int, ...]:
    """Return as many places in the range as there are stretches."""
    bits = hashlib.blake2b(str(seed).encode(), digest_size=STRETCHES * DRAW_BITS // 8).digest()
    return struct.unpack(f">{STRETCHES}I", bits)


def _stretches(starts: tuple[int, ...], length: int, *, schema: tantivy.Schema) -> tantivy.Query:
    spans = []
    for start in starts:
        end = start + length - 1
        spans.append((start, min(end, _RANGE - 1)))
        if end >= _RANGE:  # the range is a circle, so that no place in it is less likely
            spans.append((0, end - _RANGE))
    should = tantivy.Occur.Should
    return tantivy.Query.boolean_query(
        [(should, key_range(DRAW, low, high, schema=schema)) for low, high in spans]
    )
