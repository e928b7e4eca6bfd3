"""Programs of Maven Central: fetched once per checkout, and compared with the sums we know."""

import fcntl
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.children import Child
from deploy.local.obstacle import Obstacle
from deploy.local.waiting import until

STAMP = "complete"
FETCH_PATIENCE = 600.0  # seconds, on a slow line
LOCK_PATIENCE = FETCH_PATIENCE


@dataclass(frozen=True, slots=True)
class Program:
    """What a pom resolves to.

    `what` names it in a sentence, `otherwise` is what a person can do without it. `sums` holds the
    SHA-256 of each jar, in the form of `sha256sum`.
    """

    what: str
    pom: Path
    sums: Path
    otherwise: str

    def present(self, folder: Path) -> bool:
        """Say whether `folder` holds these jars, whole and of this version."""
        stamp = folder / STAMP
        return stamp.is_file() and stamp.read_text(encoding="ascii") == self._wanted()

    def get(self, folder: Path, finish: Callable[[Path], None] = lambda _: None) -> Path:
        """Return `folder` with the jars in it; fetch them when missing or of other versions.

        `finish(folder)` is called once after each fetch. Raises Obstacle.
        """
        if not self.present(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
            with _alone(folder.with_suffix(".lock")):
                if not self.present(folder):
                    self._fetch(folder)
                    finish(folder)
                    (folder / STAMP).write_text(self._wanted(), encoding="ascii")
        return folder

    def lock(self) -> None:
        """Write the sums of what the pom resolves to now."""
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / "libs"
            self._copy_dependencies(folder, Path(temporary) / "maven.log")
            self.sums.write_text(sums_of(folder), encoding="ascii")

    def _wanted(self) -> str:
        return hashlib.sha256(self.pom.read_bytes() + self.sums.read_bytes()).hexdigest()

    def _fetch(self, folder: Path) -> None:
        print(f"colophon: getting {self.what} through Maven, once", flush=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
            fresh = Path(temporary) / "libs"
            self._copy_dependencies(fresh, folder.parent / "maven.log")
            self._compare(sums_of(fresh))
            shutil.rmtree(folder, ignore_errors=True)
            fresh.replace(folder)

    def _copy_dependencies(self, folder: Path, log: Path) -> None:
        goal = ["dependency:copy-dependencies", f"-DoutputDirectory={folder}"]
        maven = Child("maven", ["mvn", "-q", "-B", "-f", str(self.pom), *goal], log)
        maven.start()
        status = maven.wait(FETCH_PATIENCE)
        maven.kill()
        if status != 0:
            raise Obstacle(
                f"Maven could not get {self.what}. The end of {log}:\n{maven.tail()}",
                "Maven needs a way to Maven Central, directly or by a mirror in"
                f" ~/.m2/settings.xml; {self.otherwise}",
            )

    def _compare(self, got: str) -> None:
        expected = self.sums.read_text(encoding="ascii")
        if got != expected:
            differing = sorted(set(got.splitlines()) ^ set(expected.splitlines()))
            raise Obstacle(
                "Maven delivered other files than this version of Colophon knows: "
                + ", ".join(sorted({line.split()[-1] for line in differing})),
                "Do not run them. Clear them from ~/.m2/repository and try again; after a change"
                f" of {self.pom.name} write the new sums with `make lock`.",
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
