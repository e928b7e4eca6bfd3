"""Works and submissions: state, and the decisions about them. Pure.

The law of this room (L1): reprocessing a record of a submission repeats its first verdict. It
rests on four facts, whatever dies or wakes up late, and however many work on one submission:

1. A diagnostic is inserted under ``<submission>#<record>``; the first insert wins.
2. A success is written in the work's own document, in the same write as the work, so it cannot be
   durable without its verdict; whoever meets that verdict repeats it. It stays there until its
   diagnostic is durable.
3. Timestamps of a work only grow and an accepted one is greater than the last, so a record is
   applied at most once: judged anew after it was applied, it is refused as not newer, and that
   refusal loses against the diagnostic by 1.
4. Whether the depositor may deposit under the file's prefix is found out once a submission and
   bound to it before anything is written (``permissions``); all else that refuses a record is in
   the file. So a failure, which writes no work, cannot turn into a success: where its diagnostic
   was lost before it was durable, nobody had seen it, and judging gives a failure again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import orjson

from services.deposits.crossref.diagnostics import (
    ADDED,
    MIXED_PREFIXES,
    NOT_NEWER,
    NOT_YOUR_PREFIX,
    UPDATED,
    Counts,
    RecordStatus,
)
from services.deposits.crossref.faults import NO_DOI, Problem
from services.deposits.crossref.submission import Record
from shared.events import (
    SubmissionCompleted,
    SubmissionReceived,
    SubmissionState,
    WorkRegistered,
    WorkState,
    WorkUpdated,
)

Status = RecordStatus

NOT_YOUR_HANDLE: Final = (
    "User with ID: {0} can't submit into handle, please contact the Crossref admin"
)
TOO_LARGE: Final = "A single record is larger than {0} MB"
SYSTEM_ERROR: Final = "A system error has occured"  # sic: clients know it so
LARGEST_WORK: Final = 7_000_000  # bytes of JSON: a document holds it twice, and has 16 MB at most

_REMEDIES: Final = {
    "version": "Send a greater timestamp; versions are compared as plain numbers.",
    "prefix-not-yours": "Deposit with the login of the member that the prefix is assigned to.",
    "handle-not-yours": "The DOI belongs to another member; ask it, or ask for a transfer.",
    "prefixes-differ": "Send one file for each prefix.",
    "too-large": "Split the record, or leave out what is not metadata.",
    "system-error": "It has been noted; send the record again later.",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one record, as its diagnostic says it; final once durable.

    ``at`` and ``line`` place a fault in the file, ``remedy`` is ours. ``details`` holds what more
    a program may want: the submitted version, the one that won, advice on what was taken as it is.
    """

    status: Status
    doi: str
    msg: str
    rule: str | None = None
    msg_id: int | None = None
    at: str | None = None
    line: int | None = None
    remedy: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether a submission may deposit under the prefix of its file; bound once (law L1)."""

    organisation: int
    prefix: str
    granted: bool


@dataclass(frozen=True, slots=True)
class Registration:
    """A record is accepted: the work's new state, and what happened."""

    state: WorkState
    event: WorkRegistered | WorkUpdated
    verdict: Verdict


def key_of(record: Record) -> str:
    """Return the key of the record's work: DOIs compare without case."""
    return record.doi.lower()


def prefix_of(doi: str) -> str:
    """Return a DOI's own prefix."""
    return doi.partition("/")[0]


def judge_alone(record: Record, permission: Permission | None) -> Verdict | None:
    """Refuse a record for what needs no look at its work; None where the work decides.

    ``permission`` is None only while no record of the file had a DOI.
    """
    if record.failure is not None:
        return failed(record, record.failure)
    if permission is None or prefix_of(key_of(record)) != permission.prefix:
        return _refused(record, "prefixes-differ", MIXED_PREFIXES.format(doi=record.doi))
    if len(orjson.dumps(record.work)) > LARGEST_WORK:
        return _refused(record, "too-large", TOO_LARGE.format(LARGEST_WORK // 1_000_000))
    return None


def judge(
    work: WorkState | None,
    record: Record,
    permission: Permission,
    *,
    name: str,
    now: datetime,
) -> Registration | Verdict:
    """Judge a record that ``judge_alone`` let through, against its work (crossref.md 5.7).

    ``name`` is ``<submission>#<record>``. The timestamp must be strictly greater than the work's.
    """
    if not permission.granted:
        if work is None:
            msg = NOT_YOUR_PREFIX.format(prefix=permission.prefix)
            return _refused(record, "prefix-not-yours", msg)
        msg = NOT_YOUR_HANDLE.format(permission.organisation)
        return _refused(record, "handle-not-yours", msg)
    timestamp = record.timestamp
    assert timestamp is not None  # the reader refuses a record without one
    if work is not None and int(timestamp) <= int(work.timestamp):
        details = {
            "version": timestamp,
            "winning": {"version": work.timestamp, "record": work.submission},
        }
        return _refused(record, "version", NOT_NEWER.format(version=timestamp), details)
    state = WorkState.model_construct(
        doi=key_of(record),
        prefix=permission.prefix,
        timestamp=timestamp,
        created=work.created if work else now,
        deposited=now,
        submission=name,
        work=record.work,
        version=work.version + 1 if work else 1,
    )
    happened = WorkUpdated if work else WorkRegistered
    verdict = Verdict("Success", record.doi, UPDATED if work else ADDED, details=_advice(record))
    return Registration(state, happened.model_construct(**dict(state)), verdict)


def gave_up(record: Record) -> Verdict:
    """Return the verdict of a record that we cannot judge: the fault is ours."""
    return _refused(record, "system-error", SYSTEM_ERROR)


def failed(record: Record, problem: Problem) -> Verdict:
    """Return the verdict of a record that the reader refuses."""
    return Verdict(
        "Failure",
        NO_DOI if problem.hides_doi or not record.doi else record.doi,
        problem.message,
        rule=problem.rule,
        msg_id=problem.msg_id,
        at=problem.place.path,
        line=problem.place.line or record.line or None,
        remedy=problem.remedy,
        details=_advice(record),
    )


def _refused(
    record: Record, rule: str, msg: str, details: Mapping[str, Any] | None = None
) -> Verdict:
    return Verdict(
        "Failure",
        record.doi or NO_DOI,
        msg,
        rule=rule,
        line=record.line or None,
        remedy=_REMEDIES[rule],
        details={**_advice(record), **(details or {})},
    )


def _advice(record: Record) -> dict[str, Any]:
    advice = [
        {
            "rule": problem.rule,
            "at": problem.place.path,
            "line": problem.place.line,
            "msg": problem.message,
            "remedy": problem.remedy,
        }
        for problem in record.problems
        if problem.severity == "advice"
    ]
    return {"advice": advice} if advice else {}


# -- submissions ---------------------------------------------------------------------------------


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
