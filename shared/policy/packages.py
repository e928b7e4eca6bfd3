"""Access packages as data: what one holds, how long and how slowly it may be fetched."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from shared.policy.files import Duration, Row, checked, read


class ReadyRow(Row):
    """How long a package may be fetched; ISO 8601 duration."""

    lasts: Duration


class DownloadRow(Row):
    """For how long a piece of a package is given to one alone; ISO 8601 duration."""

    lasts: Duration


class PortableRow(Row):
    """What can be taken along: who gave it, and on which grounds of purposes it is kept."""

    sources: Annotated[frozenset[str], Field(strict=False, min_length=1)]
    grounds: Annotated[frozenset[str], Field(strict=False, min_length=1)]

    def means(self, row: Mapping[str, Any]) -> bool:
        """Say whether a field can be taken along, by its row in the register of what is held."""
        return bool(
            row["portable"]
            and row["source"] in self.sources
            and not self.grounds.isdisjoint(row["purposes"].values())
        )


class PackagesFile(BaseModel):
    """The whole file, checked."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Annotated[str, Field(min_length=1, max_length=64)]
    title: str
    source: str
    published: date
    ready: ReadyRow
    portable: PortableRow
    download: DownloadRow


def load_packages(path: Path) -> PackagesFile:
    """Read and check the file at ``path``; raises ``PolicyError``."""
    return checked(PackagesFile, read(path), str(path))
