"""A class-data archive of the broker: with it a start takes one second instead of two and a half.

The Java machine writes it when a broker that was started for the purpose ends, once per set of
jars. Another version of Java ignores it, and so costs only the time.
"""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from deploy.local.children import Child
from deploy.local.ports import answers
from deploy.local.waiting import until

NAME = "classes.jsa"
PATIENCE = 60.0  # seconds for each step; 6 in all are usual


def use(libs: Path) -> list[str]:
    """Return the Java options that use the archive; none where there is none."""
    archive = libs / NAME
    return [f"-XX:SharedArchiveFile={archive}", "-Xlog:cds=off"] if archive.exists() else []


def write(libs: Path, train: Callable[[Path, list[str]], tuple[Child, int]]) -> None:
    """Write the archive beside the jars; does without where that fails.

    `train(folder, java options)` gives a broker that is not started, over a new state in `folder`,
    and its port.
    """
    with tempfile.TemporaryDirectory() as folder:
        unfinished = Path(folder) / NAME
        child, port = train(Path(folder), [f"-XX:ArchiveClassesAtExit={unfinished}"])
        child.start()
        until(lambda: answers(port) or not child.alive, PATIENCE)
        child.end(PATIENCE)
        if unfinished.exists():
            shutil.copy(unfinished, libs / f".{NAME}")
            (libs / f".{NAME}").replace(libs / NAME)
