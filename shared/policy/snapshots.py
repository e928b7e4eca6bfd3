"""Snapshots as data: when a month's is made, and until when it is kept."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shared.policy.files import Row, checked, read


class MadeRow(Row):
    """How long after a month's end its snapshot is begun; ISO 8601 duration."""

    after: Annotated[timedelta, Field(strict=False, ge=timedelta(0))]


class KeptRow(Row):
    """How many whole quarters beyond its own a snapshot is kept."""

    quarters: Annotated[int, Field(ge=0)]


class SnapshotsFile(BaseModel):
    """The whole file, checked."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Annotated[str, Field(min_length=1, max_length=64)]
    title: str
    source: str
    published: date
    made: MadeRow
    kept: KeptRow


@dataclass(frozen=True, slots=True)
class SnapshotsPolicy:
    """A checked file."""

    file: SnapshotsFile

    @property
    def after(self) -> timedelta:
        """How long after a month's end its snapshot is begun."""
        return self.file.made.after

    @property
    def quarters(self) -> int:
        """How many quarters beyond its own a snapshot is kept."""
        return self.file.kept.quarters


def load_snapshots(path: Path) -> SnapshotsPolicy:
    """Read and check the file at ``path``; raises ``PolicyError``."""
    return SnapshotsPolicy(checked(SnapshotsFile, read(path), str(path)))
