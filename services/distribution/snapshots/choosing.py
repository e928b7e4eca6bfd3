"""Which of its two variants each member of a snapshot is served in, and what file that makes. Pure.

The file is not there as such: it is the concatenation of the chosen members. Its length, its tag
and where each byte stands follow from what is known of the members, without reading any.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

Variant = Literal["full", "bare"]


@dataclass(frozen=True, slots=True)
class Piece:
    """Where a member stands in the file of its variant, how long it is, and its SHA-256."""

    at: int
    length: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Member:
    """Works of one owner prefix (empty: of nobody known), in both variants."""

    number: int
    owner: str
    works: int
    full: Piece
    bare: Piece

    def piece(self, variant: Variant) -> Piece:
        """Return it in a variant."""
        return self.full if variant == "full" else self.bare


@dataclass(frozen=True, slots=True)
class Slice:
    """Bytes to send: so many from a place in the file of a variant."""

    member: Member
    variant: Variant
    at: int
    length: int


@dataclass(frozen=True, slots=True)
class Served:
    """A snapshot's file as one reader gets it at one moment."""

    members: Sequence[Member]
    variants: Sequence[Variant]
    starts: Sequence[int]
    etag: str

    @property
    def length(self) -> int:
        """How many bytes it has."""
        return self.starts[-1]

    def slices(self, start: int, end: int) -> Iterator[Slice]:
        """Yield what makes up the bytes ``start`` to before ``end``."""
        if start >= end:
            return
        number = bisect_right(self.starts, start) - 1
        while start < end:
            member, variant = self.members[number], self.variants[number]
            stop = min(end, self.starts[number + 1])
            piece = member.piece(variant)
            if stop > start:
                yield Slice(member, variant, piece.at + start - self.starts[number], stop - start)
            start, number = stop, number + 1


def served(
    members: Sequence[Member], may: Callable[[Member], bool], *, of: tuple[str, ...]
) -> Served:
    """Choose a variant for each member; ``of`` names the snapshot and form, for the tag."""
    variants: list[Variant] = ["full" if may(member) else "bare" for member in members]
    lengths = (one.piece(v).length for one, v in zip(members, variants, strict=True))
    starts = [0, *accumulate(lengths)]
    chosen = hashlib.blake2b(repr(of).encode(), digest_size=16)
    for member, variant in zip(members, variants, strict=True):
        chosen.update(member.piece(variant).sha256.encode())
        chosen.update(variant.encode())
    return Served(members, variants, starts, f'"{chosen.hexdigest()}"')
