"""What deposits keeps: submissions, their sealed files, works, diagnostics; and their indexes."""

from services.deposits.store.claims import Candidate, Claim, Claims, Offer, lease
from services.deposits.store.conflicts import Candidates, Conflicts, Entry
from services.deposits.store.conflicts import prepare as prepare_conflicts
from services.deposits.store.diagnostics import Diagnostic, Diagnostics, Filters
from services.deposits.store.documents import New, Submission, SubmissionStatus
from services.deposits.store.keys import RawKeys, using
from services.deposits.store.ownership import Owned, Ownership, titles_of
from services.deposits.store.ownership import parse as owned_of
from services.deposits.store.ownership import prepare as prepare_ownership
from services.deposits.store.ownership import shown as shown_of
from services.deposits.store.raw import RawFiles, Taken
from services.deposits.store.submissions import Asked, Submissions, prepare, shown
from services.deposits.store.works import Held, Works

__all__ = [
    "Asked",
    "Candidate",
    "Candidates",
    "Claim",
    "Claims",
    "Conflicts",
    "Diagnostic",
    "Diagnostics",
    "Entry",
    "Filters",
    "Held",
    "New",
    "Offer",
    "Owned",
    "Ownership",
    "RawFiles",
    "RawKeys",
    "Submission",
    "SubmissionStatus",
    "Submissions",
    "Taken",
    "Works",
    "lease",
    "owned_of",
    "prepare",
    "prepare_conflicts",
    "prepare_ownership",
    "shown",
    "shown_of",
    "titles_of",
    "using",
]
