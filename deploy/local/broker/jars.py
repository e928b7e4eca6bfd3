"""The broker's program: fetched through Maven once, checked, and made quick to start."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from deploy.local.home import DEFAULT
from deploy.local.maven import Program
from deploy.local.obstacle import Obstacle
from deploy.local.prerequisites import require_java, require_maven

HERE = Path(__file__).parent
PROGRAM = Program(
    "the broker's program",
    HERE / "pom.xml",
    HERE / "jars.sha256",
    "or set KAFKA_BOOTSTRAP to a broker you already have.",
)


def require_program() -> None:
    """Raise Obstacle when what runs the broker, or gets it, is not on this machine."""
    require_java()
    if not PROGRAM.present(_folder()):
        require_maven()


def jars(finish: Callable[[Path], None]) -> Path:
    """Return the folder of the broker's jars; fetch them when missing or of other versions.

    `finish(folder)` is called once after each fetch. They stay in the checkout whatever the state
    folder is, so that every copy and every test run shares them; `COLOPHON_JARS` names another
    place. Raises Obstacle.
    """
    return PROGRAM.get(_folder(), finish)


def _folder() -> Path:
    return Path(os.environ.get("COLOPHON_JARS") or DEFAULT / "broker" / "libs")


def lock() -> None:
    """Write the sums of what the pom resolves to now."""
    require_maven()
    PROGRAM.lock()


if __name__ == "__main__":
    try:
        lock()
    except Obstacle as obstacle:
        sys.exit(f"colophon: {obstacle}")
