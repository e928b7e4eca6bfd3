"""What the launcher says: its own lines, and each process's lines under its name and colour."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

COLOURS = (36, 32, 35, 33, 34, 96, 92, 95)  # SGR codes of colours that tell apart
OWN = "colophon"


@dataclass(slots=True)
class Terminal:
    """Standard output shared by several processes, one line at a time.

    `quiet` keeps the processes' lines to their log files; the launcher's own are always said.
    """

    names: tuple[str, ...]
    quiet: bool = False

    def say(self, text: str) -> None:
        """Print lines of the launcher itself."""
        for line in text.splitlines() or [""]:
            self._print(OWN, line)

    def complain(self, text: str) -> None:
        """Print what went wrong, to standard error."""
        sys.stdout.flush()
        sys.stderr.write(f"{OWN}: {text}\n")
        sys.stderr.flush()

    def echo(self, name: str) -> Callable[[str], None]:
        """Return what takes the lines of one process."""

        def take(line: str) -> None:
            if not self.quiet:
                self._print(name, line)

        return take

    def _print(self, name: str, line: str) -> None:
        width = max(len(one) for one in (*self.names, OWN))
        prefix = f"{name:{width}} |"
        if _coloured() and name in self.names:
            colour = COLOURS[self.names.index(name) % len(COLOURS)]
            prefix = f"\x1b[{colour}m{prefix}\x1b[0m"
        sys.stdout.write(f"{prefix} {line}\n")  # one write: lines of two threads do not mix
        sys.stdout.flush()


def _coloured() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ
