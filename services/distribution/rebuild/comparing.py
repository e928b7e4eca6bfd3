"""In what two documents of a key differ, and whether that is only for the moment. Pure."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final

from services.distribution.projections import COUNTED

# What only the counting worker reads.
LEFT_OUT: Final = frozenset({"_id", "recount", "recount_shelf", "counted", "names"})
UNTOLD: Final = LEFT_OUT | {"told"}

Document = Mapping[str, Any]


def differs(live: Document | None, rebuilt: Document | None, *, before: bool = False) -> str | None:
    """Say in what a reader could tell two documents apart, None where in nothing; pure.

    An erased row and none at all are the same, and so are an absent field and a null one: a
    document from before a field was introduced says the same as one that was written since.
    ``before``: the live generation holds such works, of which it cannot be told what they name, so
    that the next one may tell more of others.
    """
    if gone(live) and gone(rebuilt):
        return None
    if gone(rebuilt):
        return f"version {version_of(live)} live, not in the rebuilt one"
    if gone(live):
        return f"not in the live one, version {version_of(rebuilt)} rebuilt"
    assert live is not None
    assert rebuilt is not None
    if live["v"] != rebuilt["v"]:
        return f"version {live['v']} live, {rebuilt['v']} rebuilt"
    names = differing(live, rebuilt, UNTOLD if before else LEFT_OUT)
    return f"version {live['v']} differs in {', '.join(names)}" if names else None


def differing(
    live: Document, rebuilt: Document, left_out: AbstractSet[str] = LEFT_OUT
) -> list[str]:
    """Return the fields in which a reader could tell two documents of one version apart."""
    return sorted(
        name
        for name in (live.keys() | rebuilt.keys()) - left_out
        if value_of(live, name) != value_of(rebuilt, name)
    )


def gone(document: Document | None) -> bool:
    """Whether there is nothing of it to be shown."""
    return document is None or "erased" in document


def version_of(document: Document | None) -> int:
    """Return its version, 0 where there is none."""
    return int(document["v"]) if document else 0


def value_of(document: Document, name: str) -> Any:
    """Return a field's value; of a work that nobody counted yet nothing is told to readers."""
    return document.get(name) or COUNTED[name] if name in COUNTED else document.get(name)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two documents of a key as they were when they were first seen to differ."""

    live: int
    rebuilt: int
    counted: str | None

    @property
    def late(self) -> bool:
        """Whether the live one was the older one."""
        return self.live < self.rebuilt

    @classmethod
    def of(cls, live: Document | None, rebuilt: Document | None) -> "Pair":
        """Note versions, and whose turn last counted the live one."""
        return cls(version_of(live), version_of(rebuilt), (live or {}).get("counted"))

    def then(self, now: "Pair") -> "Pair":
        """Return from when on to wait: as first seen, unless they differ in another way now."""
        same = self.live == self.rebuilt and now.live == now.rebuilt
        return self if self.late or same else now

    def moved_on(self, live: Document | None, rebuilt: Document | None) -> bool:
        """Whether what they differed in was written to the live one since.

        Either the version the next one had, or one above it, went to both; or it was counted
        again, from works that are compared themselves.
        """
        if live is None or rebuilt is None or gone(live) or gone(rebuilt):
            return False
        versions = live["v"], rebuilt["v"]
        if versions[0] == versions[1] and not COUNTED.keys() >= set(differing(live, rebuilt)):
            return False
        if self.late:
            return bool(self.rebuilt <= versions[0] <= versions[1])
        return versions[0] == versions[1] and live.get("counted") != self.counted
