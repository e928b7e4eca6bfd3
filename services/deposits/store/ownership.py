"""Who owns what beside prefixes: titles, and works with an owner of their own; one collection.

An identifier leads to one title for good: the first insert of ``issn:...`` or ``isbn:...`` wins and
nothing changes it. Where its title never came, whoever comes next registers the title it leads to.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from pydantic import TypeAdapter

from services.deposits.model import normalised
from services.deposits.store.together import insert
from shared.events import OwnershipState, TitleState
from shared.mongo import Accepted, Aggregates, Collection, Database
from shared.mongo.client import IndexModel, faults

Owned = TitleState | OwnershipState

INDEXES: Final = (
    IndexModel([("owner_prefix", 1)], name="owner_prefix"),
    IndexModel([("words", 1)], name="words"),
    IndexModel([("title", 1)], name="title", partialFilterExpression={"title": True}),
)
AT_ONCE: Final = 200  # keys in one look-up
MOST_CACHED: Final = 100_000
MOST_WORDS: Final = 64
_PARSE: Final[TypeAdapter[Any]] = TypeAdapter(cast("Any", Owned))
_WORD: Final = re.compile(r"\w+")


def parse(text: str) -> Owned:
    """Read a title, or a work's own owner."""
    parsed: Owned = _PARSE.validate_json(text)
    return parsed


def shown(state: Owned) -> dict[str, Any]:
    """Return what a document shows of its state, to be looked up by."""
    match state:
        case TitleState():
            return {
                "title": True,
                "owner_prefix": state.owner_prefix,
                "words": words(" ".join((state.name, *state.names))),
            }
        case _:
            return {}


def words(text: str) -> list[str]:
    """Return the words of a name or of a query, as they are compared."""
    return list(dict.fromkeys(_WORD.findall(normalised(text))))[:MOST_WORDS]


@dataclass(slots=True)
class Ownership:
    """Titles and owners of single works, by subject."""

    aggregates: Aggregates[Owned]
    identifiers: Collection
    _subjects: dict[str, str] = field(default_factory=dict)

    async def subjects(self, keys: Iterable[str]) -> dict[str, str]:
        """Return which titles identifiers lead to; what was read once is not read again."""
        asked = list(dict.fromkeys(keys))
        unknown = [key for key in asked if key not in self._subjects]
        for start in range(0, len(unknown), AT_ONCE):
            query = {"_id": {"$in": unknown[start : start + AT_ONCE]}}
            with faults():
                found = await self.identifiers.find(query).to_list(None)
            self._learn({one["_id"]: one["title"] for one in found})
        return {key: self._subjects[key] for key in asked if key in self._subjects}

    async def reserve(self, keys: Mapping[str, str]) -> dict[str, str]:
        """Let identifiers lead to titles where they lead nowhere yet; return where they lead."""
        if not keys:
            return {}
        free = await insert(
            self.identifiers, [{"_id": key, "title": title} for key, title in keys.items()]
        )
        self._learn(
            {key: title for (key, title), won in zip(keys.items(), free, strict=True) if won}
        )
        return await self.subjects(keys)

    def _learn(self, found: Mapping[str, str]) -> None:
        if len(self._subjects) > MOST_CACHED:
            self._subjects.clear()
        self._subjects.update(found)

    async def load(self, subjects: Iterable[str]) -> dict[str, Owned]:
        """Return what exists under ``subjects``, as it is now."""
        asked = list(dict.fromkeys(subjects))
        found: dict[str, Owned] = {}
        for start in range(0, len(asked), AT_ONCE):
            found |= await self.aggregates.load_many(asked[start : start + AT_ONCE])
        return found

    async def save(
        self, decided: Mapping[str, Accepted[Any]], *, correlation: str | None = None
    ) -> set[str]:
        """Write decisions; return those that lost: they changed since they were loaded."""
        if not decided:
            return set()
        saved = await self.aggregates.save_many(decided, correlation=correlation)
        return {subject for subject, done in saved.items() if done is None}

    async def titles(
        self, *, query: str | None, owner_prefix: str | None, rows: int, offset: int
    ) -> list[TitleState]:
        """Return titles whose names hold all words of ``query``, by subject."""
        asked: dict[str, Any] = {"title": True}
        if query is not None:
            asked["words"] = {"$all": words(query)}
        if owner_prefix is not None:
            asked["owner_prefix"] = owner_prefix
        with faults():
            found = await (
                self.aggregates.collection.find(asked, {"state": 1})
                .sort("_id", 1)
                .skip(offset)
                .limit(rows)
                .to_list(rows)
            )
        return [TitleState.model_validate_json(one["state"]) for one in found]


async def prepare(database: Database) -> None:
    """Create the indexes; safe to repeat."""
    with faults():
        await database["ownership"].create_indexes(list(INDEXES))


def titles_of(found: Mapping[str, Owned], subjects: Sequence[str]) -> dict[str, TitleState]:
    """Return the titles among what was loaded."""
    return {
        subject: state
        for subject in subjects
        if isinstance(state := found.get(subject), TitleState)
    }
