"""Snapshots over the wire: what is in them, for whom, and what becomes of one when things change.

One process answers all tests. The matrix of settings and callers is written down by hand, from the
policy text and not from the policy file.
"""

import asyncio
import contextlib
import gzip
import hashlib
import importlib
import io
import socket
import sys
import tarfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import crossref_lmdb.db
import orjson
import pytest
from crossref_lmdb.params import CreateParams
from lxml import etree

from deploy.local.ports import free_ports
from services.distribution.snapshots.months import month_of
from shared.events import (
    CredentialChanged,
    OrganisationRegistered,
    PrefixAssigned,
    ReferencePreferenceSet,
    TitleRegistered,
    TitleTransferred,
    WorkOwnerAssigned,
    WorkRegistered,
    WorkUpdated,
)
from shared.kafka import topics
from shared.privacy.passwords import token_key
from shared.runtime.clock import SYSTEM
from shared.runtime.ids import new_id, random_bytes
from tests.callers import basic, login, token
from tests.events import AT, Voice, speaking
from tests.platform import Platform
from tests.processes import OPERATOR, ROOT, Place, Running, service, until

SECRET: Final = "Xyzzyography"  # stands in every reference and nowhere else
# The month before the one that is due: a builder that makes the latter keeps the former.
DUE: Final = month_of(SYSTEM.now() - timedelta(hours=1)).plus(-1)
MONTH: Final = str(DUE.plus(-1))
AT_MONTH: Final = f"/snapshots/monthly/{MONTH.replace('-', '/')}"
FILE: Final = f"{AT_MONTH}/all.json.tar.gz"
LATEST: Final = "/snapshots/monthly/latest/all.json.tar.gz"
PLUS: Final = {"Crossref-Plus-API-Token": "Bearer plus"}
SETTINGS: Final = {"10.5001": "closed", "10.5002": "limited", "10.5003": "open", "10.5004": None}
SEEN: Final = frozenset({"10.5002", "10.5003", "10.5004"})  # by a subscriber
OPEN: Final = ("10.5010", "10.5011", "10.5012", "10.5013")  # each for a test of its own
BIG: Final = "10.5020"  # open; of a size that no buffer on the way takes in, and in no month's
# file but the latest, so that the other tests need not fetch it
LATE: Final = datetime(DUE.year, DUE.month, 2, tzinfo=UTC)
WORKS: Final = 34  # in the month's file
TITLE: Final = "journal:1234-5679"


def assigned(prefix: str, setting: str | None, version: int = 1) -> Any:
    kind = PrefixAssigned if version == 1 else ReferencePreferenceSet
    return kind(
        prefix=prefix,
        owner=78,
        owner_name="Press",
        setting=setting,
        assigned_at=AT,
        version=version,
    )


def work(
    doi: str,
    *,
    version: int = 1,
    title: str | None = None,
    references: int = 2,
    created: datetime = AT,
    more: str = "",
) -> Any:
    kind = WorkRegistered if version == 1 else WorkUpdated
    return kind(
        doi=doi,
        prefix=doi.partition("/")[0],
        title=title,
        timestamp=str(version),
        created=created,
        deposited=created,
        submission=f"{version}#0",
        version=version,
        work={
            "type": "journal-article",
            "title": ["On things measured"],
            "DOI": doi,
            "issued": {"date-parts": [[2020]]},
            "reference": [
                {"key": f"r{n}", "unstructured": f"{SECRET} in {doi} {n}{more}"}
                for n in range(references)
            ],
            "references-count": references,
            "reference-count": references,
        },
    )


@dataclass(slots=True)
class Registry:
    """A distribution with a snapshot on its shelf."""

    place: Place
    running: Running
    accounts: Voice
    deposits: Voice
    session: aiohttp.ClientSession
    stack: contextlib.AsyncExitStack
    versions: dict[str, int] = field(default_factory=dict)
    killed: int = 0  # how the first build ended, where one was killed
    builds: bool = False  # what is due and what is wished for

    async def ask(
        self, path: str, headers: dict[str, str] | None = None, method: str = "GET"
    ) -> tuple[int, bytes, Any]:
        async with self.session.request(
            method, self.running.url + path, headers=headers, auto_decompress=False
        ) as answer:
            return answer.status, await answer.read(), answer.headers

    async def prefer(self, prefix: str, setting: str | None) -> None:
        version = self.versions[prefix] = self.versions.get(prefix, 1) + 1
        await self.accounts.say(assigned(prefix, setting, version))

    async def seen(self) -> set[str]:
        """Return the owner prefixes whose works have references in the whole file."""
        found = await self.found()
        return {doi.partition("/")[0] for doi, one in found.items() if "reference" in one}

    async def found(self) -> dict[str, Any]:
        """Download until nothing changes underneath, and return the works."""
        while True:
            with contextlib.suppress(aiohttp.ClientPayloadError):
                return items((await self.ask(FILE, PLUS))[1])

    async def shown(self) -> set[str]:
        """Return the works that have references in the whole file."""
        return {doi for doi, one in (await self.found()).items() if "reference" in one}

    async def sees(self, prefix: str) -> bool:
        found = await self.found()
        return any("reference" in one for doi, one in found.items() if doi.startswith(prefix))

    async def build(self, **environment: str) -> tuple[int, str]:
        process = await self._building(**environment)
        said, _ = await process.communicate()
        return process.returncode or 0, said.decode()

    async def build_late(self) -> tuple[int, str]:
        """Build with a store that is away until the build says that it waits."""
        (port,) = free_ports(["store"]).values()
        store = urlsplit(self.place.mongodb_url)
        away = self.place.mongodb_url.replace(f":{store.port}", f":{port}")
        process = await self._building(MONGODB_URL=away)
        assert process.stdout is not None
        while b"build waits" not in (line := await process.stdout.readline()):
            assert line, "it ended without the store"
        async with relayed(port, store.hostname or "", store.port or 0):
            said, _ = await process.communicate()
        return process.returncode or 0, said.decode()

    async def _building(self, **environment: str) -> asyncio.subprocess.Process:
        command = ("-m", "services.distribution.snapshots", "build", "--month", MONTH)
        return await asyncio.create_subprocess_exec(
            *(sys.executable, *command),
            cwd=ROOT,
            env=self.place.environment("distribution")
            | {"SNAPSHOT_WORKS": "3", "REPLICA": "builder"}
            | environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    async def served(self) -> None:
        """Wait until the snapshot is served."""

        async def there() -> bool:
            return (await self.ask(AT_MONTH, PLUS))[0] == 200

        await until(there, within=20, what="the snapshot is served")

    async def restart(self) -> None:
        """Have another process, which builds too, follow the one that answered until now."""
        if self.builds:
            return
        await self.running.end()
        roles = ("api", "projector", "snapshots")
        again = service("distribution", self.place, *roles, SNAPSHOT_WORKS="3")
        self.running = await self.stack.enter_async_context(again)
        self.builds = True
        await self.served()

    async def take_back(self) -> None:
        """Deposit two works again, one with a reference less and one with one more."""
        prefix = OPEN[3]
        await self.deposits.say(
            work(f"{prefix}/0", version=2, references=3),
            work(f"{prefix}/3", version=2, references=1),
        )

        async def left() -> bool:
            found = await self.found()
            return "reference" not in found[f"{prefix}/3"] and "reference" in found[f"{prefix}/0"]

        # One more reference takes none away: the other member of this prefix stays as it is.
        await until(left, within=10, what="the references left the snapshot")

    async def give_away(self) -> None:
        """Give one work to an owner that keeps its references closed."""
        doi = f"{OPEN[2]}/1"
        await self.deposits.say(WorkOwnerAssigned(subject=doi, owner_prefix="10.5001", version=1))

        async def obeyed() -> bool:
            return doi not in await self.shown()

        await until(obeyed, within=5, what="the snapshot obeys the transfer")


@contextlib.asynccontextmanager
async def relayed(port: int, host: str, to: int) -> AsyncIterator[None]:
    """Have what connects to a port here speak with another one."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(host, to)
        await asyncio.gather(_copied(reader, back), _copied(there, writer))

    async with await asyncio.start_server(relay, "127.0.0.1", port):
        yield


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while some := await reader.read(65_536):
            writer.write(some)
            await writer.drain()
    writer.close()


def items(archive: bytes) -> dict[str, Any]:
    """Return the works in an archive by DOI, and check that it is one."""
    found: dict[str, Any] = {}
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        for entry in tar:
            file = tar.extractfile(entry)
            assert file is not None
            for one in orjson.loads(gzip.decompress(file.read()))["items"]:
                assert one["DOI"] not in found
                found[one["DOI"]] = one
    return found


@pytest.fixture(scope="module")
async def registry(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Registry]:
    async with opened(await placed(platform, tmp_path_factory)) as registry:
        yield registry


async def placed(platform: Platform, folders: pytest.TempPathFactory) -> Place:
    name = f"t{new_id().replace('-', '')[8:24]}."
    await topics.create(platform.kafka_bootstrap, prefix=name)
    folder = folders.mktemp("snapshots")
    return Place(platform.kafka_bootstrap, platform.mongodb_url, name, folder)


@contextlib.asynccontextmanager
async def opened(place: Place, *, killed: bool = False) -> AsyncIterator[Registry]:

    async with (
        speaking(place, "accounts", "deposits") as (accounts, deposits),
        service("distribution", place) as running,
        aiohttp.ClientSession() as session,
        contextlib.AsyncExitStack() as stack,
    ):
        await accounts.say(
            OrganisationRegistered(organisation=78, name="Press", registered_at=AT, version=1),
            *(assigned(prefix, setting) for prefix, setting in SETTINGS.items()),
            *(assigned(prefix, "open") for prefix in (*OPEN, BIG)),
            login(place, "owner", 78),
            token("plus", timedelta(hours=1)),
            token("lapsed", timedelta(hours=-1)),
            token("to be revoked", timedelta(hours=1)),
        )
        await deposits.say(
            TitleRegistered(subject=TITLE, name="On Things", owner_prefix=OPEN[0], version=1),
        )
        works = [
            *(work(f"{prefix}/{n}") for prefix in SETTINGS for n in range(4)),
            *(work(f"{OPEN[0]}/{n}", title=TITLE) for n in range(4)),
            *(work(f"{prefix}/{n}") for prefix in OPEN[1:] for n in range(4)),
            work(f"{BIG}/0", created=LATE, more=random_bytes(4_000_000).hex()),
            work("10.7777/unowned"),
            work("10.7778/untitled", title="journal:none"),
        ]
        await deposits.say(*works)
        registry = Registry(place, running, accounts, deposits, session, stack)
        if killed:
            registry.killed, _ = await registry.build(COLOPHON_CRASH="snapshots.written:3")
        status, said = await (registry.build_late() if killed else registry.build())
        assert status == 0, said
        await registry.served()
        yield registry


@pytest.mark.law("L3")
@pytest.mark.law("L4")
@pytest.mark.clause("CRR-6")
@pytest.mark.clause("CRR-12")
async def test_a_snapshot_holds_every_work_and_the_references_a_subscriber_may_see(
    registry: Registry,
) -> None:
    status, body, headers = await registry.ask(FILE, PLUS)
    found = items(body)
    assert (status, len(found)) == (200, WORKS)
    for doi, one in found.items():
        prefix = doi.partition("/")[0]
        may = prefix in SEEN or prefix in OPEN
        assert (SECRET in str(one)) is may, doi
        assert ("references-withheld" in one) is not may, doi
        assert one["references-count"] == 2
    assert headers["Cache-Control"] == "private, no-cache"
    assert headers["x-api-pool"] == "plus"
    assert int(headers["Content-Length"]) == len(body)


@pytest.mark.clause("CRR-6")
@pytest.mark.clause("CRR-7")
async def test_only_a_running_agreement_opens_snapshots_in_each_spelling_of_its_token(
    registry: Registry,
) -> None:
    for headers in (
        PLUS,
        {"Crossref-Plus-API-Token": "plus"},
        {"crossref-api-key": "Bearer plus"},
        {"Authorization": "Bearer plus"},
    ):
        assert (await registry.ask(FILE, headers, "HEAD"))[0] == 200
        assert (await registry.ask(AT_MONTH, headers))[0] == 200
    owner = basic("owner")
    for headers, refused in (
        ({}, 401),
        ({"Crossref-Plus-API-Token": "Bearer lapsed"}, 401),
        ({"Crossref-Plus-API-Token": "Bearer wrong"}, 401),
        (owner, 403),
        (OPERATOR, 403),
    ):
        for path in (FILE, LATEST, AT_MONTH):
            status, body, said = await registry.ask(path, headers)
            assert status == refused
            assert SECRET.encode() not in body
            assert "x-api-pool" in said


async def test_the_manifest_tells_what_is_downloaded_member_by_member(registry: Registry) -> None:
    _, body, headers = await registry.ask(FILE, PLUS)
    told = orjson.loads((await registry.ask(AT_MONTH, PLUS))[1])
    file, _ = told["files"]
    assert (file["at"], file["etag"], file["bytes"]) == (FILE, headers["ETag"], len(body))
    at = 0
    for part in file["parts"]:
        piece = body[at : at + part["bytes"]]
        assert hashlib.sha256(piece).hexdigest() == part["sha256"]
        assert (SECRET in str(items(piece + bytes(0)))) is part["references"]
        assert len(items(piece)) == part["works"] <= 3
        at += part["bytes"]
    assert sum(part["works"] for part in file["parts"]) == told["works"] == WORKS
    # Who asks for its policy to be told has it told; the others have none (CRP-12b, CRP-12c).
    assert [(one["id"], one["terms"], one.get("policy")) for one in told["sources"]] == [
        ("Crossref", None, None),
        (
            "retraction-watch",
            "https://www.crossref.org/documentation/retrieve-metadata/retraction-watch/",
            "https://retractionwatch.com/privacy-policy/",
        ),
        (
            "open-funder-registry",
            "https://creativecommons.org/publicdomain/zero/1.0/",
            None,
        ),
    ]
    listed = orjson.loads((await registry.ask("/snapshots/monthly"))[1])["snapshots"]
    assert [one["month"] for one in listed] == [MONTH]


async def test_a_download_is_resumed_byte_by_byte_and_refused_beyond_the_end(
    registry: Registry,
) -> None:
    _, whole, headers = await registry.ask(FILE, PLUS)
    size, etag = len(whole), headers["ETag"]
    for first, last in ((0, 0), (1, 700), (size - 9, size - 1), (300, size - 1), (5, size + 99)):
        asked = PLUS | {"Range": f"bytes={first}-{last}", "If-Range": etag}
        status, part, said = await registry.ask(FILE, asked)
        assert (status, part) == (206, whole[first : last + 1])
        assert said["Content-Range"] == f"bytes {first}-{min(last, size - 1)}/{size}"
    assert (await registry.ask(FILE, PLUS | {"Range": "bytes=-20"}))[1] == whole[-20:]
    status, _, said = await registry.ask(FILE, PLUS | {"Range": f"bytes={size}-"})
    assert (status, said["Content-Range"]) == (416, f"bytes */{size}")
    status, again, _ = await registry.ask(
        FILE, PLUS | {"Range": "bytes=5-", "If-Range": '"another"'}
    )
    assert (status, again) == (200, whole)
    assert (await registry.ask(FILE, PLUS | {"If-None-Match": etag}))[0] == 304
    status, none, said = await registry.ask(FILE, PLUS, "HEAD")
    assert (status, none, int(said["Content-Length"])) == (200, b"", size)


@pytest.mark.law("L3")
@pytest.mark.clause("CRR-4")
async def test_a_flip_reaches_a_snapshot_made_before_and_a_resumed_download_begins_anew(
    registry: Registry,
) -> None:
    prefix = OPEN[1]
    _, before, headers = await registry.ask(FILE, PLUS)
    assert await registry.sees(prefix)
    await registry.prefer(prefix, "closed")

    async def closed() -> bool:
        return not await registry.sees(prefix)

    await until(closed, within=5, what="the snapshot obeys")
    resumed = PLUS | {"Range": f"bytes={len(before) // 2}-", "If-Range": headers["ETag"]}
    status, body, said = await registry.ask(FILE, resumed)
    assert (status, said["ETag"] != headers["ETag"]) == (200, True)
    assert not any(SECRET in str(one) for doi, one in items(body).items() if doi.startswith(prefix))
    assert len(items(body)) == len(items(before))
    await registry.prefer(prefix, "open")
    await until(lambda: registry.sees(prefix), within=5, what="the snapshot is open again")
    assert (await registry.ask(FILE, PLUS))[1] == before


@pytest.mark.law("L3")
async def test_what_is_transferred_after_the_build_goes_without_references_until_it_is_rebuilt(
    registry: Registry,
) -> None:
    titled, single = OPEN[0], OPEN[2]
    assert {titled, single} <= await registry.seen()
    await registry.deposits.say(
        TitleTransferred(subject=TITLE, name="On Things", owner_prefix="10.5001", version=2),
        WorkOwnerAssigned(subject=f"{single}/1", owner_prefix="10.5001", version=1),
    )

    async def obeyed() -> bool:
        # What stands in a member with the one that went is kept back too, and nothing else.
        shown = await registry.shown()
        return f"{single}/1" not in shown and not any(d.startswith(titled) for d in shown)

    await until(obeyed, within=5, what="the snapshot obeys the transfers")
    assert await registry.sees(OPEN[3])
    await registry.deposits.say(
        TitleTransferred(subject=TITLE, name="On Things", owner_prefix=titled, version=3)
    )
    await until(lambda: registry.sees(titled), within=5, what="the title came back")


@pytest.mark.law("L3")
@pytest.mark.clause("CRR-11")
async def test_references_taken_back_by_a_redeposit_leave_the_snapshot_that_held_them(
    registry: Registry,
) -> None:
    kept = await registry.seen()
    assert OPEN[3] in kept
    await registry.take_back()
    assert (await registry.seen()) == kept


@pytest.mark.law("L3")
async def test_the_same_works_come_as_unixsd_with_the_same_references(registry: Registry) -> None:
    _, body, _ = await registry.ask(FILE.replace("json", "xml"), PLUS)
    name = "{http://www.crossref.org/qrschema/3.0}"
    found: dict[str, str] = {}
    with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as tar:
        for entry in tar:
            file = tar.extractfile(entry)
            assert file is not None
            root = etree.fromstring(gzip.decompress(file.read()))
            for query in root.iter(f"{name}query"):
                assert query.get("status") == "resolved"
                found[query.findtext(f"{name}doi") or ""] = etree.tostring(query).decode()
    shown = await registry.shown()
    assert len(found) == WORKS
    assert {doi for doi, text in found.items() if SECRET in text} == shown


async def test_members_are_numbered_through_and_the_build_is_told_of(registry: Registry) -> None:
    told = await numbered(registry)
    (build,) = (
        one
        for one in orjson.loads((await registry.ask("/snapshots/jobs", OPERATOR))[1])["builds"]
        if one["month"] == MONTH
    )
    assert (build["state"], build["done"]) == ("ready", WORKS)
    latest = orjson.loads((await registry.ask("/snapshots/monthly/latest", PLUS))[1])
    assert latest["id"] == told["id"]
    assert (await registry.ask("/snapshots/monthly/2025/12", PLUS))[0] == 404
    found, _, _ = await registry.ask(told["changes"], PLUS)
    assert found == 200


async def numbered(registry: Registry) -> Any:
    """Return the manifest, with no member left out or told of twice."""
    told = orjson.loads((await registry.ask(AT_MONTH, PLUS))[1])
    for file in told["files"]:
        form = file["at"].split(".")[1]
        names = [f"{n}.{form}.gz" for n in range(len(file["parts"]))]
        assert [part["name"] for part in file["parts"]] == names
        assert sum(part["works"] for part in file["parts"]) == WORKS
    return told


@pytest.mark.soak  # a lease that nobody gave back has to run out
async def test_a_killed_build_goes_on_when_the_store_is_back_and_loses_and_repeats_none(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = await placed(platform, tmp_path_factory)
    async with opened(place, killed=True) as registry:
        assert registry.killed == -9
        await numbered(registry)
        assert len(await registry.found()) == WORKS


async def test_crossref_lmdb_reads_an_unpacked_snapshot(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its updater from the web wants an older rate limiter than the lock has; files need none.
    web = ModuleType("crossref_lmdb.web")
    monkeypatch.setattr(web, "WebSource", None, raising=False)
    monkeypatch.setitem(sys.modules, "crossref_lmdb.web", web)
    run = importlib.import_module("crossref_lmdb.main").run
    _, body, _ = await registry.ask(FILE, PLUS)
    with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as tar:
        tar.extractall(tmp_path / "files", filter="data")
    (tmp_path / "db").mkdir()
    run(
        CreateParams(
            db_dir=tmp_path / "db",
            max_db_size_gb=0.1,
            filter_path=None,
            compression_level=1,
            commit_frequency=10,
            show_progress=False,
            public_data_dir=tmp_path / "files",
            start_from_file_num=0,
        )
    )
    with crossref_lmdb.db.DBReader(db_dir=tmp_path / "db") as read:
        assert read["10.5003/1"]["references-count"] == 2
        assert len(read) == WORKS


@pytest.mark.law("L3")
@pytest.mark.clause("CRR-11")
async def test_what_was_taken_back_stays_away_over_a_restart_until_the_snapshot_is_built_again(
    registry: Registry,
) -> None:
    await registry.take_back()
    await registry.give_away()
    before = orjson.loads((await registry.ask(AT_MONTH, PLUS))[1])["id"]
    shown = await registry.shown()
    await registry.restart()
    assert (await registry.shown()) == shown
    status, _, _ = await registry.ask(AT_MONTH, OPERATOR, "POST")
    assert status == 202

    async def rebuilt() -> bool:
        status, body, _ = await registry.ask(AT_MONTH, PLUS)
        return status == 200 and orjson.loads(body)["id"] != before

    await until(rebuilt, within=30, what="the snapshot is built again")
    found = await registry.found()
    assert len(found[f"{OPEN[3]}/3"]["reference"]) == 1
    assert len(found[f"{OPEN[3]}/0"]["reference"]) == 3
    assert f"{OPEN[2]}/0" in await registry.shown()
    assert f"{OPEN[2]}/1" not in await registry.shown()  # whose owner keeps it closed
    assert found[f"{OPEN[2]}/1"]["prefix"] == "10.5001"


@contextlib.asynccontextmanager
async def begun(registry: Registry, token: str) -> AsyncIterator[Any]:
    """Begin a download and take no more than its head; yields how to read the rest."""
    host, _, port = registry.running.url.removeprefix("http://").partition(":")
    taking = socket.socket()
    taking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    taking.setblocking(False)  # noqa: FBT003
    await asyncio.get_running_loop().sock_connect(taking, (host, int(port)))
    reader, writer = await asyncio.open_connection(sock=taking, limit=4_096)
    asked = f"GET {LATEST} HTTP/1.1\r\nHost: x\r\ncrossref-api-key: Bearer {token}\r\n\r\n"
    writer.write(asked.encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    assert head.startswith("http/1.1 200")
    length = int(head.partition("content-length: ")[2].partition("\r")[0])

    async def rest() -> tuple[int, int]:
        got = 0
        with contextlib.suppress(ConnectionError):
            while content := await reader.read(65_536):
                got += len(content)
        return got, length

    try:
        yield rest
    finally:
        writer.close()


@pytest.mark.law("L3")
@pytest.mark.clause("CRR-6")
async def test_who_downloads_while_a_preference_flips_or_the_token_is_revoked_is_cut_off(
    registry: Registry,
) -> None:
    await registry.restart()

    async def built() -> bool:
        told = orjson.loads((await registry.ask(LATEST.rpartition("/")[0], PLUS))[1])
        return bool(told["works"] > WORKS)

    await until(built, within=30, what="the snapshot that is due is built")
    async with begun(registry, "plus") as rest, begun(registry, "to be revoked") as revoked_one:
        before = (await registry.ask(LATEST, PLUS, "HEAD"))[2]["ETag"]
        await registry.accounts.say(
            CredentialChanged(
                credential=token_key("to be revoked"),
                organisation=500,
                scopes=("plus",),
                revoked=True,
                version=2,
            )
        )

        async def refused() -> bool:
            token = {"crossref-api-key": "to be revoked"}
            return (await registry.ask(LATEST, token, "HEAD"))[0] == 401

        await until(refused, within=5, what="the token is revoked")
        got, length = await revoked_one()
        assert got < length
        await registry.prefer(BIG, "closed")

        async def other() -> bool:
            return bool((await registry.ask(LATEST, PLUS, "HEAD"))[2]["ETag"] != before)

        await until(other, within=5, what="the snapshot obeys")
        got, length = await rest()
        assert got < length
    resumed = PLUS | {"Range": f"bytes={got}-", "If-Range": before}
    assert (await registry.ask(LATEST, resumed))[0] == 200
