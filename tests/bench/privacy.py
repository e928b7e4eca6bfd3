"""Privacy: what it costs that personal values are ciphertext, from the command to the read model.

The same path twice: a command loads a person's document, decides, and writes state and event; the
relay publishes; a consumer writes the read model guarded. Ours seals name and address under the
person's key first, the plain one writes them as they are. Both change the details of people who are
known, ``CHANGES`` times each: their keys exist, but are opened anew where they are not remembered.
What the first record of a person costs, with which its key is made, is said apart. Figures are
milliseconds a command, until the last one is in the read model.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from services.accounts.model.people import RECORD, PersonDetails
from shared.events import Event, Received
from shared.events.base import State, Version
from shared.events.personal import AccountsRecordKept, Pseudonym, Sealed, record_key
from shared.kafka import topics
from shared.kafka.consume import Consumer
from shared.kafka.relay import Relay, Source
from shared.mongo import Accepted, Aggregates, Lease, Outbox, Put, Refused, connect, projecting
from shared.privacy.epochs import FileEpochs
from shared.privacy.keyring import KeyRing
from shared.privacy.lifecycle import KeptKeys
from shared.privacy.vault import seal
from shared.runtime.bell import Bell
from shared.runtime.ids import new_pseudonym
from tests.bench.rig import Rig, close, console, in_turn, rig, sized

PEOPLE: Final = sized(100)
CHANGES: Final = 10
AT_ONCE: Final = 16
TOPIC: Final = "accounts.personal.v1"
SOURCE: Final = "/services/accounts"


class PlainRecord(State):
    """What ``Sealed`` is, in clear."""

    schema_id: str
    person: Pseudonym
    cls: str
    unit: str
    record: str
    values: Mapping[str, str]


class PlainPerson(State):
    """A person's document with details in clear."""

    person: Pseudonym
    details: PlainRecord
    version: Version


class SealedPerson(State):
    """The same with sealed details."""

    person: Pseudonym
    details: Sealed
    version: Version


class PlainRecordKept(State, Event, topic=TOPIC, key="record_key"):
    """What ``AccountsRecordKept`` is, in clear."""

    record_key: str
    sealed: PlainRecord
    subjects: tuple[str, ...] = ()
    version: Version


Record = Callable[[str, PersonDetails], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Way:
    """One of both: how a record is made, and what holds and tells it."""

    record: Record
    state: type[PlainPerson] | type[SealedPerson]
    event: type[PlainRecordKept] | type[AccountsRecordKept]


async def main(*, rounds: int = 5) -> None:
    """Print what a command costs, over what it costs in clear."""
    firsts: dict[str, list[float]] = {"ours": [], "bare": []}
    with TemporaryDirectory() as folder:
        epochs = FileEpochs(Path(folder))
        async with rig() as here:
            console.print(
                f"{PEOPLE:,} people, {CHANGES} changes each, {AT_ONCE} at once, {rounds} rounds"
            )

            async def ours(number: int) -> float:
                name = f"ours{number}"
                async with connect(here.mongodb_url, f"{here.database.name}{name}keys") as keys:
                    kept = Aggregates(keys["keys"], KeptKeys.model_validate_json, SOURCE)
                    # As a service that hears of fences: it remembers a key for half a minute.
                    ring = KeyRing(kept, epochs, timedelta(seconds=30), fresh=lambda: True)

                    async def record(person: str, details: PersonDetails) -> Sealed:
                        return await seal(ring, details, person=person, unit=RECORD, record=RECORD)

                    path = Way(record, SealedPerson, AccountsRecordKept)
                    first, each = await timed(here, name, path)
                firsts["ours"].append(first)
                return each

            async def bare(number: int) -> float:
                path = Way(in_clear, PlainPerson, PlainRecordKept)
                first, each = await timed(here, f"bare{number}", path)
                firsts["bare"].append(first)
                return each

            costs = await in_turn(rounds, ours, bare)
        ratios = [a / b for a, b in zip(firsts["ours"], firsts["bare"], strict=True)]
        console.print(
            "the first record of a person, with which its key is made: "
            f"{sorted(ratios)[len(ratios) // 2]:.2f} times the plain one"
        )
        close("privacy", *costs, "ms a command")


async def in_clear(person: str, details: PersonDetails) -> PlainRecord:
    """Write details as they are."""
    values = {f"/{name}": text for name, text in details.texts().items()}
    return PlainRecord(
        schema_id=details.schema_id,
        person=person,
        cls=details.retention_class(),
        unit=RECORD,
        record=RECORD,
        values=values,
    )


async def timed(here: Rig, name: str, path: Way) -> tuple[float, float]:
    """Return milliseconds a first record, and a change, until all are in the read model."""
    prefix = f"{here.prefix}{name}."
    await topics.create(here.bootstrap, prefix=prefix)
    database: Any = here.database.client.get_database(
        f"{here.database.name}{name}", write_concern=here.database.write_concern
    )
    outbox = Outbox(database["people"], SOURCE)
    await outbox.prepare()
    bell, draining, applied = Bell(), asyncio.Event(), Applied()
    people = Aggregates(database["people"], path.state.model_validate_json, SOURCE, wake=bell.ring)
    relay = Relay(
        "accounts",
        [Source(outbox, ())],
        Lease(database["leases"], "relay", name),
        here.bootstrap,
        prefix,
        bell=bell,
    )
    project = projecting(database, {path.event: show})

    async def handler(batch: Sequence[Received]) -> None:
        await project(batch)
        applied.versions |= {one.event.record_key: one.event.version for one in batch}  # type: ignore[attr-defined]

    consumer = Consumer("accounts.receipts", [TOPIC], "accounts", handler, here.bootstrap, prefix)
    consumer.group = name
    known = [new_pseudonym() for _ in range(PEOPLE)]
    async with asyncio.TaskGroup() as group:
        group.create_task(relay.run(draining))
        group.create_task(consumer.run(draining))
        await change(people, path, [new_pseudonym()], 1)  # relay and consumer have begun
        await applied.reach(1, 1)
        began = time.perf_counter()
        await change(people, path, known, 1)
        await applied.reach(PEOPLE + 1, 1)
        first = time.perf_counter() - began
        began = time.perf_counter()
        for number in range(2, CHANGES + 2):
            await change(people, path, known, number)
        await applied.reach(PEOPLE, CHANGES + 1)
        each = time.perf_counter() - began
        draining.set()
    return first / PEOPLE * 1e3, each / (PEOPLE * CHANGES) * 1e3


@dataclass(slots=True)
class Applied:
    """Which version of each record is in the read model."""

    versions: dict[str, int] = field(default_factory=dict)

    async def reach(self, records: int, version: int) -> None:
        """Wait until so many records are at this version, or beyond."""
        while sum(one >= version for one in self.versions.values()) < records:  # noqa: ASYNC110
            await asyncio.sleep(0.002)


def show(event: Any, _received: Received) -> list[Put]:
    """Show a record as it is kept."""
    fields = {"sealed": event.sealed.model_dump(mode="json"), "subjects": list(event.subjects)}
    return [Put("shown", event.record_key, event.version, fields)]


async def change(people: Any, path: Way, known: Sequence[str], version: int) -> None:
    """Give everybody new details, some at a time."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(person: str) -> None:
        async with places:
            email = f"{person[1:9]}.{version}@press.example"
            details = PersonDetails(name=f"Josiah Carberry {version}", email=email)
            record = await path.record(person, details)
            state = path.state(person=person, details=record, version=version)
            event = path.event(record_key=record_key(record), sealed=record, version=version)
            saved = await people.update(person, lambda _known: Accepted(state, (event,)))
            assert not isinstance(saved, Refused)

    async with asyncio.TaskGroup() as group:
        for person in known:
            group.create_task(one(person))
