"""Submission logs out of the store: pages of diagnostics into one ``doi_batch_diagnostic``."""

from collections import deque
from collections.abc import AsyncIterator, Sequence
from itertools import islice

from services.deposits.crossref.diagnostics import BatchStatus, Counts, Diagnostic, render
from services.deposits.store import Diagnostic as Stored
from shared.events import SubmissionState


def log(status: BatchStatus, submission: str = "0", batch_id: str = "") -> str:
    """Return the log of a submission that is unknown, or not completed."""
    return b"".join(render(status, submission_id=submission, batch_id=batch_id)).decode()


async def completed_log(
    state: SubmissionState, pages: AsyncIterator[Sequence[Stored]], *, batch_id: str
) -> AsyncIterator[bytes]:
    """Yield the log of a completed submission, a page of records at a time."""
    waiting: deque[Diagnostic | None] = deque()
    pieces = render(
        "completed",
        (one for one in iter(waiting.popleft, None) if one is not None),
        submission_id=state.submission,
        batch_id=batch_id,
        counts=Counts(state.success_count, state.warning_count, state.failure_count),
    )
    yield next(pieces)
    async for page in pages:
        waiting.extend(_said(one) for one in page)
        yield b"".join(islice(pieces, len(page)))
    waiting.append(None)
    yield b"".join(pieces)


def _said(one: Stored) -> Diagnostic:
    verdict = one.verdict
    return Diagnostic(
        verdict.status,
        verdict.doi,
        verdict.msg,
        verdict.msg_id,
        conflict_id=verdict.details.get("conflict_id"),
        dois_in_conflict=tuple(verdict.details.get("dois_in_conflict", ())),
    )
