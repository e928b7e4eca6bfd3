"""Update pipelines in memory: the stages and expressions that shared.mongo.changes writes."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any

Document = dict[str, Any]
_NOTHING: Any = object()  # what a path that leads nowhere is: no field comes of it


def carry_out(document: Document, stages: Sequence[Mapping[str, Any]]) -> None:
    """Change a document as a pipeline says."""
    for stage in stages:
        ((name, said),) = stage.items()
        match name:
            case "$set":
                changed = document | _fields(said, document, {})
            case "$replaceWith":
                changed = value(said, document, {})
            case "$unset":
                changed = {key: held for key, held in document.items() if key != said}
            case _:
                raise NotImplementedError(name)
        document.clear()
        document.update(deepcopy(changed))


def value(said: Any, root: Mapping[str, Any], held: Mapping[str, Any]) -> Any:
    """Work an expression out; ``held`` are variables."""
    match said:
        case str() if said.startswith("$$"):
            name, _, path = said[2:].partition(".")
            return _at(root if name == "ROOT" else held[name], path)
        case str() if said.startswith("$"):
            return _at(root, said[1:])
        case dict() if len(said) == 1 and next(iter(said)).startswith("$"):
            ((name, argument),) = said.items()
            return _worked(name, argument, root, held)
        case dict():
            return _fields(said, root, held)
        case list():
            return [value(one, root, held) for one in said]
        case _:
            return said


def _worked(name: str, said: Any, root: Mapping[str, Any], held: Mapping[str, Any]) -> Any:
    if name == "$literal":
        return said
    if name in ("$map", "$filter"):
        items = value(said["input"], root, held)
        inner = [(one, {**held, said["as"]: one}) for one in items]
        if name == "$map":
            return [value(said["in"], root, variables) for _, variables in inner]
        return [one for one, variables in inner if value(said["cond"], root, variables)]
    arguments = said if isinstance(said, list) else [said]
    return _OPERATORS[name](*(value(one, root, held) for one in arguments))


_OPERATORS: dict[str, Callable[..., Any]] = {
    "$ifNull": lambda first, other: other if first is _NOTHING or first is None else first,
    "$arrayElemAt": lambda items, at: items[at],
    "$indexOfArray": lambda items, one: items.index(one),
    "$concatArrays": lambda *lists: [one for each in lists for one in each],
    "$mergeObjects": lambda *parts: {key: one for part in parts for key, one in part.items()},
    "$in": lambda one, items: one in items,
    "$not": lambda one: not one,
    "$gt": lambda one, other: one > other,
    "$size": len,
}


def _fields(said: Mapping[str, Any], root: Mapping[str, Any], held: Mapping[str, Any]) -> Document:
    worked = {key: value(one, root, held) for key, one in said.items()}
    return {key: one for key, one in worked.items() if one is not _NOTHING}


def _at(found: Any, path: str) -> Any:
    for name in filter(None, path.split(".")):
        found = found.get(name, _NOTHING) if isinstance(found, Mapping) else _NOTHING
    return found
