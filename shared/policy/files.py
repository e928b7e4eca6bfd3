"""Policies as files: what every row has, and reading one that says what is wrong with it."""

import tomllib
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

M = TypeVar("M", bound=BaseModel)
Duration = Annotated[timedelta, Field(strict=False, gt=timedelta(0))]  # as ISO 8601 writes it


class PolicyError(Exception):
    """A policy file cannot be obeyed; the sentence says where it is wrong and what to do."""


class Row(BaseModel):
    """What every rule has: a name, the clause it carries out, since when, and plain words."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    clause: Annotated[str, Field(pattern=r"^[A-Z]+-[0-9]+([a-z][0-9]*)?$")]
    since: date
    says: Annotated[str, Field(min_length=1)]


def unique(what: str, values: list[Any]) -> None:
    """Raise ``ValueError`` where a value stands twice."""
    twice = sorted({str(value) for value in values if values.count(value) > 1})
    if twice:
        raise ValueError(f"{what} stands twice: {', '.join(twice)}")


def checked(kind: type[M], text: bytes, name: str) -> M:
    """Read a policy file's bytes as its model; raises ``PolicyError``."""
    try:
        return kind.model_validate(tomllib.loads(text.decode()))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise PolicyError(f"{name} is not TOML: {fault}") from None
    except ValidationError as fault:
        wrong = "; ".join(
            f"{'.'.join(map(str, error['loc'])) or 'the file'}: {error['msg']}"
            for error in fault.errors()
        )
        raise PolicyError(f"{name} does not hold a policy. Mend: {wrong}") from None


def read(path: Path) -> bytes:
    """Return the bytes of a policy file; raises ``PolicyError``."""
    try:
        return path.read_bytes()
    except OSError as fault:
        raise PolicyError(
            f"cannot read {path} ({fault.strerror}); POLICIES_DIR names the folder of policies"
        ) from None
