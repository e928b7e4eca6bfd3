"""The submission log: `doi_batch_diagnostic`, written as a stream and read back.

The form is the real system's (crossref.md 5.2, 5.8), which clients parse with whatever they have;
so elements and their order are fixed. A log of a huge submission is written record by record.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, cast, get_args
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from services.deposits.crossref.faults import NO_DOI, Place, Unreadable
from services.deposits.crossref.submission import Record

BatchStatus = Literal["queued", "in_process", "completed", "unknown_submission"]
RecordStatus = Literal["Success", "Warning", "Failure"]

ADDED = "Successfully added"
UPDATED = "Successfully updated"
ADDED_WITH_CONFLICT = "Added with conflict"
NOT_NEWER = (
    "Record not processed because submitted version: {version} is less or equal to previously "
    "submitted version (DOI match)"
)
NOT_YOUR_PREFIX = "User not allowed to add records for prefix: {prefix}"
MIXED_PREFIXES = "All prefixes in a submission must match (DOI[{doi}])"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """The verdict on one record."""

    status: RecordStatus
    doi: str
    message: str
    msg_id: int | None = None
    conflict_id: str | None = None
    dois_in_conflict: tuple[str, ...] = ()
    citations_deferred: str | None = None  # reference matching follows under this id
    citations: tuple[tuple[str, str], ...] = ()  # key and status of each reference


@dataclass(frozen=True, slots=True)
class Counts:
    """How many records ended how."""

    success: int = 0
    warning: int = 0
    failure: int = 0

    @property
    def records(self) -> int:
        """All of them."""
        return self.success + self.warning + self.failure


@dataclass(frozen=True, slots=True)
class BatchDiagnostic:
    """A whole submission log."""

    status: BatchStatus
    submission_id: str = "0"
    batch_id: str = ""
    server: str = "colophon"
    records: tuple[Diagnostic, ...] = ()
    counts: Counts | None = None


def failure(record: Record) -> Diagnostic | None:
    """Return the verdict on a record that its own content refuses, or None when it is sound."""
    found = record.failure
    if found is None:
        return None
    doi = NO_DOI if found.hides_doi or not record.doi else record.doi
    return Diagnostic("Failure", doi, found.message, found.msg_id)


def refusal(found: Unreadable) -> Diagnostic:
    """Return the one verdict on a file that is refused whole."""
    return Diagnostic("Failure", NO_DOI, found.message, found.msg_id)


def count(records: Iterable[Diagnostic]) -> Counts:
    """Return the counts of some verdicts."""
    tally = {"Success": 0, "Warning": 0, "Failure": 0}
    for record in records:
        tally[record.status] += 1
    return Counts(tally["Success"], tally["Warning"], tally["Failure"])


# -- writing -----------------------------------------------------------------------------------


def render(
    status: BatchStatus,
    records: Iterable[Diagnostic] = (),
    *,
    submission_id: str = "0",
    batch_id: str = "",
    server: str = "colophon",
    counts: Counts | None = None,
) -> Iterator[bytes]:
    """Yield a submission log in UTF-8; `counts` closes a completed one."""
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<doi_batch_diagnostic status={quoteattr(status)} sp={quoteattr(server)}>\n"
        f"   <submission_id>{escape(submission_id)}</submission_id>\n"
        f"   <batch_id>{_clean(batch_id)}</batch_id>\n"
    ).encode()
    for record in records:
        yield _record(record).encode()
    if counts is not None:
        yield (
            "   <batch_data>\n"
            f"      <record_count>{counts.records}</record_count>\n"
            f"      <success_count>{counts.success}</success_count>\n"
            f"      <warning_count>{counts.warning}</warning_count>\n"
            f"      <failure_count>{counts.failure}</failure_count>\n"
            "   </batch_data>\n"
        ).encode()
    yield b"</doi_batch_diagnostic>\n"


def _record(record: Diagnostic) -> str:
    named = "" if record.msg_id is None else f' msg_id="{record.msg_id}"'
    lines = [
        f'   <record_diagnostic status="{record.status}"{named}>',
        f"      <doi>{_clean(record.doi)}</doi>",
        f"      <msg>{_clean(record.message)}</msg>",
    ]
    lines += _citations(record)
    if record.conflict_id is not None:
        lines.append(f"      <conflict_id>{escape(record.conflict_id)}</conflict_id>")
    if record.dois_in_conflict:
        conflicting = "".join(f"<doi>{_clean(doi)}</doi>" for doi in record.dois_in_conflict)
        lines.append(f"      <dois_in_conflict>{conflicting}</dois_in_conflict>")
    return "\n".join([*lines, "   </record_diagnostic>", ""])


def _citations(record: Diagnostic) -> Iterator[str]:
    deferred = record.citations_deferred
    named = "" if deferred is None else f" deferred={quoteattr(deferred)}"
    if record.citations:
        yield f"      <citations_diagnostic{named}>"
        for key, status in record.citations:
            said = quoteattr(_kept(key))
            yield f"         <citation key={said} status={quoteattr(status)}/>"
        yield "      </citations_diagnostic>"
    elif named:
        yield f"      <citations_diagnostic{named}/>"


def _clean(text: str) -> str:
    """Escape text, without the characters XML 1.0 cannot hold."""
    return escape(_kept(text))


def _kept(text: str) -> str:
    return "".join(c for c in text if c in "\t\n" or " " <= c not in "\x7f\ufffe\uffff")


# -- reading -----------------------------------------------------------------------------------


def parse(log: bytes) -> BatchDiagnostic:
    """Return a submission log from its XML; raises Unreadable for anything else."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(log, parser)
    except etree.XMLSyntaxError as error:
        raise Unreadable("malformed", Place("/"), message=str(error.msg)) from None
    status = root.get("status") or ""
    if root.tag != "doi_batch_diagnostic" or status not in get_args(BatchStatus):
        raise Unreadable("unsupported-schema", Place(f"/{root.tag}"))
    return BatchDiagnostic(
        status=cast("BatchStatus", status),
        submission_id=root.findtext("submission_id") or "",
        batch_id=root.findtext("batch_id") or "",
        server=root.get("sp") or "",
        records=tuple(_diagnostic(record) for record in root.iterfind("record_diagnostic")),
        counts=_counts(root),
    )


def _diagnostic(record: etree._Element) -> Diagnostic:
    msg_id = record.get("msg_id")
    deferred = record.find("citations_diagnostic")
    return Diagnostic(
        status=cast("RecordStatus", record.get("status")),
        doi=record.findtext("doi") or "",
        message=record.findtext("msg") or "",
        msg_id=int(msg_id) if msg_id else None,
        conflict_id=record.findtext("conflict_id"),
        dois_in_conflict=tuple(doi.text or "" for doi in record.iterfind("dois_in_conflict/doi")),
        citations_deferred=None if deferred is None else deferred.get("deferred"),
        citations=tuple(
            (one.get("key") or "", one.get("status") or "")
            for one in record.iterfind("citations_diagnostic/citation")
        ),
    )


def _counts(root: etree._Element) -> Counts | None:
    data = root.find("batch_data")
    if data is None:
        return None
    said = (int(data.findtext(f"{name}_count") or 0) for name in ("success", "warning", "failure"))
    return Counts(*said)
