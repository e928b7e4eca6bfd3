"""The register of funders as an operator would import it beside the works of the samples.

The lines of the demo, and of each funder that an exchange shows whole, what it says of the parts:
who they are, and which of the nearest have parts of their own. It tells neither the names of the
others nor whose parts they are: they stand by their number, below those that have parts.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import cycle
from typing import Any, Final

from tests.processes import ROOT

DEMO: Final = ROOT / "deploy" / "demo" / "registers" / "funders.jsonl"
Rows = Mapping[str, Mapping[str, Any]]


def rows(shown: Iterable[Mapping[str, Any]] = ()) -> Rows:
    """Return the lines of the register by id: the demo's, and what is shown of funders' parts."""
    lines = map(json.loads, DEMO.read_text("utf-8").splitlines())
    held: dict[str, Mapping[str, Any]] = {line["id"]: line for line in lines}
    for one in shown:
        for line in _parts(one, held):
            held.setdefault(line["id"], line)
    return held


def _parts(shown: Mapping[str, Any], held: Rows) -> Iterator[Mapping[str, Any]]:
    nearest = shown["hierarchy"][shown["id"]]
    names = shown["hierarchy-names"]
    yield from ({"id": one, "name": names[one], "parent": shown["id"]} for one in nearest)
    taken = {line.get("parent") for line in held.values()}
    having = [one for one, said in nearest.items() if said.get("more")]
    # Whoever has no part yet comes first, then all in turn.
    above = cycle(sorted(having, key=lambda one: one in taken))
    for one in shown["descendants"]:
        if one not in nearest and one not in held:
            yield {"id": one, "name": f"Funder {one}", "parent": next(above)}


def within(number: str, held: Rows) -> frozenset[str]:
    """Return a funder and everything below it."""
    found = {number}
    while below := {one for one, line in held.items() if line.get("parent") in found} - found:
        found |= below
    return frozenset(found)


def lines(held: Rows) -> Sequence[str]:
    """Return the file of the register, line by line."""
    return [json.dumps(line, ensure_ascii=False) for line in held.values()]
