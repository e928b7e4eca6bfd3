"""``python -m deploy.privacy.fields``: no personal field without a declaration (part of check).

Each field of each model whose name says that it is personal is a declared record's, or sealed,
hashed or of a closed type, or stands in fields.toml with the reason why not. Each module that seals
by itself, not as a declared record, stands there too.
"""

import ast
import inspect
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

from deploy.privacy import house
from shared.events import personal as sealed_types
from shared.privacy.personal import KINDS, Personal, PersonalData, Source

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
ROWS: Final = HERE / "fields.toml"
SEALERS: Final = frozenset({"seal_text", "seal_fields", "seal_stream"})
# Those that seal declared records, and what sealing is made of.
BORDERS: Final = frozenset({"shared.privacy.vault", "shared.privacy.envelope"})
REMEDY: Final = (
    "declare it `Personal(...)` in a PersonalData (shared/privacy/personal.py) and keep it Sealed;"
    " or say in deploy/privacy/fields.toml what it is instead"
)


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Passing(_Row):
    """Fields that are personal and in memory alone; ``becomes`` is the field that is kept."""

    fields: tuple[str, ...]
    becomes: str


class Public(_Row):
    """Fields that are not of a person, and why."""

    fields: tuple[str, ...]
    because: str


class SealedBy(_Row):
    """What a module seals that is no declared record."""

    module: str
    schema_id: str = Field(alias="schema")
    fields: tuple[str, ...]
    classes: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    source: Source = "system"
    says: str


class Rows(_Row):
    """The whole of fields.toml."""

    words: frozenset[str]
    passing: tuple[Passing, ...]
    public: tuple[Public, ...]
    sealed: tuple[SealedBy, ...]


@dataclass(frozen=True, slots=True)
class Wrong:
    """A place, the rule that it breaks, and the remedy."""

    place: str
    rule: str
    remedy: str = REMEDY

    def __str__(self) -> str:
        """Return one line."""
        return f"{self.place}: {self.rule}; {self.remedy}."


@dataclass(slots=True)
class Excused:
    """Fields that stand in a row, and which patterns were of use."""

    rows: Rows
    used: set[str] = field(default_factory=set)

    def __contains__(self, name: str) -> bool:
        """Whether a field stands in a row."""
        found = [pattern for pattern in self.patterns() if fnmatchcase(name, pattern)]
        self.used.update(found)
        return bool(found)

    def patterns(self) -> Iterator[str]:
        """Give every pattern."""
        for passing in self.rows.passing:
            yield from passing.fields
        for public in self.rows.public:
            yield from public.fields


def read(path: Path = ROWS) -> Rows:
    """Return the rows; raises ``ValidationError``."""
    return Rows.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))


def wrong(models: Iterable[type[BaseModel]], rows: Rows) -> list[Wrong]:
    """Return every personal field that nothing accounts for, and rows that account for none."""
    excused = Excused(rows)
    found = [
        Wrong(name, f"its name says that it is personal ({word}) and nothing declares it")
        for model in models
        for name, word in _bare(model, rows.words)
        if name not in excused
    ]
    found += [
        Wrong(f"{ROWS.name}: {pattern}", "no field is called so", "take the row out")
        for pattern in excused.patterns()
        if pattern not in excused.used
    ]
    kept = {f"{schema}/{name}" for schema, kind in KINDS.items() for name in kind.fields_}
    kept |= {f"{row.schema_id}/{name}" for row in rows.sealed for name in row.fields}
    found += [
        Wrong(f"{ROWS.name}: {row.becomes}", "no such field is kept", "name the one that is")
        for row in rows.passing
        if row.becomes not in kept
    ]
    return found


def unlisted(sources: Mapping[str, str], rows: Rows) -> list[Wrong]:
    """Return modules that seal by themselves and have no row, and rows whose module does not."""
    sealing = {name for name, text in sources.items() if _seals(text)} - BORDERS
    listed = {row.module for row in rows.sealed}
    remedy = "say in deploy/privacy/fields.toml what it seals, in which class and what for"
    return [
        *(Wrong(name, "it seals by itself what no row names", remedy) for name in sealing - listed),
        *(
            Wrong(f"{ROWS.name}: {name}", "this module seals nothing", "take the row out")
            for name in listed - sealing
        ),
    ]


def sources() -> dict[str, str]:
    """Return every module of the services and of what they share, by name."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): (
            path.read_text(encoding="utf-8")
        )
        for folder in ("services", "shared")
        for path in sorted((ROOT / folder).rglob("*.py"))
    }


def _bare(model: type[BaseModel], words: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Give the fields that this model adds, whose names say personal and whose types do not hide.

    Aliases count too: they are what the wire says.
    """
    if issubclass(model, PersonalData):
        return
    own = inspect.get_annotations(model)
    for name, info in model.model_fields.items():
        said = [one for one in (name, info.alias) if isinstance(one, str)]
        word = next((word for one in said for word in _words(one) if word in words), None)
        clear = name in own and _clear(info.annotation, info.metadata)
        if clear and (word is not None or _marked(info.annotation, info.metadata)):
            place = f"{model.__module__}.{model.__qualname__}.{name}"
            yield place, word or "a mark that counts in a PersonalData alone"


def _words(name: str) -> Sequence[str]:
    return name.lower().replace("-", "_").replace("e_mail", "email").split("_")


def _clear(annotation: Any, metadata: Iterable[Any] = ()) -> bool:
    """Whether a value of this type can be any text that is legible."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *marks = get_args(annotation)
        return _clear(inner, marks)
    if origin is Literal:
        return False
    if origin is not None:
        return any(_clear(one) for one in get_args(annotation))
    if annotation is str:
        return not _patterns(metadata) & HIDDEN
    # Other models are looked at by themselves; secrets are never shown, and hashed where kept.
    return annotation in (Any, bytes, dict, list, tuple)


def _marked(annotation: Any, metadata: Iterable[Any]) -> bool:
    """Whether a field of an ordinary model is declared ``Personal``, which does not seal it."""
    return any(isinstance(one, Personal) for one in metadata) or any(
        isinstance(one, Personal) or _marked(one, ()) for one in get_args(annotation)
    )


def _patterns(marks: Iterable[Any]) -> set[str]:
    found: set[str] = set()
    for mark in marks:
        if isinstance(mark, FieldInfo):
            found |= _patterns(mark.metadata)
        elif isinstance(pattern := getattr(mark, "pattern", None), str):
            found.add(pattern)
    return found


def _seals(source: str) -> bool:
    return any(
        isinstance(node, ast.ImportFrom) and SEALERS & {one.name for one in node.names}
        for node in ast.walk(ast.parse(source))
    )


HIDDEN: Final = frozenset().union(
    *(
        _patterns(get_args(one)[1:])
        for one in (sealed_types.Pseudonym, sealed_types.BlindIndexed, sealed_types.Envelope)
    )
)


def main() -> int:
    """Say what is wrong; 0 where nothing is."""
    rows = read()
    found = [*wrong(house.models(), rows), *unlisted(sources(), rows)]
    for one in sorted(map(str, found)):
        sys.stderr.write(f"{one}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
