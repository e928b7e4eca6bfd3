"""A broker or a store as something that is started, ended, killed and frozen."""

import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from deploy.local.children import Child
from deploy.local.obstacle import Obstacle
from deploy.local.ports import answers
from deploy.local.waiting import until

ASK_AGAIN = 1.0  # seconds


class Node(Protocol):
    """What the platform and fault tests do with a broker or a store, wherever it runs."""

    def start(self) -> None:
        """Start it over the state it had; returns when it answers. Raises Obstacle."""

    def end(self) -> None:
        """End it in order, by force when it does not."""

    def kill(self) -> None:
        """Kill it at once (SIGKILL); its state stays for the next start."""

    def stop(self) -> None:
        """Freeze it (SIGSTOP): connections stay open and nothing answers."""

    def cont(self) -> None:
        """Let it go on (SIGCONT)."""


@dataclass(slots=True)
class Embedded:
    """A node that is a child process; `state` is the folder that a remedy names."""

    child: Child
    port: int
    state: Path
    patience: float  # seconds until it must answer
    grace: float  # seconds to end in order

    def start(self) -> None:
        """Start it; returns when it accepts connections."""
        child = self.child
        child.start()
        until(lambda: answers(self.port) or not child.alive, self.patience)
        if child.alive and answers(self.port):
            return
        came_to = "ended" if not child.alive else f"did not answer for {self.patience:.0f} seconds"
        child.kill()
        raise Obstacle(
            f"The {child.name} {came_to} while starting over its state in {self.state}."
            f" The end of {child.log}:\n{child.tail()}",
            f"If the state is broken, move it away (`mv {self.state} {self.state}.broken`) or"
            " begin anew with `make clean`.",
        )

    def end(self) -> None:
        """End it within its grace, else kill it.

        Asked again each second: the store's main thread can miss a SIGTERM that comes while it
        goes to sleep. Nothing acknowledged is lost by the kill.
        """
        deadline = time.monotonic() + self.grace
        while not self._is_gone() and time.monotonic() < deadline:
            self.child.ask()
            until(self._is_gone, ASK_AGAIN)
        self.child.kill()

    def kill(self) -> None:
        """Kill it and its group."""
        self.child.kill()

    def stop(self) -> None:
        """Freeze it."""
        self.child.signal(signal.SIGSTOP)

    def cont(self) -> None:
        """Thaw it."""
        self.child.signal(signal.SIGCONT)

    def _is_gone(self) -> bool:
        """Look, and knock: the store waits in accept() and heeds SIGTERM at the next connection."""
        if self.child.alive:
            answers(self.port)
        return not self.child.alive
