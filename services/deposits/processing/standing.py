"""What records stand on outside their files: owners, titles, and works of the same fingerprint."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from services.deposits.crossref.submission import TitleClaim
from services.deposits.model import (
    Entered,
    KnownTitles,
    Registration,
    Standing,
    fingerprint,
    key_of,
    keys_of,
    owner_of,
    subject_of,
    warned,
)
from services.deposits.processing.case import Case
from services.deposits.store import Conflicts, Entry, Held, Owned, Ownership, Works, titles_of
from shared.events import OwnershipState, TitleState, WorkRegistered, WorkState
from shared.mongo import Accepted
from shared.runtime.crashpoints import crashpoint

MOST_COMPARED: Final = 20  # works that one record is compared with


@dataclass(frozen=True, slots=True)
class Standings:
    """Looks up what records stand on, and writes titles and fingerprints."""

    works: Works
    ownership: Ownership
    conflicts: Conflicts

    async def of(self, cases: Iterable[Case], held: Mapping[str, Held]) -> dict[str, Standing]:
        """Return what each case rests on, by its name.

        One look-up for all: owners and titles of works that exist, and claimed titles. What
        identifiers lead to is known from before as a rule.
        """
        cases = list(cases)
        claims = {case.name: case.record.title for case in cases if case.record.title}
        keys = await self.ownership.subjects(
            key for claim in claims.values() for key in keys_of(claim)
        )
        asked = set(keys.values())
        for case in cases:
            claim = claims.get(case.name)
            if claim is not None and not keys_of(claim):
                asked.add(_named(case, claim))
            work = _work(case, held)
            if work is not None:
                asked.add(work.doi)
                if work.title is not None:
                    asked.add(work.title)
        found = await self.ownership.load(sorted(asked)) if asked else {}
        return {
            case.name: _standing(case, held, claims.get(case.name), keys, found) for case in cases
        }

    async def enter(self, accepted: Mapping[str, Registration]) -> dict[str, Registration]:
        """Write the titles that works stand in where that is new; return the works that may be.

        A work whose title was changed by another in the meantime is judged again.
        """
        changing: dict[str, Entered] = {}
        for one in accepted.values():
            if one.entered and one.entered.event:
                changing.setdefault(one.entered.title.subject, one.entered)
        if not changing:
            return dict(accepted)
        reserve = {key: subject for subject, entered in changing.items() for key in entered.reserve}
        led = await self.ownership.reserve(reserve)
        crashpoint("deposits.title-reserved")
        ours = {
            subject: entered
            for subject, entered in changing.items()
            if all(led.get(key) == subject for key in entered.reserve)
        }
        lost = await self.ownership.save(
            {
                subject: Accepted(entered.title, (entered.event,))
                for subject, entered in ours.items()
                if entered.event
            }
        )
        done = {subject: one for subject, one in ours.items() if subject not in lost}
        return {
            doi: one
            for doi, one in accepted.items()
            if not (one.entered and one.entered.event)
            or done.get(one.entered.title.subject) == one.entered
        }

    async def warn(
        self, accepted: Mapping[str, Registration], held: Mapping[str, Held]
    ) -> dict[str, Registration]:
        """Warn of works that say they are what another DOI is already."""
        prints = {
            doi: said
            for doi, one in accepted.items()
            if (said := fingerprint(one.state.work)) and said != _print(held.get(doi))
        }
        if not prints:
            return dict(accepted)
        met = await self.conflicts.enter(
            {doi: Entry(said, _prefixes(accepted[doi])) for doi, said in prints.items()}
        )
        others = {other for dois in met.values() for other in dois[:MOST_COMPARED]}
        stored = await self.works.load(sorted(others - set(prints))) if others else {}
        said_by = {doi: _print(one) for doi, one in stored.items()} | prints
        told = dict(accepted)
        for doi, dois in met.items():
            same = [one for one in dois[:MOST_COMPARED] if said_by.get(one) == prints[doi]]
            if same:
                told[doi] = warned(told[doi], prints[doi], same)
        return told

    async def leave(self, written: Mapping[str, Registration], held: Mapping[str, Held]) -> None:
        """Take works out of the fingerprints that they do not have any more."""
        await self.conflicts.leave(
            {
                doi: old
                for doi, one in written.items()
                if not isinstance(one.event, WorkRegistered)
                and (old := _print(held.get(doi))) is not None
                and old != fingerprint(one.state.work)
            }
        )


def _standing(
    case: Case,
    held: Mapping[str, Held],
    claim: TitleClaim | None,
    keys: Mapping[str, str],
    found: Mapping[str, Owned],
) -> Standing:
    document = held.get(key_of(case.record))
    work = document.state if document else None
    own = found.get(work.doi) if work else None
    title = found.get(work.title) if work and work.title else None
    known = KnownTitles()
    if claim is not None:
        mine = {key: keys[key] for key in keys_of(claim) if key in keys}
        subjects = [*mine.values(), _named(case, claim)]
        known = KnownTitles(mine, titles_of(found, subjects))
    return Standing(
        work,
        document.version if document else 0,
        own if isinstance(own, OwnershipState) else None,
        title if isinstance(title, TitleState) else None,
        known,
    )


def _work(case: Case, held: Mapping[str, Held]) -> WorkState | None:
    document = held.get(key_of(case.record))
    return document.state if document else None


def _named(case: Case, claim: TitleClaim) -> str:
    assert case.permission is not None  # judge_alone refused those without
    return subject_of(claim, organisation=case.permission.organisation)


def _print(held: Held | None) -> str | None:
    return fingerprint(held.state.work) if held and held.state else None


def _prefixes(one: Registration) -> tuple[str, ...]:
    title = one.entered.title if one.entered else None
    owner = owner_of(one.state, owner=None, title=title)
    return tuple(dict.fromkeys((one.state.prefix, owner)))
