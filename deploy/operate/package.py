"""Verifying an access package offline: every file's hash, and the signature of the manifest."""

import base64
import hashlib
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from shared.privacy.receipts import verified

MANIFEST: Final = "manifest.json"
TYPE: Final = "AccessPackage/1"
MOST: Final = 1 << 26  # bytes of a manifest
PART: Final = 1 << 16
BY_LOG: Final = 1  # signature type of C2SP signed-note
RAW: Final = 32


class Unreadable(Exception):
    """A file is not what it should be."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked: it holds, FAILS, or is unknown."""

    how: str
    what: str
    says: str = ""

    def line(self) -> str:
        """Return it as a line."""
        return f"{self.how:8}{self.what}" + (f": {self.says}" if self.says else "")


def keys_of(text: str) -> list[str]:
    """Read public keys, one a line: base64url of 32 bytes, or as the log's list has them."""
    keys = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        parts = words[0].split("+", 2)
        vkey = len(parts) == 3  # noqa: PLR2004 - name, id and key
        raw = _raw(parts[2] if vkey else words[0])
        if vkey and raw[:1] != bytes([BY_LOG]):
            continue  # a witness signs no packages
        raw = raw[1:] if vkey else raw
        if len(raw) != RAW:
            raise Unreadable(f"line {number} of the keys is no Ed25519 key")
        keys.append(base64.urlsafe_b64encode(raw).rstrip(b"=").decode())
    return keys


def verify(path: Path, keys: list[str]) -> Iterator[Finding]:
    """Give what was found of each file and of the signature; raises ``Unreadable``."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            manifest = _manifest(archive, names)
            yield from _files(archive, names, manifest["files"])
    except (
        OSError,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
    ) as fault:
        raise Unreadable(f"{path} cannot be read as a package: {fault}") from None
    signed = manifest.get("proof", {})
    by = signed.get("verificationMethod", "nobody") if isinstance(signed, dict) else "nobody"
    if not keys:
        yield Finding("unknown", "signature", f"by {by}; give the public key to verify it")
    elif any(verified(manifest, key) for key in keys):
        yield Finding("holds", "signature", f"by {by}")
    else:
        yield Finding("FAILS", "signature", f"by {by}; none of the keys verifies it")


def _manifest(archive: zipfile.ZipFile, names: list[str]) -> dict[str, Any]:
    if names.count(MANIFEST) != 1:
        raise Unreadable(f"the archive has {names.count(MANIFEST)} files {MANIFEST}, not one")
    with archive.open(MANIFEST) as file:
        text = file.read(MOST + 1)
    if len(text) > MOST:
        raise Unreadable(f"{MANIFEST} has more than {MOST} bytes")
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Unreadable(f"{MANIFEST} is not JSON") from None
    if not isinstance(said, dict) or not isinstance(said.get("files"), dict):
        raise Unreadable(f"{MANIFEST} names no files")
    if said.get("type") != TYPE:
        raise Unreadable(f"this is no {TYPE}; a newer program may read it")
    return said


def _files(
    archive: zipfile.ZipFile, names: list[str], files: Mapping[str, Any]
) -> Iterator[Finding]:
    for name, one in files.items():
        if names.count(name) != 1:
            yield Finding("FAILS", name, f"it is there {names.count(name)} times")
            continue
        said = one if isinstance(one, dict) else {}
        wanted = said.get("octets")
        sha, octets = _hashed(archive, name, most=wanted if isinstance(wanted, int) else 0)
        same = sha is not None and (sha, octets) == (said.get("sha256"), wanted)
        yield Finding("holds", name) if same else Finding("FAILS", name, "it was changed")
    for name in names:
        if name not in files and name != MANIFEST:
            yield Finding("FAILS", name, "the manifest does not name it")


def _hashed(archive: zipfile.ZipFile, name: str, *, most: int) -> tuple[str | None, int]:
    """Hash a file, little further than what is said of it; None where it does not unpack."""
    sha, octets = hashlib.sha256(), 0
    try:
        with archive.open(name) as file:
            while octets <= most and (part := file.read(PART)):
                octets += len(part)
                sha.update(part)
    except (zipfile.BadZipFile, zlib.error, EOFError):
        return None, octets
    return sha.hexdigest(), octets


def _raw(text: str) -> bytes:
    standard = text.translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except ValueError:
        return b""
