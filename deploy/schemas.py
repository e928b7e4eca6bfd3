"""The golden JSON Schemas of every event: ``python -m deploy.schemas write|check``.

Within v1 a schema may only gain optional fields (streams.md 4.7): a field that disappears, becomes
required, or allows less than it did breaks readers of what is in the log, and needs a v2.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from shared.events import REGISTRY

FOLDER: Final = Path(__file__).resolve().parents[1] / "docs" / "schemas"

Schema = Mapping[str, Any]

# Bounds by what makes them narrower: a greater least, a smaller most; any new one narrows.
_LEAST: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_MOST: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
_SAME: Final = ("pattern", "format", "const")


def schema_of(kind: str) -> dict[str, Any]:
    """Return the JSON Schema of one event type, as readers are promised it."""
    event = REGISTRY[kind]
    schema = event.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://colophon.example/schemas/{kind}.json",
        "title": kind,
        "x-topic": event.topic,
        "x-key": event.key_field,
        **{name: value for name, value in schema.items() if name != "title"},
    }


def narrowed(old: Schema, new: Schema) -> list[str]:
    """Return in plain words everything that ``new`` takes away from ``old``; empty: compatible."""
    return [
        f"{key[2:]} was {old[key]}, is {new.get(key)}"
        for key in ("x-topic", "x-key")
        if key in old and old[key] != new.get(key)
    ] + list(_narrowed(old, new, "", (old.get("$defs", {}), new.get("$defs", {}))))


def _narrowed(old: Schema, new: Schema, at: str, defs: tuple[Schema, Schema]) -> Iterator[str]:
    old, new = _resolved(old, defs[0]), _resolved(new, defs[1])
    place = at or "the event"
    lost = _choices(old, defs[0]) - _choices(new, defs[1])
    if lost and _choices(new, defs[1]):
        yield f"{place} no longer allows {', '.join(sorted(lost))}"
    yield from _bounds(old, new, place)
    yield from _fields(old, new, at, defs)
    for name in ("items", "additionalProperties"):
        if isinstance(old.get(name), dict) and isinstance(new.get(name), dict):
            yield from _narrowed(old[name], new[name], f"{at}[]", defs)
    for position, one in enumerate(_places(old)):
        if position < len(_places(new)):
            yield from _narrowed(one, _places(new)[position], f"{at}[{position}]", defs)
    for one in _branches(old, defs[0]):
        like = [b for b in _branches(new, defs[1]) if b.get("type") == one.get("type")]
        if old.get("anyOf") and like:
            yield from _narrowed(one, like[0], at, defs)


def _bounds(old: Schema, new: Schema, place: str) -> Iterator[str]:
    for name in _LEAST:
        if name in new and (name not in old or new[name] > old[name]):
            yield f"{place}: {name} was {old.get(name)}, is {new[name]}"
    for name in _MOST:
        if name in new and (name not in old or new[name] < old[name]):
            yield f"{place}: {name} was {old.get(name)}, is {new[name]}"
    for name in _SAME:
        if name in new and new[name] != old.get(name):
            yield f"{place}: {name} was {old.get(name)}, is {new[name]}"


def _fields(old: Schema, new: Schema, at: str, defs: tuple[Schema, Schema]) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    for name in before:
        place = f"{at}.{name}".lstrip(".")
        if name not in after:
            yield f"{place} was removed"
        else:
            yield from _narrowed(before[name], after[name], place, defs)
    for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
        yield f"{at}.{name}".lstrip(".") + " became required"


def _resolved(schema: Schema, defs: Schema) -> Schema:
    while "$ref" in schema:
        schema = defs[schema["$ref"].removeprefix("#/$defs/")]
    return schema


def _branches(schema: Schema, defs: Schema) -> list[Schema]:
    return [_resolved(one, defs) for one in schema.get("anyOf", [schema])]


def _places(schema: Schema) -> list[Schema]:
    return list(schema.get("prefixItems", ()))


def _choices(schema: Schema, defs: Schema) -> set[str]:
    """Return what a value may be: the values of enumerations, else the names of types."""
    found: set[str] = set()
    for one in _branches(schema, defs):
        if "enum" in one:
            found |= {json.dumps(value) for value in one["enum"]}
        elif "const" in one:
            found.add(json.dumps(one["const"]))
        elif "type" in one:
            found.add(str(one["type"]))
    # A type allows each of its values.
    return found


def text_of(kind: str) -> str:
    """Return the file of one event type."""
    return json.dumps(schema_of(kind), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def differences() -> list[str]:
    """Return what keeps the written schemas from being those of the classes."""
    found = []
    for kind in sorted(REGISTRY):
        path = FOLDER / f"{kind}.json"
        if not path.exists():
            found.append(f"{path.name} is missing: run `python -m deploy.schemas write`")
            continue
        golden = json.loads(path.read_text(encoding="utf-8"))
        breaking = [f"{kind}: {what}" for what in narrowed(golden, schema_of(kind))]
        found += breaking
        if not breaking and path.read_text(encoding="utf-8") != text_of(kind):
            found.append(f"{path.name} is not up to date: run `python -m deploy.schemas write`")
    known = {f"{kind}.json" for kind in REGISTRY}
    found += [
        f"{path.name} describes an event that no class makes any more"
        for path in sorted(FOLDER.glob("*.json"))
        if path.name not in known
    ]
    return found


def write() -> list[str]:
    """Write the schemas, unless that would take something away; return what stands against it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    breaking = [what for what in differences() if "deploy.schemas write" not in what]
    if not breaking:
        for kind in REGISTRY:
            (FOLDER / f"{kind}.json").write_text(text_of(kind), encoding="utf-8")
    return breaking


def main(words: list[str]) -> int:
    """Run one command; return the process's status."""
    if words not in (["write"], ["check"]):
        print(__doc__)
        return 2
    found = write() if words == ["write"] else differences()
    for what in found:
        print(what)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
