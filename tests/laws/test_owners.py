"""No account goes while a journal hangs on it, and no journal is without an owner.

The real commands of both services run side by side on stores in memory, pausing at every read and
write, dying at any of them. What one service tells reaches the other at any time, in any order,
again and again: whoever hears picks any of what was ever told.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.accounts.model import deletions
from services.accounts.model.people import KeptPerson, New, register
from services.deposits.owners import Owning
from services.deposits.store.owners import JOURNALS, PEOPLE, open_owners
from shared.events import OwnerState, PersonState
from shared.events.decisions import Refused
from shared.events.personal import Sealed
from shared.mongo import Aggregates
from shared.runtime.faults import Transient
from tests.laws.memory_store import Database
from tests.laws.turns import Turns, in_bursts, run
from tests.unit.accounts.given import AT

WHO = tuple(f"p{number:032x}" for number in (1, 2, 3))
WHAT = ("1111-1111", "2222-2222")
DETAILS = Sealed(
    schema_id="accounts.person-details.v1",
    person=WHO[0],
    cls="account",
    unit="details",
    record="details",
    values={},
)


@dataclass(slots=True)
class World:
    """Both services, and everything that either ever told."""

    people: Aggregates[KeptPerson]
    owning: Owning
    deposits: Database
    said: dict[str, list[PersonState]] = field(default_factory=dict)
    told: list[OwnerState] = field(default_factory=list)
    removing: set[str] = field(default_factory=set)

    def person(self, name: str) -> KeptPerson:
        return KeptPerson.model_validate_json(self.people.collection.documents[name]["state"])

    def owner(self, journal: str) -> str | None:
        found = self.deposits[JOURNALS].documents.get(journal)
        return self.owning.store.journals.parse(found["state"]).owner if found else None

    def hanging(self, name: str) -> set[str]:
        found = self.deposits[PEOPLE].documents.get(name)
        return set(found["holds"]) if found else set()


Act = Callable[[World], Coroutine[Any, Any, Any]]
C = {"correlation": "test"}


def opened(turns: Turns) -> World:
    accounts, deposits = Database(turns.pause), Database(turns.pause)
    people = Aggregates(accounts["people"], KeptPerson.model_validate_json, "/test")  # type: ignore[arg-type]
    world = World(people, Owning(open_owners(deposits, "/test")), deposits)  # type: ignore[arg-type]

    def person_written(name: str, _old: Any, new: Any) -> None:
        state = KeptPerson.model_validate_json(new["state"])
        fields = {name: getattr(state, name) for name in PersonState.model_fields}
        world.said.setdefault(name, []).append(PersonState.model_validate(fields))
        if state.status == "closed":
            assert not [one for one in WHAT if world.owner(one) == name]

    def list_written(name: str, old: Any, new: Any) -> None:
        state = OwnerState.model_validate_json(new["state"])
        before = OwnerState.model_validate_json(old["state"]) if old else None
        world.told.append(state)
        if before is not None and before.closing is not None and before.closing == state.closing:
            assert set(new["holds"]) <= set(old["holds"])
        # What is somebody's is on their list, whoever was interrupted where.
        assert {one for one in WHAT if world.owner(one) == name} <= world.hanging(name)

    def journal_written(journal: str, old: Any, new: Any) -> None:
        parse = world.owning.store.journals.parse
        now, before = parse(new["state"]).owner, parse(old["state"]).owner if old else None
        if now is None:
            assert before is None or journal in world.removing
            return
        assert journal in world.hanging(now)
        assert world.person(now).status != "closed"

    accounts["people"].watch = person_written
    deposits[PEOPLE].watch = list_written
    deposits[JOURNALS].watch = journal_written
    return world


async def begin(world: World) -> None:
    for name in WHO:
        new = New(name, "account-holder", DETAILS, ())
        await world.people.update(name, partial(register, new=new, now=AT))
        await world.owning.hear(world.said[name][-1])
    await world.owning.assign(WHAT[0], WHO[0], **C)
    # One has wanted to go and thought better of it: the answer to that is still to be read again.
    await at_once(asking(WHO[1]), WHO[1], answered=False)(world)
    await at_once(taking_back(WHO[1]), WHO[1], answered=False)(world)


def assigning(journal: str, name: str) -> Act:
    return lambda world: world.owning.assign(journal, name, **C)


def transferring(journal: str, to: str) -> Act:
    async def act(world: World) -> None:
        former = world.owner(journal)
        if former is not None:
            await world.owning.transfer(journal, former, to, **C)

    return act


def removing(journal: str) -> Act:
    async def act(world: World) -> None:
        world.removing.add(journal)
        await world.owning.remove(journal, **C)

    return act


def asking(name: str) -> Act:
    return lambda world: world.people.update(name, partial(deletions.ask, actor="self", now=AT))


def taking_back(name: str) -> Act:
    return lambda world: world.people.update(
        name, partial(deletions.take_back, actor="self", now=AT)
    )


def accepting(name: str, by: str) -> Act:
    async def act(world: World) -> None:
        known, heir = await world.people.load(name), await world.people.load(by)
        attempt = known.closing.attempt if known and known.closing else 0
        await world.people.update(
            name, partial(deletions.replace, by=heir, attempt=attempt, now=AT)
        )

    return act


def at_once(act: Act, name: str, *, answered: bool) -> Act:
    """Let deposits hear what accounts decided at once, and accounts its answer too."""

    async def both(world: World) -> None:
        await act(world)
        await hearing(name, 0)(world)
        if answered:
            await answering(0)(world)

    return both


def hearing(name: str, back: int) -> Act:
    """Let deposits hear what was said of a person, ``back`` words ago."""
    return lambda world: world.owning.hear(world.said[name][-1 - back % len(world.said[name])])


def answering(back: int) -> Act:
    """Let accounts hear a release that deposits told, ``back`` releases ago."""

    async def act(world: World) -> None:
        releases = [one for one in world.told if one.released is not None]
        await obeyed(world, releases[-1 - back % len(releases)])

    return act


async def obeyed(world: World, told: OwnerState) -> None:
    if told.released is not None:
        decide = partial(deletions.close, attempt=told.released, now=AT)
        await world.people.update(told.person, decide)


def acts() -> st.SearchStrategy[Act]:
    # Mostly two people and one journal, or those who race would seldom meet.
    who, what = st.sampled_from(WHO[:2] * 3 + WHO), st.sampled_from((WHAT[0], *WHAT))
    back = st.integers(0, 4)
    return st.one_of(
        st.builds(assigning, what, who),
        st.builds(transferring, what, who),
        st.builds(removing, what),
        who.flatmap(_decided),
        who.flatmap(
            lambda name: st.builds(at_once, _decided(name), st.just(name), answered=st.booleans())
        ),
        st.builds(hearing, who, back),
        st.builds(answering, back),
    )


def _decided(name: str) -> st.SearchStrategy[Act]:
    return st.one_of(
        st.just(asking(name)),
        st.just(taking_back(name)),
        st.builds(accepting, st.just(name), st.sampled_from(WHO)),
    )


async def played(turns: Turns, world: World, programs: list[list[Act]]) -> None:
    async def actor(program: list[Act]) -> None:
        for act in program:
            try:
                await act(world)
            except Transient:  # too many were faster; its caller hears 503
                continue

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(actor(program)) for program in programs]
        await turns.play(tasks, kill=True)
    turns.free = True


PROGRAMS = st.lists(st.lists(acts(), min_size=3, max_size=10), min_size=1, max_size=3)


@pytest.mark.clause("DOAJ-8a2")
@pytest.mark.clause("DOAJ-8a3")
@given(st.data(), PROGRAMS)
def test_no_account_goes_with_a_journal_none_is_without_an_owner_and_who_may_go_does(
    data: st.DataObject, programs: list[list[Act]]
) -> None:
    """What may never be is looked for at each write (``opened``); here, that it comes to an end."""

    async def program() -> None:
        turns = Turns(in_bursts(data), free=True)
        world = opened(turns)
        await begin(world)
        turns.free = False
        await played(turns, world, programs)
        for _ in WHO:  # an heir may go as well, once what they took over is another's
            for name in WHO:
                await world.owning.hear(world.said[name][-1])
                await world.owning.settle(name)
            for told in list(world.told):
                await obeyed(world, told)
        for name in WHO:
            state = world.person(name)
            mine = {one for one in WHAT if world.owner(one) == name}
            assert state.status != "closed" or not mine
            if state.status != "closing":
                continue
            assert mine
            heir = state.closing.replacement if state.closing else None
            assert heir is None or world.person(heir).status != "active"
            assert world.hanging(name) == mine

    run(program())


@pytest.mark.clause("DOAJ-8a2")
def test_an_answer_to_a_deletion_that_was_taken_back_deletes_nothing() -> None:
    async def program() -> None:
        world = opened(Turns(lambda _count: 0, free=True))
        await begin(world)
        [released] = [one for one in world.told if one.released]
        await obeyed(world, released)
        assert world.person(WHO[1]).status == "active"
        await asking(WHO[1])(world)
        await obeyed(world, released)
        assert world.person(WHO[1]).status == "closing"
        await hearing(WHO[1], 0)(world)
        await obeyed(world, world.told[-1])
        assert world.person(WHO[1]).status == "closed"
        late = deletions.take_back(world.person(WHO[1]), actor="self", now=AT)
        assert isinstance(late, Refused)

    run(program())
