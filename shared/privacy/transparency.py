"""A tree of records that only grows (RFC 6962 section 2, RFC 9162 section 2.1), SHA-256.

Its root commits to every record and their order. An inclusion proof shows that a record is in it, a
consistency proof that a later tree only added. An append needs the ``Frontier`` alone, some twenty
hashes, never the log; proofs need the hashes of whole subtrees, which each append hands out once,
to be kept under level and place for ever.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol, Self

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256().digest()

_LEAF: Final = b"\x00"  # what sets leaves apart from nodes, so that neither passes for the other
_NODE: Final = b"\x01"


class Node(NamedTuple):
    """A subtree of 2**level leaves, none missing: the ``place``-th of its level, from zero."""

    level: int
    place: int


class Hashes(Protocol):
    """Where the hashes of whole subtrees are kept."""

    async def hashes(self, nodes: Sequence[Node]) -> Mapping[Node, bytes]:
        """Return the hashes of these nodes; one that is absent is left out."""
        ...


class MissingNodes(LookupError):
    """A proof needs hashes that are not kept: the store is behind the tree, or lost some."""


class Grown(NamedTuple):
    """The frontier after a record was added, and the hashes that are now to be kept."""

    frontier: "Frontier"
    kept: tuple[tuple[Node, bytes], ...]


@dataclass(frozen=True, slots=True)
class Frontier:
    """All that an append must know of a tree: its size and its whole subtrees, greatest first."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what is no frontier: a size has as many whole subtrees as binary ones."""
        if self.size < 0 or len(self.peaks) != self.size.bit_count():
            raise ValueError(f"a tree of {self.size} leaves has other subtrees")
        if any(len(peak) != HASH_BYTES for peak in self.peaks):
            raise ValueError(f"a hash has {HASH_BYTES} bytes")

    @classmethod
    def kept(cls, size: int, hashes: Mapping[Node, bytes]) -> Self:
        """Take a frontier up again from ``cover(0, size)``'s hashes; raises ``MissingNodes``."""
        return cls(size, tuple(_found(cover(0, size), hashes)))

    def appended(self, leaf: bytes) -> Grown:
        """Add the hash of a leaf: what it completes is merged, as a binary counter carries."""
        peaks = [*self.peaks, leaf]
        kept = [(Node(0, self.size), leaf)]
        level, place = 0, self.size
        while place & 1:
            right = peaks.pop()
            peaks[-1] = node_hash(peaks[-1], right)
            level, place = level + 1, place >> 1
            kept.append((Node(level, place), peaks[-1]))
        return Grown(Frontier(self.size + 1, tuple(peaks)), tuple(kept))

    def root(self) -> bytes:
        """Return the root of the tree (RFC 9162 section 2.1.1)."""
        return _joined(self.peaks) if self.peaks else EMPTY_ROOT


@dataclass(frozen=True, slots=True)
class Plan:
    """Which kept hashes a proof is made of: each of its hashes joins the nodes of one entry."""

    parts: tuple[tuple[Node, ...], ...]

    @property
    def nodes(self) -> list[Node]:
        """Every node that has to be read."""
        return [node for part in self.parts for node in part]

    def proof(self, hashes: Mapping[Node, bytes]) -> list[bytes]:
        """Return the proof; raises ``MissingNodes``."""
        return [_joined(_found(part, hashes)) for part in self.parts]


def leaf_hash(record: bytes) -> bytes:
    """Return the hash of a record."""
    return hashlib.sha256(_LEAF + record).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node by those of its children."""
    return hashlib.sha256(_NODE + left + right).digest()


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Return the root of a tree by the hashes of its leaves, however many."""
    frontier = Frontier()
    for leaf in leaves:
        frontier = frontier.appended(leaf).frontier
    return frontier.root()


def cover(begin: int, end: int) -> tuple[Node, ...]:
    """Return the whole subtrees that make up leaves ``begin`` to ``end``, left to right.

    ``begin`` is where a subtree of the tree begins; every range that proofs speak of does.
    """
    return tuple(_cover(begin, end))


def _cover(begin: int, end: int) -> Iterator[Node]:
    while begin < end:
        level = (end - begin).bit_length() - 1
        yield Node(level, begin >> level)
        begin += 1 << level


# -- Proofs


def inclusion(index: int, size: int) -> Plan:
    """Plan the proof that leaf ``index`` is in the tree of ``size`` (RFC 9162 section 2.1.3.1).

    Raises ``ValueError`` where the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    begin, end, parts = 0, size, []
    while end - begin > 1:
        split = _split(begin, end)
        if index < split:
            parts.append(cover(split, end))
            end = split
        else:
            parts.append(cover(begin, split))
            begin = split
    return Plan(tuple(reversed(parts)))


def consistency(first: int, second: int) -> Plan:
    """Plan the proof that the tree of ``second`` begins with that of ``first`` (section 2.1.4.1).

    Nothing has to be shown for an empty tree or for the same size twice. Raises ``ValueError``
    where the second is the smaller.
    """
    if not 0 <= first <= second:
        raise ValueError(f"no tree of {second} leaves continues one of {first}")
    begin, end, parts = 0, second, []
    while first not in {0, end}:
        split = _split(begin, end)
        if first <= split:
            parts.append(cover(split, end))
            end = split
        else:
            parts.append(cover(begin, split))
            begin = split
    # Where the old tree is a subtree of the new one, its root is what the verifier begins with.
    if begin:
        parts.append(cover(begin, end))
    return Plan(tuple(reversed(parts)))


async def prove(kept: Hashes, plan: Plan) -> list[bytes]:
    """Return a planned proof by one read of the kept hashes; raises ``MissingNodes``."""
    return plan.proof(await kept.hashes(plan.nodes) if plan.nodes else {})


# -- Verification


def includes(leaf: bytes, index: int, *, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Say whether a proof shows a leaf's hash in a tree (RFC 9162 section 2.1.3.2).

    ``size`` and ``root`` must come from one signed checkpoint: a proof alone does not bind a size.
    """
    if not 0 <= index < size or not _are_hashes(leaf, root, *proof):
        return False
    at, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_hash(sibling, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def continues(
    first: int, second: int, *, first_root: bytes, second_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Say whether a proof shows that a tree only added to another (RFC 9162 section 2.1.4.2)."""
    if not 0 <= first <= second or not _are_hashes(first_root, second_root, *proof):
        return False
    if first == 0:
        return not proof and first_root == EMPTY_ROOT
    if first == second:
        return not proof and first_root == second_root
    whole = first & (first - 1) == 0  # the old tree is one whole subtree of the new one
    path = [first_root, *proof] if whole else list(proof)
    if not path:
        return False
    at, last = first - 1, second - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root


def _split(begin: int, end: int) -> int:
    """Return where a subtree parts: after the greatest power of two that leaves something."""
    return begin + (1 << ((end - begin - 1).bit_length() - 1))


def _joined(hashes: Sequence[bytes]) -> bytes:
    """Return the root over whole subtrees, greatest first."""
    found = hashes[-1]
    for left in reversed(hashes[:-1]):
        found = node_hash(left, found)
    return found


def _found(nodes: Iterable[Node], hashes: Mapping[Node, bytes]) -> list[bytes]:
    wanted = list(nodes)
    if absent := [node for node in wanted if node not in hashes]:
        level, place = absent[0]
        raise MissingNodes(
            f"{len(absent)} hashes are not kept, the first of level {level}, place {place}; "
            "read the records again and keep what each append hands out"
        )
    return [hashes[node] for node in wanted]


def _are_hashes(*values: bytes) -> bool:
    return all(len(value) == HASH_BYTES for value in values)
