"""Verify a certificate of erasure offline: ``verify_certificate.py certificate.json keys.txt``.

One file, to be taken along: it needs Python 3.11 and the package cryptography, asks nobody, and
imports nothing of the system that issued the certificate. ``keys.txt`` holds public keys that you
trust, one a line: ``<name>+<id>+<base64> [<first size> [<last size>]]``, a key of the log or of a
witness, and the sizes of the tree that it may sign.

Ends with 0 where everything holds, 1 where something does not, 2 where a file cannot be read.
"""

import argparse
import base64
import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TYPE = "ErasureCertificate/1"
MEMBERS = {"statement", "tree", "proof"}
BY_LOG, BY_WITNESS = 1, 4  # signature types of C2SP signed-note
GREATEST = 2**53 - 1
MOST = 2**22  # bytes of a certificate
LATEST = 253_402_300_799  # the last second of the year 9999
WEAKER = (
    "the keys that wrapped the person's keys lay in files; they were overwritten and unlinked, "
    "and nobody can show that no copy was made"
)


class Wrong(Exception):
    """Something does not hold; the sentence says what."""


class Unreadable(Exception):
    """A file is not what it should be."""


@dataclass(frozen=True)
class Key:
    """A public key that the reader trusts, and the sizes of the tree that it may sign."""

    name: str
    kind: int
    raw: bytes
    first: int
    last: int | None

    @property
    def id(self) -> bytes:
        """What signature lines call the key by."""
        said = self.name.encode() + b"\n" + bytes([self.kind]) + self.raw
        return hashlib.sha256(said).digest()[:4]

    @property
    def method(self) -> str:
        """What certificates call the key by."""
        return f"ed25519:{hashlib.sha256(self.raw).hexdigest()[:16]}"

    def of_its_time(self, size: int) -> bool:
        """Whether the key may sign a tree of this size."""
        return self.first <= size and (self.last is None or size <= self.last)

    def verify(self, signature: bytes, said: bytes, what: str) -> None:
        """Raise ``Wrong`` where a signature does not hold."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, said)
        except (InvalidSignature, ValueError):
            raise Wrong(f"{what} does not hold under the key of {self.name}") from None


@dataclass(frozen=True)
class Checkpoint:
    """What a signed note says of the tree, by which keys of the log, and who witnessed it."""

    origin: str
    size: int
    root: bytes
    logs: tuple[Key, ...]
    witnesses: tuple[tuple[str, int], ...]


# -- Reading


def read_keys(text: str) -> list[Key]:
    """Read trusted keys."""
    keys = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        name, _, rest = words[0].partition("+")
        key_id, _, encoded = rest.partition("+")
        raw = decoded(encoded)
        sizes = [int(word) for word in words[1:] if re.fullmatch(r"[0-9]{1,19}", word)]
        if len(raw) != 33 or len(sizes) != len(words) - 1 or len(sizes) > 2:  # noqa: PLR2004
            raise Unreadable(f"line {number} of the keys is not a key and its sizes")
        first, last = (sizes[0] if sizes else 0), (sizes[1] if len(sizes) > 1 else None)
        key = Key(name, raw[0], raw[1:], first, last)
        if key.id.hex() != key_id or key.kind not in {BY_LOG, BY_WITNESS}:
            raise Unreadable(f"line {number} of the keys is not an Ed25519 key with its own id")
        keys.append(key)
    return keys


def read_certificate(text: bytes) -> dict[str, Any]:
    """Read a certificate; whatever could be read in two ways is refused."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs) or not all(name.isascii() for name in found):
            raise Unreadable("a member of the certificate stands there twice or is not ASCII")
        return found

    def whole(number: str) -> int:
        if not re.fullmatch(r"0|-?[1-9][0-9]{0,15}", number) or abs(int(number)) > GREATEST:
            raise Unreadable("a number of the certificate is not an exact whole number")
        return int(number)

    def never(_: str) -> float:
        raise Unreadable("a number of the certificate is not a whole number")

    if len(text) > MOST:
        raise Unreadable(f"the certificate has more than {MOST} bytes")
    read = json.loads(
        text.decode(),
        object_pairs_hook=once,
        parse_int=whole,
        parse_float=never,
        parse_constant=never,
    )
    if not isinstance(read, dict) or set(read) != MEMBERS:
        raise Unreadable("the certificate does not have the members statement, tree and proof")
    if not all(isinstance(one, dict) for one in read.values()):
        raise Unreadable("a member of the certificate is no object")
    if read["statement"].get("type") != TYPE:
        raise Unreadable(f"this is no {TYPE}; a newer program may read it")
    return read


def canonical(value: Any) -> bytes:
    """Write JSON as RFC 8785 does, for what ``read_certificate`` lets in."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def decoded(text: str) -> bytes:
    """Read base64 as it is written, in one way only; empty where it is not."""
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        return b""
    return raw if base64.b64encode(raw).decode() == text else b""


# -- What has to hold


def signature(certificate: dict[str, Any], keys: list[Key], found: Checkpoint) -> str:
    """Check that the certificate is signed by the log's own key, of that time."""
    proof = certificate["proof"]
    bare = {name: value for name, value in proof.items() if name != "signatureValue"}
    if proof.get("type") != "Ed25519Signature":
        raise Wrong("the certificate is not signed with Ed25519")
    named = [
        key
        for key in keys
        if key.method == proof.get("verificationMethod")
        and (key.kind, key.name) == (BY_LOG, found.origin)
    ]
    if not named:
        raise Wrong("the certificate is signed under no known key of the log")
    if not any(key.of_its_time(found.size) for key in named):
        raise Wrong("the key that signed the certificate was not in force at that size")
    value = str(proof.get("signatureValue", ""))
    raw = decoded(value.translate(str.maketrans("-_", "+/")) + "=" * (-len(value) % 4))
    named[0].verify(raw, canonical({**certificate, "proof": bare}), "the signature")
    return f"signed by {found.origin}, {proof.get('created')}"


def checkpoint(note: Any, keys: list[Key]) -> Checkpoint:
    """Read and verify the checkpoint: at least one line by a key of the log, of that time."""
    text, gap, lines = str(note).rpartition("\n\n")
    parts = text.split("\n")
    if not gap or len(parts) != 3 or not re.fullmatch(r"0|[1-9][0-9]{0,18}", parts[1]):  # noqa: PLR2004
        raise Wrong("the checkpoint is not a signed note of origin, size and root")
    origin, size, root = parts[0], int(parts[1]), decoded(parts[2])
    if len(root) != 32 or not lines.endswith("\n"):  # noqa: PLR2004
        raise Wrong("the checkpoint has no root of 32 bytes, or is cut off")
    logs, witnesses, other_time = [], {}, False
    for key, raw in signed_lines(lines, keys):
        at = verified(key, f"{text}\n", raw)
        if not key.of_its_time(size):
            other_time = True
        elif key.kind == BY_WITNESS:
            witnesses[key.name] = at
        elif key.name == origin:
            logs.append(key)
    if not logs:
        raise Wrong(
            "the key that signed the checkpoint was not in force at that size"
            if other_time
            else f"no known key of {origin} signed the checkpoint"
        )
    return Checkpoint(origin, size, root, tuple(logs), tuple(sorted(witnesses.items())))


def signed_lines(lines: str, keys: list[Key]) -> Iterator[tuple[Key, bytes]]:
    """Give the signatures of known keys; those of others say nothing."""
    for line in lines.removesuffix("\n").split("\n"):
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        raw = decoded(encoded)
        if dash != "\u2014" or not name or len(raw) <= 4:  # noqa: PLR2004
            raise Wrong("a line of the checkpoint is no signature")
        for key in keys:
            if (key.name, key.id) == (name, raw[:4]):
                yield key, raw[4:]


def verified(key: Key, text: str, raw: bytes) -> int:
    """Return when a witness signed a checkpoint, zero for the log."""
    if key.kind == BY_LOG:
        key.verify(raw, text.encode(), "the checkpoint's signature")
        return 0
    at = int.from_bytes(raw[:8], "big")
    if at > LATEST:
        raise Wrong(f"the time of {key.name}'s cosignature is not one")
    said = f"cosignature/v1\ntime {at}\n{text}".encode()
    key.verify(raw[8:], said, "the checkpoint's cosignature")
    return at


def inclusion(certificate: dict[str, Any], found: Checkpoint) -> str:
    """Check that the statement is a record of the tree (RFC 9162 section 2.1.3.2)."""
    tree = certificate["tree"]
    index, proof = tree.get("index"), tree.get("proof")
    if type(index) is not int or not isinstance(proof, list) or not 0 <= index < found.size:
        raise Wrong("the tree of the checkpoint has no such record")
    if not all(isinstance(one, str) and re.fullmatch(r"[0-9a-f]{64}", one) for one in proof):
        raise Wrong("the proof is not made of hashes")
    at, last = index, found.size - 1
    computed = hashlib.sha256(b"\x00" + canonical(certificate["statement"])).digest()
    for sibling in map(bytes.fromhex, proof):
        if last == 0:
            raise Wrong("the proof is too long for the tree")
        if at & 1 or at == last:
            computed = hashlib.sha256(b"\x01" + sibling + computed).digest()
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            computed = hashlib.sha256(b"\x01" + computed + sibling).digest()
        at, last = at >> 1, last >> 1
    if last != 0 or computed != found.root:
        raise Wrong("the statement is not in the tree of the checkpoint")
    return f"record {index} of the {found.size} of {found.origin}"


def statement(said: dict[str, Any]) -> str:
    """Check that the statement has what it must and does not contradict itself."""
    try:
        contradiction = next(contradictions(said), None)
        states(said)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Wrong("the statement does not have what a certificate states") from None
    if contradiction:
        raise Wrong(contradiction)
    return f"{len(said['evidence'])} services were asked, each gave evidence, nothing is left"


def contradictions(said: dict[str, Any]) -> Iterator[str]:
    """Give what cannot be so."""
    times = {name: datetime.fromisoformat(at) for name, at in said["levels"].items()}
    after = min(times["irrecoverable"], times["gone"])
    if not times["fenced"] <= times["unreadable"] <= after:
        yield "the levels of erasure are not in their order"
    asked = said["manifest"]["services"]
    if sorted(asked) != sorted(one["service"] for one in said["evidence"]) or not asked:
        yield "not every service that was asked gave evidence"
    if any(left != 0 for left in (said["scan"]["residual"], *map(remaining, said["evidence"]))):
        yield "something was found that should be gone"
    if said["scan"]["planted"] < 1 or said["scan"]["planted"] != said["scan"]["found"]:
        yield "the scan missed a planted control, so it shows nothing"
    if (said["guarantees"]["key_provider"] == "file") != (
        said["guarantees"]["epochs_end"] == "unlinked"
    ):
        yield "more is claimed of the keys' end than their provider can show"


def remaining(evidence: dict[str, Any]) -> Any:
    """Return what a service neither erased nor keeps by an exemption."""
    return evidence["remaining"] or evidence["matched"] - evidence["erased"] - evidence["kept"]


def witnessed(found: Checkpoint, wanted: int) -> str:
    """Check that as many witnesses cosigned as the reader asks for."""
    if len(found.witnesses) < wanted:
        raise Wrong(f"{len(found.witnesses)} known witnesses cosigned, {wanted} were asked for")
    return ", ".join(f"{name}, {datetime.fromtimestamp(at, UTC)}" for name, at in found.witnesses)


# -- Saying it


def report(certificate: dict[str, Any], keys: list[Key], witnesses: int) -> bool:
    """Say what holds and what does not, one line each; return whether everything does."""
    results = []

    def check(name: str, work: Callable[[], str]) -> None:
        try:
            say("holds", name, work())
        except Wrong as fault:
            say("FAILS", name, str(fault))
            results.append(name)

    check("statement", lambda: statement(certificate["statement"]))
    try:
        found = checkpoint(certificate["tree"].get("checkpoint"), keys)
    except Wrong as fault:
        say("FAILS", "checkpoint", str(fault))
        say("unknown", "record", "without a checkpoint nothing can be said of the tree")
        say("unknown", "signature", "without a checkpoint its key's time is not known")
        return False
    say("holds", "checkpoint", f"size {found.size}, signed by {found.origin}")
    check("record", lambda: inclusion(certificate, found))
    check("signature", lambda: signature(certificate, keys, found))
    if found.witnesses or witnesses:
        check("witnesses", lambda: witnessed(found, witnesses))
    else:
        say(
            "unknown",
            "witnesses",
            "none known cosigned, so others may have been shown another tree",
        )
    return not results


def states(said: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return what the certificate states, once it holds."""
    lines = [
        ("states", name, str(said["levels"][name]))
        for name in ("fenced", "unreadable", "irrecoverable", "gone")
    ]
    lines += [
        ("states", "kept", f"{one['cls']}: {one['reason']}, looked at again on {one['review_at']}")
        for one in said.get("exemptions", ())
    ]
    lines += [heard(one) for one in said.get("processors", ())]
    lines += unseen(said.get("compaction", ()))
    if said["guarantees"]["key_provider"] == "file":
        lines.append(("weaker", "irrecoverable", WEAKER))
    return lines


def unseen(compaction: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Return of which partitions not every replica was seen; older certificates do not say."""
    brokers: dict[tuple[str, int], set[int]] = {}
    there: dict[tuple[str, int], int | None] = {}
    for one in compaction:
        place = one["topic"], one["partition"]
        brokers.setdefault(place, set()).add(one["broker"])
        there[place] = one.get("replicas")
    lines = []
    for (topic, number), many in sorted(there.items()):
        seen = len(brokers[topic, number])
        if many is None or seen < many:
            said = f"{seen} of {many or 'an unknown number of'} replicas seen"
            where = f"{topic}-{number}"
            lines.append(("weaker", "gone", f"{where}: {said}; of others nothing is shown"))
    return lines


def heard(one: dict[str, Any]) -> tuple[str, str, str]:
    """Return what is known of a processor: that it is listed, was told, or confirmed.

    Certificates that say ``awaited`` put down as told what was only listed.
    """
    who, state = one["processor"], one["state"]
    told = f"was told on {one['told_at']}, as staff attest"
    since = one.get("listed_at") or one["told_at"]
    sentences = {
        "completed": f"{who} confirmed on {one['completed_at']}",
        "attested": f"{who} confirmed on {one['completed_at']}, as staff attest",
        "told": f"{who} {told}; it has not confirmed",
    }
    unknown = f"{who} is listed since {since}; nobody says that it was told"
    return "states", "processor", sentences.get(state, unknown)


def printable(sentence: str) -> str:
    """Return a sentence that cannot steer a terminal, whatever a certificate holds."""
    return "".join(one if one.isascii() and one.isprintable() else "?" for one in sentence)


def say(what: str, name: str, sentence: str) -> None:
    """Print one line."""
    print(f"{what:8}{name}: {printable(sentence)}")


def main(arguments: list[str]) -> int:
    """Verify one certificate; return the exit status."""
    parser = argparse.ArgumentParser(description="Verify a certificate of erasure offline.")
    parser.add_argument("certificate", type=Path, help="the certificate, JSON")
    parser.add_argument("keys", type=Path, help="public keys that you trust, one a line")
    parser.add_argument("--witnesses", type=int, default=0, help="how many must have cosigned")
    given = parser.parse_args(arguments)
    try:
        certificate = read_certificate(given.certificate.read_bytes())
        keys = read_keys(given.keys.read_text(encoding="utf-8"))
        holds = report(certificate, keys, given.witnesses)
    except (OSError, ValueError, RecursionError, Unreadable) as fault:
        print(f"cannot be read: {fault}", file=sys.stderr)
        return 2
    for line in states(certificate["statement"]) if holds else ():
        say(*line)
    print("The certificate holds." if holds else "The certificate does NOT hold.")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
