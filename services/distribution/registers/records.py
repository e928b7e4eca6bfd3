"""What a line of each register says, and the check of a whole file. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeAlias

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

FUNDER_PREFIX: Final = "10.13039"
LONGEST_LINE: Final = 100_000  # bytes
MOST_FAULTS: Final = 20  # of a file, told at once
DEEPEST: Final = 50  # levels of a hierarchy

FunderId: TypeAlias = Annotated[str, Field(pattern=r"^[0-9]{1,15}$")]
Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=1000)]


class Record(BaseModel):
    """A line of a register."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)

    @property
    def key(self) -> str:
        """What no two lines of a register share."""
        raise NotImplementedError


class Funder(Record):
    """An organisation that pays for research; ``parent`` is the one it is a part of."""

    id: FunderId
    name: Name
    alt_names: list[Name] = Field(default=[], alias="alt-names")
    location: Name | None = None
    parent: FunderId | None = None
    replaces: list[FunderId] = []
    replaced_by: list[FunderId] = Field(default=[], alias="replaced-by")

    @property
    def key(self) -> str:
        """Its number."""
        return self.id


class Agency(Record):
    """A DOI prefix that another agency registers works under; ``agency`` is that one's name."""

    prefix: Annotated[str, Field(pattern=r"^10\.[0-9]{4,9}(\.[0-9]{1,9})*$")]
    agency: Annotated[str, Field(pattern=r"^[^\s].{0,98}[^\s]$")]

    @property
    def key(self) -> str:
        """Its prefix."""
        return self.prefix


KINDS: Final[Mapping[str, type[Record]]] = {"funders": Funder, "agencies": Agency}
"""Every register by its name: what its lines are."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a file: in which line (from 1), which rule, what to do."""

    line: int
    rule: str
    remedy: str

    def __str__(self) -> str:
        """Say it in one line."""
        return f"line {self.line}: {self.rule}: {self.remedy}"


def read(register: str, lines: Iterable[bytes]) -> Iterator[tuple[int, Record | Fault]]:
    """Read each line of a register's file that holds anything, with its number."""
    kind = KINDS[register]
    for number, line in enumerate(lines, 1):
        if text := line.strip():
            yield number, _record(kind, number, text)


def check(register: str, records: Sequence[tuple[int, Record]]) -> list[Fault]:
    """Return what is wrong with the lines of a file together; each is right by itself."""
    faults = list(_twice(records))
    return faults or CHECKS.get(register, lambda _: [])(records)


def _record(kind: type[Record], number: int, text: bytes) -> Record | Fault:
    if len(text) > LONGEST_LINE:
        return Fault(number, "line-too-long", f"keep it under {LONGEST_LINE} bytes")
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return Fault(number, "not-json", f"write one JSON object a line; column {error.colno}")
    try:
        return kind.model_validate(said)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the line"
        return Fault(number, f"{where}: {first['type'].replace('_', '-')}", _remedy(first))


def _remedy(error: Any) -> str:
    known = {
        "extra_forbidden": "leave it out, there is no such field",
        "missing": "add it, every line needs it",
    }
    return known.get(error["type"], str(error["msg"]))


def _twice(records: Iterable[tuple[int, Record]]) -> Iterator[Fault]:
    seen: Counter[str] = Counter()
    for number, record in records:
        seen[record.key] += 1
        if seen[record.key] > 1:
            yield Fault(number, "twice", f"{record.key} has a line already; keep one of them")


def _hierarchy(records: Sequence[tuple[int, Record]]) -> list[Fault]:
    """Return the funders whose parent is not there, or that are above themselves."""
    funders = {one.id: one for _, one in records if isinstance(one, Funder)}
    faults = []
    for number, one in records:
        parent = one.parent if isinstance(one, Funder) else None
        if parent is not None and parent not in funders:
            remedy = f"add a line for {parent}, or leave parent out"
            faults.append(Fault(number, "parent-unknown", remedy))
        elif isinstance(one, Funder) and not _ends(one, funders):
            remedy = f"mend the parents above {one.id}: they lead in a circle, or too deep"
            faults.append(Fault(number, "parent-circle", remedy))
    return faults


def _ends(funder: Funder, funders: Mapping[str, Funder]) -> bool:
    at: Funder | None = funder
    for _ in range(DEEPEST):
        if at is None or at.parent is None:
            return True
        at = funders.get(at.parent)
    return False


CHECKS: Final = {"funders": _hierarchy}

DIGITS: Final = re.compile(r"[0-9]{1,15}")


def funder_id(text: str) -> str | None:
    """Return a funder's number from its number or its DOI, None where it is neither."""
    number = text.lower().removeprefix(f"{FUNDER_PREFIX}/")
    return number if DIGITS.fullmatch(number) else None
