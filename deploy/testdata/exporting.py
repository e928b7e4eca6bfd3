"""One run: every listed collection of the services into files, whole or not at all."""

import contextlib
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson
from pymongo import MongoClient
from pymongo.collection import Collection
from rich.console import Console

from deploy.local.obstacle import Obstacle
from deploy.privacy import fields, house
from deploy.progress import progress_on
from deploy.testdata.gate import Gate, blind
from deploy.testdata.replacing import Replacing
from deploy.testdata.rows import Row

KEY_BYTES: Final = 32
GENERATION: Final = re.compile(r"_\d+$")  # of a read model that is being rebuilt, or was
PRIVATE: Final = 0o700


@dataclass(frozen=True, slots=True)
class Held:
    """The databases of the services to be copied: where each is, and what it is called."""

    urls: Mapping[str, str]
    prefix: str


@dataclass(slots=True)
class Done:
    """What a run came to."""

    copied: dict[str, int] = field(default_factory=dict)  # documents, by collection
    left_out: dict[str, str] = field(default_factory=dict)  # why, by collection
    replaced: int = 0
    looked: int = 0  # lines that the gate looked at


def export(held: Held, rows: Mapping[str, Row], to: Path, console: Console) -> Done:
    """Write ``<service>.<collection>.jsonl`` into a new folder.

    Raises ``Obstacle`` where a model has a personal field that nothing declares, a collection or a
    field is unknown, or the gate finds anything; then nothing is left behind.
    """
    if to.exists():
        raise Obstacle(f"{to} is there already.", "Move it away, or name another folder with --to.")
    if bare := fields.wrong(house.models(), fields.read()):
        raise Obstacle(f"{bare[0]}", "Nothing was copied; `make check` says more.")
    if unseeing := blind():
        raise Obstacle(
            f"The leak gate does not see {unseeing[0]}.", "Mend deploy/testdata/gate.py."
        )
    unfinished = to.with_name(f".{to.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True, mode=PRIVATE)
    try:
        done = _written(held, rows, unfinished, console)
        unfinished.rename(to)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return done


def _written(held: Held, rows: Mapping[str, Row], folder: Path, console: Console) -> Done:
    done, gate = Done(), Gate()
    # It lives in this function alone: who it would lead back to is nobody's to find out after it.
    replacing = Replacing(secrets.token_bytes(KEY_BYTES))
    with contextlib.ExitStack() as stack, progress_on(console) as progress:
        listed = list(_collections(held, rows, stack))
        task = progress.add_task("documents", total=sum(count for *_, count in listed))
        for place, row, collection, count in listed:
            if not row.copied:
                done.left_out[place] = row.because
                progress.advance(task, count)
                continue
            with (folder / f"{place}.jsonl").open("wb") as file:
                for document in collection.find():
                    line = orjson.dumps(replacing.document(row.taken(document, place), place))
                    gate.look(line.decode(), place, replacing.made)
                    file.write(line + b"\n")
                    done.copied[place] = done.copied.get(place, 0) + 1
                    progress.advance(task)
    if gate.found:
        what, place = next(iter(gate.found.items()))
        raise Obstacle(
            f"The leak gate found {what} in the copy of {place}. Nothing was left behind.",
            "List the field in deploy/testdata/rows.toml under `without`, or declare it.",
        )
    done.replaced, done.looked = replacing.replaced, gate.lines
    return done


def _collections(
    held: Held, rows: Mapping[str, Row], stack: contextlib.ExitStack
) -> Iterator[tuple[str, Row, Collection[dict[str, Any]], int]]:
    """Give every collection of the services with its row; raises ``Obstacle`` for one without."""
    unknown = []
    for service, url in held.urls.items():
        client: MongoClient[dict[str, Any]] = stack.enter_context(MongoClient(url, tz_aware=True))
        database = client[held.prefix + service]
        for name in sorted(database.list_collection_names()):
            place = f"{service}.{name}"
            row = rows.get(place) or rows.get(GENERATION.sub("", place))
            if row:
                yield place, row, database[name], database[name].estimated_document_count()
            else:
                unknown.append(place)
    if unknown:
        raise Obstacle(
            f"No row says what to copy of {', '.join(unknown)}. Nothing was copied.",
            "List them in deploy/testdata/rows.toml: `models`, `fields`, or `because` of nothing.",
        )


def told(done: Done, to: Path) -> Sequence[str]:
    """Return the lines of a summary."""
    width = max(map(len, (*done.copied, *done.left_out, "")))
    count, collections = sum(done.copied.values()), len(done.copied)
    return [
        *(f"{place:<{width}}  {number:>9,}" for place, number in done.copied.items()),
        *(f"{place:<{width}}  left out: {why}" for place, why in done.left_out.items()),
        f"{count:,} documents of {collections} collections are in {to}.",
        f"{done.replaced:,} values stand for others; the key of the replacements is thrown away.",
        f"The leak gate looked at {done.looked:,} lines and found its controls and nothing else.",
    ]
