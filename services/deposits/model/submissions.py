"""Submissions: a durable file is received; when every record has its diagnostic it is completed."""

from datetime import datetime

from services.deposits.crossref.diagnostics import Counts
from shared.events import SubmissionCompleted, SubmissionReceived, SubmissionState


def received(
    submission: str, *, organisation: int, now: datetime
) -> tuple[SubmissionState, SubmissionReceived]:
    """Begin a submission whose file is durable."""
    state = SubmissionState(
        submission=submission,
        organisation=organisation,
        status="queued",
        received_at=now,
        version=1,
    )
    return state, SubmissionReceived.model_construct(**dict(state))


def completed(
    state: SubmissionState, counts: Counts, *, now: datetime
) -> tuple[SubmissionState, SubmissionCompleted] | None:
    """End a submission whose records all have a diagnostic; None where it has ended already."""
    if state.status == "completed":
        return None
    ended = state.model_copy(
        update={
            "status": "completed",
            "completed_at": now,
            "record_count": counts.records,
            "success_count": counts.success,
            "warning_count": counts.warning,
            "failure_count": counts.failure,
            "version": state.version + 1,
        }
    )
    return ended, SubmissionCompleted.model_construct(**dict(ended))
