"""Physically gone, on the real broker and store: nudges, receipts of compaction, scans, epochs.

The topics have the profile of privacy.md section 8 for tests: what takes minutes takes seconds.
"""

import asyncio
import base64
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services.retention.erasure.physical import Disks
from services.retention.erasure.rotation import Rotation
from services.retention.erasure.scanning import Residue, Scanning, VoidScan
from services.retention.model.epochs import KeptEpochs
from shared.events import Outgoing
from shared.events.orders import KeptUnits
from shared.events.personal import AccountsRecordGone, AccountsRecordKept
from shared.kafka import topics
from shared.kafka.connection import client
from shared.kafka.produce import FencedSender
from shared.kafka.relay import Relay, Source
from shared.kafka.residue import Sought, look_into_files
from shared.kafka.segments import CODECS
from shared.kafka.topics import declared, partition_of
from shared.mongo import Accepted, Aggregates, Database, Lease, Outbox
from shared.policy.personal import load_personal
from shared.privacy import vault
from shared.privacy.envelope import EpochGoneError, SealedKey, unseal
from shared.privacy.epochs import FileEpochs
from shared.privacy.keyring import KeyRing
from shared.privacy.lifecycle import KeptKeys
from shared.privacy.personal import Personal, PersonalData
from shared.runtime.clock import SYSTEM
from shared.runtime.ids import new_pseudonym
from tests.platform import Platform, shared_platform
from tests.processes import ROOT, until

SOURCE = "/services/accounts"
NUDGED, IDLE = "accounts.personal.v1", "consent.personal.v1"
# S, B and D of the bound; the broker's pause is that of deploy/local/broker/server.properties.
SECONDS = {"segment.ms": 1.0, "file.delete.delay.ms": 0.5}
EVERY, PAUSE, AMPLE = 0.5, 1.0, 10.0
PROFILE = {
    "cleanup.policy": "compact",
    "min.cleanable.dirty.ratio": "0.0",
    "max.compaction.lag.ms": "1000",
    "delete.retention.ms": "1000",
    "message.timestamp.type": "LogAppendTime",
    **{name: str(int(seconds * 1000)) for name, seconds in SECONDS.items()},
}


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    """Start a broker of these tests' own: its one cleaner has nothing else to clean first."""
    with shared_platform() as running:
        yield running


@pytest.fixture
async def quick(platform: Platform, name: str) -> str:
    """Create every topic, both personal ones of these tests with the profile for tests."""
    admin = AIOKafkaAdminClient(**client(platform.kafka_bootstrap))
    await admin.start()
    try:
        await admin.create_topics(
            [
                NewTopic(name + topic, declared()[topic].partitions, 1, topic_configs=PROFILE)
                for topic in (NUDGED, IDLE)
            ]
        )
    finally:
        await admin.close()
    await topics.create(platform.kafka_bootstrap, prefix=name)
    return name


class Details(PersonalData, schema="test.physical.v1"):
    """What these tests keep of a person."""

    name: Annotated[str, Personal("account", ("account-admin",))]


@dataclass
class Keeper:
    """Records of people in a store, as a service keeps them, and its keys."""

    ring: KeyRing
    records: Aggregates[AccountsRecordKept]
    keys: Aggregates[KeptKeys]

    async def kept(self, person: str) -> AccountsRecordKept:
        """Return somebody's record, encrypted."""
        sealed = await vault.seal(
            self.ring, Details(name="Mary"), person=person, unit="details", record="details"
        )
        return AccountsRecordKept(record_key=f"{person}|account|details", sealed=sealed, version=1)

    async def keep(self, person: str) -> None:
        """Keep somebody's record and tell of it."""
        made = await self.kept(person)
        await self.records.update(person, lambda _known: Accepted(made, (made,)))

    async def erase(self, person: str) -> None:
        """Tell that a record is gone."""

        def decide(known: AccountsRecordKept | None) -> Accepted[AccountsRecordKept]:
            assert known is not None
            gone = AccountsRecordGone(record_key=known.record_key, version=2)
            return Accepted(known.model_copy(update={"version": 2}), (gone,))

        await self.records.update(person, decide)


@pytest.fixture
def epochs(tmp_path: Path) -> FileEpochs:
    return FileEpochs(tmp_path / "kek")


@pytest.fixture
async def keeper(database: Database, epochs: FileEpochs) -> Keeper:
    keys = Aggregates(database["keys"], KeptKeys.model_validate_json, SOURCE)
    await Outbox(database["records"], SOURCE).prepare()
    return Keeper(
        KeyRing(keys, epochs, timedelta(seconds=30), fresh=lambda: False),
        Aggregates(database["records"], AccountsRecordKept.model_validate_json, SOURCE),
        keys,
    )


def rotation_of(database: Database, keys: Aggregates[KeptKeys], epochs: FileEpochs) -> Rotation:
    """Rotate with the policy's own number of epochs, and when it is asked for."""
    row = load_personal(ROOT / "deploy" / "policies" / "personal.toml").file.epochs
    return Rotation(
        Aggregates(database["epochs"], KeptEpochs.model_validate_json, SOURCE),
        keys,
        epochs,
        row,
        Lease(database["leases"], "epochs", "test"),
    )


def disks(
    platform: Platform, prefix: str, database: Database, rotation: Rotation, *, files: bool
) -> Disks:
    """Look at disks with or without their files."""
    found = {1: Path(platform.broker_files or "")} if files else {}
    scanning = Scanning(platform.kafka_bootstrap, prefix, found, database["scans"])
    return Disks(platform.kafka_bootstrap, prefix, found, rotation, scanning)


@asynccontextmanager
async def relaying(database: Database, platform: Platform, prefix: str) -> AsyncIterator[None]:
    """Relay the records, nudging as its service does, but sooner."""
    draining = asyncio.Event()
    relay = Relay(
        "accounts",
        [Source(Outbox(database["records"], SOURCE))],
        Lease(database["leases"], "relay", "one"),
        platform.kafka_bootstrap,
        prefix,
        nudge_seconds=EVERY,
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(relay.run(draining))
        yield
        draining.set()


def left(platform: Platform, prefix: str, person: str) -> int:
    """Count what the broker's files still hold of somebody."""
    assert platform.broker_files
    sought = Sought.of([KeptUnits(keys_id=f"{person}.account")])
    return look_into_files([Path(platform.broker_files)], sought, prefix=prefix).found.total()


@pytest.mark.law("P6")
@pytest.mark.clause("CRP-11a")
async def test_without_nudges_an_idle_partition_keeps_the_bytes_and_with_them_they_are_gone(
    platform: Platform, database: Database, quick: str, keeper: Keeper, epochs: FileEpochs
) -> None:
    if not platform.broker_files:
        pytest.skip("the broker's files cannot be looked at")
    mary, idle = new_pseudonym(), new_pseudonym()
    rotation = rotation_of(database, keeper.keys, epochs)
    seeing = disks(platform, quick, database, rotation, files=True)
    blind = disks(platform, quick, database, rotation, files=False)
    lying = await keeper.kept(idle)
    sender = FencedSender(platform.kafka_bootstrap, "consent", "idle", quick)
    await sender.start()
    key = lying.record_key.encode()
    await sender.send([Outgoing(IDLE, key, lying.model_dump_json().encode(), ())])
    await sender.send([Outgoing(IDLE, key, None, ())])
    await sender.stop()
    async with relaying(database, platform, quick):
        await keeper.keep(mary)
        at = partition_of(NUDGED, f"{mary}|account|details".encode())

        async def told() -> bool:
            return await seeing.ends(NUDGED, at) > 0

        await until(told, what="the record told")
        assert left(platform, quick, mary) == 1
        with pytest.raises(Residue):
            await seeing.scanned([KeptUnits(keys_id=f"{mary}.account", units=("details",))])
        others = [KeptUnits(keys_id=f"{mary}.account", units=("other",))]
        assert (await seeing.scanned(others)).residual == 0

        await keeper.erase(mary)

        async def published() -> bool:
            found: Any = await database["records"].find_one({"dirty": True})
            return found is None

        await until(published, what="the tombstone told")
        since, before = time.monotonic(), await seeing.ends(NUDGED, at)
        assert await seeing.cleaned(NUDGED, at, before) == ()

        async def gone() -> bool:
            return await asyncio.to_thread(left, platform, quick, mary) == 0

        await until(gone, within=40, what="the bytes gone")
        bound = sum(SECONDS.values()) + EVERY + PAUSE
        assert time.monotonic() - since < bound + AMPLE

        async def receipts() -> Any:
            return await seeing.cleaned(NUDGED, at, before)

        (receipt,) = await until(receipts, within=40, what="a receipt of every replica")
        assert (receipt.broker, receipt.how) == (1, "cleaner-checkpoint")
        assert receipt.cleaned >= before > receipt.tombstone
        (read,) = await blind.cleaned(NUDGED, at, before)
        assert read.how == "full-read"
        whole = [KeptUnits(keys_id=f"{mary}.account")]
        for one in (seeing, blind):
            scan = await one.scanned(whole)
            assert (scan.residual, scan.planted, scan.found) == (0, len(CODECS), len(CODECS))
        # The cleaner came by all the while, and nothing closed the idle partition's segment.
        place = partition_of(IDLE, key)
        end = await seeing.ends(IDLE, place)
        assert left(platform, quick, idle) == 1
        for one in (seeing, blind):
            assert await one.cleaned(IDLE, place, end) == ()
            with pytest.raises(Residue):
                await one.scanned([KeptUnits(keys_id=f"{idle}.account")])


@pytest.mark.law("P3")
async def test_a_scan_that_misses_a_control_is_void(
    platform: Platform, database: Database, quick: str, keeper: Keeper, epochs: FileEpochs
) -> None:
    """It looks where its controls are not: into files of topics of another name."""
    if not platform.broker_files:
        pytest.skip("the broker's files cannot be looked at")
    there = disks(platform, quick, database, rotation_of(database, keeper.keys, epochs), files=True)
    elsewhere = replace(there.scanning, files={1: epochs.folder})
    with pytest.raises(VoidScan, match=", ".join(CODECS)):
        await elsewhere.scanned([KeptUnits(keys_id=f"{new_pseudonym()}.account")])


@pytest.mark.law("P2")
@pytest.mark.clause("CRP-11a")
async def test_after_two_rotations_a_copy_of_the_keys_is_useless_and_nobody_noticed(
    database: Database, keeper: Keeper, epochs: FileEpochs
) -> None:
    people = [new_pseudonym() for _ in range(60)]
    records = [await keeper.kept(person) for person in people]
    copied = await keeper.keys.load_many([f"{person}.account" for person in people])
    rotation = rotation_of(database, keeper.keys, epochs)
    began = SYSTEM.now()
    done, read, made = asyncio.Event(), Counter[str](), list[AccountsRecordKept]()

    async def reading() -> None:
        while not done.is_set():
            for opened in await vault.reveal(
                keeper.ring, Details, [one.sealed for one in (*records, *made[-20:])]
            ):
                read[type(opened.unopened).__name__ if opened.unopened else "read"] += 1

    async def making() -> None:
        while not done.is_set():
            made.append(await keeper.kept(new_pseudonym()))
            await asyncio.sleep(0.02)  # so that a slow machine's rotation is not outrun for ever

    async def rotated() -> None:
        assert await rotation.begin() is not None
        assert await rotation.begin() is None  # one at a time
        await rotation.step()

    async with asyncio.TaskGroup() as group:
        group.create_task(reading())
        group.create_task(making())
        await rotated()
        assert await rotation.gone(began) is None
        assert epochs.standing() == (1, 2)
        await rotated()
        ended = await rotation.gone(began)
        assert ended is not None
        assert began < ended <= SYSTEM.now()
        assert await rotation.gone(SYSTEM.now()) is None
        await rotated()
        done.set()
    assert read.keys() == {"read"}
    assert epochs.standing() == (3, 4)
    for kept in copied.values():
        for unit, wrapped in kept.units.items():
            kid = f"{kept.keys_id}.{unit}"
            with pytest.raises(EpochGoneError):
                unseal(epochs, SealedKey(kid, wrapped.epoch, base64.b64decode(wrapped.key)))
    opened = await vault.reveal(keeper.ring, Details, [one.sealed for one in (*records, *made)])
    assert all(one.data == Details(name="Mary") for one in opened)
    now = [one async for page in keeper.keys.every(50) for one in page.values()]
    assert {wrapped.epoch for one in now for wrapped in one.units.values()} == {4}
    assert len(now) == len(people) + len(made)


@pytest.mark.law("P2")
async def test_a_key_that_was_wrapped_late_is_found_before_its_epoch_is_overwritten(
    database: Database, keeper: Keeper, epochs: FileEpochs
) -> None:
    """Who stood still while an epoch took over writes a key that is wrapped under the former."""
    rotation = rotation_of(database, keeper.keys, epochs)
    early = await keeper.kept(new_pseudonym())
    stood = FileEpochs(epochs.folder)
    for _ in range(2):
        known = await rotation.begin()
        assert known is not None
        await rotation._take_over(known)
    slow = KeyRing(keeper.keys, Former(stood, 1), timedelta(seconds=30), fresh=lambda: False)
    late = await replace(keeper, ring=slow).kept(new_pseudonym())
    found: Any = await keeper.keys.load(f"{late.sealed.person}.account")
    assert found.units["details"].epoch == 1
    await rotation.step()
    assert epochs.standing() == (2, 3)
    opened = await vault.reveal(keeper.ring, Details, [early.sealed, late.sealed])
    assert all(one.data == Details(name="Mary") for one in opened)


@pytest.mark.law("P2")
async def test_an_epoch_that_somebody_brings_back_ends_again(
    database: Database, keeper: Keeper, epochs: FileEpochs
) -> None:
    rotation = rotation_of(database, keeper.keys, epochs)
    kept = await keeper.kept(new_pseudonym())
    file = epochs.folder / "kek-1.key"
    copy = file.read_bytes()
    for _ in range(2):
        await rotation.begin()
        await rotation.step()
    assert epochs.standing() == (2, 3)
    file.write_bytes(copy)
    file.chmod(0o600)
    await rotation.step()
    assert epochs.standing() == (2, 3)
    (opened,) = await vault.reveal(keeper.ring, Details, [kept.sealed])
    assert opened.data == Details(name="Mary")


@dataclass
class Former:
    """Epochs as somebody saw them who stood still: an early one is the newest."""

    epochs: FileEpochs
    newest: int

    def current(self) -> int:
        return self.newest

    def kek(self, epoch: int) -> bytes:
        return self.epochs.kek(epoch)
