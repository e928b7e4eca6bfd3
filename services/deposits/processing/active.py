"""A submission in hand: what was read of it, what it still waits for, and how its records fared."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from services.deposits.crossref.diagnostics import Counts
from services.deposits.crossref.faults import NO_DOI, Unreadable
from services.deposits.crossref.submission import Head, Record
from services.deposits.model import Permission, Verdict, key_of, prefix_of
from services.deposits.permissions import Bound
from services.deposits.processing.case import Case
from services.deposits.processing.reading import End, Piece
from services.deposits.store import Claim, Submission

MOST_BYTES: Final = 4_000_000  # of one file read ahead of judging: a record may have megabytes


@dataclass(slots=True)
class Active:
    """One claimed submission of one worker."""

    submission: Submission
    bound: Bound
    resumed: bool
    head: Head | None = None
    end: End | None = None
    fault: Exception | None = None  # its file cannot be read, for whatever reason of ours
    permission: Permission | None = None
    unsure: bool = False  # a record waits for newer knowledge of prefixes
    refused: dict[str, Verdict] = field(default_factory=dict)  # until their diagnostics are durable
    counted: Counter[str] = field(default_factory=Counter)
    reader: asyncio.Task[None] | None = None
    _records: deque[Record] = field(default_factory=deque)
    _bytes: int = 0  # of the file, that the records were read from; about
    _room: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def of(cls, claim: Claim) -> "Active":
        """Begin with a claim."""
        return cls(claim.submission, claim.bound, claim.resumed, refused=dict(claim.refused))

    @property
    def id(self) -> str:
        """The submission's number."""
        return self.submission.id

    async def put(self, piece: Piece, *, most: int, told: Callable[[], None]) -> None:
        """Take in what was read and tell so.

        Waits while ``most`` records, or ``MOST_BYTES`` of them, are not yet judged.
        """
        self._bytes += piece.size
        for item in piece.items:
            match item:
                case Head():
                    self.head = item
                case Record():
                    self._records.append(item)
                case End():
                    self.end = item
        told()
        while len(self._records) > most or (self._records and self._bytes > MOST_BYTES):
            self._room.clear()
            await self._room.wait()

    def bind(self, bound: Bound) -> None:
        """Go on with newer knowledge."""
        self.bound = bound
        self.unsure = False
        if self.permission is not None:
            self._permit(self.permission.prefix)

    def take(self, share: int) -> list[Case]:
        """Take up to ``share`` records out, to be judged.

        The prefix of the file is that of the first record with a DOI.
        """
        if not self._records or self.unsure:
            return []
        if self.permission is None:
            first = next((one for one in self._records if one.doi and one.failure is None), None)
            if first is not None:
                self._permit(prefix_of(key_of(first)))
        left = max(len(self._records) - share, 0)
        self._bytes = self._bytes * left // len(self._records)
        taken = [self._records.popleft() for _ in range(len(self._records) - left)]
        self._room.set()
        return [Case(self.id, one, self.permission, self.resumed, self.refused) for one in taken]

    def give_back(self, records: Sequence[Record]) -> None:
        """Put records back that only newer knowledge may judge, in their order."""
        self._records.extendleft(reversed(records))
        self.unsure = True

    def _permit(self, prefix: str) -> None:
        self.permission = self.bound.permission(
            prefix,
            organisation=self.submission.state.organisation,
            received_at=self.submission.state.received_at,
        )

    @property
    def waiting(self) -> int:
        """How many records wait to be judged."""
        return len(self._records)

    def verdict_on_file(self) -> dict[str, Verdict]:
        """Return the one failure of a file that is refused whole (crossref.md 5.8)."""
        if self.end is None or self.end.fault is None:
            return {}
        return {f"{self.id}#0": refused(self.end.fault)}

    def count(self, verdicts: list[Verdict]) -> None:
        """Note durable verdicts."""
        self.counted.update(one.status for one in verdicts)

    @property
    def done(self) -> bool:
        """Whether every record has its diagnostic."""
        return self.end is not None and self.counts.records >= self.end.records

    @property
    def counts(self) -> Counts:
        """How its records fared so far."""
        return Counts(self.counted["Success"], self.counted["Warning"], self.counted["Failure"])


def refused(fault: Unreadable) -> Verdict:
    """Return the verdict on a file that nothing of may be processed."""
    return Verdict(
        "Failure",
        NO_DOI,
        fault.message,
        rule=fault.rule,
        msg_id=fault.msg_id,
        at=fault.place.path,
        line=fault.place.line or None,
        remedy=fault.remedy,
    )
