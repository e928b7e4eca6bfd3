"""Whose journals are: so that no account goes while a journal hangs on it (DOAJ-2a2, 8a2).

What counts is the journal's own document: it names one owner at every moment. A person's list says
which journals hang on their account: each journal is put on it before it becomes theirs, and taken
off after it became somebody else's. So a list holds at least what is theirs, and one that is empty
while nothing may be put on it stays empty.

Each entry stands for one turn of its journal, which grows by one whenever the journal changes
hands: an entry whose turn is over, and was somebody else's, is left over and may be taken off by
anybody; one whose turn is still to come is not, before that turn was passed over.
"""

from collections.abc import Mapping
from typing import Final

from services.deposits.errors import OWNER_CLOSING, OWNER_FULL, OWNER_UNKNOWN, Refusal
from shared.events.base import State, Version
from shared.events.decisions import Accepted, Refused, Unchanged, saying
from shared.events.owners import (
    MOST_JOURNALS,
    Holding,
    JournalId,
    OwnerChanged,
    OwnerReleased,
    OwnerState,
)
from shared.events.people import PersonState
from shared.events.personal import Pseudonym


class KeptJournal(State):
    """A journal's document; ``version`` is its turn. Without an owner it is not in the index."""

    journal: JournalId
    owner: Pseudonym | None
    version: Version


OwnerDecided = Accepted[OwnerState] | Unchanged[OwnerState] | Refused[Refusal]
JournalDecided = Accepted[KeptJournal] | Unchanged[KeptJournal]
NOBODY: Final[Refused[Refusal]] = Refused(OWNER_UNKNOWN)


def hear(known: OwnerState | None, said: PersonState) -> OwnerDecided:
    """Take in what accounts says of a person; what is older than what was heard changes nothing."""
    if known is not None and said.version <= known.heard:
        return Unchanged(known)
    closing = said.closing.attempt if said.closing else None
    heir = said.closing.replacement if said.closing else None
    if known is None:
        first = OwnerState(person=said.person, heard=said.version, version=1)
        # Of somebody on whom nothing ever hung there is nothing to say before they want to go.
        return Accepted(first, ()) if closing is None else _first(first, closing, heir)
    return _changed(known, heard=said.version, closing=closing, heir=heir)


def reserve(known: OwnerState | None, turns: Mapping[str, int]) -> OwnerDecided:
    """Put journals on a list, each for the turn that is to make it theirs."""
    if known is None:
        return NOBODY
    if known.closing is not None:
        return Refused(OWNER_CLOSING)
    held = {one.journal: one.turn for one in known.journals}
    wanted = {journal: max(turn, held.get(journal, 0)) for journal, turn in turns.items()}
    if held.items() >= wanted.items():
        return Unchanged(known)
    listed = held | wanted
    if len(listed) > MOST_JOURNALS:
        return Refused(OWNER_FULL)
    journals = tuple(Holding(journal=name, turn=turn) for name, turn in listed.items())
    return _changed(known, journals=journals)


def give(known: KeptJournal | None, journal: str, owner: str | None) -> Accepted[KeptJournal]:
    """Make a journal somebody's, or nobody's, in its next turn."""
    turn = known.version + 1 if known else 1
    return Accepted(KeptJournal(journal=journal, owner=owner, version=turn), ())


def pass_over(known: KeptJournal | None, holding: Holding) -> JournalDecided:
    """End the turn that a journal is on a list for, where it is still to come."""
    if known is not None and known.version >= holding.turn:
        return Unchanged(known)
    owner = known.owner if known else None
    return Accepted(KeptJournal(journal=holding.journal, owner=owner, version=holding.turn), ())


def let_go(known: OwnerState | None, journals: Mapping[str, KeptJournal]) -> OwnerDecided:
    """Take these off a list, but for those that are theirs or that a later turn makes theirs."""
    if known is None:
        return NOBODY
    kept = tuple(one for one in known.journals if not _over(one, known.person, journals))
    return Unchanged(known) if kept == known.journals else _changed(known, journals=kept)


def forget(known: OwnerState | None) -> OwnerDecided:
    """Forget who was named to take over from a person on whom nothing hangs any more."""
    if known is None:
        return NOBODY
    if known.heir is None:
        return Unchanged(known)
    return _changed(known, heir=None)


def _over(holding: Holding, person: str, journals: Mapping[str, KeptJournal]) -> bool:
    found = journals.get(holding.journal)
    return found is not None and found.owner != person and holding.turn <= found.version


def _first(state: OwnerState, closing: int, heir: str | None) -> OwnerDecided:
    changes = {"closing": closing, "heir": heir, "released": closing}
    return _told(state.model_copy(update=changes), before=None)


def _changed(known: OwnerState, **changes: object) -> OwnerDecided:
    state = known.model_copy(update={**changes, "version": known.version + 1})
    free = state.closing is not None and not state.journals
    state = state.model_copy(update={"released": state.closing if free else None})
    quiet = {"heard": state.heard, "version": state.version}
    if known.model_copy(update=quiet) == state:
        return Accepted(state, ())
    return _told(state, before=known.released)


def _told(state: OwnerState, *, before: int | None) -> OwnerDecided:
    released = state.released is not None and state.released != before
    event = OwnerReleased if released else OwnerChanged
    return Accepted(state, (saying(event, state),))
