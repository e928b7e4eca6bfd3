"""Commands about ownership: works and titles are given to the owner of another prefix.

Each subject is one conditional write of its own record, so a transfer may be sent again: what was
done is unchanged. The relay publishes it, and readers obey within a second of that.
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Final

from services.deposits.model import Moved, move_title, move_work, named, owner_of
from services.deposits.store import Owned, Ownership, Works
from shared.events import OwnershipState, TitleState, WorkState
from shared.mongo import Accepted, Unchanged
from shared.runtime.faults import Transient

AT_ONCE: Final = 200  # subjects in one round trip
TRIES: Final = 5  # lost races in a row before a caller hears of it


@dataclass(slots=True)
class Transferred:
    """What became of the subjects of a transfer."""

    moved: list[Moved] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Transfers:
    """The commands; ``correlation`` goes into the events."""

    works: Works
    ownership: Ownership

    async def of_works(
        self, dois: Sequence[str], *, to: str, correlation: str | None
    ) -> Transferred:
        """Give single works to the owner of a prefix; raises ``Transient``."""
        done = Transferred()
        for start in range(0, len(dois), AT_ONCE):
            page = dois[start : start + AT_ONCE]
            held = await self.works.load(page)
            works = {doi: state for doi, one in held.items() if (state := one.state)}
            done.unknown += [doi for doi in page if doi not in works]
            titles = {work.title for work in works.values() if work.title}

            def decide(found: Mapping[str, Owned], doi: str, works: Any = works) -> Any:
                return _work(found, works[doi], to)

            await self._move(list(works), decide, done, beside=titles, correlation=correlation)
        return done

    async def of_titles(
        self, subjects: Sequence[str], *, to: str, correlation: str | None
    ) -> Transferred:
        """Give titles, and the works that stand in them, to the owner of a prefix."""
        done = Transferred()

        def decide(found: Mapping[str, Owned], subject: str) -> Any:
            title = found.get(subject)
            if not isinstance(title, TitleState):
                return None
            return title.owner_prefix, move_title(title, to=to)

        for start in range(0, len(subjects), AT_ONCE):
            page = subjects[start : start + AT_ONCE]
            await self._move(page, decide, done, correlation=correlation)
        return done

    async def _move(
        self,
        subjects: Sequence[str],
        decide: Callable[[Mapping[str, Owned], str], Any],
        done: Transferred,
        *,
        beside: AbstractSet[str] = frozenset(),
        correlation: str | None,
    ) -> None:
        left = list(subjects)
        for _ in range(TRIES):
            found = await self.ownership.load([*left, *beside])
            accepted: dict[str, tuple[str, Accepted[Any]]] = {}
            for subject in left:
                match decide(found, subject):
                    case None:
                        done.unknown.append(subject)
                    case (_, Unchanged()):
                        done.unchanged.append(subject)
                    case (was, Accepted() as one):
                        accepted[subject] = (was, one)
            lost = await self.ownership.save(
                {subject: one for subject, (_, one) in accepted.items()}, correlation=correlation
            )
            done.moved += [
                Moved(subject, was, one.state.owner_prefix, one.state.version)
                for subject, (was, one) in accepted.items()
                if subject not in lost
            ]
            left = [subject for subject in accepted if subject in lost]
            if not left:
                return
        raise Transient("these are changed by too many at once")

    async def name_title(
        self, subject: str, name: str, *, correlation: str | None
    ) -> TitleState | None:
        """Let a title be deposited by another name as well; None where it is unknown or full."""
        for _ in range(TRIES):
            title = (await self.ownership.load([subject])).get(subject)
            decided = named(title, name) if isinstance(title, TitleState) else None
            match decided:
                case None:
                    return None
                case Unchanged(state):
                    return state
                case Accepted(state):
                    lost = await self.ownership.save({subject: decided}, correlation=correlation)
                    if not lost:
                        return state
        raise Transient("this title is changed by too many at once")


def _work(
    found: Mapping[str, Owned], work: WorkState, to: str
) -> tuple[str, Accepted[OwnershipState] | Unchanged[str]]:
    own = found.get(work.doi)
    title = found.get(work.title) if work.title else None
    owner = own if isinstance(own, OwnershipState) else None
    stands_in = title if isinstance(title, TitleState) else None
    was = owner_of(work, owner=owner, title=stands_in)
    return was, move_work(work, owner=owner, title=stands_in, to=to)
