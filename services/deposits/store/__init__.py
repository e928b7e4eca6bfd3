"""What deposits keeps: submissions, their sealed files, works, diagnostics; and their indexes."""

from services.deposits.store.claims import Candidate, Claim, Claims, Offer, lease
from services.deposits.store.diagnostics import Diagnostic, Diagnostics
from services.deposits.store.documents import New, Submission, SubmissionStatus
from services.deposits.store.raw import RawFiles, Taken
from services.deposits.store.submissions import Submissions, prepare, shown
from services.deposits.store.works import Held, Works

__all__ = [
    "Candidate",
    "Claim",
    "Claims",
    "Diagnostic",
    "Diagnostics",
    "Held",
    "New",
    "Offer",
    "RawFiles",
    "Submission",
    "SubmissionStatus",
    "Submissions",
    "Taken",
    "Works",
    "lease",
    "prepare",
    "shown",
]
