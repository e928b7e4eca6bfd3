"""Signed checkpoints: what a log's tree was at a size, as a C2SP signed note (tlog-checkpoint).

Lines are signed with Ed25519. A note may carry several: the log's own, under the old and the new
key while keys change, and those of witnesses elsewhere, who sign only what continues what they
signed before (tlog-cosignature). Public keys are kept for ever, each with the sizes of the tree
that it signed: a checkpoint is verified under the key of its time.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.privacy.keyfile import load_or_create
from shared.privacy.notes import (
    BY_LOG,
    BY_WITNESS,
    NAME,
    Line,
    Note,
    NoteError,
    VerifierKey,
    decoded,
    encoded,
    said,
    verified,
)
from shared.privacy.transparency import HASH_BYTES, continues

_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the tree of a log was: its size and its root. Extension lines are not read."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        """Refuse what could not be read again."""
        if NAME.fullmatch(self.origin) is None or self.size < 0 or len(self.root) != HASH_BYTES:
            raise NoteError("a checkpoint has an origin without spaces, a size and a root")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text of a note; raises ``NoteError``."""
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or _SIZE.fullmatch(lines[1]) is None:  # noqa: PLR2004
            raise NoteError("a checkpoint has three lines: origin, size and root")
        return cls(lines[0], int(lines[1]), decoded(lines[2]))

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{encoded(self.root)}\n"


class NoteSigner:
    """Signs notes under the key of a file, made where there is none; blocking at its making.

    The log's name is the origin of its checkpoints. The same key may sign receipts
    (``shared.privacy.receipts.Signer``), for a receipt begins with a brace and no origin does; a
    witness has a key for nothing else.
    """

    __slots__ = ("_key", "verifier")

    def __init__(self, path: Path, name: str, kind: int = BY_LOG) -> None:
        """Read the key; ``verifier`` is what others verify with."""
        if name.startswith("{"):
            raise NoteError("a name that begins with a brace could make a note of a receipt")
        self._key = Ed25519PrivateKey.from_private_bytes(load_or_create(path))
        self.verifier: Final = VerifierKey(name, kind, self._key.public_key().public_bytes_raw())

    def sign(self, checkpoint: Checkpoint, *, at: int = 0) -> Line:
        """Return the line that signs a checkpoint, a witness's ``at`` seconds since 1970."""
        stamp, text = said(self.verifier.kind, checkpoint.text, at)
        return Line(self.verifier.name, self.verifier.id, stamp + self._key.sign(text))


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key to rely on, for checkpoints of these sizes; ``last`` is None while it signs."""

    verifier: VerifierKey
    first: int = 0
    last: int | None = None

    def of_its_time(self, size: int) -> bool:
        """Whether the key was in force when the tree had this size."""
        return self.first <= size and (self.last is None or size <= self.last)


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A witness saw this checkpoint and nothing against it, ``at`` seconds since 1970."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Opened:
    """A checkpoint that can be relied on, by which keys of the log, and who witnessed it."""

    checkpoint: Checkpoint
    by: tuple[VerifierKey, ...]
    witnesses: tuple[Cosigned, ...]


def signed(checkpoint: Checkpoint, signers: Iterable[NoteSigner]) -> Note:
    """Return a checkpoint's note: one signer, or the old and the new while keys change."""
    lines = tuple(one.sign(checkpoint) for one in signers)
    if not lines or any(line.name != checkpoint.origin for line in lines):
        raise NoteError("a log signs its own checkpoints, under its origin's name")
    return Note(checkpoint.text, lines)


def opened(note: str, keys: Sequence[KnownKey]) -> Opened:
    """Verify a checkpoint under known keys; raises ``NoteError``.

    One line of the log's, by a key of that size's time, must hold. Lines of unknown keys do not
    count; one line of a known key that does not hold makes the whole note void.
    """
    read = Note.parse(note)
    checkpoint = Checkpoint.parse(read.text)
    logs: list[VerifierKey] = []
    witnesses: list[Cosigned] = []
    early_or_late = False
    for line in read.lines:
        for known in keys:
            key = known.verifier
            if (key.name, key.id) != (line.name, line.key_id):
                continue
            at = verified(key, read.text, line.signature)
            if not known.of_its_time(checkpoint.size):
                early_or_late = True
            elif key.kind == BY_WITNESS:
                witnesses.append(Cosigned(key.name, at))
            elif key.name == checkpoint.origin:
                logs.append(key)
    if not logs:
        raise NoteError(
            f"the key that signed was not in force at size {checkpoint.size}"
            if early_or_late
            else f"no known key of {checkpoint.origin} signed this checkpoint"
        )
    unique = {one.name: one for one in witnesses}
    return Opened(checkpoint, tuple(dict.fromkeys(logs)), tuple(unique.values()))


def may_cosign(seen: Checkpoint | None, offered: Checkpoint, proof: Sequence[bytes]) -> bool:
    """Say whether a witness may sign what it is offered, by what it signed last (tlog-witness).

    It never signs a smaller tree, nor another root for a size, nor what does not continue.
    """
    if seen is None:
        return not proof
    return seen.origin == offered.origin and continues(
        seen.size,
        offered.size,
        first_root=seen.root,
        second_root=offered.root,
        proof=proof,
    )


def read_keys(text: str) -> list[KnownKey]:
    """Read a file of keys: ``<verifier key> [<first size> [<last size>]]``, ``#`` begins a remark.

    Raises ``NoteError``, naming the line.
    """
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        sizes = [int(word) for word in words[1:] if _SIZE.fullmatch(word)]
        if len(sizes) != len(words) - 1 or len(sizes) > 2:  # noqa: PLR2004  (first and last)
            raise NoteError(f"line {number} has more than a key and two sizes")
        first = sizes[0] if sizes else 0
        last = sizes[1] if len(sizes) > 1 else None
        try:
            found.append(KnownKey(VerifierKey.parse(words[0]), first, last))
        except NoteError as fault:
            raise NoteError(f"line {number}: {fault}") from None
    return found


def write_keys(keys: Iterable[KnownKey]) -> str:
    """Write a file of keys, as ``read_keys`` and verify_certificate.py read it."""
    return "".join(
        f"{one.verifier} {one.first}{'' if one.last is None else f' {one.last}'}\n" for one in keys
    )
