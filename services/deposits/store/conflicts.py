"""Conflicts: which DOIs were deposited with the same bibliographic fingerprint.

A fingerprint is inserted by its first DOI, in a collection that nothing else is asked of: an index
beside the works would cost each of their writes more than that. Who meets it there enters both into
the groups. Both name candidates: a work may have changed since, so whoever reads them compares with
the works as they are.
"""

from collections.abc import Collection as Some
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.deposits.store.together import insert
from shared.mongo import Collection, Database
from shared.mongo.client import IndexModel, UpdateOne, faults

MOST_DOIS: Final = 1_000  # of one group
AT_ONCE: Final = 200
INDEXES: Final = (
    # Those that more than one DOI has, of all and of a prefix.
    IndexModel([("many", 1)], name="many", partialFilterExpression={"many": True}),
    IndexModel([("prefixes", 1)], name="prefixes", partialFilterExpression={"many": True}),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A DOI about to have a fingerprint, and the prefixes that its owner may ask by."""

    fingerprint: str
    prefixes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Candidates:
    """The DOIs that may share a fingerprint, in the order they came."""

    fingerprint: str
    dois: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Conflicts:
    """The fingerprints of works, and the groups of those that more than one DOI had."""

    fingerprints: Collection
    groups: Collection

    async def enter(self, entries: Mapping[str, Entry]) -> dict[str, tuple[str, ...]]:
        """Note fingerprints by DOI; return the other DOIs that may have the same."""
        if not entries:
            return {}
        free = await insert(
            self.fingerprints,
            [{"_id": one.fingerprint, "doi": doi} for doi, one in entries.items()],
        )
        met = {doi: one for (doi, one), won in zip(entries.items(), free, strict=True) if not won}
        if not met:
            return {}
        known = await self._members({one.fingerprint for one in met.values()})
        others: dict[str, tuple[str, ...]] = {}
        joining = []
        for doi, one in met.items():
            first, members = known[one.fingerprint]
            before = tuple(dict.fromkeys((first, *members)))
            others[doi] = tuple(other for other in before if other != doi)
            if others[doi] and not {first, doi} <= set(members) and len(members) < MOST_DOIS:
                joining.append(_join(first, doi, one))
            known[one.fingerprint] = (first, (*members, doi))
        if joining:
            with faults():
                await self.groups.bulk_write(joining, ordered=True)
        return {doi: found for doi, found in others.items() if found}

    async def leave(self, old: Mapping[str, str]) -> None:
        """Take DOIs out of the groups of fingerprints that they had."""
        if not old:
            return
        with faults():
            await self.groups.bulk_write(
                [UpdateOne({"_id": shared}, _without(doi)) for doi, shared in old.items()],
                ordered=False,
            )

    async def page(self, *, prefixes: Some[str] | None, rows: int, offset: int) -> list[Candidates]:
        """Return the fingerprints that more than one DOI has; of these ``prefixes``, if given."""
        asked: dict[str, Any] = {"many": True}
        if prefixes is not None:
            asked["prefixes"] = {"$in": sorted(prefixes)}
        with faults():
            found = await (
                self.groups.find(asked, {"dois": 1})
                .sort("_id", 1)
                .skip(offset)
                .limit(rows)
                .to_list(rows)
            )
        return [Candidates(one["_id"], tuple(one["dois"])) for one in found]

    async def _members(self, fingerprints: Some[str]) -> dict[str, tuple[str, tuple[str, ...]]]:
        """Return the first DOI of each fingerprint, and the members of its group."""
        asked = sorted(fingerprints)
        found: dict[str, tuple[str, tuple[str, ...]]] = {}
        for start in range(0, len(asked), AT_ONCE):
            query = {"_id": {"$in": asked[start : start + AT_ONCE]}}
            with faults():
                firsts = await self.fingerprints.find(query).to_list(None)
                groups = await self.groups.find(query, {"dois": 1}).to_list(None)
            members = {one["_id"]: tuple(one["dois"]) for one in groups}
            found |= {one["_id"]: (one["doi"], members.get(one["_id"], ())) for one in firsts}
        return found


def _join(first: str, doi: str, one: Entry) -> UpdateOne:
    prefixes = dict.fromkeys((first.partition("/")[0], *one.prefixes))
    return UpdateOne(
        {"_id": one.fingerprint},
        {
            "$addToSet": {
                "dois": {"$each": [first, doi]},
                "prefixes": {"$each": list(prefixes)},
            },
            "$set": {"many": True},
        },
        upsert=True,
    )


def _without(doi: str) -> list[dict[str, Any]]:
    kept = {
        "$filter": {"input": "$dois", "as": "one", "cond": {"$ne": ["$$one", doi]}},
    }
    return [
        {"$set": {"dois": kept}},
        {"$set": {"many": {"$gt": [{"$size": "$dois"}, 1]}}},
    ]


async def prepare(database: Database) -> None:
    """Create the indexes; safe to repeat."""
    with faults():
        await database["conflicts"].create_indexes(list(INDEXES))
