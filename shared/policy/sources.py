"""Terms of third-party sources as data, and their one question: what may be delivered of a work."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.policy.files import Row, checked, read, unique

STATED: Final = "sources"
"""Where a work says whose data it carries, and under which terms."""
RELATIONS: Final[Mapping[str, str]] = {"terms": "terms-of-service", "policy": "privacy-policy"}
"""How a Link header calls what a source asks for (RFC 6903)."""
ITEM: Final = "source"
"""Where an item of a work says whose it is."""

Url = Annotated[str, Field(pattern=r"^https?://[^\s<>\"]+$")]


class PartyRow(Row):
    """A source; ``terms`` bind whoever gets its data, ``policy`` is its own on privacy or use."""

    name: Annotated[str, Field(min_length=1)]
    terms: Url
    policy: Url | None = None
    policy_required: bool = Field(default=False, alias="policy-required")

    @model_validator(mode="after")
    def _told(self) -> Self:
        if self.policy_required and self.policy is None:
            raise ValueError(f"{self.id!r} requires its policy to be linked: give policy")
        return self

    def stated(self) -> dict[str, str]:
        """Return what a delivery says of the source."""
        said = {"id": self.id, "name": self.name, "terms": self.terms}
        return said | ({"policy": self.policy} if self.policy else {})


class OwnedRow(Row):
    """Something that is a source's; where it is ``restricted`` it is not delivered."""

    party: str
    restricted: bool


class FieldRow(OwnedRow):
    """A part of works that is a source's; without ``where`` it is all that stands there."""

    path: Annotated[str, Field(pattern=r"^[A-Za-z-]+(\.[A-Za-z-]+)*$")]
    where: dict[str, str] = Field(default={})

    @property
    def root(self) -> str:
        """The field of the work that it stands in."""
        return self.path.partition(".")[0]


class RegisterRow(OwnedRow):
    """A register that is a source's; ``id`` is the register's name."""


class SourcesFile(BaseModel):
    """The whole file, checked."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Annotated[str, Field(min_length=1, max_length=64)]
    title: str
    source: str
    published: date
    parties: list[PartyRow] = Field(default=[], alias="party")
    fields: list[FieldRow] = Field(default=[], alias="field")
    registers: list[RegisterRow] = Field(default=[], alias="register")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        unique("party", [row.id for row in self.parties])
        unique("field", [row.id for row in self.fields])
        unique("register", [row.id for row in self.registers])
        known = {row.id for row in self.parties}
        owned: list[OwnedRow] = [*self.fields, *self.registers]
        for row in owned:
            if row.party not in known:
                raise ValueError(f"{row.id!r} is of {row.party!r}, which has no [[party]] row")
        return self


@dataclass(frozen=True, slots=True)
class SourcesPolicy:
    """A checked file."""

    file: SourcesFile

    @property
    def version(self) -> str:
        """The version that deliveries are judged under."""
        return self.file.version

    @property
    def binding(self) -> str:
        """A digest of all that decides what is delivered, and what is said of it."""
        said = self.file.model_dump(mode="json", include={"parties", "fields", "registers"})
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:24]

    def stated(self) -> list[dict[str, Any]]:
        """Return what every source is called and asks for, and what here is its own (CRP-12b)."""
        return [
            {
                **party.stated(),
                "fields": [row.path for row in self._fields(party)],
                "registers": [row.id for row in self.file.registers if row.party == party.id],
            }
            for party in self.file.parties
        ]

    def register(self, name: str) -> RegisterRow | None:
        """Return whose a register is, None where it is nobody's but the registry's own."""
        return next((row for row in self.file.registers if row.id == name), None)

    def party(self, name: str) -> PartyRow:
        """Return the row of a source that another row names."""
        return next(row for row in self.file.parties if row.id == name)

    def _fields(self, party: PartyRow) -> Iterable[FieldRow]:
        return (row for row in self.file.fields if row.party == party.id)


def attributed(policy: SourcesPolicy, work: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a work as it may be delivered: each part of a source named as its own, or withheld.

    ``sources`` says whose data it carries, under which terms, and what is withheld; a work that
    carries nobody's is returned as it is, and is never changed itself. Pure; CRP-12b, c and d.
    """
    shown: Mapping[str, Any] = work
    stated: dict[str, dict[str, Any]] = {}
    for row in policy.file.fields:
        if row.root not in shown:
            continue
        changed, met = _walk(shown, row.path.split("."), row)
        if met:
            shown = changed
            said = stated.setdefault(
                row.party, {**policy.party(row.party).stated(), "fields": [], "withheld": []}
            )
            said["withheld" if row.restricted else "fields"].append(row.path)
    return {**shown, STATED: list(stated.values())} if stated else work


def load_sources(path: Path) -> SourcesPolicy:
    """Read and check the file at ``path``; raises ``PolicyError``."""
    return SourcesPolicy(checked(SourcesFile, read(path), str(path)))


_GONE: Final = object()


def _walk(value: Any, path: list[str], row: FieldRow) -> tuple[Any, bool]:
    """Return a value with the row carried out below it, and whether anything was met."""
    if isinstance(value, list):
        return _walk_items(value, path, row)
    if not path:
        return _judged(value, row)
    if not isinstance(value, Mapping) or path[0] not in value:
        return value, False
    below, met = _walk(value[path[0]], path[1:], row)
    if not met:
        return value, False
    others = {name: held for name, held in value.items() if name != path[0]}
    return others if below is _GONE else {**value, path[0]: below}, True


def _walk_items(items: list[Any], path: list[str], row: FieldRow) -> tuple[Any, bool]:
    walked = [_walk(item, path, row) for item in items]
    if not any(met for _, met in walked):
        return items, False
    kept = [item for item, _ in walked if item is not _GONE]
    return kept or _GONE, True


def _judged(value: Any, row: FieldRow) -> tuple[Any, bool]:
    if row.where and not (
        isinstance(value, Mapping) and all(value.get(k) == said for k, said in row.where.items())
    ):
        return value, False
    if row.restricted:
        return _GONE, True
    return ({**value, ITEM: row.party} if isinstance(value, Mapping) else value), True
