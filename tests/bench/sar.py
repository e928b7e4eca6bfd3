"""Access packages: made of 1,000 events and of 100,000 (``SCALE=``), in a process of its own.

Every event is a record of its own, as a compacted topic has it in the end and as it takes most
memory; beside every four stands one of somebody else in the same partition. A package is read,
opened, zipped, sealed and stored by the command that makes them; the bare reader zips and inserts
the lines as they stand. Aims: 5 s for 1,000 events; 60 s and 200 MB at the peak for 100,000. The
ratio is of the rates (ours by bare) at the greater size, or of the smaller where ``SCALE=0``.
"""

import asyncio
import sys
from functools import partial
from typing import Any, Final

import orjson

from services.accounts.model.people import PersonDetails
from services.retention.settings import Settings
from shared.events import AccountsRecordKept, Meta, Outgoing, to_record
from shared.events.personal import record_key
from shared.kafka.topics import partition_of
from shared.mongo import connect
from shared.privacy import vault
from shared.privacy.keyring import KeyRing
from shared.privacy.rings import DATABASE
from shared.runtime.ids import new_pseudonym
from tests.bench.packaging import ring_of
from tests.bench.rig import close, console, in_turn, rig, sized
from tests.erasing import in_time
from tests.events import Voice, speaking
from tests.processes import ROOT, Place

SMALL: Final = 1_000
LARGE: Final = sized(100_000, least=0)
TOPIC: Final = "accounts.personal.v1"
BATCH: Final = 1_000
META: Final = Meta("bench", "/services/accounts", "2026-01-01T00:00:00Z")


async def main(*, rounds: int = 3) -> None:
    """Print what each size took, and the ratio of the rates."""
    async with rig() as here:
        place = Place(here.bootstrap, here.mongodb_url, here.prefix, here.folder)
        sizes = [size for size in (SMALL, LARGE) if size]
        people = {size: new_pseudonym() for size in sizes}
        await fill(place, people)
        figures: tuple[list[float], list[float]] = ([], [])
        for size, person in people.items():
            console.print(f"{size:,} events of one person, {rounds} rounds")
            figures = await in_turn(
                rounds,
                partial(made, place, "ours", person, size),
                partial(made, place, "bare", person, size),
            )
        close("sar", *figures, "events/s")


async def fill(place: Place, people: dict[int, str]) -> None:
    """Have accounts tell of these people, and beside them of others in the same partitions."""
    settings = settings_of(place)
    async with (
        speaking(place, "accounts") as voices,
        connect(settings.mongodb_url, settings.database_prefix + DATABASE) as keys,
    ):
        ring = ring_of(settings, keys)
        for size, person in people.items():
            neighbour = beside(person)
            for first in range(0, size, BATCH):
                numbers = range(first, min(first + BATCH, size))
                await tell(voices[0], ring, person, numbers)
                await tell(voices[0], ring, neighbour, numbers[::4])


def beside(person: str) -> str:
    """Return somebody else of the same partition."""
    partition = partition_of(TOPIC, person.encode())
    while True:
        other = new_pseudonym()
        if partition_of(TOPIC, other.encode()) == partition:
            return other


async def tell(voice: Voice, ring: KeyRing, person: str, numbers: range) -> None:
    """Publish records of somebody."""
    await voice.send([await one(ring, person, number) for number in numbers])


async def one(ring: KeyRing, person: str, number: int) -> Outgoing:
    """Make one record."""
    details = PersonDetails(name=f"Somebody {number}", email=f"somebody-{number}@press.example")
    sealed = await in_time(
        lambda: vault.seal(ring, details, person=person, unit="account", record=f"r{number}")
    )
    event = AccountsRecordKept(record_key=record_key(sealed), sealed=sealed, version=1)
    return to_record(event, META)


async def made(place: Place, which: str, person: str, size: int, _round: int) -> float:
    """Make a package in a process of its own; return the events a second."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.bench.packaging",
        which,
        person,
        env=place.environment("retention"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await process.communicate()
    assert process.returncode == 0
    said: dict[str, Any] = orjson.loads(told.splitlines()[-1])
    assert said["events"] == size, said
    console.print(
        f"{which}, {size:,} events: {said['seconds']:.1f} s, {said['octets'] / 2**20:.1f} MB,"
        f" memory {said['before']:.0f} MB before, {said['peak']:.0f} MB at the peak"
    )
    return float(size / said["seconds"])


def settings_of(place: Place) -> Settings:
    """Return retention's settings here."""
    said: dict[str, Any] = place.environment("retention")
    return Settings(**{name.lower(): text for name, text in said.items() if name.isupper()})
