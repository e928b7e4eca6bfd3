"""Certificates of erasure: what was erased, when, shown by whom, and verifiable offline (P5).

A certificate is a statement, its place in the tree of records, and an Ed25519 signature over both
as canonical JSON (RFC 8785). It holds nothing of a person, not even a pseudonym: no field has a
form in which that could stand. ``deploy/verify/verify_certificate.py`` verifies it with the public
keys alone.
"""

from collections.abc import Container, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from shared.privacy.certificates.shapes import Count, Digest, Impersonal, Instant, Shape, words
from shared.privacy.certificates.statement import Statement
from shared.privacy.checkpoints import KnownKey, Opened, opened
from shared.privacy.notes import LONGEST, Note, VerifierKey
from shared.privacy.receipts import Signer, canonical
from shared.privacy.transparency import includes, leaf_hash

__all__ = ["Certificate", "InTree", "NotCertified", "Statement", "as_json", "issue", "record"]

_HOST: Final = r"[A-Za-z0-9._:/-]+"
_BASE64: Final = r"[A-Za-z0-9+/]+={0,2}"
_INSTANT: Final[TypeAdapter[datetime]] = TypeAdapter(AwareDatetime)

CheckpointNote = Annotated[
    str,
    Field(
        pattern=rf"^{_HOST}\n[0-9]{{1,19}}\n{_BASE64}\n\n(\u2014 {_HOST} {_BASE64}\n)+$",
        max_length=LONGEST,
        description="A C2SP checkpoint; names in it are those of a log and of witnesses.",
    ),
    Shape("checkpoint"),
]
KeyName = Annotated[str, Field(pattern=r"^ed25519:[0-9a-f]{16}$"), Shape("signature")]
SignatureValue = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{86}$"), Shape("signature")]


class NotCertified(ValueError):
    """No certificate was made, for it would not verify; the sentence says what is missing."""


class InTree(Impersonal):
    """Where the statement stands in the tree, and the proof that it does."""

    index: Count
    proof: tuple[Digest, ...]
    checkpoint: CheckpointNote


class Signature(Impersonal):
    """The signature over the statement and its place, as ``shared.privacy.receipts`` makes it."""

    type: Literal["Ed25519Signature"]
    created: Instant
    method: KeyName = Field(alias="verificationMethod")
    value: SignatureValue = Field(alias="signatureValue")


class Certificate(Impersonal):
    """A certificate of erasure."""

    statement: Statement
    tree: InTree
    proof: Signature


def record(statement: Statement) -> bytes:
    """Return the record of the tree that a statement is."""
    return canonical(_plain(statement))


def issue(
    statement: Statement,
    tree: InTree,
    *,
    signer: Signer,
    keys: Sequence[KnownKey],
    known: Container[str],
    created: datetime,
) -> Certificate:
    """Sign a certificate that verifies; raises ``NotCertified`` or ``NoteError`` where none would.

    ``known`` are the words of the system: services, topics, classes, rules, processors, policies
    and their versions. A word that is none of them could be somebody's name.
    """
    if any(word not in known for word in words(statement)):
        raise NotCertified("a word of the statement is not one of the system's; look it up first")
    checked = opened(tree.checkpoint, keys)
    ours = {(one.verifier.name, one.verifier.id) for one in keys}
    if any((line.name, line.key_id) not in ours for line in Note.parse(tree.checkpoint).lines):
        raise NotCertified("the checkpoint has a line of an unknown key, which could say anything")
    if not _holds(statement, tree, checked):
        raise NotCertified("the statement is not in the tree of its checkpoint; prove it again")
    if signer.name not in {method(key) for key in checked.by}:
        raise NotCertified("the signer's key is not the one that the log signs with at this size")
    said = {"statement": _plain(statement), "tree": _plain(tree)}
    at = _INSTANT.dump_python(created, mode="json")
    return Certificate.model_validate(signer.signed(said, created=at))


def as_json(certificate: Certificate) -> bytes:
    """Return a certificate as canonical JSON, to be kept and handed out as it is."""
    return canonical(_plain(certificate))


def method(key: VerifierKey) -> str:
    """Return what documents call a key (``Signer.name``)."""
    return f"ed25519:{sha256(key.raw).hexdigest()[:16]}"


def _holds(statement: Statement, tree: InTree, checked: Opened) -> bool:
    return includes(
        leaf_hash(record(statement)),
        tree.index,
        size=checked.checkpoint.size,
        proof=[bytes.fromhex(one) for one in tree.proof],
        root=checked.checkpoint.root,
    )


def _plain(model: Impersonal) -> dict[str, Any]:
    return model.model_dump(mode="json", by_alias=True)
