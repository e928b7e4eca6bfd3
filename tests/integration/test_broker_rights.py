"""Users and their rights, asked for by a real broker: who writes, who reads, and until when.

One broker with users serves all tests here; it closes connections that wait for three
seconds, where one in service waits for thirty.
"""

import asyncio
import contextlib
import json
import logging
import os
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
from aiokafka.protocol.fetch import FetchRequest

from deploy.local.broker.secured import Users
from deploy.local.broker.server import broker
from deploy.local.ports import HOST, answers, free_port
from deploy.local.waiting import until as waited
from services.retention.model.mapping import TOPICS
from services.retention.parts.clocks import GROUP
from services.retention.stream import Stream
from shared.events import CredentialChanged, CredentialIssued, Outgoing, Received
from shared.kafka import rights, topics, users
from shared.kafka.admin import NotAllowed, administrator
from shared.kafka.connection import client, parse
from shared.kafka.rights import Right
from shared.kafka.topics import Audience
from shared.runtime.clock import SYSTEM
from tests import depositing, nursery
from tests.events import Voice, speaking
from tests.platform import Platform
from tests.processes import OPERATOR, ROOT, Place, Running, service, until
from tests.retaining import registered

OPEN: Final = "distribution.open.v1"
PLUS: Final = "distribution.plus.v1"
CREDENTIALS: Final = "accounts.credentials.v1"
ROLES: Final = ("api", "projector", "products", "access")
CONSUMER: Final = ROOT / "docs" / "interfaces" / "consumers" / "consumer.py"
POLICIES: Final = ROOT / "deploy" / "policies"
BOUND: Final = 2.0  # seconds from an agreement's end until the broker refuses
SLACK: Final = 3.0  # seconds that a machine under other tests may take more
IDLE: Final = 3  # seconds
NO_ERROR: Final = 0
REFUSED: Final = 29  # TOPIC_AUTHORIZATION_FAILED
PASSWORDS: Final = {one: f"pass:word/{one}" for one in rights.services()}


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker with users, and the topics and users of these tests on it."""

    administrator: str
    port: int
    inside: int
    prefix: str
    folder: Path

    def url(self, user: str, password: str) -> str:
        """Return the address by which a user reaches it."""
        secret = password.replace(":", "%3A").replace("/", "%2F")
        return f"sasl://{user}:{secret}@{HOST}:{self.port}"

    def of(self, name: str) -> str:
        """Return the address by which a service reaches it."""
        return self.url(name, PASSWORDS[name])

    async def command(self, *words: str, status: int = 0, **environment: str) -> str:
        """Run ``python -m shared.kafka`` as the administrator; return what it said."""
        log = self.folder / "command.log"
        log.unlink(missing_ok=True)
        settings = {
            **os.environ,
            "KAFKA_BOOTSTRAP": self.administrator,
            "TOPIC_PREFIX": self.prefix,
            **environment,
        }
        process = nursery.start("shared.kafka", words, environment=settings, log=log)
        assert await process.wait() == status, log.read_text()
        return log.read_text()

    async def user(self, name: str) -> str:
        """Make a user by the command, or give it another password; return its address."""
        said = await self.command("users", "add", name)
        lines = dict(line.split(maxsplit=1) for line in said.splitlines() if " " in line)
        return self.url(name, lines["password"])


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Users, int, Path]]:
    folder = tmp_path_factory.mktemp("secured")
    port, secured = free_port(), Users(free_port(), idle_seconds=IDLE)
    node = broker(folder / "state", port, log=folder / "kafka.log", users=secured)
    node.start()
    assert waited(lambda: answers(secured.inside), 10.0)  # its listeners open one by one
    try:
        yield secured, port, folder
    finally:
        node.end()


@pytest.fixture(scope="module")
async def here(started: tuple[Users, int, Path]) -> Broker:
    secured, port, folder = started
    found = Broker(secured.administrator, port, secured.inside, "t.", folder)
    variables = {f"KAFKA_{one.upper()}_PASSWORD": word for one, word in PASSWORDS.items()}
    said = await found.command("rights", "apply", "--passwords", status=0, **variables)
    assert f"0 taken, {len(PASSWORDS)} passwords set" in said
    await topics.create(found.administrator, prefix=found.prefix)
    return found


@pytest.fixture(scope="module")
async def accounts(here: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Voice]:
    """The word of accounts, with watermarks."""
    place = Place(here.of("accounts"), "", here.prefix, tmp_path_factory.mktemp("accounts"))
    async with speaking(place, "accounts") as [voice]:
        yield voice


@pytest.fixture(scope="module")
async def place(
    here: Broker, platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> Place:
    """Where services live that reach the broker as themselves."""
    return Place(
        here.of("distribution"), platform.mongodb_url, here.prefix, tmp_path_factory.mktemp("place")
    )


@contextlib.asynccontextmanager
async def keeping_access(
    here: Broker, place: Place, *, ready: bool = True, **more: str
) -> AsyncIterator[Running]:
    """Run distribution's role access."""
    settings = {"KAFKA_ADMIN_BOOTSTRAP": here.administrator, **more}
    async with service("distribution", place, "access", ready=ready, **settings) as running:
        yield running


@pytest.fixture(scope="module")
async def access(here: Broker, place: Place, accounts: Voice) -> AsyncIterator[Running]:
    async with keeping_access(here, place) as running:
        yield running


def token(organisation: int, **more: Any) -> CredentialIssued:
    """Return a token's credential; the version in ``more`` makes it a later one."""
    name = sha256(f"{organisation}".encode()).hexdigest()
    fields = {"organisation": organisation, "scopes": ("plus",), "version": 1, **more}
    return CredentialIssued(credential=f"token:{name}", **fields)


def changed(issued: CredentialIssued, **more: Any) -> CredentialChanged:
    return CredentialChanged(**issued.model_dump() | {"version": issued.version + 1} | more)


@dataclass(frozen=True, slots=True)
class Caller:
    """A user's open connection, on which requests are sent as they are."""

    client: Any
    prefix: str

    async def fetch(self, topic: str, *, offset: int = 0, wait: float = 0.0) -> tuple[int, bytes]:
        """Read a topic's partition 0; returns Kafka's error code (0: none) and what came.

        ``wait`` is how many seconds the broker may hold the request until there is something.
        """
        places = [(self.prefix + topic, [(0, offset, 1 << 20)])]
        request = FetchRequest(int(wait * 1000), 1, 1 << 20, 0, places)
        answer = await self.client.send(self.client.get_random_node(), request)
        [(_, [(_, code, *_, records)])] = answer.topics
        return code, records or b""

    async def end(self, topic: str) -> int:
        """Return the offset that the next record of partition 0 will have."""
        request = FetchRequest(0, 0, 1, 0, [(self.prefix + topic, [(0, 0, 1)])])
        answer = await self.client.send(self.client.get_random_node(), request)
        [(_, [(_, _, end, *_)])] = answer.topics
        return int(end)

    async def may_read(self, topic: str) -> bool:
        """Say whether the broker lets this user read a topic now."""
        code, _ = await self.fetch(topic)
        assert code in {NO_ERROR, REFUSED}
        return code == NO_ERROR

    async def may_not_read(self, topic: str) -> bool:
        return not await self.may_read(topic)


@contextlib.asynccontextmanager
async def calling(here: Broker, address: str) -> AsyncIterator[Caller]:
    connected = AIOKafkaClient(**client(address))
    try:
        await connected.bootstrap()
        yield Caller(connected, here.prefix)
    finally:
        await connected.close()


@contextlib.asynccontextmanager
async def consumer(address: str, **more: Any) -> AsyncIterator[Any]:
    """Run a consumer, from the earliest record, as an indexer does."""
    settings = {"auto_offset_reset": "earliest", "enable_auto_commit": False, **more}
    found = AIOKafkaConsumer(**client(address), **settings)
    await found.start()
    try:
        yield found
    finally:
        await found.stop()


@contextlib.asynccontextmanager
async def producer(address: str, **more: Any) -> AsyncIterator[Any]:
    found = AIOKafkaProducer(**client(address), request_timeout_ms=5_000, **more)
    try:
        await found.start()
        yield found
    finally:
        with contextlib.suppress(KafkaError):
            await found.stop()


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The client says thousands of times what the broker refuses."""
    log = logging.getLogger("aiokafka")
    before = log.level
    log.setLevel(logging.CRITICAL)
    yield
    log.setLevel(before)


async def join(here: Broker, address: str, group: str) -> None:
    """Read the public product in a group until it has partitions and one commit."""
    async with consumer(address, group_id=group) as found:
        found.subscribe([here.prefix + OPEN])
        await found.getmany(timeout_ms=300)
        while not found.assignment():
            await found.getmany(timeout_ms=100)
        await found.commit(dict.fromkeys(found.assignment(), 0))


async def send(address: str, topic: str, **more: Any) -> None:
    async with producer(address, **more) as found:
        await found.send_and_wait(topic, b"{}", key=b"10.5555/1")


def readable() -> list[str]:
    return [one for one in topics.declared() if ".personal." not in one]


async def test_a_service_writes_its_own_topics_and_no_other(here: Broker) -> None:
    for name in rights.services():
        async with producer(here.of(name), enable_idempotence=True) as found:
            for topic, about in topics.declared().items():
                if about.writer == name:
                    await found.send_and_wait(here.prefix + topic, b"{}", key=b"k")
                    continue
                with pytest.raises(TopicAuthorizationFailedError):
                    await found.send_and_wait(here.prefix + topic, b"{}", key=b"k")


async def test_a_service_reads_every_topic_in_groups_of_its_name_alone(here: Broker) -> None:
    for name in rights.services():
        async with calling(here, here.of(name)) as found:
            assert all([await found.may_read(topic) for topic in readable()])
    mine, others = [f"{here.prefix}{one}.receipts" for one in ("accounts", "deposits")]
    await join(here, here.of("accounts"), mine)
    with pytest.raises(GroupAuthorizationFailedError):
        await join(here, here.of("accounts"), others)


async def test_nobody_takes_the_fence_of_another_service(here: Broker) -> None:
    mine = f"{here.prefix}deposits.relay"
    await send(here.of("deposits"), here.prefix + "deposits.submissions.v1")
    async with producer(here.of("deposits"), transactional_id=mine) as found:
        async with found.transaction():
            await found.send(here.prefix + "deposits.submissions.v1", b"{}", key=b"k")
        with pytest.raises(TransactionalIdAuthorizationFailed):
            async with producer(here.of("accounts"), transactional_id=mine):
                pass
        async with found.transaction():  # it was not fenced
            await found.send(here.prefix + "deposits.submissions.v1", b"{}", key=b"k")


async def test_nobody_gets_in_without_a_password(here: Broker) -> None:
    for port in (here.port, here.inside):
        with pytest.raises(KafkaConnectionError):
            async with producer(f"{HOST}:{port}"):
                pass
    for address in (
        here.url("accounts", "wrong"),
        here.url("nobody", "wrong"),
        here.of("accounts").replace(str(here.port), str(here.inside)) + "?mechanism=PLAIN",
    ):
        with pytest.raises(KafkaConnectionError):
            async with calling(here, address):
                pass


async def test_a_service_gives_nobody_rights_and_makes_no_topics(here: Broker) -> None:
    everything = rights.of_indexer(1, audiences={"public", "plus"})
    async with administrator(here.of("distribution")) as found:
        for act in (
            found.rights(),
            found.grant(everything),
            found.withdraw(everything),
            found.set_password("accounts", "mine"),
            found.forget("accounts"),
        ):
            with pytest.raises(NotAllowed):
                await act
    with pytest.raises((ClusterAuthorizationFailedError, TopicAuthorizationFailedError)):
        await topics.create(here.of("distribution"), prefix="other.")


@pytest.mark.clause("CRR-6")
async def test_an_indexer_reads_the_public_product_and_writes_nothing(here: Broker) -> None:
    address = await here.user("indexer-7")
    async with calling(here, address) as found:
        allowed = [one for one in topics.declared() if await found.may_read(one)]
    assert allowed == [OPEN]
    for topic in (OPEN, PLUS, CREDENTIALS):
        with pytest.raises(TopicAuthorizationFailedError):
            await send(address, here.prefix + topic, enable_idempotence=False)
    with pytest.raises(ClusterAuthorizationFailedError):
        await send(address, here.prefix + OPEN, enable_idempotence=True)
    await join(here, address, f"{here.prefix}indexer-7.copy")
    for group in ("indexer-70.copy", "indexer-7", "distribution.products"):
        with pytest.raises(GroupAuthorizationFailedError):
            await join(here, address, here.prefix + group)


@dataclass(slots=True)
class Numbers:
    """Numbered records of the product for subscribers, under a key of one test's own."""

    key: bytes
    sent: int = 0

    async def publish(self, here: Broker, done: asyncio.Event) -> None:
        """Publish one after the other until told to stop."""
        async with producer(here.of("distribution")) as found:
            while not done.is_set():
                topic, number = here.prefix + PLUS, str(self.sent).encode()
                self.sent += 1
                await found.send_and_wait(topic, number, key=self.key, partition=0)

    async def read_until_refused(self, found: Any) -> tuple[list[int], float]:
        """Return the numbers that came before the broker refused, and when it did."""
        got: list[int] = []
        with contextlib.suppress(TopicAuthorizationFailedError):
            async with asyncio.timeout(20):
                while True:
                    for records in (await found.getmany(timeout_ms=200)).values():
                        got += [int(one.value) for one in records if one.key == self.key]
        return got, SYSTEM.monotonic()

    async def more(self, count: int) -> None:
        """Wait until so many more were published."""
        wanted = self.sent + count

        async def there() -> bool:
            return self.sent > wanted

        await until(there, what=f"{count} more records")


@contextlib.asynccontextmanager
async def publishing(here: Broker, name: str) -> AsyncIterator[Numbers]:
    numbers, done = Numbers(name.encode()), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(numbers.publish(here, done))
        try:
            yield numbers
        finally:
            done.set()


@pytest.mark.clause("CRR-6")
@pytest.mark.parametrize("how", ["its token revoked", "its time over"])
async def test_an_open_connection_reads_nothing_more_once_its_agreement_has_ended(
    here: Broker, accounts: Voice, access: Running, how: str
) -> None:
    organisation = {"its token revoked": 21, "its time over": 22}[how]
    address = await here.user(f"indexer-{organisation}")
    async with calling(here, address) as asking, publishing(here, how) as numbers:
        assert not await asking.may_read(PLUS)
        issued = token(organisation)
        await accounts.say(issued)
        await until(lambda: asking.may_read(PLUS), what="the right to read")
        async with consumer(address) as found:
            found.assign([TopicPartition(here.prefix + PLUS, 0)])
            reading = asyncio.ensure_future(numbers.read_until_refused(found))
            await until(lambda: caught_up(found), what="the end of the topic")
            if how == "its token revoked":
                await accounts.say(changed(issued, revoked=True))
                ended = SYSTEM.monotonic()
            else:  # its end is told before it comes, and nothing is said when it does
                end = SYSTEM.now() + timedelta(seconds=1)
                await accounts.say(changed(issued, valid_until=end))
                ended = SYSTEM.monotonic() + (end - SYSTEM.now()).total_seconds()
            got, refused = await reading
            assert -0.1 < refused - ended < BOUND + SLACK
            # What it has was published before it was refused; more follows, and it gets none of it.
            assert got == list(range(len(got)))
            await numbers.more(20)
            assert (await numbers.read_until_refused(found))[0] == []
        assert await asking.may_not_read(PLUS)
        assert await asking.may_read(OPEN)


async def caught_up(found: Any) -> bool:
    [where] = found.assignment()
    return bool(await found.position(where) >= (await found.end_offsets([where]))[where] - 5)


@pytest.mark.clause("CRR-6")
async def test_a_request_that_waits_at_the_broker_ends_with_its_connection(
    here: Broker, accounts: Voice, access: Running
) -> None:
    """The broker asks for rights when a request comes, not again when there is an answer."""
    address, issued = await here.user("indexer-23"), token(23)
    await accounts.say(issued)
    async with calling(here, address) as waiting, calling(here, address) as asking:
        await until(lambda: asking.may_read(PLUS), what="the right to read")
        began = SYSTEM.monotonic()
        request = asyncio.ensure_future(
            waiting.fetch(PLUS, offset=await waiting.end(PLUS), wait=60.0)
        )
        await accounts.say(changed(issued, revoked=True))
        await until(lambda: asking.may_not_read(PLUS), what="the refusal")
        assert not request.done()
        with pytest.raises(KafkaConnectionError):
            await request
        assert SYSTEM.monotonic() - began < IDLE + 2 + SLACK
        assert await waiting.may_not_read(PLUS)


@pytest.mark.clause("CRR-6")
async def test_a_token_that_cannot_be_read_gives_nothing(
    here: Broker, accounts: Voice, access: Running
) -> None:
    address, issued = await here.user("indexer-24"), token(24)
    await accounts.say(issued)
    async with calling(here, address) as asking:
        await until(lambda: asking.may_read(PLUS), what="the right to read")
        headers = (("ce_type", b"accounts.credential-changed.v1"),)
        await accounts.send([Outgoing(CREDENTIALS, issued.key.encode(), b"{", headers)])
        await until(lambda: asking.may_not_read(PLUS), what="the refusal")
        await accounts.say(changed(issued, version=9))
        await until(lambda: asking.may_read(PLUS), what="the right to read")


@pytest.fixture
async def apart(
    here: Broker, platform: Platform, tmp_path: Path, name: str
) -> AsyncIterator[tuple[Broker, Place, Voice]]:
    """A copy under another prefix, and the word of its accounts; nobody keeps its rights."""
    copy = replace(here, prefix=name)
    await topics.create(here.administrator, prefix=name)
    async with administrator(here.administrator) as admin:
        await users.apply(admin, name)
    place = Place(here.of("accounts"), platform.mongodb_url, name, tmp_path)
    async with speaking(place, "accounts") as [voice]:
        yield copy, replace(place, kafka_bootstrap=here.of("distribution")), voice


def may(organisation: int, prefix: str, *, plus: bool) -> frozenset[Right]:
    more: set[Audience] = {"public", "plus"} if plus else {"public"}
    return rights.of_indexer(organisation, prefix, audiences=more)


async def test_what_changed_while_nobody_looked_is_put_right_at_the_start(
    apart: tuple[Broker, Place, Voice],
) -> None:
    here, place, accounts = apart
    later = SYSTEM.now() + timedelta(days=1)
    await accounts.say(
        token(31), token(32, revoked=True), token(33), token(34, valid_from=later), token(35)
    )
    strays = {
        Right("indexer-33", "write", "topic", here.prefix + OPEN),
        Right("indexer-33", "read", "topic", here.prefix, "prefixed"),
        Right("indexer-33", "all", "topic", here.prefix + CREDENTIALS, host="192.0.2.1"),
        *(may(35, here.prefix, plus=True) - {rights.groups_of(35, here.prefix)}),  # not known
    }
    async with administrator(here.administrator) as admin:
        services = {one for one in await admin.rights() if one.user in rights.services()}
        for organisation in (32, 34):
            await admin.grant(may(organisation, here.prefix, plus=True))
        await admin.grant(
            {*strays, *may(31, here.prefix, plus=False), *may(33, here.prefix, plus=False)}
        )
        async with keeping_access(here, place):

            async def held() -> bool:
                return {
                    one
                    for one in await admin.rights()
                    if one.name.startswith(here.prefix) and one.user not in rights.services()
                } == (
                    may(31, here.prefix, plus=True)
                    | may(32, here.prefix, plus=False)
                    | may(33, here.prefix, plus=True)
                    | may(34, here.prefix, plus=False)
                )

            await until(held, what="rights as agreements say")
        assert services <= await admin.rights()


async def test_stale_knowledge_gives_no_right_and_takes_what_it_knows_to_have_ended(
    apart: tuple[Broker, Place, Voice], tmp_path: Path
) -> None:
    here, place, accounts = apart
    policies = tmp_path / "policies"
    policies.mkdir()
    text = (POLICIES / "references.toml").read_text()
    (policies / "references.toml").write_text(text.replace('"PT5S"', '"PT2S"'))
    async with (
        administrator(here.administrator) as admin,
        keeping_access(here, place, POLICIES_DIR=str(policies)) as running,
        aiohttp.ClientSession() as session,
    ):
        for organisation in (41, 42, 43):
            await admin.grant(may(organisation, here.prefix, plus=False))

        async def has(organisation: int) -> bool:
            return may(organisation, here.prefix, plus=True) <= await admin.rights()

        async def lost(organisation: int) -> bool:
            return not await has(organisation)

        async def stale() -> bool:
            async with session.get(running.url + "/readyz") as answer:
                return "knowledge of agreements is stale" in await answer.text()

        await accounts.say(token(41), token(42))
        await until(lambda: has(41), what="the right of 41")
        await until(lambda: has(42), what="the right of 42")
        accounts.marking = False
        await until(stale, what="stale knowledge")
        assert await has(41)
        soon = SYSTEM.now() + timedelta(seconds=0.5)
        await accounts.say(token(43), changed(token(41), valid_until=soon))
        await until(lambda: lost(41), what="the end of 41")
        assert await has(42)
        assert await lost(43)
        accounts.marking = True
        await until(lambda: has(43), what="the right of 43")


async def test_an_administrator_makes_lists_and_removes_users(here: Broker) -> None:
    first = await here.user("indexer-51")
    second = await here.user("indexer-51")
    with pytest.raises(KafkaConnectionError):
        async with calling(here, first):
            pass
    async with calling(here, second) as open_connection:
        assert await open_connection.may_read(OPEN)
        listed = await here.command("users", "list")
        row = next(line for line in listed.splitlines() if "indexer-51" in line)
        assert [one.strip() for one in row.split("│")[1:-1]] == ["indexer-51", "yes", "0", OPEN]
        assert "indexer-51 is removed" in await here.command("users", "remove", "indexer-51")
        assert await open_connection.may_not_read(OPEN)
    with pytest.raises(KafkaConnectionError):
        async with calling(here, second):
            pass
    assert "no user indexer-51" in await here.command("users", "remove", "indexer-51", status=1)


async def test_what_an_administrator_lacks_is_said_and_no_secret_with_it(
    here: Broker, platform: Platform
) -> None:
    for variables, said in (
        ({"KAFKA_BOOTSTRAP": platform.kafka_bootstrap}, "keeps no users"),
        ({"KAFKA_BOOTSTRAP": here.of("accounts")}, "Give KAFKA_BOOTSTRAP the broker's admin"),
        ({"KAFKA_BOOTSTRAP": here.url("admin", "hunter2")}, "user and password"),
        ({"KAFKA_BOOTSTRAP": "sasl://admin:hunter2@nowhere"}, "a server is not host:port"),
    ):
        answer = await here.command("users", "add", "indexer-52", status=1, **variables)
        assert said in answer
        assert "hunter2" not in answer
        assert "Traceback" not in answer
    answer = await here.command("users", "add", "admin", status=1)
    assert f"neither a service ({', '.join(sorted(rights.services()))}) nor indexer-" in answer
    assert "KAFKA_ACCOUNTS_PASSWORD, " in await here.command(
        "rights", "apply", "--passwords", status=1
    )


async def copied(address: str, topic: str) -> list[tuple[str, int]]:
    """Run the consumer of docs/interfaces to the end; return works and their references."""
    user = parse(address)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(CONSUMER), "--until-end", "--topic", topic),
        *("--bootstrap", user.servers, "--user", user.user, "--security", "SASL_PLAINTEXT"),
        env=os.environ | {"KAFKA_PASSWORD": user.password},
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0
    lines = [json.loads(line) for line in said.splitlines()]
    return [(one["doi"], one["references"]) for one in lines]


@pytest.mark.clause("CRR-6")
async def test_services_need_no_more_than_their_rights(
    here: Broker, platform: Platform, tmp_path: Path, name: str
) -> None:
    """A deposit reaches a subscriber's indexer through every service, each its own user."""
    here = replace(here, prefix=name)
    await topics.create(here.administrator, prefix=name)
    await here.command("rights", "apply")
    address = await here.user("indexer-61")
    at = {
        one: Place(here.of(one), platform.mongodb_url, name, tmp_path) for one in rights.services()
    }
    more = {"KAFKA_ADMIN_BOOTSTRAP": here.administrator}
    async with (
        service("accounts", at["accounts"], ready=False) as accounts,
        service("deposits", at["deposits"], ready=False) as deposits,
        service("distribution", at["distribution"], *ROLES, ready=False, **more) as distribution,
        depositing.client(deposits) as press,
        consumer(address, group_id=f"{name}indexer-61.copy") as found,
    ):
        for one in (accounts, deposits, distribution):
            await one.ready()

        async def post(path: str, body: Any) -> None:
            async with press.session.post(
                accounts.url + path, json=body, headers=OPERATOR
            ) as answer:
                assert answer.status < 300, await answer.text()

        await post("/organisations", {"id": 78, "name": "Press"})
        await post("/organisations/78/prefixes", {"prefix": "10.5555", "name": "Press"})
        login = {"login": "press", "password": depositing.PASSWORD, "scopes": ["deposit"]}
        await post("/organisations/78/credentials", login)
        await post("/organisations", {"id": 61, "name": "Indexer"})
        years = {"start": "2026-01-01", "end": "2099-12-31"}
        await post("/organisations/61/plus-agreements", years)

        async def accepted() -> bool:
            content = depositing.deposit(depositing.article("10.5555/1"))
            status, _ = await press.post("/servlet/deposit", content, operation="doMDUpload")
            return status == 200

        await until(accepted, what="a login that deposits knows")
        async with calling(here, address) as asking:
            await until(lambda: asking.may_read(PLUS), what="the right to read")
        found.subscribe([name + PLUS])

        async def published() -> Any:
            for records in (await found.getmany(timeout_ms=100)).values():
                for one in records:
                    if one.key == b"10.5555/1":
                        return one
            return None

        record = await until(published, within=60, what="the work in the product")
        assert b'"reference":[' in record.value
        await found.commit()
        assert await copied(address, name + PLUS) == [("10.5555/1", 1)]
        for one in (accounts, deposits, distribution):
            assert "uthorization" not in one.log.read_text()


async def test_the_stream_of_facts_needs_no_more_than_its_service_may_and_makes_no_topic(
    here: Broker, accounts: Voice
) -> None:
    heard: list[str] = []

    async def hear(batch: Sequence[Received]) -> None:
        heard.extend(one.event.key for one in batch)

    async def came() -> bool:
        return said.key in heard

    admin = AIOKafkaAdminClient(**client(here.administrator))
    await admin.start()
    async with contextlib.AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        stack.push_async_callback(admin.close)
        before = set(await admin.list_topics())
        draining = asyncio.Event()
        at = here.of("retention")
        stream = Stream(GROUP, TOPICS, "retention", hear, at, here.prefix)
        tasks.create_task(stream.run(draining))
        try:
            said = registered(1, "2026-01-01")
            await accounts.say(said)
            await until(came, within=60, what="the fact heard")
        finally:
            draining.set()
        # The broker's own book of offsets aside.
        assert set(await admin.list_topics()) - before <= {"__consumer_offsets"}
