"""A document store in memory: what shared.mongo and the recount ask of one, and no more.

One operation is atomic, a bulk is not: others may come between its parts, as in a real store.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from pymongo import InsertOne, UpdateMany
from pymongo.errors import BulkWriteError, DuplicateKeyError

from tests.laws.memory_pipeline import carry_out

Document = dict[str, Any]


async def _at_once() -> None:
    return


def matches(document: Mapping[str, Any], condition: Mapping[str, Any]) -> bool:
    """Judge a filter: bounds, $in, equality (with an item of a list; null with absence too)."""
    return all(_holds(document.get(name), wanted) for name, wanted in condition.items())


def _holds(value: Any, wanted: Any) -> bool:
    match wanted:
        case {"$lt": bound}:
            return value is not None and bool(value < bound)
        case {"$lte": bound}:
            return value is not None and bool(value <= bound)
        case {"$gt": bound}:
            return value is not None and bool(value > bound)
        case {"$in": choices}:
            several = value if isinstance(value, list) else [value]
            return any(one in choices for one in several)
        case _:
            return bool(value == wanted) or (isinstance(value, list) and wanted in value)


def change(document: Document, update: Mapping[str, Any] | Sequence[Any]) -> None:
    """Carry out $set, $unset, $inc, and $addToSet and $push with $each; or a pipeline."""
    if not isinstance(update, Mapping):
        carry_out(document, update)
        return
    for operator, fields in update.items():
        for name, value in fields.items():
            match operator:
                case "$set":
                    document[name] = deepcopy(value)
                case "$inc":
                    document[name] = document.get(name, 0) + value
                case "$unset":
                    document.pop(name, None)
                case "$addToSet":
                    held = document.setdefault(name, [])
                    held += [one for one in dict.fromkeys(value["$each"]) if one not in held]
                case "$push":
                    document.setdefault(name, []).extend(deepcopy(value["$each"]))
                case _:
                    raise NotImplementedError(operator)


@dataclass(slots=True)
class Cursor:
    look: Callable[[], list[Document]]
    pause: Callable[[], Awaitable[None]]
    most: int | None = None

    def limit(self, most: int) -> "Cursor":
        return Cursor(self.look, self.pause, most)

    def sort(self, by: str | Sequence[tuple[str, int]], up: int = 1) -> "Cursor":
        fields = [(by, up)] if isinstance(by, str) else by
        assert all(direction == 1 for _, direction in fields)

        def key(one: Document) -> list[Any]:
            return [one[name] for name, _ in fields]

        return Cursor(lambda: sorted(self.look(), key=key), self.pause, self.most)

    def batch_size(self, _most: int) -> "Cursor":
        return self

    async def __aiter__(self) -> AsyncIterator[Document]:
        for one in await self.to_list(None):
            yield one

    async def close(self) -> None:
        return

    async def to_list(self, most: int | None) -> list[Document]:
        await self.pause()
        found = self.look()[: self.most][:most]
        await self.pause()  # old news by the time it arrives
        return found


@dataclass(slots=True)
class Collection:
    name: str
    pause: Callable[[], Awaitable[None]]
    documents: dict[Any, Document] = field(default_factory=dict)
    watch: Callable[[Any, Document | None, Document], None] = lambda _key, _old, _new: None
    database: "Database" = field(default_factory=lambda: Database(), repr=False)  # noqa: PLW0108

    def find(self, condition: Mapping[str, Any], _shown: Any = None) -> Cursor:
        def look() -> list[Document]:
            return [deepcopy(one) for one in self.documents.values() if matches(one, condition)]

        return Cursor(look, self.pause)

    async def find_one(self, condition: Mapping[str, Any], shown: Any = None) -> Document | None:
        return next(iter(await self.find(condition, shown).to_list(1)), None)

    async def count_documents(self, condition: Mapping[str, Any]) -> int:
        await self.pause()
        found = sum(matches(one, condition) for one in self.documents.values())
        await self.pause()
        return found

    async def bulk_write(self, operations: Sequence[Any], *, ordered: bool) -> Any:
        assert not ordered
        matched, collided = 0, []
        for index, one in enumerate(operations):
            await self.pause()
            try:
                matched += await self._carry_out(one)
            except KeyError:
                collided.append({"index": index, "code": 11000})
        await self.pause()
        if collided:
            counts = {"nMatched": matched, "nUpserted": 0}
            raise BulkWriteError({"writeErrors": collided, "writeConcernErrors": [], **counts})
        return SimpleNamespace(matched_count=matched, upserted_count=0)

    async def delete_many(self, condition: Mapping[str, Any]) -> None:
        for key in [key for key, one in self.documents.items() if matches(one, condition)]:
            await self.pause()
            if key in self.documents and matches(self.documents[key], condition):
                del self.documents[key]
        await self.pause()

    async def update_one(
        self, condition: Mapping[str, Any], update: Mapping[str, Any], *, upsert: bool = False
    ) -> Any:
        await self.pause()
        matched = self._update(condition, update, upsert=upsert)
        await self.pause()
        return SimpleNamespace(matched_count=matched)

    async def update_many(self, condition: Mapping[str, Any], update: Mapping[str, Any]) -> None:
        for key in [key for key, one in self.documents.items() if matches(one, condition)]:
            await self.pause()
            self._update({"_id": key, **condition}, update, upsert=False)
        await self.pause()

    async def insert_one(self, document: Document) -> None:
        await self.pause()
        try:
            self._insert(document)
        except KeyError:
            raise DuplicateKeyError("another was first") from None
        await self.pause()

    async def index_information(self) -> dict[str, Any]:
        return {"dirty": {}}

    async def _carry_out(self, operation: Any) -> int:
        match operation:
            case InsertOne(_doc=document):
                if document["_id"] in self.documents:
                    raise KeyError(document["_id"])
                self.documents[document["_id"]] = deepcopy(document)
                self.watch(document["_id"], None, self.documents[document["_id"]])
                return 0
            case UpdateMany():
                keys = operation._filter["_id"]["$in"]
                rest = {name: value for name, value in operation._filter.items() if name != "_id"}
                matched = 0
                for key in keys:  # a document at a time
                    await self.pause()
                    matched += self._update({"_id": key, **rest}, operation._doc, upsert=False)
                return matched
        return self._update(operation._filter, operation._doc, upsert=bool(operation._upsert))

    def _insert(self, document: Document) -> None:
        key = document["_id"]
        if key in self.documents:
            raise KeyError(key)
        self.documents[key] = deepcopy(document)
        self.watch(key, None, self.documents[key])

    def _update(self, condition: Mapping[str, Any], update: Any, *, upsert: bool) -> int:
        key = condition["_id"]
        held = self.documents.get(key)
        if held is not None and matches(held, condition):
            before = deepcopy(held)
            change(held, update)
            self.watch(key, before, held)
            return 1
        if not upsert:
            return 0
        if held is not None:
            raise KeyError(key)
        self.documents[key] = {"_id": key}
        change(self.documents[key], update)
        self.watch(key, None, self.documents[key])
        return 0


class Database(defaultdict[str, Collection]):
    """Collections by name; ``pause`` is awaited before every operation."""

    def __init__(self, pause: Callable[[], Awaitable[None]] = _at_once) -> None:
        super().__init__()
        self.pause = pause

    def __missing__(self, name: str) -> Collection:
        self[name] = Collection(name, self.pause, database=self)
        return self[name]

    def __setitem__(self, name: str, collection: Collection) -> None:
        collection.database = self
        super().__setitem__(name, collection)
