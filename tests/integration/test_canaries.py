"""P1: a canary in every field that is held of people, through the front doors, and found nowhere.

Broker and store are this test's own: their files are read byte by byte.
"""

import asyncio
import smtplib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from email.message import EmailMessage
from io import StringIO
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from aiokafka import AIOKafkaProducer
from pymongo import MongoClient
from rich.console import Console

from deploy.privacy import register
from deploy.privacy.canaries import Canary, canaries
from deploy.privacy.register import Entry
from deploy.privacy.scan import Kind, Scan
from deploy.testdata import rows
from deploy.testdata.exporting import Held, export
from shared.kafka import topics
from shared.runtime.ids import new_id
from tests.mailbox import Mailbox
from tests.planting import BESIDE, FOLLOWING, PASSWORD, PLANTED, World, member
from tests.platform import OwnPlatform, own_platform
from tests.processes import OPERATOR, Place, service, until

SERVICES: Final = ("accounts", "consent", "deposits", "retention")
CODECS: Final = (None, "gzip", "snappy", "lz4", "zstd")
PREFIX: Final = "canaries."
DEAD: Final = f"{PREFIX}distribution.projector.dead.v1"
MOST_WORDS: Final = 20  # properties of one body that are tried


@dataclass(slots=True)
class Planted:
    """What was planted, and where its traces could be."""

    world: World
    own: OwnPlatform
    folder: Path
    metrics: dict[str, bytes]
    entries: list[Entry]


def planted_by_scan() -> dict[str, Kind]:
    """Return the controls: in each kind of place one, in each codec of the log one."""
    return {
        **{f"control/{codec or 'plain'} record": "record" for codec in CODECS},
        "control/dead letter": "record",
        "control/document": "document",
        "control/file": "file",
        "control/store's file": "file",
        "control/log": "log",
        "control/metrics": "metrics",
        "control/mail": "mail",
        "control/answer": "answer",
    }


@pytest.fixture(scope="module")
async def planted(tmp_path_factory: pytest.TempPathFactory, box: Mailbox) -> AsyncIterator[Planted]:
    """Plant every canary through services that run, and end them."""
    entries = register.entries()
    beside = [Entry(schema, name, (), (), "self") for schema, name in BESIDE]
    folder = tmp_path_factory.mktemp("canaries")
    with own_platform() as own:
        await topics.create(own.kafka_bootstrap, prefix=PREFIX)
        place = Place(own.kafka_bootstrap, own.mongodb_url, PREFIX, folder)
        settings = {
            "SMTP_URL": box.url,
            "MAIL_FIRST_SECONDS": "0.1",
            "DELIVERY_FIRST_SECONDS": "0.2",
            "LOG_LEVEL": "debug",
        }
        async with AsyncExitStack() as stack:
            running = {
                name: await stack.enter_async_context(service(name, place, ready=False, **settings))
                for name in SERVICES
            }
            await asyncio.gather(*(one.ready(within=90) for one in running.values()))
            session = await stack.enter_async_context(
                aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
            )
            world = World(session, running, box, canaries([*entries, *beside], new_id()))
            await world.ok("consent", "POST", "/notices", headers=OPERATOR)
            await member(world)
            await until(lambda: knows_member(world), within=30, what="deposits to know the login")
            await asyncio.gather(*(plant(world) for plant in dict.fromkeys(PLANTED.values())))
            await asyncio.gather(*(wrong_input(world, name) for name in SERVICES))
            metrics = {
                name: (await world.ask(name, "GET", "/metrics"))[1].encode() for name in SERVICES
            }
        yield Planted(world, own, folder, metrics, entries)


async def knows_member(world: World) -> bool:
    basic = {"Authorization": aiohttp.encode_basic_auth(world.login, PASSWORD)}
    return (await world.ask("deposits", "GET", "/callbacks/secret", headers=basic))[0] == 200


async def wrong_input(world: World, name: str) -> None:
    """Put a canary into every field of every body, query and path that a service describes."""
    _, document = await world.ask(name, "GET", "/openapi.json")
    text = world.canaries.get(f"{name}.wrong-input/text", Canary("", "", "Zoë Canary")).text
    schemas = document["components"]["schemas"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            target = "/".join(
                "Canary-in-a-path" if part.startswith("{") else part for part in path.split("/")
            )
            content = operation.get("requestBody", {}).get("content", {})
            body = None
            if "application/json" in content:
                schema = content["application/json"]["schema"]
                schema = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
                body = dict.fromkeys(list(schema.get("properties", {}))[:MOST_WORDS], text)
            asked = {
                one["name"]: text for one in operation.get("parameters", ()) if one["in"] == "query"
            }
            for headers in ({}, OPERATOR):
                await world.ask(name, method.upper(), target, body, headers=headers, params=asked)


async def plant_controls(planted: Planted, scan: Scan, texts: dict[str, str]) -> None:
    """Put each control in clear where the scan must find it."""
    own = planted.own
    for codec in CODECS:
        control = texts[f"control/{codec or 'plain'} record"]
        producer = AIOKafkaProducer(bootstrap_servers=own.kafka_bootstrap, compression_type=codec)
        await producer.start()
        # Once in each part of a record; long, so that compression has something to do.
        value = f"{control} {control} {'filling ' * 50}".encode()
        await producer.send_and_wait(f"{PREFIX}deposits.works.v1", value, key=b"control")
        await producer.stop()
    async with AIOKafkaProducer(bootstrap_servers=own.kafka_bootstrap) as producer:
        said = texts["control/dead letter"].encode()
        await producer.send_and_wait(DEAD, b"x", key=b"control", headers=[("dead_reason", said)])
    with MongoClient[dict[str, Any]](own.mongodb_url) as client:
        database = client[f"{PREFIX.replace('.', '_')}accounts"]
        database["controls"].insert_one({"_id": "1", "in": {"text": texts["control/document"]}})
        held = {"_id": "2", "in": [texts["control/store's file"]]}
        database["controls"].insert_one(held)
    (planted.folder / "control.bin").write_bytes(b"\0\1" + texts["control/file"].encode())
    (planted.folder / "control.log").write_text(f"level=info said={texts['control/log']!r}\n")
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Message-ID"] = "a@x.example", "b@x.example", "<control>"
    letter.set_content(f"It says: {texts['control/mail']}", cte="base64")
    address = planted.world.box.url.partition("//")[2].partition("?")[0]
    host, _, port = address.partition(":")

    def send() -> None:
        with smtplib.SMTP(host, int(port)) as server:
            server.send_message(letter)

    await asyncio.to_thread(send)


@pytest.fixture(scope="module")
async def scan(planted: Planted) -> Scan:
    """Look everywhere, with the controls in place."""
    controls = planted_by_scan()
    parts = [name.partition("/") for name in controls]
    names = [Entry(schema, of, (), (), "self") for schema, _, of in parts]
    texts = {name: one.text for name, one in canaries(names, new_id()).items()}
    world, own = planted.world, planted.own
    made = Scan({name: one.text for name, one in world.canaries.items()} | texts, controls)
    await plant_controls(planted, made, texts)

    await asyncio.to_thread(made.store, own.mongodb_url)
    broker_files, store_files = (getattr(one, "state", None) for one in (own.broker, own.store))
    if not isinstance(broker_files, Path) or not isinstance(store_files, Path):
        pytest.skip("broker and store run in containers: their files are not here to be read")
    await asyncio.to_thread(made.broker, broker_files)
    await asyncio.to_thread(made.files, store_files)
    await asyncio.to_thread(made.files, planted.folder)
    for path in planted.folder.glob("*.log"):
        made.look("log", path.name, path.read_bytes())
    for name, said in planted.metrics.items():
        made.look("metrics", name, said)
    made.look("metrics", "control", f'x{{of="{texts["control/metrics"]}"}} 1'.encode())
    for mail in world.box.mails:
        made.mail(mail, allowed=world.own(mail["To"]))
    for answer in world.answers:
        if answer.status >= 400:
            made.look("answer", answer.place, answer.body)
    made.look("answer", "control", f'{{"detail": "{texts["control/answer"]}"}}'.encode())
    return made


def test_every_field_that_is_held_of_people_is_planted_or_has_a_reason(planted: Planted) -> None:
    held = {one.schema for one in planted.entries}
    bare = sorted(held - set(PLANTED) - set(FOLLOWING))
    assert not bare, f"no way in is known for {', '.join(bare)}: give each a row in tests/planting"
    assert set(PLANTED) | set(FOLLOWING) <= held, "a row without a schema"


@pytest.mark.law("P1")
@pytest.mark.clause("CRP-11a")
def test_no_canary_lies_in_clear_in_any_log_store_file_mail_metric_or_error(scan: Scan) -> None:
    assert not scan.leaks, "\n".join(scan.told())


@pytest.mark.law("P1")
def test_the_scan_finds_a_value_in_clear_in_every_kind_of_place_and_codec(scan: Scan) -> None:
    assert not scan.blind, scan.blind
    assert not scan.unread, scan.unread
    told = "\n".join(scan.told())
    assert not any(text in told for text in scan.values.values())


@pytest.mark.law("P1")
@pytest.mark.clause("DOAJ-4c4")
async def test_a_copy_for_tests_of_all_that_was_planted_holds_no_canary(
    planted: Planted, scan: Scan, tmp_path: Path
) -> None:
    held = Held(dict.fromkeys(SERVICES, planted.own.mongodb_url), PREFIX.replace(".", "_"))
    by = rows.read() | {"accounts.controls": rows.Row(because="Of the scan.")}
    done = await asyncio.to_thread(export, held, by, tmp_path / "copy", Console(file=StringIO()))
    assert {"accounts.people", "consent.people", "deposits.works"} <= set(done.copied)
    looked = Scan(scan.values)
    looked.files(tmp_path)
    assert not looked.leaks, looked.leaks
