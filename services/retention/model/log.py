"""What may become of checkpoints and of the log's keys: decisions, pure.

The tree itself is ``shared.privacy.transparency``; here is what the log promises beyond it. A
checkpoint of a size is signed once, and only gains lines; a key signs only from its first size to
its last.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Final

from shared.events.decisions import Accepted, Refused, Unchanged, saying
from shared.events.tree import CheckpointSigned, CheckpointState, LogKeysChanged, LogKeysState
from shared.privacy.checkpoints import (
    Checkpoint,
    KnownKey,
    NoteSigner,
    read_keys,
    signed,
    write_keys,
)
from shared.privacy.notes import BY_WITNESS, Line, Note, NoteError, VerifierKey, verified
from shared.privacy.receipts import canonical

BEGUN: Final = "LogBegun/1"
KEYS: Final = "keys"  # the entry that the log's keys are


class Unfit(Enum):
    """Why the log does not do what it was asked for."""

    OTHER_ROOT = "of this size the log signed another root"
    NOT_IN_FORCE = "the key is not the one that the log signs with"
    UNKNOWN_CHECKPOINT = "there is no checkpoint of that size"
    OTHER_TEXT = "the log's checkpoint of that size says something else"
    NO_WITNESS = "no line is by a witness that is known here"
    BAD_LINE = "a line of a known witness does not hold"


def begun(origin: str) -> bytes:
    """Return the first record of a log: a tree of none could not be signed."""
    return canonical({"type": BEGUN, "origin": origin})


def leaf_entry(index: int) -> str:
    """Return what a leaf is called on the topic."""
    return f"leaf-{index}"


def checkpoint_entry(size: int) -> str:
    """Return what a checkpoint is called on the topic."""
    return f"checkpoint-{size}"


def checkpoint(
    known: CheckpointState | None,
    said: Checkpoint,
    signers: Sequence[NoteSigner],
    *,
    at: datetime,
) -> Accepted[CheckpointState] | Unchanged[CheckpointState] | Refused[Unfit]:
    """Decide to sign a checkpoint; where there is one of its size, to add who has not signed."""
    made = signed(said, signers)
    if known is None:
        return _kept(
            CheckpointState(
                entry=checkpoint_entry(said.size),
                size=said.size,
                text=str(made),
                signed_at=at,
                version=1,
            )
        )
    note = Note.parse(known.text)
    if note.text != made.text:
        return Refused(Unfit.OTHER_ROOT)
    return _with_lines(known, note, made.lines)


def cosigned(
    known: CheckpointState | None, offered: Note, witnesses: Sequence[KnownKey]
) -> Accepted[CheckpointState] | Unchanged[CheckpointState] | Refused[Unfit]:
    """Decide to attach witnesses' lines to a checkpoint; all that is offered must be good.

    The log's own lines, which a whole note brings along, are passed over.
    """
    if known is None:
        return Refused(Unfit.UNKNOWN_CHECKPOINT)
    note = Note.parse(known.text)
    if note.text != offered.text:
        return Refused(Unfit.OTHER_TEXT)
    theirs = {(one.verifier.name, one.verifier.id) for one in witnesses}
    lines = [line for line in offered.lines if (line.name, line.key_id) in theirs]
    if not lines:
        return Refused(Unfit.NO_WITNESS)
    held = {(line.name, line.key_id) for line in note.lines}
    fresh = [line for line in lines if (line.name, line.key_id) not in held]
    if not all(_holds(note, line, witnesses) for line in lines):
        return Refused(Unfit.BAD_LINE)
    return _with_lines(known, note, fresh)


def first_keys(
    known: LogKeysState | None, verifier: VerifierKey
) -> Accepted[LogKeysState] | Unchanged[LogKeysState]:
    """Decide on the keys of a log that begins."""
    if known is not None:
        return Unchanged(known)
    return _keys([KnownKey(verifier)], version=1)


def next_key(
    known: LogKeysState | None, verifier: VerifierKey, *, size: int
) -> Accepted[LogKeysState] | Unchanged[LogKeysState]:
    """Decide that another key signs from this size on; the one before signs no greater tree."""
    if known is None:
        return first_keys(known, verifier)
    keys = keys_of(known)
    if any(one.verifier == verifier for one in keys):
        return Unchanged(known)
    *before, last = keys
    ended = KnownKey(last.verifier, last.first, size)
    return _keys([*before, ended, KnownKey(verifier, size)], version=known.version + 1)


def keys_of(state: LogKeysState) -> list[KnownKey]:
    """Return the log's keys, the one in force last."""
    return read_keys("\n".join(state.keys))


def in_force(state: LogKeysState, verifier: VerifierKey) -> bool:
    """Whether this is the key that the log signs with."""
    last = keys_of(state)[-1]
    return last.verifier == verifier and last.last is None


def witnesses_of(text: str) -> list[KnownKey]:
    """Read the keys of witnesses; raises ``NoteError`` for a key that is none of a witness."""
    keys = read_keys(text)
    if any(one.verifier.kind != BY_WITNESS for one in keys):
        raise NoteError("the file of witnesses holds a key that is not a witness' (type 4)")
    return keys


def _holds(note: Note, line: Line, witnesses: Sequence[KnownKey]) -> bool:
    """Whether a witness' line holds, under a key that may sign this size."""
    size = Checkpoint.parse(note.text).size
    for known in witnesses:
        key = known.verifier
        if (key.name, key.id) == (line.name, line.key_id) and known.of_its_time(size):
            try:
                verified(key, note.text, line.signature)
            except NoteError:
                return False
            return True
    return False


def _with_lines(
    known: CheckpointState, note: Note, lines: Sequence[Line]
) -> Accepted[CheckpointState] | Unchanged[CheckpointState]:
    wider = note.with_lines(*lines)
    if wider == note:
        return Unchanged(known)
    return _kept(known.model_copy(update={"text": str(wider), "version": known.version + 1}))


def _kept(state: CheckpointState) -> Accepted[CheckpointState]:
    return Accepted(state, (saying(CheckpointSigned, state),))


def _keys(keys: Sequence[KnownKey], *, version: int) -> Accepted[LogKeysState]:
    lines = tuple(write_keys(keys).splitlines())
    state = LogKeysState(entry=KEYS, keys=lines, version=version)
    return Accepted(state, (saying(LogKeysChanged, state),))
