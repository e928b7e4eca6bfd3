"""Looking for values in bytes, however they were written: folded, quoted, encoded, compressed.

Everything is compared with ASCII capitals folded, base64 and hexadecimal too: what they lose in
distinctness the length of a value makes up for. What is compressed inside is opened, and looked
into.
"""

import base64
import json
import re
import unicodedata
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final
from urllib.parse import quote, quote_plus

SHORTEST: Final = 6  # characters; shorter values stand everywhere
DEPTH: Final = 3  # compressed within compressed
LARGEST: Final = 2**26  # bytes of one stream, opened
ADDRESS: Final = re.compile(r"[\w.%+'-]+@[\w-]+(?:\.[\w-]+)+")  # what looks like an e-mail address
MAGICS: Final = {  # how a stream begins, what it is called, and what zlib calls it
    re.compile(rb"\x1f\x8b\x08"): ("gzip", 31),
    re.compile(rb"\x78[\x01\x5e\x9c\xda]"): ("deflate", 15),
}


@dataclass(frozen=True, slots=True)
class Hit:
    """Which value was found, written how; never the value."""

    value: str
    encoding: str


@dataclass(slots=True)
class Needles:
    """Values to be looked for, by the names that reports call them."""

    values: Mapping[str, str] = field(repr=False)
    _hits: dict[bytes, Hit] = field(init=False, repr=False)
    _pattern: re.Pattern[bytes] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Write each value in every way. Raises ``ValueError`` for one too short to look for."""
        for name, text in self.values.items():
            if len(text) < SHORTEST:
                raise ValueError(f"{name} has fewer than {SHORTEST} characters to look for")
        self._hits = {
            needle: Hit(name, encoding)
            for name, text in self.values.items()
            for needle, encoding in encodings(text).items()
        }
        self._pattern = re.compile(_any_of(sorted(self._hits)))

    def found(self, data: bytes, depth: int = DEPTH) -> set[Hit]:
        """Return what stands in the data, and in whatever is compressed inside."""
        hits = {self._hits[match[0]] for match in self._pattern.finditer(data.lower())}
        if depth:
            for how, inner in opened(data):
                within = self.found(inner, depth - 1)
                hits |= {Hit(one.value, f"{how}: {one.encoding}") for one in within}
        return hits


def _any_of(needles: Sequence[bytes]) -> bytes:
    """Write a pattern that branches where needles part: one pass, however many there are."""
    if not needles[0]:
        return b""
    branches = []
    for _, group in groupby(needles, key=lambda one: one[0]):
        alike = list(group)
        first, last = alike[0], alike[-1]  # in order, so what these share all do
        ends = (at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b)
        end = next(ends, min(len(first), len(last)))
        branches.append(re.escape(first[:end]) + _any_of([one[end:] for one in alike]))
    return branches[0] if len(branches) == 1 else b"(?:" + b"|".join(branches) + b")"


def encodings(text: str) -> dict[bytes, str]:
    """Return every way in which a value may be written, with what that is called; folded."""
    made: dict[bytes, str] = {}
    cases = dict.fromkeys((text, text.lower(), text.upper()))
    for form in dict.fromkeys((*cases, text.casefold(), unicodedata.normalize("NFD", text))):
        plain = form.encode()
        made.setdefault(plain.lower(), "plain")
        made.setdefault(form.encode("utf-16-le").lower(), "utf-16")
        made.setdefault(form.encode("latin-1", "replace").lower(), "latin-1")
        made.setdefault(json.dumps(form)[1:-1].encode().lower(), "json")
        made.setdefault(form.encode("ascii", "xmlcharrefreplace").lower(), "xml")
        for quoted in (quote(form, safe=""), quote(form), quote_plus(form)):
            made.setdefault(quoted.encode().lower(), "url")
        made.setdefault(_quoted_printable(plain).lower(), "quoted-printable")
    for form in cases:
        plain = form.encode()
        made.setdefault(plain.hex().encode(), "hex")
        for offset in range(3):
            for piece in _base64(plain, offset):
                made.setdefault(piece.lower(), "base64")
    return made


def _quoted_printable(plain: bytes) -> bytes:
    """Write only what must be: lines are short enough for that in values of people."""
    return b"".join(b"%c" % one if one < 0x80 else b"=%02X" % one for one in plain)  # noqa: PLR2004


def _base64(plain: bytes, offset: int) -> Iterator[bytes]:
    """Give what a value leaves in base64 wherever it begins in a group of three bytes."""
    first, last = -(-8 * offset // 6), 8 * (offset + len(plain)) // 6
    padded = b"\0" * offset + plain
    yield base64.b64encode(padded)[first:last]
    yield base64.urlsafe_b64encode(padded)[first:last]


def opened(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Give what compressed streams in the data hold, wherever they begin."""
    view = memoryview(data)
    for magic, (name, bits) in MAGICS.items():
        for found in magic.finditer(data):
            try:
                inner = zlib.decompressobj(bits).decompress(view[found.start() :], LARGEST)
            except zlib.error:
                continue  # bytes that only look like the beginning of one
            if inner:
                yield name, inner
