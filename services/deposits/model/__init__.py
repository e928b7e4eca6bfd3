"""Works, titles and submissions: state, and the decisions about them. Pure.

The law of this room (L1): reprocessing a record of a submission repeats its first verdict. It
rests on these facts, whatever dies or wakes up late, and however many work on one submission:

1. A diagnostic is inserted under ``<submission>#<record>``; the first insert wins.
2. A success is written in the work's own document, in the same write as the work and on condition
   of the version it was judged by, so it cannot be durable without its verdict; whoever meets that
   verdict repeats it. It stays there until its diagnostic is durable. A document that verdicts were
   taken out of says so, and then the diagnostics are asked too, after the document was read. So a
   record is applied at most once, also a part without a timestamp.
3. Timestamps of a work never go down, so what is refused as not newer stays refused.
4. What the file itself refuses it refuses each time.
5. Every other refusal rests on facts that may change: who owns a prefix, a title or a work, whether
   a DOI is registered. Such a refusal may not become durable while another worker may grant.
   A worker that was the first to hold the submission writes it into the submission on condition
   that it still holds it, before anything else of that turn is written: whoever comes later reads
   it there, and who lost the submission cannot write it and gives up the record.
   A worker that came later cannot know what an earlier one, still alive, is about to grant. It
   writes the refusal into the work's document on condition of the version it read, and moves that
   version on, so that the grant is too late and meets the refusal; a DOI without a work gets a
   document without one.
   Nothing more is bound: a grant stands in the work (2), so it may rest on whatever was true when
   it was judged.
6. A refusal for want of a prefix waits until what is known of prefixes is as new as the submission.

Titles are registered before the works that stand in them (reserve the identifiers, insert the
title, write the work); to repeat each of these steps changes nothing.
"""

from services.deposits.crossref.diagnostics import Counts, RecordStatus
from services.deposits.model.citations import citation_statuses
from services.deposits.model.conflicts import conflict_id, fingerprint, warned
from services.deposits.model.ownership import (
    Moved,
    move_title,
    move_work,
    named,
    owner_of,
)
from services.deposits.model.records import judge, judge_alone, key_of, prefix_of
from services.deposits.model.submissions import completed, received
from services.deposits.model.titles import (
    Entered,
    KnownTitles,
    isbn_13,
    keys_of,
    normalised,
    subject_of,
)
from services.deposits.model.verdicts import (
    LARGEST_WORK,
    Permission,
    Refused,
    Registration,
    Standing,
    Verdict,
    failed,
    gave_up,
)

Status = RecordStatus

__all__ = [
    "LARGEST_WORK",
    "Counts",
    "Entered",
    "KnownTitles",
    "Moved",
    "Permission",
    "Refused",
    "Registration",
    "Standing",
    "Status",
    "Verdict",
    "citation_statuses",
    "completed",
    "conflict_id",
    "failed",
    "fingerprint",
    "gave_up",
    "isbn_13",
    "judge",
    "judge_alone",
    "key_of",
    "keys_of",
    "move_title",
    "move_work",
    "named",
    "normalised",
    "owner_of",
    "prefix_of",
    "received",
    "subject_of",
    "warned",
]
