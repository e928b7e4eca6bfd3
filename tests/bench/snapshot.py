"""Snapshot: downloading one from distribution, against a process that reads and sends the file.

The file is of the shape that a build makes, in members of some two megabytes of what cannot be
compressed, as 625 works have; the bare one is the same bytes in one file, sent by aiohttp's own
file response. Figures are megabytes a second of one download over loopback. ``SCALE=`` multiplies
the 100,000 works.
"""

import asyncio
import contextlib
import hashlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Final

from deploy.local.ports import free_ports
from services.distribution.changes.cursor import TOPICS as FEED
from services.distribution.snapshots.catalogue import Catalogue
from services.distribution.snapshots.choosing import Piece
from services.distribution.snapshots.forms import FORMS
from services.distribution.snapshots.months import Month
from services.distribution.snapshots.shelf import Shelf
from services.distribution.snapshots.tarring import ending, member
from shared.events import CredentialIssued, OrganisationRegistered, PrefixAssigned
from shared.kafka.ends import ends
from shared.policy.sources import load_sources
from shared.privacy.passwords import token_key
from shared.runtime.clock import SYSTEM, rfc3339
from shared.runtime.ids import random_bytes
from tests.bench.rig import close, console, in_turn, rig, sized
from tests.events import AT, speaking
from tests.processes import ROOT, Place, service, until

WORKS_A_MEMBER: Final = 625
MEMBERS: Final = max(2, sized(100_000) // WORKS_A_MEMBER)
SIZE: Final = 2_000_000  # bytes
MONTH: Final = Month(2026, 1)
FILE: Final = "/snapshots/monthly/2026/01/all.json.tar.gz"
HEADERS: Final = "crossref-api-key: Bearer plus\r\n"
READ_AT_ONCE: Final = 1 << 20


async def main(*, rounds: int = 7) -> None:
    """Print the ratio of both rates."""
    async with rig() as here:
        place = Place(here.bootstrap, here.mongodb_url, here.prefix, here.folder)
        async with speaking(place, "accounts", "deposits") as (accounts, _):
            await accounts.say(
                OrganisationRegistered(organisation=78, name="P", registered_at=AT, version=1),
                PrefixAssigned(
                    prefix="10.5555",
                    owner=78,
                    owner_name="Press",
                    setting="open",
                    assigned_at=AT,
                    version=1,
                ),
                CredentialIssued(
                    credential=token_key("plus"),
                    organisation=500,
                    scopes=("plus",),
                    valid_from=AT,
                    valid_until=SYSTEM.now() + timedelta(hours=5),
                    version=1,
                ),
            )
            read = await ends(here.bootstrap, FEED, prefix=here.prefix)
            terms = load_sources(ROOT / "deploy" / "policies" / "sources.toml").binding
            shelf = Shelf(place.folder / "distribution" / "snapshots", terms)
            made = await asyncio.to_thread(shelved, shelf, read)
            async with service("distribution", place) as ours, bare(made) as bare_port:
                port = int(ours.url.rpartition(":")[2])
                await until(lambda: answers(port), within=30, what="the snapshot is served")
                size = made.stat().st_size
                console.print(f"{size / 1e6:,.0f} MB in {MEMBERS} members, {rounds} rounds")
                assert await taken(port) > 0
                assert await taken(bare_port) > 0
                mine, plain = await in_turn(
                    rounds, lambda _: taken(port), lambda _: taken(bare_port)
                )
                close("snapshot", mine, plain, "MB/s")


def shelved(shelf: Shelf, read: dict[tuple[str, int], int]) -> Path:
    """Put a snapshot on the shelf; returns a file with the bytes that are served of it."""
    folder = shelf.begun(MONTH)
    catalogue = Catalogue(folder)
    whole = folder.with_name("whole")
    with whole.open("wb") as alone:
        for number in range(MEMBERS):
            content = member(f"{number}.json.gz", random_bytes(SIZE), at=0)
            alone.write(content)
            pieces = {}
            for form in FORMS.values():
                for variant in ("full", "bare"):
                    held = content if (form.name, variant) == ("json", "full") else b"."
                    with (folder / form.stored(variant)).open("ab") as file:
                        at = file.tell()
                        file.write(held)
                    pieces[form.name, variant] = Piece(
                        at, len(held), hashlib.sha256(held).hexdigest()
                    )
            catalogue.enter(number, "10.5555", [], pieces)
        alone.write(ending())
    catalogue.close()
    written = [[topic, part, at] for (topic, part), at in read.items()]
    now = rfc3339(SYSTEM.now())
    said = {"as-of": now, "built": now, "complete": True, "works": 0, "bytes": {}}
    shelf.finish(folder, said | {"read": written, "feed": written})
    return whole


async def answers(port: int) -> bool:
    """Whether the snapshot is served."""
    with contextlib.suppress(AssertionError, OSError):
        return await taken(port) > 0
    return False


async def taken(port: int) -> float:
    """Download once; return how many megabytes came a second."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=READ_AT_ONCE)
    began = SYSTEM.monotonic()
    writer.write(f"GET {FILE} HTTP/1.1\r\nHost: x\r\n{HEADERS}\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    assert head.startswith("http/1.1 200"), head
    left = length = int(head.partition("content-length: ")[2].partition("\r")[0])
    while left and (content := await reader.read(READ_AT_ONCE)):
        left -= len(content)
    assert not left
    writer.close()
    return length / 1e6 / (SYSTEM.monotonic() - began)


@contextlib.asynccontextmanager
async def bare(file: Path) -> AsyncIterator[int]:
    """Run a process that sends a file and does nothing else."""
    port = free_ports(["bare"])["bare"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.bench.bare_file",
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "FILE": str(file), "HTTP_PORT": str(port)},
    )
    try:
        await until(lambda: answers(port), what="the bare sender listens")
        yield port
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()
