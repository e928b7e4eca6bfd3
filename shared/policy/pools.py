"""Pools as data: how much one client of each may ask of the read interfaces."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.policy.files import Duration, checked, read, unique

Pool = Literal["public", "polite", "plus"]


class PoolRow(BaseModel):
    """One pool: its rate, what of it may be saved up, and how many answers at once."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: Pool
    since: date
    says: Annotated[str, Field(min_length=1)]
    requests: Annotated[int, Field(gt=0)]
    within: Duration
    burst: Annotated[int, Field(gt=0)]
    at_once: Annotated[int, Field(gt=0, alias="at-once")]

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.within.total_seconds()

    @property
    def interval(self) -> str:
        """The time that the rate is stated for, as the wire writes it: seconds."""
        return f"{self.within.total_seconds():g}s"


class PoolsFile(BaseModel):
    """The whole file, checked."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Annotated[str, Field(min_length=1, max_length=64)]
    title: str
    source: str
    published: date
    pool: list[PoolRow]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        unique("pool", [row.id for row in self.pool])
        missing = set(get_args(Pool)) - {row.id for row in self.pool}
        if missing:
            raise ValueError(f"no [[pool]] row for {', '.join(sorted(missing))}")
        for row in self.pool:
            if row.burst < row.requests:
                raise ValueError(f"pool {row.id}: a burst is no less than its rate")
        return self


@dataclass(frozen=True, slots=True)
class PoolsPolicy:
    """A checked file; ``rows`` by name."""

    rows: Mapping[Pool, PoolRow]


def load_pools(path: Path) -> PoolsPolicy:
    """Read and check the file at ``path``; raises ``PolicyError``."""
    file = checked(PoolsFile, read(path), str(path))
    return PoolsPolicy({row.id: row for row in file.pool})
