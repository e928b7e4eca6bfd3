"""What every test may ask for: one broker and one store a run, and names of its own on them.

With ``-n`` the run has several processes, which take files of tests in turn and share that pair. A
test marked ``alone`` loads the machine on purpose: it has it to itself.
"""

import asyncio
import contextlib
import fcntl
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Generator, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from shared.kafka import topics
from shared.kafka.connection import client
from shared.mongo import Database, connect
from shared.runtime.ids import new_id
from tests.mailbox import Mailbox, mailbox
from tests.platform import Platform, shared_platform
from tests.processes import Place

ROOT = Path(__file__).resolve().parents[1]
SHARED: Final = pytest.StashKey[Platform]()
TURNS: Final = pytest.StashKey[str]()
SAMPLES = ROOT.parent / "shared" / "samples"
FIRST: Final = ("faults", "integration")  # folders


@pytest.fixture(scope="session")
def samples() -> Path:
    """Return the folder of handed-out samples; tests that read it skip where it is absent."""
    if not SAMPLES.is_dir():
        pytest.skip("the samples folder is not beside this checkout")
    return SAMPLES


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with files that wait for processes; short ones fill what is left of a run at its end.

    Among the first, those with few tests come first: a test that is a file of its own is long.
    """
    sizes = Counter(item.path for item in items)

    def turn(item: pytest.Item) -> tuple[bool, int]:
        waits = item.path.parent.name in FIRST
        return (not waits, sizes[item.path] if waits else 0)

    items.sort(key=turn)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Start the pair before the first of several processes, and tell each of them."""
    config = node.config
    if SHARED not in config.stash:
        pair = contextlib.ExitStack()
        config.add_cleanup(pair.close)
        config.stash[SHARED] = pair.enter_context(shared_platform())
        config.stash[TURNS] = pair.enter_context(tempfile.TemporaryDirectory(prefix="colophon-"))
    node.workerinput["platform"] = asdict(config.stash[SHARED])
    node.workerinput["turns"] = config.stash[TURNS]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let a test that is to be alone wait for the others, and the others for it."""
    folder = getattr(item.config, "workerinput", {}).get("turns")
    with contextlib.ExitStack() as held:
        if folder is not None:
            queue = held.enter_context(Path(folder, "queue").open("w"))
            machine = held.enter_context(Path(folder, "machine").open("w"))
            alone = item.get_closest_marker("alone") is not None
            fcntl.flock(queue, fcntl.LOCK_EX)  # whoever waits for all others is not passed by
            fcntl.flock(machine, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
            fcntl.flock(queue, fcntl.LOCK_UN)
        return (yield)


@pytest.fixture(scope="session")
def platform(request: pytest.FixtureRequest) -> Iterator[Platform]:
    """Start the broker and the store of this run, or use those the environment names."""
    told = getattr(request.config, "workerinput", None)
    if told is not None:
        yield Platform(**told["platform"])
        return
    with shared_platform() as running:
        yield running


@pytest.fixture
def name() -> str:
    """Return a name of this test's own: topic prefix, database prefix, group."""
    return f"t{new_id().replace('-', '')[8:24]}."


@pytest.fixture(scope="module")
def box() -> Iterator[Mailbox]:
    """Run a mail server for the tests of one module."""
    with mailbox() as made:
        yield made


@contextlib.asynccontextmanager
async def own_topics(bootstrap: str, name: str) -> AsyncIterator[None]:
    """Create every topic under a prefix, and delete them when the block ends.

    Each partition is an open file of the broker, which may have twenty thousand.
    """
    await topics.create(bootstrap, prefix=name)
    yield
    with contextlib.suppress(KafkaError, OSError, TimeoutError):
        async with asyncio.timeout(20):
            await _delete(bootstrap, [name + one for one in topics.declared()])


@pytest.fixture
async def prefix(platform: Platform, name: str) -> AsyncIterator[str]:
    """Create every topic under a prefix of this test's own, and delete them afterwards."""
    async with own_topics(platform.kafka_bootstrap, name):
        yield name


async def _delete(bootstrap: str, names: list[str]) -> None:
    admin = AIOKafkaAdminClient(**client(bootstrap))
    try:
        await admin.start()
        await admin.delete_topics(names)
    finally:
        await admin.close()


@pytest.fixture
async def place(platform: Platform, prefix: str, tmp_path: Path) -> Place:
    """Return where services of this test live: its topics, its databases, its folder."""
    return Place(platform.kafka_bootstrap, platform.mongodb_url, prefix, tmp_path)


@pytest.fixture(params=["pymongo"])
async def database(
    request: pytest.FixtureRequest, platform: Platform, name: str
) -> AsyncIterator[Database]:
    """Open a database of this test's own, dropped afterwards."""
    async with connect(platform.mongodb_url, name.replace(".", "_"), request.param) as found:
        yield found
        # The embedded store drops key by key, each one synced; it goes as a whole with the run.
        if platform.store_source != "embedded":
            await found.client.drop_database(found.name)
