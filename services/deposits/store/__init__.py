"""What deposits keeps: submissions, their sealed files, works, diagnostics; and their indexes."""

from services.deposits.store.diagnostics import Diagnostic, Diagnostics
from services.deposits.store.raw import RawFiles
from services.deposits.store.submissions import (
    Claim,
    New,
    Submission,
    Submissions,
    prepare,
)
from services.deposits.store.works import Held, Works

__all__ = [
    "Claim",
    "Diagnostic",
    "Diagnostics",
    "Held",
    "New",
    "RawFiles",
    "Submission",
    "Submissions",
    "Works",
    "prepare",
]
