"""The processes under fire: each in a slot of its own, started again whenever it ends by itself."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from deploy.local.ports import free_ports
from tests import nursery
from tests.fire.history import History
from tests.nursery import Forked
from tests.processes import Place

START_SECONDS = 90.0
END_SECONDS = 40.0
LOOK_SECONDS = 0.1
LAST_LINES = 12  # of a log, where somebody is late


@dataclass(frozen=True, slots=True)
class Slot:
    """What runs: a service with some of its roles. ``named`` replicas take up what they had."""

    name: str
    service: str
    roles: tuple[str, ...] = ()
    named: bool = True
    settings: Mapping[str, str] = field(default_factory=dict)
    patches: tuple[str, ...] = ()


@dataclass(slots=True)
class Berth:
    """A slot and the process in it; ``wanted`` while there should be one."""

    slot: Slot
    port: int
    log: Path
    process: Forked | None = None
    wanted: bool = False
    hand: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.returncode is None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class Fleet:
    """All processes of a run."""

    def __init__(self, place: Place, slots: Sequence[Slot], history: History) -> None:
        self.place = place
        self.history = history
        ports = free_ports([one.name for one in slots])
        self.berths = {
            one.name: Berth(one, ports[one.name], place.folder / f"{one.name}.log") for one in slots
        }

    def url(self, name: str) -> str:
        """Return where a slot's process listens."""
        return self.berths[name].url

    def serving(self, service: str, role: str) -> list[str]:
        """Return the slots that have a role, or all roles, of a service."""
        return [
            name
            for name, one in self.berths.items()
            if one.slot.service == service and (not one.slot.roles or role in one.slot.roles)
        ]

    def start(self, name: str, **more: str) -> None:
        """Start a slot's process, if none runs; ``more`` goes into its environment, this once."""
        berth = self.berths[name]
        berth.wanted = True
        if berth.alive:
            return
        slot = berth.slot
        state = self.place.folder / f"state-{name}"
        environment = {
            **self.place.environment(slot.service),
            "HTTP_PORT": str(berth.port),
            "STATE_DIR": str(state),
            "REPLICA": name if slot.named else "",
            "COLOPHON_TEST_CLOCK": str(self.place.folder / f"clock-{name}"),
            **slot.settings,
            **more,
        }
        berth.process = nursery.start(
            f"services.{slot.service}",
            slot.roles,
            environment=environment,
            log=berth.log,
            patches=slot.patches,
        )

    def send(self, name: str, number: int) -> None:
        """Send a signal to a slot's process."""
        berth = self.berths[name]
        if berth.process is not None and berth.alive:
            berth.process.send_signal(number)

    def stands_still(self, name: str) -> bool:
        """Say whether a slot's process is frozen, by us or by itself."""
        berth = self.berths[name]
        if berth.process is None or not berth.alive:
            return False
        try:
            status = Path(f"/proc/{berth.process.pid}/stat").read_text()
        except FileNotFoundError:
            return False
        return status.rpartition(") ")[2].startswith("T")

    async def gone(self, name: str, within: float = END_SECONDS) -> int | None:
        """Wait for the end of a process, by force in the end; return its status."""
        process = self.berths[name].process
        if process is None:
            return None
        try:
            async with asyncio.timeout(within):
                return await process.wait()
        except TimeoutError:
            self.history.note("stuck", target=name)
            process.kill()
            return await process.wait()

    async def end(self, name: str) -> None:
        """Ask a process to end and keep it ended."""
        self.berths[name].wanted = False
        self.send(name, signal.SIGTERM)
        await self.gone(name)

    async def ready(self, *names: str, within: float = START_SECONDS) -> None:
        """Wait until slots can serve, those that are wanted if none is named."""
        chosen = names or [name for name, one in self.berths.items() if one.wanted]
        until = asyncio.get_running_loop().time() + within
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            for name in chosen:
                while await self._unready(session, name):
                    if asyncio.get_running_loop().time() > until:
                        raise AssertionError(await self._state(session, name))
                    await asyncio.sleep(0.05)

    async def _state(self, session: aiohttp.ClientSession, late: str) -> str:
        """Say how every process is, and what each logged last: who is late may wait for another."""
        lines = [f"{late} is not ready"]
        for name, berth in self.berths.items():
            lines += [f"{name}: {await self._unready(session, name) or 'ready'}"]
            lines += berth.log.read_text(errors="replace").splitlines()[-LAST_LINES:]
        return "\n".join(lines)

    async def _unready(self, session: aiohttp.ClientSession, name: str) -> str:
        """Say why a slot cannot serve; nothing where it can."""
        try:
            async with session.get(self.url(name) + "/readyz") as answer:
                return "" if answer.status == 200 else await answer.text()
        except (aiohttp.ClientError, TimeoutError) as fault:
            return f"{type(fault).__name__}; {self.berths[name].log}"

    async def supervise(self) -> None:
        """Start again whatever ends though it is wanted, and write that down."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for name, berth in self.berths.items():
                if berth.wanted and not berth.alive and not berth.hand.locked():
                    status = berth.process.returncode if berth.process else None
                    self.history.note("ended", target=name, status=status)
                    self.start(name)

    async def close(self) -> None:
        """End everything."""
        for berth in self.berths.values():
            berth.wanted = False
        for berth in self.berths.values():
            if berth.process is not None and berth.alive:
                berth.process.kill()
                await berth.process.wait()


@contextlib.asynccontextmanager
async def fleet(
    place: Place, slots: Sequence[Slot], history: History, *, start: bool = True
) -> AsyncIterator[Fleet]:
    """Run a fleet, supervised; wait until it is ready."""
    running = Fleet(place, slots, history)
    supervising = asyncio.get_running_loop().create_task(running.supervise())
    try:
        if start:
            for slot in slots:
                running.start(slot.name)
            await running.ready()
        yield running
    finally:
        supervising.cancel()
        await running.close()
