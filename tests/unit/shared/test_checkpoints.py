"""Checkpoints are C2SP notes that others read; each is verified under the key of its time."""

import base64
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.privacy.checkpoints import (
    Checkpoint,
    Cosigned,
    KnownKey,
    NoteSigner,
    may_cosign,
    opened,
    read_keys,
    signed,
    write_keys,
)
from shared.privacy.notes import BY_WITNESS, Line, Note, NoteError, VerifierKey, verified
from shared.privacy.receipts import Signer
from shared.privacy.transparency import EMPTY_ROOT, Frontier, Node, consistency, leaf_hash

# The note of golang.org/x/mod/sumdb/note, which the format comes from.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_SECRET = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKv"
    "qfqdngotpRZb6KE6RyyBwJnAM=\n"
)
# The note of c2sp.org/signed-note's test vector.
C2SP_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
C2SP_NOTE = (
    "This is an example message.\n\n\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXpp"
    "zi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
# A checkpoint of a public log, with two lines of its own and cosignatures of public witnesses.
PUBLIC = """arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

\u2014 arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMH\
bdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
\u2014 arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3Ny\
gNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
\u2014 remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sX\
Tynk5XeU/zZ0WBxtqB0DrAWfBw==
"""
PUBLIC_KEYS = (
    "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f\n"
    "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2\n"
)

ORIGIN = "colophon.example/tree"
AT = 1_700_000_000


@pytest.fixture(name="log")
def a_log(tmp_path: Path) -> NoteSigner:
    return NoteSigner(tmp_path / "log.key", ORIGIN)


@pytest.fixture(name="witness")
def a_witness(tmp_path: Path) -> NoteSigner:
    return NoteSigner(tmp_path / "witness.key", "witness.example/w1", BY_WITNESS)


def tree_of(size: int) -> tuple[Checkpoint, dict[Node, bytes]]:
    frontier, kept = Frontier(), dict[Node, bytes]()
    for number in range(size):
        frontier, new = frontier.appended(leaf_hash(b"%d" % number))
        kept.update(new)
    return Checkpoint(ORIGIN, size, frontier.root()), kept


def test_the_keys_and_notes_of_the_format_s_inventors_verify() -> None:
    for text, note in ((GO_KEY, GO_NOTE), (C2SP_KEY, C2SP_NOTE)):
        key, read = VerifierKey.parse(text), Note.parse(note)
        (line,) = read.lines
        assert str(key) == text
        assert str(read) == note
        assert (line.name, line.key_id) == (key.name, key.id)
        assert verified(key, read.text, line.signature) == 0
        with pytest.raises(NoteError, match="does not hold"):
            verified(key, read.text.replace("i", "I", 1), line.signature)


def test_the_name_and_id_of_a_key_are_those_that_its_inventors_give_it(tmp_path: Path) -> None:
    path = tmp_path / "go.key"
    path.write_text(base64.b64decode(GO_SECRET)[1:].hex())
    path.chmod(0o600)
    assert str(NoteSigner(path, "PeterNeumann").verifier) == GO_KEY


def test_a_checkpoint_of_a_public_log_verifies_with_its_witness() -> None:
    found = opened(PUBLIC, read_keys(PUBLIC_KEYS))
    assert found.checkpoint.size == 1_432_088_532
    assert [str(key) for key in found.by] == PUBLIC_KEYS.splitlines()[:1]
    assert found.witnesses == (Cosigned("remora.n621.de", 0x6A122120),)
    with pytest.raises(NoteError, match="does not hold"):
        opened(PUBLIC.replace("1432088532", "1432088533"), read_keys(PUBLIC_KEYS))


def test_what_a_log_signs_is_read_again(log: NoteSigner) -> None:
    for size in (0, 1, 64):
        checkpoint, _ = tree_of(size)
        note = str(signed(checkpoint, [log]))
        found = opened(note, [KnownKey(log.verifier)])
        assert found.checkpoint == checkpoint
        assert found.by == (log.verifier,)
        assert found.witnesses == ()
    assert str(Checkpoint(ORIGIN, 0, EMPTY_ROOT).text).startswith(f"{ORIGIN}\n0\n47DEQpj8HBSa")


@given(data=st.data())
def test_no_changed_character_of_a_checkpoint_is_taken_for_the_same(data: st.DataObject) -> None:
    keys = read_keys(PUBLIC_KEYS)
    at = data.draw(st.integers(0, len(PUBLIC) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda one: one != PUBLIC[at]))
    changed = PUBLIC[:at] + other + PUBLIC[at + 1 :]
    try:
        found = opened(changed, keys)
    except NoteError:
        return
    # Only a line that no known key signed may be another one, or a known one become unknown.
    assert Note.parse(changed).text == Note.parse(PUBLIC).text
    assert found.by == opened(PUBLIC, keys).by


def test_a_witness_adds_its_line_and_says_when(log: NoteSigner, witness: NoteSigner) -> None:
    checkpoint, _ = tree_of(5)
    note = signed(checkpoint, [log])
    both = str(note.with_lines(witness.sign(checkpoint, at=AT)))
    known = [KnownKey(log.verifier), KnownKey(witness.verifier)]
    assert opened(both, known).witnesses == (Cosigned("witness.example/w1", AT),)
    assert opened(both, known[:1]).witnesses == ()  # unknown to this reader, and so without weight
    with pytest.raises(NoteError, match="no known key of"):
        opened(both, known[1:])  # a witness alone makes no checkpoint
    assert note.with_lines(*note.lines) == note


def test_a_witness_s_time_cannot_be_moved(log: NoteSigner, witness: NoteSigner) -> None:
    checkpoint, _ = tree_of(5)
    line = witness.sign(checkpoint, at=AT)
    later = (AT + 1).to_bytes(8, "big") + line.signature[8:]
    note = signed(checkpoint, [log]).with_lines(replace(line, signature=later))
    with pytest.raises(NoteError, match=r"witness\.example/w1 does not hold"):
        opened(str(note), [KnownKey(log.verifier), KnownKey(witness.verifier)])


def test_old_checkpoints_verify_under_the_key_of_their_time(tmp_path: Path) -> None:
    old, new = (NoteSigner(tmp_path / f"{name}.key", ORIGIN) for name in ("old", "new"))
    keys = [KnownKey(old.verifier, 0, 10), KnownKey(new.verifier, 10)]
    early, change, late = (tree_of(size)[0] for size in (4, 10, 20))
    assert opened(str(signed(early, [old])), keys).by == (old.verifier,)
    assert opened(str(signed(change, [old, new])), keys).by == (old.verifier, new.verifier)
    assert opened(str(signed(late, [new])), keys).by == (new.verifier,)
    for wrong in (signed(late, [old]), signed(early, [new])):
        with pytest.raises(NoteError, match="not in force at size"):
            opened(str(wrong), keys)
    assert read_keys(write_keys(keys)) == keys


def test_a_line_of_an_unknown_key_says_nothing_and_a_false_one_of_a_known_key_voids_all(
    log: NoteSigner, tmp_path: Path
) -> None:
    checkpoint, _ = tree_of(3)
    stranger = NoteSigner(tmp_path / "stranger.key", ORIGIN)
    note = signed(checkpoint, [log, stranger])
    assert opened(str(note), [KnownKey(log.verifier)]).by == (log.verifier,)
    with pytest.raises(NoteError, match="no known key"):
        opened(str(signed(checkpoint, [stranger])), [KnownKey(log.verifier)])
    false = Line(ORIGIN, log.verifier.id, bytes(64))
    with pytest.raises(NoteError, match="does not hold"):
        opened(str(note.with_lines(false)), [KnownKey(log.verifier)])


def test_only_the_log_s_own_name_signs_its_checkpoints(log: NoteSigner, tmp_path: Path) -> None:
    checkpoint, _ = tree_of(3)
    other = NoteSigner(tmp_path / "other.key", "elsewhere.example/tree")
    with pytest.raises(NoteError, match="its own checkpoints"):
        signed(checkpoint, [other])
    with pytest.raises(NoteError, match="its own checkpoints"):
        signed(checkpoint, [])
    note = Note(checkpoint.text, (other.sign(checkpoint),))
    with pytest.raises(NoteError, match="no known key"):
        opened(str(note), [KnownKey(log.verifier), KnownKey(other.verifier)])


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text\n",
        "text\n\nno dash\n",
        "text\n\n\u2014 name\n",
        "text\n\n\u2014 name AAAA\n",
        "text\n\n\u2014 na+me AAAAAAAA\n",
        "text\n\n\u2014 name AAAAAAB=\n",  # base64 whose last bits are not zero
        "text\n\n\u2014 name AAAAAAAA",
        "te\txt\n\n\u2014 name AAAAAAAA\n",
        "\n\n\u2014 name AAAAAAAA\n",
        "text\n\n" + "\u2014 name AAAAAAAA\n" * 101,
        "text\n" * 20_000 + "\n\u2014 name AAAAAAAA\n",
    ],
    ids=count(),
)
def test_what_is_no_note_is_refused(note: str) -> None:
    with pytest.raises(NoteError):
        Note.parse(note)


@pytest.mark.parametrize(
    "text",
    [
        "origin\n1\n",
        "origin\n01\n" + "A" * 43 + "=\n",
        "origin\n-1\n" + "A" * 43 + "=\n",
        "origin\n\u0661\n" + "A" * 43 + "=\n",
        "origin\n1\nAAAA\n",
        "\n1\n" + "A" * 43 + "=\n",
        "two words\n1\n" + "A" * 43 + "=\n",
        "origin\n1\n" + "A" * 43 + "=\nan extension\n",
    ],
    ids=count(),
)
def test_what_is_no_checkpoint_is_refused_extension_lines_too(text: str) -> None:
    with pytest.raises(NoteError):
        Checkpoint.parse(text)


@pytest.mark.parametrize(
    "line",
    [
        "name",
        "name+00000000",
        C2SP_KEY.replace("530d903a", "530d903b"),
        C2SP_KEY.replace("example.com/foo", ""),
        C2SP_KEY + " first",
        C2SP_KEY + " 1 2 3",
        C2SP_KEY + " -1",
        C2SP_KEY.replace("Aeky", "AOky"),
    ],
)
def test_a_file_of_keys_that_cannot_be_read_names_the_line(line: str) -> None:
    with pytest.raises(NoteError, match="line 3"):
        read_keys(f"# the keys\n\n{line}\n")


def test_a_file_of_keys_may_hold_remarks() -> None:
    keys = read_keys(f"# those of the log\n{C2SP_KEY} 3 9 # until it was changed\n\n")
    assert keys == [KnownKey(VerifierKey.parse(C2SP_KEY), 3, 9)]


def test_a_receipt_s_signature_is_never_a_checkpoint_s(tmp_path: Path) -> None:
    path = tmp_path / "log.key"
    log, receipts = NoteSigner(path, ORIGIN), Signer(path)
    assert receipts.name.startswith("ed25519:")
    with pytest.raises(NoteError, match="brace"):
        NoteSigner(path, '{"a":1}')
    assert not tree_of(1)[0].text.startswith("{")
    assert log.verifier.name == ORIGIN


def test_a_witness_signs_only_what_continues_what_it_signed() -> None:
    (seen, _), (offered, kept) = tree_of(5), tree_of(9)
    proof = consistency(5, 9).proof(kept)
    assert may_cosign(None, seen, [])
    assert may_cosign(seen, offered, proof)
    assert may_cosign(seen, seen, [])
    assert not may_cosign(None, seen, proof)
    assert not may_cosign(offered, seen, [])  # the log went back
    assert not may_cosign(seen, offered, proof[:-1])
    assert not may_cosign(seen, replace(seen, root=EMPTY_ROOT), [])  # two trees of one size
    assert not may_cosign(seen, replace(offered, root=EMPTY_ROOT), proof)
    assert not may_cosign(seen, replace(offered, origin="elsewhere.example/tree"), proof)
