"""Access packages as data: how long one may be fetched, and how slowly."""

from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shared.policy.files import Duration, Row, checked, read


class ReadyRow(Row):
    """How long a package may be fetched; ISO 8601 duration."""

    lasts: Duration


class DownloadRow(Row):
    """For how long a piece of a package is given to one alone; ISO 8601 duration."""

    lasts: Annotated[timedelta, Field(strict=False, gt=timedelta(0))]


class PackagesFile(BaseModel):
    """The whole file, checked."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Annotated[str, Field(min_length=1, max_length=64)]
    title: str
    source: str
    published: date
    ready: ReadyRow
    download: DownloadRow


def load_packages(path: Path) -> PackagesFile:
    """Read and check the file at ``path``; raises ``PolicyError``."""
    return checked(PackagesFile, read(path), str(path))
