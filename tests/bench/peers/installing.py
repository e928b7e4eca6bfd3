"""What the peers need, beside this checkout's own environment: .local/peers, made once."""

import hashlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from deploy.local.home import DEFAULT
from deploy.local.prerequisites import require_java, require_maven

HERE = Path(__file__).parent
FOLDER = DEFAULT / "peers"
POM, PINS = HERE / "pom.xml", HERE / "requirements.txt"
STAMP = FOLDER / "complete"


@dataclass(frozen=True, slots=True)
class Installed:
    """The folder of the connector's jars, and the interpreter that has Quix Streams."""

    libs: Path
    python: Path


def install() -> Installed:
    """Install both peers unless that was done; raises ``CalledProcessError``, or ``Obstacle``."""
    found = Installed(FOLDER / "libs", FOLDER / "venv" / "bin" / "python")
    require_java()
    wanted = hashlib.sha256(POM.read_bytes() + PINS.read_bytes()).hexdigest()
    if not STAMP.is_file() or STAMP.read_text() != wanted:
        require_maven()
        FOLDER.mkdir(parents=True, exist_ok=True)
        goal = ["dependency:copy-dependencies", f"-DoutputDirectory={found.libs}"]
        _run("mvn", "-q", "-B", "-f", str(POM), *goal)
        _run(sys.executable, "-m", "venv", "--clear", str(FOLDER / "venv"))
        _run(str(found.python), "-m", "pip", "install", "--quiet", "-r", str(PINS))
        STAMP.write_text(wanted)
    return found


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
