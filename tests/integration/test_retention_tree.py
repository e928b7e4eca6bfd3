"""The transparency log on the real broker and store: a record has one place, for ever (law P5)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import aiohttp
import orjson
import pytest

from deploy.verify import verify_certificate
from services.retention.commands.comparing import Comparing, Forked
from services.retention.commands.log import Log, LogKey
from services.retention.log_key import change
from services.retention.model.audit import records
from services.retention.settings import Settings
from services.retention.store.tree import (
    CHECKPOINTS,
    LEAVES,
    LOG_KEYS,
    NOTES,
    open_checkpoints,
    open_leaves,
    open_log_keys,
    prepare_tree,
    tree_sources,
)
from shared.events import Meta, Received, to_record
from shared.events.people import AccountAccessed
from shared.kafka.produce import Sender
from shared.kafka.relay import Relay
from shared.mongo import Database, Lease, connect
from shared.privacy.certificates import Statement, as_json, issue, record
from shared.privacy.checkpoints import (
    Checkpoint,
    NoteSigner,
    may_cosign,
    opened,
    read_keys,
    write_keys,
)
from shared.privacy.notes import BY_WITNESS, Note
from shared.privacy.receipts import canonical
from shared.privacy.transparency import consistency, continues, includes, leaf_hash, prove, root_of
from shared.runtime.bell import unheard
from shared.runtime.clock import SYSTEM, rfc3339
from shared.runtime.faults import Transient
from shared.runtime.health import Health
from shared.runtime.ids import new_id, new_pseudonym
from tests import nursery
from tests.certifying import AT, KNOWN, a_statement
from tests.processes import Place, service, until

ORIGIN: Final = "log.test/retention"
POINTS: Final = ("tree.appended", "tree.signed", "tree.key-changed")


@dataclass
class World:
    """A topic, a store whose relay runs, and logs over both as processes of retention have them."""

    place: Place
    database: Database
    health: Health

    def log(self, database: Database | None = None, *, key: str = "log.key") -> Log:
        """Open the log as another process does, maybe over another store."""
        held = self.database if database is None else database
        comparing = Comparing(self.place.kafka_bootstrap, self.place.name, self.health)
        made = Log(
            open_leaves(held, unheard, SYSTEM),
            open_checkpoints(held, unheard),
            open_log_keys(held, unheard),
            LogKey(self.place.folder / key, ORIGIN),
            comparing,
        )
        comparing.log = made
        return made

    async def copied(self) -> dict[str, list[dict[str, Any]]]:
        """Copy the store."""
        names = (LEAVES, CHECKPOINTS, LOG_KEYS, NOTES)
        return {name: await self.database[name].find({}).to_list(None) for name in names}

    @contextlib.asynccontextmanager
    async def restored(self, copy: Mapping[str, list[dict[str, Any]]]) -> AsyncIterator[Database]:
        """Put a copy into a store of its own."""
        name = f"{self.database.name}_{new_id().replace('-', '')[-6:]}"
        async with connect(self.place.mongodb_url, name) as database:
            await prepare_tree(database)
            for collection, documents in copy.items():
                if documents:
                    await database[collection].insert_many(documents)
            yield database


@pytest.fixture
async def world(place: Place) -> AsyncIterator[World]:
    name = f"{place.name.replace('.', '_')}retention"
    draining = asyncio.Event()
    async with connect(place.mongodb_url, name) as database, asyncio.TaskGroup() as group:
        await prepare_tree(database)
        lease = Lease(database["leases"], "relay", "test")
        relay = Relay("retention", tree_sources(database), lease, place.kafka_bootstrap, place.name)
        group.create_task(relay.run(draining))
        try:
            yield World(place, database, Health())
        finally:
            draining.set()


def said(number: int) -> bytes:
    return canonical({"type": "Test/1", "number": number})


async def whole(log: Log) -> list[bytes]:
    """Return the leaf hashes of the whole tree, as the store has them."""
    held = await log.leaves.leaves(range(await log.leaves.size()))
    assert sorted(held) == list(range(len(held)))
    return [bytes.fromhex(held[index]) for index in range(len(held))]


@pytest.mark.law("P5")
async def test_of_two_that_append_at_once_each_record_has_one_place_and_every_proof_holds(
    world: World, tmp_path: Path
) -> None:
    one, two = world.log(), world.log()
    places = await asyncio.gather(
        *(log.append(said(number)) for number in range(20) for log in (one, two)),
        one.append_all([said(number) for number in range(15, 33)]),
    )
    for number in range(20):
        assert places[2 * number] == places[2 * number + 1]
    assert await two.append(said(31)) == places[-1][16]  # type: ignore[index]
    leaves = await whole(one)
    assert len(leaves) == len(set(leaves)) == 34  # the log's own first record, too

    await until(lambda: _all_published(one, 34), what="all leaves at the broker")
    state = await two.sign()
    at = opened(state.text, await one.keys()).checkpoint
    assert (at.size, at.root) == (34, root_of(leaves))
    for older, newer in ((1, 34), (3, 34), (7, 13), (16, 33), (31, 34), (34, 34)):
        assert continues(
            older,
            newer,
            first_root=root_of(leaves[:older]),
            second_root=root_of(leaves[:newer]),
            proof=await prove(one.leaves, consistency(older, newer)),
        )

    statement = Statement.model_validate(a_statement())
    place = await one.append(record(statement))
    certificate = issue(
        statement,
        await one.proven(place),
        signer=one.signer,
        keys=await one.keys(),
        known=KNOWN,
        created=AT + timedelta(hours=11),
    )
    document, keys = tmp_path / "certificate.json", tmp_path / "keys.txt"
    document.write_bytes(as_json(certificate))
    keys.write_text(write_keys(await two.keys()))
    assert verify_certificate.main([str(document), str(keys)]) == 0


@pytest.mark.law("P5")
async def test_a_store_that_is_restored_takes_from_the_topic_what_it_lacks_and_refuses_a_fork(
    world: World,
) -> None:
    log = world.log()
    await log.append_all([said(number) for number in range(5)])
    await until(lambda: _all_published(log, 6), what="leaves at the broker")
    await log.sign()
    old = await world.copied()
    await log.append_all([said(number) for number in range(5, 9)])
    await until(lambda: _all_published(log, 10), what="more leaves at the broker")
    newest = await log.sign()
    await until(lambda: _quiet(world.database), what="the checkpoint at the broker")
    leaves = await whole(log)

    # Behind: it is as it was, and what it had promised it still shows.
    async with world.restored(old) as database:
        again = world.log(database)
        await again.compared()
        assert await whole(again) == leaves
        assert (await again.newest()) == newest
        assert await again.append(said(8)) == 9
    # From nothing, too: the topic alone is the log.
    async with world.restored({}) as database:
        again = world.log(database)
        assert await again.append(said(0)) == 1
        assert await whole(again) == leaves
        assert (await again.newest()) == newest
    # Gone another way since the copy was made.
    async with world.restored(old) as database:
        await world.log(database).leaves.append([said(100)])
        again = world.log(database)
        for _ in range(2):
            with pytest.raises(Forked, match="leaf 6 of the store is not the one"):
                await again.append(said(101))
        with pytest.raises(Forked):
            await again.sign()
        assert [part.ok for part in world.health.readiness()] == [False]
    # Ahead: it holds for published what the topic does not know.
    ahead = await world.copied()
    async with world.restored(ahead) as database:
        await world.log(database).leaves.append([said(200)])
        await database[LEAVES].update_one(
            {"_id": 10}, {"$set": {"outbox": []}, "$unset": {"dirty": 1}}
        )
        with pytest.raises(Forked, match="holds 11 published leaves and the topic 10"):
            await world.log(database).append(said(201))
    # Another key file is not the log's: nothing is signed with it.
    with pytest.raises(Transient, match="is not the one that the log signs with"):
        await world.log(key="other.key").sign()


@pytest.mark.law("P5")
async def test_a_changed_key_signs_on_wherever_its_change_is_killed_and_the_old_one_stays_valid(
    world: World,
) -> None:
    folder, environment = world.place.folder, world.place.environment("retention")
    environment |= {"LOG_ORIGIN": ORIGIN}
    log = world.log(key="retention.key.log")
    await log.append(said(1))
    old = await log.sign(beyond=1)
    dying = nursery.start(
        "services.retention.log_key",
        (),
        environment=environment | {"COLOPHON_CRASH": POINTS[2]},
        log=folder / "key.log",
    )
    assert await dying.wait() == -9
    with pytest.raises(Transient, match="is not the one that the log signs with"):
        await log.sign()
    names = {name.lower(): text for name, text in environment.items() if name.isupper()}
    successor = await change(Settings(**names))  # type: ignore[arg-type]

    place = await log.append(said(2))
    proven = opened((await log.proven(place)).checkpoint, await log.keys())
    assert [str(one) for one in proven.by] == [successor]
    keys = read_keys(write_keys(await world.log(key="retention.key.log").keys()))
    assert [one.last is None for one in keys] == [False, True]
    assert opened(old.text, keys).checkpoint.size == old.size
    # Of the size at which keys changed, either is enough.
    both = await log.checkpoints.load(keys[1].first)
    assert both is not None
    for key in keys:
        assert opened(both.text, [key]).checkpoint.size == both.size


@dataclass
class Site:
    """The routes of proof, asked as anybody may."""

    session: aiohttp.ClientSession

    async def shown(self, path: str) -> str:
        """Return an answer's text, empty where there is none."""
        async with self.session.get(path) as answer:
            return await answer.text() if answer.status == 200 else ""

    async def signed_beyond(self, size: int) -> str:
        """Return the newest checkpoint, empty where it is not greater."""
        note = await self.shown("/proof/checkpoint")
        return note if note and Checkpoint.parse(Note.parse(note).text).size > size else ""

    async def hashes(self, path: str) -> list[bytes]:
        """Return a proof."""
        found = orjson.loads(await self.shown(path))
        return [bytes.fromhex(one) for one in found["proof"]]

    async def sent(self, note: Note) -> int:
        """Send a cosigned note; return the status."""
        async with self.session.post("/proof/cosignatures", data=str(note)) as answer:
            return answer.status


def a_look() -> Received:
    """Return what accounts says of a look at somebody's details."""
    event = AccountAccessed(
        access=new_id(),
        at=AT,
        actor=f"staff:{new_pseudonym()}",
        person=new_pseudonym(),
        action="details-read",
        reason="support",
        policy_version="1",
        version=1,
    )
    return Received(event, Meta(new_id(), "/services/accounts", rfc3339(AT)))


async def told(place: Place, *received: Received) -> None:
    """Publish events of accounts."""
    sender = Sender(place.kafka_bootstrap, "accounts", place.name)
    await sender.start()
    await sender.send([to_record(one.event, one.meta) for one in received])
    await sender.stop()


@pytest.mark.soak
@pytest.mark.law("P5")
async def test_killed_anywhere_the_service_keeps_one_tree_whose_checkpoints_a_witness_signs(
    place: Place,
) -> None:
    witness = NoteSigner(place.folder / "witness.key", "witness.test/w1", BY_WITNESS)
    stranger = NoteSigner(place.folder / "stranger.key", "stranger.test/w", BY_WITNESS)
    (place.folder / "witnesses.txt").write_text(f"{witness.verifier}\n")
    more = {
        "LOG_ORIGIN": ORIGIN,
        "CHECKPOINT_SECONDS": "0.1",
        "WITNESS_KEYS_FILE": str(place.folder / "witnesses.txt"),
    }
    roles = ("api", "relay", "reactions")
    look, later = a_look(), a_look()
    await told(place, look, look)
    for point in POINTS[:2]:
        armed = {**more, "COLOPHON_CRASH": point}
        async with service("retention", place, *roles, ready=False, **armed) as dying:
            assert await dying.ended() == -9
    async with (
        service("retention", place, *roles, **more) as retention,
        aiohttp.ClientSession(retention.url) as session,
    ):
        site = Site(session)
        (made,) = records(look)
        leaf = leaf_hash(made)
        found = await until(
            lambda: site.shown(f"/proof/indexes/{leaf.hex()}"), what="the look in the tree"
        )
        index = int(orjson.loads(found)["index"])
        note = await until(lambda: site.signed_beyond(index), what="a checkpoint over it")
        assert await site.shown(f"/proof/leaves/{index}") == made.decode()
        assert look.meta.id not in made.decode()
        keys = read_keys(await site.shown("/proof/keys"))
        seen = opened(note, keys).checkpoint
        proof = await site.hashes(f"/proof/inclusion/{index}?size={seen.size}")
        assert includes(leaf, index, size=seen.size, proof=proof, root=seen.root)

        # A witness signs what it saw, and what continues it; nobody else's line is taken.
        assert may_cosign(None, seen, [])
        bare = Note.parse(note)
        line = witness.sign(seen, at=1_800_000_000)
        other = witness.sign(Checkpoint(ORIGIN, seen.size, bytes(32)), at=1_800_000_000)
        assert await site.sent(bare.with_lines(stranger.sign(seen, at=1))) == 403
        assert await site.sent(bare.with_lines(other)) == 422
        assert await site.sent(Note(bare.text.replace("\n", "\n1", 1), (line,))) == 404
        assert await site.sent(Note(bare.text, (line,))) == 200
        cosigned = await site.shown(f"/proof/checkpoints/{seen.size}")
        assert [one.name for one in opened(cosigned, keys).witnesses] == ["witness.test/w1"]

        await told(place, later)
        note = await until(lambda: site.signed_beyond(seen.size), what="the next checkpoint")
        newer = opened(note, keys).checkpoint
        proof = await site.hashes(f"/proof/consistency?from={seen.size}&to={newer.size}")
        assert may_cosign(seen, newer, proof)
        assert not may_cosign(seen, newer, proof[1:])


async def _all_published(log: Log, size: int) -> bool:
    return await log.leaves.published() >= size


async def _quiet(database: Database) -> bool:
    return await database[CHECKPOINTS].find_one({"dirty": True}) is None
