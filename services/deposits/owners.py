"""Commands about whose journals are, and what deposits does when an account is to go.

A journal changes hands in three writes, each of one document: it is put on the list of whoever is
to own it (refused while that account is being deleted), its own document names the new owner, and
it is taken off the list of the former. Whoever dies in between leaves a journal on two lists, never
on none; the next one who looks takes it off the one it does not belong to.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from services.deposits.errors import JOURNAL_OVERTAKEN, JOURNAL_OWNED, NO_JOURNAL, Refusal
from services.deposits.model import owners as model
from services.deposits.model.owners import KeptJournal
from services.deposits.store.owners import Owners
from shared.events import Holding, PersonState, Received
from shared.mongo import Refused, Saved
from shared.runtime.crashpoints import crashpoint
from shared.runtime.faults import Busy, Transient
from shared.runtime.log import get_log

GROUP: Final = "deposits.people"
TOPICS: Final = ("accounts.people.v1",)

log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class Owning:
    """The commands; ``correlation`` goes into the events. All raise ``Transient`` and ``Busy``."""

    store: Owners

    async def assign(
        self, journal: str, person: str, *, correlation: str | None
    ) -> KeptJournal | Refused[Refusal]:
        """Give a journal that nobody owns to a person."""
        return await self._pass(journal, None, person, correlation)

    async def transfer(
        self, journal: str, former: str, person: str, *, correlation: str | None
    ) -> KeptJournal | Refused[Refusal]:
        """Give a journal of one person to another; it has an owner all the time."""
        return await self._pass(journal, former, person, correlation)

    async def remove(
        self, journal: str, *, correlation: str | None
    ) -> KeptJournal | Refused[Refusal]:
        """Let a journal leave the index, and the account that it hangs on."""
        known = await self.store.journals.load(journal)
        if known is None:
            return Refused(NO_JOURNAL)
        return await self._pass(journal, known.owner, None, correlation)

    async def hear(self, said: PersonState, *, correlation: str | None = None) -> None:
        """Take in what accounts says of a person, and do what follows from it; twice is once."""
        await self.store.people.update(
            said.person, lambda known: model.hear(known, said), correlation=correlation
        )
        await self.settle(said.person, correlation=correlation)
        for waiting in await self.store.people.where(heir=said.person):
            await self.settle(waiting.person, correlation=correlation)

    async def settle(self, person: str, *, correlation: str | None = None) -> None:
        """Of an account that is to go: take off what is left over, and give the rest to the heir.

        Journals whose heir is not known here yet, or is being deleted too, stay where they are.
        """
        state = await self.store.people.load(person)
        if state is None or state.closing is None:
            return
        journals = await self._judged(state.journals)
        await self._let_go([person], journals, correlation)
        theirs = {name: one for name, one in journals.items() if one.owner == person}
        if state.heir is None or not theirs:
            return
        given = await self._give(theirs, state.heir, correlation)
        if isinstance(given, Refused):
            log.info("journals wait for their heir", count=len(theirs), reason=given.reason.slug)
        await self._tidy(theirs, [person, state.heir], correlation)

    async def _judged(self, holdings: Sequence[Holding]) -> Mapping[str, KeptJournal]:
        """Return journals on a list as they are now; what was only reserved is not carried out."""
        found = await self.store.journals.load_many([one.journal for one in holdings])
        for one in holdings:
            held = found.get(one.journal)
            if held is None or held.version < one.turn:
                passed: Saved[KeptJournal] | Refused[Refusal] = await self.store.journals.update(
                    one.journal, partial(model.pass_over, holding=one)
                )
                assert not isinstance(passed, Refused)
                found[one.journal] = passed.state
        return found

    async def _pass(
        self, journal: str, former: str | None, to: str | None, correlation: str | None
    ) -> KeptJournal | Refused[Refusal]:
        known = await self.store.journals.load(journal)
        owner = known.owner if known else None
        if owner != former and (known is None or owner != to):
            return Refused(JOURNAL_OWNED if owner else NO_JOURNAL)
        done: KeptJournal | Refused[Refusal] | None = known
        if owner != to:
            given = await self._give({journal: known}, to, correlation)
            done = given if isinstance(given, Refused) else given.get(journal)
        # Also where it was given before: the try that gave it may have been interrupted.
        lists = await self.store.people.where(holds=journal)
        await self._tidy([journal], [one.person for one in lists], correlation)
        return done or Refused(JOURNAL_OVERTAKEN)

    async def _give(
        self, known: Mapping[str, KeptJournal | None], to: str | None, correlation: str | None
    ) -> Mapping[str, KeptJournal] | Refused[Refusal]:
        """Make journals somebody's; return those that are, for others changed hands meanwhile."""
        decided = {name: model.give(one, name, to) for name, one in known.items()}
        if to is not None:
            turns = {name: one.state.version for name, one in decided.items()}
            reserved = await self.store.people.update(
                to, partial(model.reserve, turns=turns), correlation=correlation
            )
            if isinstance(reserved, Refused):
                return reserved
        crashpoint("deposits.journal-reserved")
        saved = await self.store.journals.save_many(decided)
        crashpoint("deposits.journal-given")
        return {name: one.state for name, one in saved.items() if one}

    async def _tidy(
        self, journals: Iterable[str], people: Iterable[str], correlation: str | None
    ) -> None:
        """Take journals off lists that they are on for a turn that is over."""
        found = await self.store.journals.load_many(list(journals))
        await self._let_go(people, found, correlation)

    async def _let_go(
        self, people: Iterable[str], journals: Mapping[str, KeptJournal], correlation: str | None
    ) -> None:
        for person in people:
            await self.store.people.update(
                person, partial(model.let_go, journals=journals), correlation=correlation
            )


async def obey(owning: Owning, batch: Sequence[Received]) -> None:
    """Take in what accounts says of people: of each the newest word of the batch."""
    newest: dict[str, tuple[PersonState, str | None]] = {}
    for received in batch:
        match received.event:
            case PersonState() as said:
                held = newest.get(said.person)
                if held is None or held[0].version < said.version:
                    newest[said.person] = (said, received.meta.correlation)
    for said, correlation in newest.values():
        try:
            await owning.hear(said, correlation=correlation)
        except Busy as fault:
            raise Transient(str(fault)) from fault


async def settle_all(owning: Owning) -> bool:
    """Finish what a crash interrupted; False, for that is all there is at this moment."""
    for state in await owning.store.people.where(waits=True):
        await owning.settle(state.person)
    return False
