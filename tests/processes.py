"""Services as real processes, which a test may stop, freeze and kill.

async with service("deposits", place, COLOPHON_CRASH="relay.sent") as deposits:
    async with session.get(deposits.url + "/healthz") as answer: ...
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp

from deploy.local.ports import free_ports
from tests import nursery
from tests.nursery import Forked

ROOT: Final = Path(__file__).resolve().parents[1]
OPERATOR_TOKEN: Final = "operator-token-of-a-test"
OPERATOR: Final = {"Authorization": f"Bearer {OPERATOR_TOKEN}"}
START_SECONDS: Final = 30.0
# Where a test names no roles: all but topic products and what follows people, which few look at.
ROLES: Final = {
    "distribution": ("api", "projector"),
    "deposits": ("api", "relay", "worker", "deliver"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where the services of one test live: addresses, names and a folder of their own."""

    kafka_bootstrap: str
    mongodb_url: str
    name: str
    folder: Path

    def environment(self, service: str) -> dict[str, str]:
        """Return the settings of a service here."""
        token = self.folder / "operator.token"
        if not token.exists():
            token.write_text(OPERATOR_TOKEN)
            token.chmod(0o600)
        return {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "KAFKA_BOOTSTRAP": self.kafka_bootstrap,
            "MONGODB_URL": self.mongodb_url,
            "TOPIC_PREFIX": self.name,
            "DATABASE_PREFIX": self.name.replace(".", "_"),
            "OPERATOR_TOKEN_FILE": str(token),
            "LOGIN_KEY_FILE": str(self.folder / "login.key"),
            "KEY_FILE": str(self.folder / f"{service}.key"),
            "STATE_DIR": str(self.folder / service),
            "POLICIES_DIR": str(ROOT / "deploy" / "policies"),
            "POOL_LIMITS": "false",  # a test asks as fast as it can, from one address
        }


@dataclass(slots=True)
class Running:
    """One service process."""

    name: str
    url: str
    log: Path
    process: Forked
    roles: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)

    def kill(self) -> None:
        """Kill it without a word (SIGKILL)."""
        self.process.kill()

    def freeze(self) -> None:
        """Stop it where it stands (SIGSTOP)."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on (SIGCONT)."""
        self.process.send_signal(signal.SIGCONT)

    async def is_frozen(self) -> bool:
        """Whether it stands still, by a crash point or by us."""
        said = Path(f"/proc/{self.process.pid}/stat").read_text()  # noqa: ASYNC240
        state = said.rpartition(") ")[2]
        return state.startswith("T")

    async def ended(self, within: float = 90.0) -> int:
        """Wait for its end and return its status."""
        async with asyncio.timeout(within):
            return await self.process.wait()

    async def end(self) -> None:
        """Ask it to end, if it runs, and wait until it has."""
        if self.process.returncode is None:
            self.process.terminate()
        await self.ended()

    async def ends_within(self, seconds: float) -> bool:
        """Wait for its end, ``seconds`` at most; say whether it came."""
        with contextlib.suppress(TimeoutError):
            await self.ended(within=seconds)
        return self.process.returncode is not None

    async def ready(self, within: float = START_SECONDS) -> None:
        """Wait until it can serve."""
        said = ["nothing"]
        async with aiohttp.ClientSession() as session:

            async def serves() -> bool:
                assert self.process.returncode is None, self.log.read_text()[-4000:]
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(self.url + "/readyz") as answer:
                        said.append(await answer.text())
                        return answer.status == 200
                return False

            try:
                await until(serves, within=within, what=f"{self.name} ready: {self.log}")
            except AssertionError as fault:
                raise AssertionError(f"{fault}; it says {said[-1]}") from None


@contextlib.asynccontextmanager
async def service(
    name: str, place: Place, *roles: str, ready: bool = True, **environment: str
) -> AsyncIterator[Running]:
    """Run a service; by default wait until it is ready. It is gone when the block ends."""
    port = environment.get("HTTP_PORT") or str(free_ports(["http"])["http"])
    settings = place.environment(name) | environment | {"HTTP_PORT": port}
    log = place.folder / f"{name}-{port}.log"
    chosen = roles or ROLES.get(name, ())
    process = nursery.start(f"services.{name}", chosen, environment=settings, log=log)
    running = Running(name, f"http://127.0.0.1:{port}", log, process, roles, environment)
    try:
        if ready:
            await running.ready()
        yield running
    finally:
        if process.returncode is None:
            running.thaw()
            process.terminate()
            try:
                await running.ended(within=10)
            except TimeoutError:
                process.kill()
                await process.wait()


async def until(
    condition: Callable[[], Awaitable[Any]],
    *,
    within: float = 15.0,
    what: str = "the condition",
    pause: float = 0.02,
) -> Any:
    """Ask until the answer is true and return it; fail with ``what`` after ``within`` seconds.

    ``pause``: seconds between two looks.
    """
    try:
        async with asyncio.timeout(within):
            while not (answer := await condition()):  # noqa: ASYNC110  (of another process)
                await asyncio.sleep(pause)
            return answer
    except TimeoutError:
        raise AssertionError(f"not within {within:.0f} s: {what}") from None
