"""Signed notes (C2SP signed-note): a text, an empty line, and lines that sign it with Ed25519.

A line names its key by name and id. It is read in one way only, so that no two texts are one note.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

BY_LOG: Final = 0x01  # signature types of signed-note: Ed25519 over the text
BY_WITNESS: Final = 0x04  # and Ed25519 over the text with the time of signing before it
KINDS: Final = frozenset({BY_LOG, BY_WITNESS})
KEY_BYTES: Final = 32
ID_BYTES: Final = 4
TIME_BYTES: Final = 8
MOST_LINES: Final = 100  # of signatures, and
LONGEST: Final = 2**16  # characters of a note; ours have some 500

_DASH: Final = "\u2014 "
NAME: Final = re.compile(r"[^\s+\x00-\x1f]{1,200}")
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")


class NoteError(ValueError):
    """A text is no signed note, no checkpoint, or not one to rely on; the sentence says why."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key by the name of its holder, for one kind of signature."""

    name: str
    kind: int
    raw: bytes

    def __post_init__(self) -> None:
        """Refuse what is no key of Ed25519."""
        if NAME.fullmatch(self.name) is None:
            raise NoteError("the name of a key has no spaces and no plus sign")
        if self.kind not in KINDS or len(self.raw) != KEY_BYTES:
            raise NoteError(f"the key of {self.name} is not an Ed25519 key that is read here")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``name+id+base64``; raises ``NoteError``."""
        name, _, rest = text.partition("+")
        key_id, _, text_of_key = rest.partition("+")
        raw = decoded(text_of_key)
        if not raw:
            raise NoteError("a verifier key is written name+id+base64")
        key = cls(name, raw[0], raw[1:])
        if key.id.hex() != key_id:
            raise NoteError(f"the key of {name} has another id than it says")
        return key

    def __str__(self) -> str:
        """Write the key as others read it."""
        return f"{self.name}+{self.id.hex()}+{encoded(bytes([self.kind]) + self.raw)}"

    @property
    def id(self) -> bytes:
        """What signature lines call the key by, beside its name."""
        named = self.name.encode() + b"\n" + bytes([self.kind]) + self.raw
        return hashlib.sha256(named).digest()[:ID_BYTES]


@dataclass(frozen=True, slots=True)
class Line:
    """A signature line: whose, under which key, and what the signature is."""

    name: str
    key_id: bytes
    signature: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read one line; raises ``NoteError``."""
        name, space, base64_text = text.removeprefix(_DASH).partition(" ")
        raw = decoded(base64_text)
        good = text.startswith(_DASH) and space and NAME.fullmatch(name)
        if not good or len(raw) <= ID_BYTES:
            raise NoteError("a signature line is written with a dash, a name and base64")
        return cls(name, raw[:ID_BYTES], raw[ID_BYTES:])

    def __str__(self) -> str:
        """Write the line without its end."""
        return f"{_DASH}{self.name} {encoded(self.key_id + self.signature)}"


@dataclass(frozen=True, slots=True)
class Note:
    """A text and the lines that sign it; nothing is verified yet."""

    text: str
    lines: tuple[Line, ...]

    @classmethod
    def parse(cls, note: str) -> Self:
        """Read a note, whose text ends at its last empty line; raises ``NoteError``."""
        if len(note) > LONGEST or _CONTROL.search(note):
            raise NoteError("a note is longer than any of ours, or holds control characters")
        text, gap, signed = note.rpartition("\n\n")
        if not gap or not text or not signed.endswith("\n"):
            raise NoteError("a note is a text, an empty line and signature lines")
        lines = signed.removesuffix("\n").split("\n")
        if len(lines) > MOST_LINES:
            raise NoteError(f"a note has at most {MOST_LINES} signatures")
        return cls(text + "\n", tuple(Line.parse(line) for line in lines))

    def __str__(self) -> str:
        """Write the note."""
        return f"{self.text}\n" + "".join(f"{line}\n" for line in self.lines)

    def with_lines(self, *lines: Line) -> "Note":
        """Return the note with more signatures, each once."""
        return Note(self.text, tuple(dict.fromkeys((*self.lines, *lines))))


def verified(key: VerifierKey, text: str, signature: bytes) -> int:
    """Return when a witness signed, zero for a log; raises ``NoteError``."""
    stamp = TIME_BYTES if key.kind == BY_WITNESS else 0
    at = int.from_bytes(signature[:stamp], "big")
    try:
        public = Ed25519PublicKey.from_public_bytes(key.raw)
        public.verify(signature[stamp:], said(key.kind, text, at)[1])
    except (InvalidSignature, ValueError):
        raise NoteError(f"the signature of {key.name} does not hold") from None
    return at


def said(kind: int, text: str, at: int) -> tuple[bytes, bytes]:
    """Return what goes before a signature, and what is signed."""
    if kind == BY_LOG:
        return b"", text.encode()
    return at.to_bytes(TIME_BYTES, "big"), f"cosignature/v1\ntime {at}\n{text}".encode()


def encoded(raw: bytes) -> str:
    """Write base64."""
    return base64.b64encode(raw).decode()


def decoded(text: str) -> bytes:
    """Read base64 as it is written, in one way only; empty where it is not."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return raw if encoded(raw) == text else b""
