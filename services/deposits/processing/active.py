"""A submission in hand: what was read of it, what it still waits for, and how its records fared."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from services.deposits.crossref.diagnostics import Counts
from services.deposits.crossref.faults import NO_DOI, Unreadable
from services.deposits.crossref.submission import Head, Record
from services.deposits.model import Permission, Verdict, key_of, prefix_of
from services.deposits.permissions import Bound
from services.deposits.processing.judging import Case
from services.deposits.processing.reading import End, Item
from services.deposits.store import Claim, Submission


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
    counted: Counter[str] = field(default_factory=Counter)
    reader: asyncio.Task[None] | None = None
    _records: deque[Record] = field(default_factory=deque)
    _room: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def of(cls, claim: Claim) -> "Active":
        """Begin with a claim."""
        return cls(claim.submission, claim.bound, claim.resumed)

    @property
    def id(self) -> str:
        """The submission's number."""
        return self.submission.id

    async def put(self, items: list[Item], *, most: int, told: Callable[[], None]) -> None:
        """Take in what was read and tell so; waits while ``most`` records are not yet judged."""
        for item in items:
            match item:
                case Head():
                    self.head = item
                case Record():
                    self._records.append(item)
                case End():
                    self.end = item
        told()
        while len(self._records) > most:
            self._room.clear()
            await self._room.wait()

    def unbound(self) -> str | None:
        """Return the file's prefix while only newer knowledge may refuse it.

        The prefix is that of the first record with a DOI.
        """
        if self.permission is not None:
            return None
        first = next((one for one in self._records if one.doi and one.failure is None), None)
        if first is None:
            return None
        prefix = prefix_of(key_of(first))
        self.permission = self.bound.permission(
            prefix,
            organisation=self.submission.state.organisation,
            received_at=self.submission.state.received_at,
        )
        return prefix if self.permission is None else None

    def take(self, share: int) -> list[Case]:
        """Take up to ``share`` records out, to be judged."""
        if not self._records or self.unbound() is not None:
            return []
        taken = [self._records.popleft() for _ in range(min(share, len(self._records)))]
        self._room.set()
        return [Case(self.id, one, self.permission, self.resumed) for one in taken]

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
