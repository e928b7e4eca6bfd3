"""Issues of lists: sent page by page over the consents to their list, once each."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from services.consent.errors import Refusal
from shared.events.base import Instant, State, Version
from shared.events.decisions import Accepted, Refused, Unchanged

COARSE: Final = len("bi1.0000")  # of a blind index, shared by one address in 65,000


class Counted(State):
    """What became of those who were looked at; ``posted`` are mails that wait or were sent."""

    posted: int = 0
    refused: int = 0
    unreadable: int = 0

    def __add__(self, more: "Counted") -> "Counted":
        """Add what another page came to."""
        return Counted(
            posted=self.posted + more.posted,
            refused=self.refused + more.refused,
            unreadable=self.unreadable + more.unreadable,
        )


class KeptIssue(State):
    """One issue; ``after`` is the last consent that was looked at, in the order of their keys.

    Once it has ended nobody stands there.
    """

    issue: str
    listed: str
    subject: str
    text: str
    asked_at: Instant
    consents: int
    after: str = ""
    counted: Counted = Counted()
    ended_at: Instant | None = None
    version: Version = 1

    @property
    def at(self) -> str:
        """The blind index that ``after`` begins with."""
        return self.after.partition("|")[0]


Decided = Accepted[KeptIssue] | Unchanged[KeptIssue] | Refused[Refusal]


def issue_key(listed: str, issue: str) -> str:
    """Return the key of an issue."""
    return f"{listed}|{issue}"


def ask(known: KeptIssue | None, new: KeptIssue) -> Decided:
    """Ask for an issue; of one name there is one, however often it is asked for."""
    if known is None:
        return Accepted(new, ())
    if (known.subject, known.text) != (new.subject, new.text):
        return Refused(Refusal("issue-differs", "Give another text another name."))
    return Unchanged(known)


def forget(known: KeptIssue | None, subjects: Collection[str]) -> Decided:
    """Forget at whom an issue stands, where that is one of these.

    One that is under way goes on a little before them. Who is looked at twice gets one mail.
    """
    if known is None:
        return Refused(Refusal("issue-unknown"))
    if known.at not in subjects:
        return Unchanged(known)
    after = "" if known.ended_at else known.after[:COARSE]
    changes = {"after": after, "version": known.version + 1}
    return Accepted(known.model_copy(update=changes), ())


def turn(
    known: KeptIssue | None, *, before: str, after: str | None, counted: Counted, now: datetime
) -> Decided:
    """Count one page, from behind ``before`` up to ``after``; None: there was nobody left.

    Where another process was faster its word stands: both posted the same mails.
    """
    if known is None:
        return Refused(Refusal("issue-unknown"))
    if known.after != before or known.ended_at is not None:
        return Unchanged(known)
    moved = {"ended_at": now, "after": ""} if after is None else {"after": after}
    changes = {"counted": known.counted + counted, "version": known.version + 1}
    return Accepted(known.model_copy(update=moved | changes), ())
