"""Verdicts on records: what they hold, the words of refusals, and what judging is given."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from services.deposits.crossref.diagnostics import RecordStatus
from services.deposits.crossref.faults import NO_DOI, Problem
from services.deposits.crossref.submission import Record
from services.deposits.model.titles import Entered, KnownTitles
from shared.events import (
    OwnershipState,
    TitleState,
    WorkRegistered,
    WorkState,
    WorkUpdated,
)

NOT_YOUR_HANDLE: Final = (
    "User with ID: {0} can't submit into handle, please contact the Crossref admin"
)
TOO_LARGE: Final = "A single record is larger than {0} MB"
SYSTEM_ERROR: Final = "A system error has occured"  # sic: clients know it so
UNKNOWN_DOI: Final = "DOI not registered, its resources cannot be updated: {0}"
LARGEST_WORK: Final = 7_000_000  # bytes of JSON: a document holds it twice, and has 16 MB at most

_REMEDIES: Final = {
    "version": "Send a greater timestamp; versions are compared as plain numbers.",
    "prefix-not-yours": "Deposit with the login of the member that the prefix is assigned to.",
    "handle-not-yours": "The DOI belongs to another member; ask it, or ask for a transfer.",
    "prefixes-differ": "Send one file for each prefix.",
    "too-large": "Split the record, or leave out what is not metadata.",
    "system-error": "It has been noted; send the record again later.",
    "doi-unknown": "Deposit the work's metadata first; a part only changes a work that exists.",
    "issn-owned": "Correct the ISSN, or ask for a transfer of the title it belongs to.",
    "title-not-yours": "Ask its owner, or ask for a transfer of the title.",
    "isbn-owned": "Correct the ISBN, or ask for a transfer of the title it belongs to.",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one record, as its diagnostic says it; final once durable.

    ``at`` and ``line`` place a fault in the file, ``remedy`` is ours. ``details`` holds what more
    a program may want: the submitted version, the one that won, advice on what was taken as it is,
    how many references there are, the DOIs it is in conflict with.
    """

    status: RecordStatus
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
    """What a submission may do: the prefix of its file, and the prefixes its member owns.

    Only where ``final`` may it refuse: else an assignment made before the deposit may be unknown.
    """

    organisation: int
    prefix: str
    prefixes: Collection[str]
    final: bool = True

    @property
    def granted(self) -> bool:
        """Whether the member may register new DOIs of the file's prefix."""
        return self.prefix in self.prefixes


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a record's work outside its file.

    ``version`` is that of its document, greater than the work's where refusals moved it on, 0
    where there is none. ``owner`` is the work's own owner, ``title`` the title it stands in now;
    ``titles`` are those that the record's own title claim meets.
    """

    work: WorkState | None = None
    version: int = 0
    owner: OwnershipState | None = None
    title: TitleState | None = None
    titles: KnownTitles = field(default_factory=KnownTitles)


@dataclass(frozen=True, slots=True)
class Registration:
    """A record is accepted: the work's new state, what happened, and the title it stands in."""

    state: WorkState
    event: WorkRegistered | WorkUpdated
    verdict: Verdict
    entered: Entered | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """A refusal that rests on facts outside the file: it must be bound before it is durable.

    Where it is not ``final`` only newer knowledge may say it.
    """

    verdict: Verdict
    final: bool


def gave_up(record: Record) -> Verdict:
    """Return the verdict of a record that we cannot judge: the fault is ours."""
    return refused(record, "system-error", SYSTEM_ERROR)


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
        details=advice_of(record),
    )


def refused(
    record: Record, rule: str, msg: str, details: Mapping[str, Any] | None = None
) -> Verdict:
    """Return a failure of a record by one of the rules here."""
    return Verdict(
        "Failure",
        record.doi or NO_DOI,
        msg,
        rule=rule,
        line=record.line or None,
        remedy=_REMEDIES[rule],
        details={**advice_of(record), **(details or {})},
    )


def advice_of(record: Record, *more: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is worth telling about a record that does not refuse it, and ``more``."""
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
    advice += [{"at": "", "line": record.line, **one} for one in more]
    return {"advice": advice} if advice else {}
