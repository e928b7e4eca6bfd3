"""The facts of the demo, and what reading them back must give: equality, but for named exceptions.

A source work says more than its publisher deposited: stamps, counts, owners, what others assert.
`DIFFERENCES` names each such thing once, with its reason and as narrowly as it can be said;
everything else must be equal, reference for reference and blank for blank.
"""

import json
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from shared.events import Setting

HERE = Path(__file__).parent

Work = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the demo; `setting` None was never set, so the policy's default applies."""

    id: int
    name: str
    prefixes: tuple[str, ...]
    login: str
    setting: Setting | None = None
    location: str | None = None


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A Plus subscriber; its agreement runs between two days counted from the day of loading."""

    id: int
    name: str
    from_days: int
    to_days: int
    expected: str
    location: str | None = None


@cache
def _document() -> dict[str, Any]:
    return tomllib.loads((HERE / "members.toml").read_text("utf-8"))


@cache
def members() -> tuple[Member, ...]:
    """Return the members, largest first."""
    return tuple(
        Member(
            id=said["id"],
            name=said["name"],
            prefixes=tuple(said["prefixes"]),
            login=said["login"],
            setting=said.get("reference-visibility"),
            location=said.get("location"),
        )
        for said in _document()["member"]
    )


@cache
def subscribers() -> tuple[Subscriber, ...]:
    """Return the Plus subscribers."""
    return tuple(
        Subscriber(
            id=said["id"],
            name=said["name"],
            from_days=said["from-days"],
            to_days=said["to-days"],
            expected=said["expected"],
            location=said.get("location"),
        )
        for said in _document()["subscriber"]
    )


def works() -> Iterator[Work]:
    """Yield every work of the source, member by member, as the source has it."""
    for member in members():
        path = HERE / "works" / f"{member.id}.jsonl"
        if path.exists():
            for line in path.read_text("utf-8").splitlines():
                yield json.loads(line)


@cache
def depositor() -> dict[str, Member]:
    """Return the member that deposits under each prefix."""
    return {prefix: member for member in members() for prefix in member.prefixes}


def owner(work: Work) -> Member:
    """Return the member that owns a work: the one whose prefix the work belongs to."""
    return depositor()[work["prefix"]]


# -- what differs, and why ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that reads back differently: where, why, and what it becomes."""

    name: str
    reason: str
    change: Callable[[Work], Work] = field(repr=False)


def _without(*keys: str) -> Callable[[Work], Work]:
    return lambda work: {key: value for key, value in work.items() if key not in keys}


def _no_empties(work: Work) -> Work:
    return {key: value for key, value in work.items() if value not in ([], {})}


def _own_relations(work: Work) -> Work:
    own = {
        name: kept
        for name, items in work.get("relation", {}).items()
        if (kept := [item for item in items if item["asserted-by"] == "subject"])
    }
    return {**_without("relation")(work), **({"relation": own} if own else {})}


def _publishers_dois(work: Work) -> Work:
    if "reference" not in work:
        return work
    references = [
        {**r, "doi-asserted-by": "publisher"} if r.get("doi-asserted-by") == "crossref" else r
        for r in work["reference"]
    ]
    return {**work, "reference": references}


def _resolver(work: Work) -> Work:
    old, new = "http://dx.doi.org/", "https://doi.org/"
    policy = work.get("update-policy", "")
    return {**work, "update-policy": new + policy[len(old) :]} if policy.startswith(old) else work


DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        "stamps",
        "indexed, created and deposited are stamps of the system that answers",
        _without("indexed", "created", "deposited"),
    ),
    Difference(
        "score",
        "score belongs to the query through which the source was fetched",
        _without("score"),
    ),
    Difference(
        "counts from outside the set",
        "is-referenced-by-count counts citing works of which most are not in the demo",
        _without("is-referenced-by-count"),
    ),
    Difference(
        "updates by others",
        "updated-by is the inverse of update-to: it is told of the updated work, not deposited",
        _without("updated-by"),
    ),
    Difference(
        "inverse relations",
        "relations asserted by the object come from deposits of works that are not in the demo",
        _own_relations,
    ),
    Difference(
        "matched references",
        "a DOI that Crossref matched is deposited by the demo as the publisher's own: a deposit "
        "cannot say otherwise. The DOI itself, and all else in the reference, are equal",
        _publishers_dois,
    ),
    Difference(
        "resolver of the policy",
        "seven records last indexed long ago show update-policy with the resolver's old address; "
        "a deposit carries the bare DOI",
        _resolver,
    ),
    Difference(
        "empty lists",
        "the source mixes answers for one work, which show empty lists, with lists of works, "
        "which do not: an empty list or object equals an absent one",
        _no_empties,
    ),
)

SYSTEM_FIELDS = ("prefix", "member", "source")  # computed when read, not deposited
# Their publisher is the owner's name; all other kinds deposit one.
WITHOUT_PUBLISHER = ("journal-article", "posted-content")


def expected_deposit(source: Work) -> Work:
    """Return what a deposit of the source says: the work object of deposits, exactly."""
    work = _without(*SYSTEM_FIELDS)(source)
    if source["type"] in WITHOUT_PUBLISHER:
        work.pop("publisher")
    return comparable(work)


def comparable(work: Work) -> Work:
    """Return the part of a work that must be equal in the source and in what is read back.

    Of GET /works/{doi}, by one who may see the references: all but what `DIFFERENCES` names.
    """
    for difference in DIFFERENCES:
        work = difference.change(work)
    return work


@dataclass(frozen=True, slots=True)
class Transfer:
    """What is transferred to a prefix: journals by one of their ISSNs, and single works."""

    to: str
    issns: tuple[str, ...]
    works: tuple[str, ...]


@cache
def transferred() -> frozenset[str]:
    """Return the DOIs whose owner prefix differs from their own."""
    return frozenset(w["DOI"] for w in works() if not w["DOI"].startswith(w["prefix"] + "/"))


@cache
def transfers() -> tuple[Transfer, ...]:
    """Return how the transferred works came to their owners: with their journal, or alone.

    Every work of these journals belongs to the new owner, so it is the journal that changed hands.
    """
    found: dict[str, tuple[set[str], set[str]]] = {}
    for work in works():
        if work["DOI"] in transferred():
            issns, alone = found.setdefault(work["prefix"], (set(), set()))
            issns.update(work.get("ISSN", ())[:1])
            alone.update([] if "ISSN" in work else [work["DOI"]])
    return tuple(
        Transfer(to, tuple(sorted(issns)), tuple(sorted(alone)))
        for to, (issns, alone) in sorted(found.items())
    )


@cache
def cited_by() -> dict[str, int]:
    """Return how many works of the demo cite each DOI of the demo, by DOI lower-cased."""
    known = {work["DOI"].lower() for work in works()}
    found = dict.fromkeys(known, 0)
    for work in works():
        cited = {r["DOI"].lower() for r in work.get("reference", ()) if "DOI" in r}
        for doi in cited & known:
            found[doi] += 1
    return found
