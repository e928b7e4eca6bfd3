"""Judging a record against its work: who may, whether it is newer, what it makes of the work."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from services.deposits.crossref.diagnostics import (
    ADDED,
    MIXED_PREFIXES,
    NOT_NEWER,
    NOT_YOUR_PREFIX,
    UPDATED,
)
from services.deposits.crossref.records import amended
from services.deposits.crossref.submission import Record
from services.deposits.model.citations import citation_counts
from services.deposits.model.ownership import owner_of
from services.deposits.model.titles import Entered, Taken, enter
from services.deposits.model.verdicts import (
    LARGEST_WORK,
    NOT_YOUR_HANDLE,
    TOO_LARGE,
    UNKNOWN_DOI,
    Permission,
    Refused,
    Registration,
    Standing,
    Verdict,
    advice_of,
    failed,
    refused,
)
from shared.events import WorkRegistered, WorkState, WorkUpdated


def key_of(record: Record) -> str:
    """Return the key of the record's work: DOIs compare without case."""
    return record.doi.lower()


def prefix_of(doi: str) -> str:
    """Return a DOI's own prefix."""
    return doi.partition("/")[0]


def judge_alone(record: Record, permission: Permission | None) -> Verdict | None:
    """Refuse a record for what its file alone says; None where more must be looked at.

    ``permission`` is None only while no record of the file had a DOI.
    """
    if record.failure is not None:
        return failed(record, record.failure)
    if permission is None or prefix_of(key_of(record)) != permission.prefix:
        return refused(record, "prefixes-differ", MIXED_PREFIXES.format(doi=record.doi))
    if _too_large(record.work):
        return refused(record, "too-large", TOO_LARGE.format(LARGEST_WORK // 1_000_000))
    return None


def judge(
    record: Record, permission: Permission, standing: Standing, *, name: str, now: datetime
) -> Registration | Verdict | Refused:
    """Judge a record that ``judge_alone`` let through (crossref.md 5.6, 5.7).

    ``name`` is ``<submission>#<record>``. A ``Verdict`` stays the same whenever it is asked for; a
    ``Refused`` rests on facts that may change.
    """
    work = standing.work
    if record.effect == "part" and work is None:
        return Refused(refused(record, "doi-unknown", UNKNOWN_DOI.format(record.doi)), final=True)
    barred = _barred(record, permission, standing)
    if barred is not None:
        return barred
    timestamp = record.timestamp
    if work is not None and timestamp is not None and int(timestamp) <= int(work.timestamp):
        return _not_newer(record, timestamp, work)
    if record.effect == "part":
        assert work is not None
        return _changed(record, work, standing, name=name, now=now)
    entered = _entered(record, permission, standing)
    if isinstance(entered, Taken):
        return Refused(refused(record, entered.rule, entered.msg), final=permission.final)
    return _replaced(record, permission, standing, entered, name=name, now=now)


def _barred(record: Record, permission: Permission, standing: Standing) -> Refused | None:
    """Refuse who may not: a new DOI needs its prefix, a work that exists its owner's."""
    work = standing.work
    if work is None:
        if permission.granted:
            return None
        msg = NOT_YOUR_PREFIX.format(prefix=permission.prefix)
        return Refused(refused(record, "prefix-not-yours", msg), final=permission.final)
    owner = owner_of(work, owner=standing.owner, title=standing.title)
    if owner in permission.prefixes:
        return None
    msg = NOT_YOUR_HANDLE.format(permission.organisation)
    return Refused(refused(record, "handle-not-yours", msg), final=permission.final)


def _not_newer(record: Record, timestamp: str, work: WorkState) -> Verdict:
    details = {
        "version": timestamp,
        "winning": {"version": work.timestamp, "record": work.submission},
    }
    return refused(record, "version", NOT_NEWER.format(version=timestamp), details)


def _entered(record: Record, permission: Permission, standing: Standing) -> Entered | Taken | None:
    """Say which title the work will stand in; None: in none, or in the one it stands in.

    A work with an owner of its own is deposited by that owner, whoever owns the title.
    """
    if record.title is None or standing.owner is not None:
        return None
    work = standing.work
    owner = owner_of(work, owner=None, title=standing.title) if work else permission.prefix
    return enter(
        record.title,
        standing.titles,
        organisation=permission.organisation,
        owner_prefix=owner,
        prefixes=permission.prefixes,
    )


def _replaced(
    record: Record,
    permission: Permission,
    standing: Standing,
    entered: Entered | None,
    *,
    name: str,
    now: datetime,
) -> Registration:
    """Register a whole record: it replaces all that was said of the work."""
    work = standing.work
    assert record.timestamp is not None  # the reader refuses a whole record without one
    kept = work.title if work else None
    state = WorkState.model_construct(
        doi=key_of(record),
        prefix=permission.prefix,
        timestamp=record.timestamp,
        created=work.created if work else now,
        deposited=now,
        submission=name,
        work=record.work,
        # One that names no title any more stays with the owner that it has.
        title=entered.title.subject if entered else kept,
        version=standing.version + 1,
    )
    happened = WorkUpdated if work else WorkRegistered
    told = entered.advice if entered else ()
    details = {**_said_of(state), **advice_of(record, *told)}
    verdict = Verdict("Success", record.doi, UPDATED if work else ADDED, details=details)
    return Registration(state, happened.model_construct(**dict(state)), verdict, entered)


def _changed(
    record: Record, work: WorkState, standing: Standing, *, name: str, now: datetime
) -> Registration | Refused:
    """Register a part: it replaces the keys that it says, and leaves the rest."""
    merged = amended(work.work, record.work)
    if _too_large(merged):
        msg = TOO_LARGE.format(LARGEST_WORK // 1_000_000)
        return Refused(refused(record, "too-large", msg), final=True)
    state = work.model_copy(
        update={
            "timestamp": record.timestamp or work.timestamp,
            "deposited": now,
            "submission": name,
            "work": merged,
            "version": standing.version + 1,
        }
    )
    details = {**_said_of(state), **advice_of(record)}
    verdict = Verdict("Success", record.doi, UPDATED, details=details)
    return Registration(state, WorkUpdated.model_construct(**dict(state)), verdict)


def _said_of(state: WorkState) -> dict[str, Any]:
    return {"work_version": state.version, **citation_counts(state.work)}


def _too_large(work: Mapping[str, Any]) -> bool:
    return len(orjson.dumps(work)) > LARGEST_WORK
