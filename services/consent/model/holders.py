"""Holders of accounts: under which address what each said stands, and how it follows the account.

Accounts tells it of all who have an account. Consents stand under addresses; those to lists and to
the mail of a role belong to one and stay there, the others are the account's. When the address of
an account changes they are read, ended where they stood, and brought to the new address. Each step
may be done again, so whoever finds one undone does it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from services.consent.errors import Refusal
from services.consent.model.consents import KeptConsent
from shared.events.base import Instant, State, Version
from shared.events.decisions import Accepted, Refused, Unchanged
from shared.events.people import PersonState, PersonWhat
from shared.events.personal import BlindIndexed, Pseudonym

ADDRESSED: Final[tuple[PersonWhat, ...]] = ("registered", "invited", "address-changed")


class KeptHolder(State):
    """A holder's document; ``holder`` is the pseudonym that signed tokens name.

    Of no ``subject``: the account was closed, or another has the address and the news of this one's
    is still to come. ``left`` is an address that is being left; ``carried`` is what was said there,
    until it was brought to the new one.
    """

    holder: Pseudonym
    subject: BlindIndexed | None
    since: Instant
    left: BlindIndexed | None = None
    carried: tuple[KeptConsent, ...] | None = None
    closed: bool = False
    heard: Version
    version: Version

    @property
    def at_rest(self) -> bool:
        """Whether there is nothing to be done."""
        on_the_way = self.carried is not None and (self.subject is not None or self.closed)
        return self.left is None and not on_the_way

    @property
    def forgotten(self) -> bool:
        """Whether nothing but the version that was heard is left."""
        return self.closed and (self.subject, self.left, self.carried) == (None, None, None)


@dataclass(frozen=True, slots=True)
class Heard:
    """What accounts told of a holder; ``since`` is when the account got its address."""

    holder: str
    subject: str | None
    since: datetime
    closed: bool
    version: int

    @classmethod
    def of(cls, state: PersonState) -> Self:
        """Read a person's state."""
        since = max(
            (fact.at for fact in state.facts if fact.what in ADDRESSED),
            default=state.registered_at,
        )
        closed = state.status == "closed"
        subject = None if closed or not state.subjects else state.subjects[-1]
        return cls(state.person, subject, since, closed, state.version)


Decided = Accepted[KeptHolder] | Unchanged[KeptHolder] | Refused[Refusal]
UNKNOWN: Final[Refused[Refusal]] = Refused(Refusal("person-unknown"))


def hear(known: KeptHolder | None, said: Heard, *, taken: bool) -> Decided:
    """Take in what accounts told; ``taken``: another account got that address later than this one.

    Not while an earlier change is under way.
    """
    subject = None if taken else said.subject
    if known is None:
        return Accepted(
            KeptHolder(
                holder=said.holder,
                subject=subject,
                since=said.since,
                closed=said.closed,
                heard=said.version,
                version=1,
            ),
            (),
        )
    same = known.subject == subject and known.closed == said.closed
    if known.closed or said.version <= known.heard or same:
        return Unchanged(known)
    left = {"left": known.subject, "carried": None} if known.subject is not None else {}
    return _next(
        known,
        subject=subject,
        since=said.since,
        closed=said.closed,
        heard=said.version,
        **left,
    )


def let_go(known: KeptHolder | None, subject: str) -> Decided:
    """Leave an address that another account got; where this one went is told later."""
    if known is None:
        return UNKNOWN
    if known.subject != subject:
        return Unchanged(known)
    return _next(known, subject=None, left=subject, carried=None)


def take_along(known: KeptHolder | None, left: str, said: Sequence[KeptConsent]) -> Decided:
    """Keep what was said at the address that is being left, before it ends there."""
    if known is None:
        return UNKNOWN
    if known.left != left or known.carried is not None:
        return Unchanged(known)
    return _next(known, carried=tuple(said))


def arrive(known: KeptHolder | None, done: KeptHolder) -> Decided:
    """Write down that what ``done`` asked for was done."""
    if known is None:
        return UNKNOWN
    if known.version != done.version:
        return Unchanged(known)
    waits = known.subject is None and not known.closed
    return _next(known, left=None, carried=known.carried if waits else None)


def forget(known: KeptHolder | None) -> Decided:
    """Erase a holder: what is left is the version that was heard, so that no old word is news.

    Whoever comes back has another pseudonym, and is another holder.
    """
    if known is None:
        return UNKNOWN
    if known.forgotten:
        return Unchanged(known)
    return _next(known, subject=None, left=None, carried=None, closed=True)


def _next(known: KeptHolder, **fields: object) -> Accepted[KeptHolder]:
    return Accepted(known.model_copy(update={**fields, "version": known.version + 1}), ())
