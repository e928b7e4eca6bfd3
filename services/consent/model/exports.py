"""Exports of addresses to a registered processor: asked for by one, approved by another.

An export has rows, each of which stands for one person under a number of its own. What was given
is never stored: with each download everybody is asked about again, and what it came to is a new
edition wherever somebody left. A row that was given and is not allowed any more is told to the
processor, until it says that the row was deleted there.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from services.consent.errors import Refusal
from shared.events.base import Instant, State, Version
from shared.events.decisions import Accepted, Refused, Unchanged
from shared.events.personal import BlindIndexed


class Row(State):
    """One person in an export; ``row`` says nothing of them.

    Without a ``subject`` the person was erased; the processor is told of the row all the same.
    """

    row: str
    subject: BlindIndexed | None
    given_in: int | None = None
    gone_at: Instant | None = None
    deleted_at: Instant | None = None

    @property
    def whose(self) -> str:
        """Whose row it is; of one that is there."""
        assert self.subject is not None
        return self.subject


class Given(State):
    """A download: which edition, how many rows, and the hash of the encrypted file."""

    at: Instant
    edition: int
    rows: int
    sha: str


class KeptExport(State):
    """An export's document."""

    export: str
    processor: str
    purpose: str
    category: str
    listed: str = ""
    fields: tuple[str, ...]
    reason: str
    requester: str
    asked_at: Instant
    approver: str | None = None
    approved_at: Instant | None = None
    expires_at: Instant | None = None
    edition: int = 0
    rows: tuple[Row, ...] = ()
    given: tuple[Given, ...] = ()
    version: Version = 1

    @property
    def there(self) -> tuple[Row, ...]:
        """The rows of those who did not leave."""
        return tuple(row for row in self.rows if row.gone_at is None)

    @property
    def to_delete(self) -> tuple[Row, ...]:
        """The rows that the processor was given and must not have any more."""
        return tuple(row for row in self.rows if row.given_in is not None and row.gone_at)


Decided = Accepted[KeptExport] | Unchanged[KeptExport] | Refused[Refusal]
Decide = Callable[[KeptExport | None], Decided]
UNKNOWN: Refused[Refusal] = Refused(Refusal("export-unknown"))


def ask(known: KeptExport | None, new: KeptExport) -> Decided:
    """Ask for an export; nobody is in it before it was approved."""
    return Accepted(new, ()) if known is None else Unchanged(known)


def may_approve(known: KeptExport | None, approver: str) -> Refused[Refusal] | None:
    """Refuse whoever asked for it themselves, and what was approved before (DOAJ-5a1)."""
    if known is None:
        return UNKNOWN
    if approver == known.requester:
        return Refused(Refusal("approver-asked", rule="DOAJ-5a1", places=("/approver",)))
    if known.approved_at is not None:
        return Refused(Refusal("export-approved", rule="DOAJ-5a1"))
    return None


def approve(
    known: KeptExport | None, approver: str, rows: Sequence[Row], *, now: datetime, until: datetime
) -> Decided:
    """Make an approved export of these rows; it can be fetched before ``until``."""
    refused = may_approve(known, approver)
    if refused is not None or known is None:
        return refused or UNKNOWN
    changes = {"approver": approver, "approved_at": now, "expires_at": until, "edition": 1}
    return _next(known, **changes, rows=tuple(rows))


def open_at(known: KeptExport | None, now: datetime) -> Refused[Refusal] | None:
    """Refuse what nobody approved, and what is over."""
    if known is None:
        return UNKNOWN
    if known.approved_at is None or known.expires_at is None:
        return Refused(Refusal("export-unapproved", rule="DOAJ-5a1"))
    if now >= known.expires_at:
        return Refused(Refusal("export-expired", rule="DOAJ-5a1"))
    return None


def leave(known: KeptExport | None, gone: Collection[str], *, now: datetime) -> Decided:
    """Take people out, by their rows; what is left is another edition."""
    if known is None:
        return UNKNOWN
    rows = tuple(
        row.model_copy(update={"gone_at": now}) if row.row in gone and not row.gone_at else row
        for row in known.rows
    )
    if rows == known.rows:
        return Unchanged(known)
    return _next(known, rows=rows, edition=known.edition + 1)


def forget(known: KeptExport | None, subjects: Collection[str], *, now: datetime) -> Decided:
    """Take people out who were erased, and forget whose rows they were."""
    if known is None:
        return UNKNOWN
    theirs = {row.row for row in known.rows if row.subject in subjects}
    if not theirs:
        return Unchanged(known)
    rows = tuple(
        row.model_copy(update={"subject": None, "gone_at": row.gone_at or now})
        if row.row in theirs
        else row
        for row in known.rows
    )
    left = any(row.row in theirs for row in known.there)
    return _next(known, rows=rows, edition=known.edition + 1 if left else known.edition)


def give(known: KeptExport | None, edition: int, sha: str, *, now: datetime) -> Decided:
    """Write down that an edition is given out, before it is; never one that is over."""
    closed = open_at(known, now)
    if closed is not None or known is None:
        return closed or UNKNOWN
    if known.edition != edition:
        return Refused(Refusal("export-changed", "Somebody left; fetch it again."))
    rows = tuple(
        row.model_copy(update={"given_in": edition})
        if row.given_in is None and row.gone_at is None
        else row
        for row in known.rows
    )
    given = Given(at=now, edition=edition, rows=len(known.there), sha=sha)
    return _next(known, rows=rows, given=(*known.given, given))


def deleted(known: KeptExport | None, rows: Collection[str], *, now: datetime) -> Decided:
    """Write down that the processor deleted rows; only those it was told to delete count."""
    if known is None:
        return UNKNOWN
    told = {row.row for row in known.to_delete}
    if not told.issuperset(rows):
        return Refused(Refusal("row-not-told", places=("/rows",)))
    after = tuple(
        row.model_copy(update={"deleted_at": now})
        if row.row in rows and row.deleted_at is None
        else row
        for row in known.rows
    )
    return Unchanged(known) if after == known.rows else _next(known, rows=after)


def _next(known: KeptExport, **fields: object) -> Accepted[KeptExport]:
    return Accepted(known.model_copy(update={**fields, "version": known.version + 1}), ())
