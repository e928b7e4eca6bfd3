"""The register of funders as a tree: who is part of whom, and its objects on the wire. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from services.distribution.registers.records import FUNDER_PREFIX, Funder
from services.distribution.rest.names import tokens

RESOLVER: Final = "https://doi.org/"


@dataclass(frozen=True, slots=True)
class Funders:
    """Every funder by number, its parts, and how deep it stands."""

    by_id: Mapping[str, Funder] = field(default_factory=dict)
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    levels: Mapping[str, int] = field(default_factory=dict)

    def descendants(self, number: str) -> tuple[str, ...]:
        """Return everything below a funder, by number."""
        return tuple(sorted(self._below(number), key=int))

    def _below(self, number: str) -> Iterator[str]:
        for part in self.parts.get(number, ()):
            yield part
            yield from self._below(part)

    def above(self, number: str) -> list[str]:
        """Return what a funder is a part of, the highest first."""
        found: list[str] = []
        at = self.by_id[number].parent
        while at is not None and at in self.by_id:
            found.insert(0, at)
            at = self.by_id[at].parent
        return found


def grow(funders: Iterable[Funder]) -> Funders:
    """Return the tree of funders; a file that was checked has no circles."""
    by_id = {one.id: one for one in funders}
    parts: dict[str, list[str]] = {}
    for one in by_id.values():
        if one.parent in by_id:
            parts.setdefault(one.parent, []).append(one.id)
    ordered = {number: tuple(sorted(below, key=int)) for number, below in parts.items()}
    levels = {number: 0 for number, one in by_id.items() if one.parent not in by_id}
    row = list(levels)
    while row:
        below = [part for number in row for part in ordered.get(number, ())]
        levels |= {part: levels[by_id[part].parent or ""] + 1 for part in below}
        row = below
    return Funders(by_id, ordered, levels)


def dois(numbers: Iterable[str]) -> frozenset[str]:
    """Return the DOIs of funders."""
    return frozenset(f"{FUNDER_PREFIX}/{number}" for number in numbers)


def render_funder(funder: Funder) -> dict[str, Any]:
    """Return the object of a list: eight keys."""
    names = (funder.name, *funder.alt_names)
    return {
        "id": funder.id,
        "location": funder.location,
        "name": funder.name,
        "alt-names": funder.alt_names,
        "uri": f"{RESOLVER}{FUNDER_PREFIX}/{funder.id}",
        "replaces": funder.replaces,
        "replaced-by": funder.replaced_by,
        "tokens": [token for name in names for token in tokens(name)],
    }


def render_single(
    funder: Funder, funders: Funders, *, works: int, with_descendants: int
) -> dict[str, Any]:
    """Return the object of /funders/{id}: with its hierarchy and how many works name it."""
    hierarchy, shown = _hierarchy(funder.id, funders)
    return {
        **render_funder(funder),
        "work-count": works,
        "descendant-work-count": with_descendants,
        "descendants": funders.descendants(funder.id),
        "hierarchy": hierarchy,
        "hierarchy-names": {number: funders.by_id[number].name for number in shown},
    }


def _hierarchy(number: str, funders: Funders) -> tuple[dict[str, Any], list[str]]:
    """Return the way from the top to a funder and on to its parts, and who stands in it.

    A part that has parts of its own says ``more``.
    """
    parts = funders.parts.get(number, ())
    below = {part: {"more": True} if part in funders.parts else {} for part in parts}
    above = funders.above(number)
    tree: dict[str, Any] = {number: below}
    for one in reversed(above):
        tree = {one: tree}
    return tree, [*above, number, *parts]
