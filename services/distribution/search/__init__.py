"""The search projection: every list, count, facet, sort and cursor of works (design 1.7).

One index per host holds all partitions and the offsets it was built from. It finds DOIs; the
records come from the store by key and pass the gate. It knows the owner prefix of a work and
nothing else of its owner: members, publisher names and reference settings are mapped to prefixes
when a question is asked, so a rename, a changed preference or a prefix's new owner needs no
re-indexing; a title or work that goes to another prefix does (services/distribution/transfers.py).
Reference text is never in it; the number of references is, whatever their visibility.
"""

from services.distribution.search.cursor import fingerprint, read_cursor, write_cursor
from services.distribution.search.document import SearchDoc, WorkFacts, project
from services.distribution.search.engine import SearchIndexError
from services.distribution.search.folder import IndexBusyError
from services.distribution.search.held import Held
from services.distribution.search.index import SearchIndex, open_index
from services.distribution.search.keys import date_bounds
from services.distribution.search.reading import whole
from services.distribution.search.request import (
    RELEVANCE,
    After,
    Amount,
    Between,
    Clause,
    During,
    Facet,
    Flagged,
    FromStart,
    Having,
    Hit,
    Moment,
    Offset,
    OneOf,
    Order,
    Part,
    Sampled,
    SearchPage,
    SearchRequest,
    Sort,
    Start,
    Tally,
    Term,
    Text,
    Words,
)
from services.distribution.search.schema import Profile, decode_profile, standing, words_of
from services.distribution.search.terms import (
    award_number,
    bare,
    funder_id,
    isbn,
    orcid,
    owning_publisher,
    said_publisher,
)

__all__ = [
    "RELEVANCE",
    "After",
    "Amount",
    "Between",
    "Clause",
    "During",
    "Facet",
    "Flagged",
    "FromStart",
    "Having",
    "Held",
    "Hit",
    "IndexBusyError",
    "Moment",
    "Offset",
    "OneOf",
    "Order",
    "Part",
    "Profile",
    "Sampled",
    "SearchDoc",
    "SearchIndex",
    "SearchIndexError",
    "SearchPage",
    "SearchRequest",
    "Sort",
    "Start",
    "Tally",
    "Term",
    "Text",
    "Words",
    "WorkFacts",
    "award_number",
    "bare",
    "date_bounds",
    "decode_profile",
    "fingerprint",
    "funder_id",
    "isbn",
    "open_index",
    "orcid",
    "owning_publisher",
    "project",
    "read_cursor",
    "said_publisher",
    "standing",
    "whole",
    "words_of",
    "write_cursor",
]
