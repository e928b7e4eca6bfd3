"""The broker's program: fetched through Maven once, checked, and made quick to start."""

import fcntl
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.children import Child
from deploy.local.home import DEFAULT
from deploy.local.obstacle import Obstacle
from deploy.local.prerequisites import require_java, require_maven
from deploy.local.waiting import until

HERE = Path(__file__).parent
POM = HERE / "pom.xml"
SUMS = HERE / "jars.sha256"
STAMP = "complete"
FETCH_PATIENCE = 600.0  # seconds, on a slow line
LOCK_PATIENCE = FETCH_PATIENCE


def require_program() -> None:
    """Raise Obstacle when what runs the broker, or gets it, is not on this machine."""
    require_java()
    if not _present():
        require_maven()


def jars(finish: Callable[[Path], None]) -> Path:
    """Return the folder of the broker's jars; fetch them when missing or of other versions.

    `finish(folder)` is called once after each fetch. They stay in the checkout whatever the state
    folder is, so that every copy and every test run shares them; `COLOPHON_JARS` names another
    place. Raises Obstacle.
    """
    folder = _folder()
    if not _present():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _alone(folder.with_suffix(".lock")):
            if not _present():
                _fetch(folder)
                finish(folder)
                (folder / STAMP).write_text(_wanted(), encoding="ascii")
    return folder


def _folder() -> Path:
    return Path(os.environ.get("COLOPHON_JARS") or DEFAULT / "broker" / "libs")


def _wanted() -> str:
    return hashlib.sha256(POM.read_bytes() + SUMS.read_bytes()).hexdigest()


def _present() -> bool:
    stamp = _folder() / STAMP
    return stamp.is_file() and stamp.read_text(encoding="ascii") == _wanted()


def _fetch(folder: Path) -> None:
    print("colophon: getting the broker's program through Maven, once", flush=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        fresh = Path(temporary) / "libs"
        _copy_dependencies(fresh, folder.parent / "maven.log")
        _compare(sums_of(fresh))
        shutil.rmtree(folder, ignore_errors=True)
        fresh.replace(folder)


def _copy_dependencies(folder: Path, log: Path) -> None:
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={folder}"]
    maven = Child("maven", ["mvn", "-q", "-B", "-f", str(POM), *goal], log)
    maven.start()
    status = maven.wait(FETCH_PATIENCE)
    maven.kill()
    if status != 0:
        raise Obstacle(
            f"Maven could not get the broker's program. The end of {log}:\n{maven.tail()}",
            "Maven needs a way to Maven Central, directly or by a mirror in"
            " ~/.m2/settings.xml; or set KAFKA_BOOTSTRAP to a broker you already have.",
        )


def _compare(got: str) -> None:
    expected = SUMS.read_text(encoding="ascii")
    if got != expected:
        differing = sorted(set(got.splitlines()) ^ set(expected.splitlines()))
        raise Obstacle(
            "Maven delivered other files than this version of Colophon knows: "
            + ", ".join(sorted({line.split()[-1] for line in differing})),
            "Do not run them. Clear them from ~/.m2/repository and try again; after a change of"
            f" {POM.name} write the new sums with `make lock`.",
        )


def sums_of(folder: Path) -> str:
    """Return the SHA-256 of every jar in a folder, in the form of `sha256sum`."""
    return "".join(
        f"{hashlib.sha256(jar.read_bytes()).hexdigest()}  {jar.name}\n"
        for jar in sorted(folder.glob("*.jar"))
    )


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process at a time fetches; the others wait for it."""
    with path.open("w") as file:

        def take() -> bool:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        if not until(take, LOCK_PATIENCE):
            raise Obstacle(
                f"Another process holds {path} and does not finish.",
                "Look for a Maven process that hangs, and end it.",
            )
        yield


def lock() -> None:
    """Write the sums of what the pom resolves to now."""
    require_maven()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "libs"
        _copy_dependencies(folder, Path(temporary) / "maven.log")
        SUMS.write_text(sums_of(folder), encoding="ascii")


if __name__ == "__main__":
    try:
        lock()
    except Obstacle as obstacle:
        sys.exit(f"colophon: {obstacle}")
