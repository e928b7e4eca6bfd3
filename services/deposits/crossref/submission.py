"""What a deposit file says: its head and depositor, its records, and the outline of a check."""

from dataclasses import dataclass, field
from typing import Literal

from services.deposits.crossref.dates import Work
from services.deposits.crossref.faults import Problem


@dataclass(frozen=True, slots=True, repr=False)
class Depositor:
    """Who sent the file: personal data, shown to nobody by accident."""

    name: str
    email: str

    def __repr__(self) -> str:
        return "Depositor(...)"


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a submission. `timestamp` is digits, the version of records without their own."""

    batch_id: str
    timestamp: str | None
    schema_version: str
    depositor: Depositor
    registrant: str = field(default="", repr=False)


TitleKind = Literal["journal", "book", "conference"]


@dataclass(frozen=True, slots=True)
class TitleClaim:
    """The title a record stands in, as the file says it; who owns the title is not decided here.

    ``name`` is the full title without markup, ``doi`` the title's own DOI or "". Identifiers are
    in their written form: ISSNs with their hyphen, ISBNs as digits.
    """

    kind: TitleKind
    name: str
    issns: tuple[str, ...] = ()
    isbns: tuple[str, ...] = ()
    doi: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a submission, in file order from index 0.

    `doi` is as deposited ("" when there is none), `timestamp` its own or the head's, `work` the
    work object of docs/interfaces/deposit-elements.md. When `failure` is not None the record must
    not be registered, and `work` is not to be used.

    A `part` (a resource-only deposit) changes a work that exists: `work` holds only the keys it
    sets, and without a `timestamp` the work keeps the one it has.
    """

    index: int
    doi: str
    timestamp: str | None
    kind: str
    work: Work
    line: int
    problems: tuple[Problem, ...] = ()
    effect: Literal["whole", "part"] = "whole"
    title: TitleClaim | None = None

    @property
    def failure(self) -> Problem | None:
        """The first problem that refuses the record."""
        return next((p for p in self.problems if p.severity == "failure"), None)


@dataclass(frozen=True, slots=True)
class Outline:
    """What the first pass found: the head, how many records, and whether a schema was applied."""

    head: Head
    records: int
    schema: str | None  # file name of the schema applied, None when there is none for this version


@dataclass(frozen=True, slots=True)
class Deposit:
    """A whole small deposit."""

    head: Head
    records: tuple[Record, ...]
    schema: str | None
