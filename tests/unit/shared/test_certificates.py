"""Certificates verify offline with one public key, by a program that knows nothing of ours (P5)."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from html.parser import HTMLParser
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import AwareDatetime, ValidationError

from deploy.privacy.needles import ADDRESS
from deploy.verify import verify_certificate
from shared.privacy.certificates import (
    Certificate,
    InTree,
    NotCertified,
    Statement,
    as_json,
    issue,
    record,
)
from shared.privacy.certificates.page import as_page
from shared.privacy.certificates.shapes import Count, Digest, Impersonal, Word, words
from shared.privacy.certificates.statement import commitment
from shared.privacy.checkpoints import Checkpoint, KnownKey, NoteSigner, signed, write_keys
from shared.privacy.notes import BY_WITNESS, Note, NoteError
from shared.privacy.receipts import Signer
from shared.privacy.transparency import Frontier, Node, inclusion, leaf_hash
from tests.certifying import AT, KNOWN, a_statement, at

SCRIPT = Path(verify_certificate.__file__)
OLD = Path(__file__).resolve().parents[2] / "corpus" / "certificates"
ORIGIN = "colophon.example/tree"


@dataclass
class Issuer:
    """A log with one key, which signs its certificates too."""

    folder: Path

    def __post_init__(self) -> None:
        self.path = self.folder / "log.key"
        self.log = NoteSigner(self.path, ORIGIN)
        self.witness = NoteSigner(self.folder / "witness.key", "witness.example/w1", BY_WITNESS)
        self.keys = [KnownKey(self.log.verifier)]
        self.key_file = self.folder / "keys.txt"
        self.all_keys = [*self.keys, KnownKey(self.witness.verifier)]
        self.key_file.write_text(write_keys(self.keys))

    def tree(self, statement: Statement, *, index: int = 5, size: int = 11) -> InTree:
        """Put a statement among other records."""
        frontier, kept = Frontier(), dict[Node, bytes]()
        for number in range(size):
            leaf = record(statement) if number == index else b"%d" % number
            frontier, new = frontier.appended(leaf_hash(leaf))
            kept.update(new)
        checkpoint = Checkpoint(ORIGIN, size, frontier.root())
        note = signed(checkpoint, [self.log])
        note = note.with_lines(self.witness.sign(checkpoint, at=int(AT.timestamp())))
        proof = [one.hex() for one in inclusion(index, size).proof(kept)]
        return InTree(index=index, proof=tuple(proof), checkpoint=str(note))

    def issue(self, said: dict[str, Any], **tree: int) -> Certificate:
        statement = Statement.model_validate(said)
        return issue(
            statement,
            self.tree(statement, **tree),
            signer=Signer(self.path),
            keys=self.all_keys,
            known=KNOWN,
            created=AT + timedelta(hours=11),
        )

    def verify(self, text: bytes, *arguments: str) -> tuple[int, str]:
        """Run the program in this process."""
        file = self.folder / "certificate.json"
        file.write_bytes(text)
        return verify_certificate.main([str(file), str(self.key_file), *arguments]), file.name


@pytest.fixture(name="issuer", scope="module")
def an_issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return Issuer(tmp_path_factory.mktemp("issuer"))


@pytest.fixture(name="document", scope="module")
def a_document(issuer: Issuer) -> bytes:
    return as_json(issuer.issue(a_statement()))


def paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Give the way to each value that is not made of others."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for name, one in inner:
        if isinstance(one, dict | list):
            yield from paths(one, (*path, name))
        else:
            yield (*path, name)


def changed(document: bytes, path: tuple[str | int, ...], to: Any) -> bytes:
    read = json.loads(document)
    within = read
    for name in path[:-1]:
        within = within[name]
    within[path[-1]] = to
    return json.dumps(read).encode()


def other(value: Any) -> Any:
    match value:
        case int():
            return value + 1
        case None:
            return "retention.billing"
        case str():
            return ("0" if value[0] != "0" else "1") + value[1:]
    raise AssertionError(value)


@pytest.mark.law("P5")
def test_a_certificate_verifies_offline_with_one_public_key(
    issuer: Issuer, document: bytes, tmp_path: Path
) -> None:
    for name, content in (
        ("verify.py", SCRIPT.read_bytes()),
        ("certificate.json", document),
        ("keys.txt", f"{issuer.log.verifier}\n".encode()),
    ):
        (tmp_path / name).write_bytes(content)
    # Isolated, from a folder without the project: what it imports is Python's, and cryptography.
    ran = subprocess.run(
        [sys.executable, "-I", "verify.py", "certificate.json", "keys.txt"],
        cwd=tmp_path,
        env={},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    lines = ran.stdout.splitlines()
    assert lines[-1] == "The certificate holds."
    assert [line.split(":")[0] for line in lines if line.startswith("holds")] == [
        f"{'holds':8}{name}" for name in ("statement", "checkpoint", "record", "signature")
    ]
    assert any(line.startswith("unknown witnesses: none known") for line in lines)
    assert any(line.startswith("weaker  irrecoverable: the keys that wrapped") for line in lines)
    told = "act-on was told on 2026-11-02T12:09:00Z, as staff attest; it has not confirmed"
    assert f"states  processor: {told}" in lines


@pytest.mark.law("P5")
def test_the_program_that_verifies_needs_nothing_but_cryptography() -> None:
    nodes = list(ast.walk(ast.parse(SCRIPT.read_text())))
    named = [str(one.module) for one in nodes if isinstance(one, ast.ImportFrom)]
    named += [name.name for one in nodes if isinstance(one, ast.Import) for name in one.names]
    imported = {name.split(".")[0] for name in named}
    assert imported - set(sys.stdlib_module_names) == {"cryptography"}
    assert not imported & {"socket", "urllib", "http", "ssl"}  # it asks nobody


@pytest.mark.law("P5")
def test_no_field_of_a_certificate_can_be_changed(issuer: Issuer, document: bytes) -> None:
    read = json.loads(document)
    every = list(paths(read))
    assert len(every) > 60
    for path in every:
        value = read
        for name in path:
            value = value[name]
        code, _ = issuer.verify(changed(document, path, other(value)))
        assert code in {1, 2}, path


@pytest.mark.law("P5")
def test_no_field_of_a_certificate_can_be_taken_away_or_added(
    issuer: Issuer, document: bytes
) -> None:
    read = json.loads(document)
    for holder in ("statement", "tree", "proof"):
        for name in read[holder]:
            less = {**read, holder: {key: read[holder][key] for key in read[holder] if key != name}}
            assert issuer.verify(json.dumps(less).encode())[0] in {1, 2}, name
        more = {**read, holder: {**read[holder], "more": 1}}
        assert issuer.verify(json.dumps(more).encode())[0] == 1


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_bit_of_a_certificate_can_be_flipped(
    issuer: Issuer, document: bytes, data: st.DataObject
) -> None:
    flipped = bytearray(document)
    flipped[data.draw(st.integers(0, len(document) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    code, _ = issuer.verify(bytes(flipped))
    if code == 0:
        # The line of a witness that this reader does not know is outside of what counts, but the
        # certificate's own signature covers it: nothing may pass that is not the same JSON.
        assert json.loads(flipped) == json.loads(document)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", 2),
        (b"[]", 2),
        (b"\xff", 2),
        (b'{"statement":{},"tree":{},"proof":{}}', 2),
        (b'{"statement":{"type":"ErasureCertificate/2"},"tree":{},"proof":{}}', 2),
        (b'{"statement":{"type":"ErasureCertificate/1"},"tree":{},"proof":{}}', 1),
        (b'{"statement":{"type":"ErasureCertificate/1"},"tree":[],"proof":{}}', 2),
        (b'{"statement":{"type":"ErasureCertificate/1","n":1.0},"tree":{},"proof":{}}', 2),
        (b'{"statement":{"type":"ErasureCertificate/1","n":1,"n":1},"tree":{},"proof":{}}', 2),
        (b"[" * 100_000, 2),
    ],
    ids=count(),
)
def test_what_is_no_certificate_ends_with_a_sentence(
    issuer: Issuer, text: bytes, why: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert issuer.verify(text)[0] == why
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err
    assert said.err.startswith("cannot be read: ") == (why == 2)


def test_what_does_not_hold_is_said(
    issuer: Issuer, document: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    read = json.loads(document)
    hosts = [*paths(read)]
    assert ("tree", "checkpoint") in hosts
    wrong = {
        ("statement", "levels", "fenced"): "the levels of erasure are not in their order",
        ("statement", "scan", "found"): "missed a planted control",
        ("statement", "manifest", "services", 0): "not every service",
        ("statement", "evidence", 0, "remaining"): "should be gone",
        ("statement", "guarantees", "epochs_end"): "more is claimed",
        ("tree", "index"): "not in the tree",
        ("proof", "verificationMethod"): "no known key",
    }
    for path, sentence in wrong.items():
        to = {"fenced": at(9999), "index": 4}.get(str(path[-1]), "x" if path[-1] != "found" else 39)
        assert issuer.verify(changed(document, path, to))[0] == 1
        said = capsys.readouterr().out
        assert f"{'FAILS':8}" in said
        assert sentence in said, path
        assert said.endswith("The certificate does NOT hold.\n")


def test_a_terminal_is_not_steered_by_a_certificate() -> None:
    assert verify_certificate.printable("a\x1b[31mb\u202ec\n") == "a?[31mb?c?"


def test_witnesses_count_where_their_keys_are_known(
    issuer: Issuer, document: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    assert issuer.verify(document, "--witnesses", "1")[0] == 1
    assert "0 known witnesses cosigned, 1 were asked for" in capsys.readouterr().out
    issuer.key_file.write_text(write_keys(issuer.all_keys))
    try:
        assert issuer.verify(document, "--witnesses", "1")[0] == 0
    finally:
        issuer.key_file.write_text(write_keys(issuer.keys))
    assert "witness.example/w1, 2026-11-02 12:00:00+00:00" in capsys.readouterr().out


def test_a_false_cosignature_of_a_known_witness_voids_the_checkpoint(
    issuer: Issuer, document: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = json.loads(document)["tree"]
    checkpoint = Checkpoint.parse(Note.parse(tree["checkpoint"]).text)
    line = issuer.witness.sign(checkpoint, at=1)
    false = replace(line, signature=bytes([1]) + line.signature[1:])
    moved = replace(line, signature=bytes([0] * 7 + [2]) + line.signature[8:])
    issuer.key_file.write_text(write_keys(issuer.all_keys))
    try:
        for one, sentence in ((false, "is not one"), (moved, "cosignature does not hold")):
            note = str(signed(checkpoint, [issuer.log]).with_lines(one))
            assert issuer.verify(changed(document, ("tree", "checkpoint"), note))[0] == 1
            assert sentence in capsys.readouterr().out
    finally:
        issuer.key_file.write_text(write_keys(issuer.keys))


def test_a_retired_key_signs_no_certificate_of_a_later_tree(
    issuer: Issuer, document: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = NoteSigner(tmp_path / "new.key", ORIGIN)
    read = json.loads(document)
    checkpoint = Checkpoint.parse(Note.parse(read["tree"]["checkpoint"]).text)
    read["tree"]["checkpoint"] = str(signed(checkpoint, [new]))
    bare = {"statement": read["statement"], "tree": read["tree"]}
    keys = [KnownKey(issuer.log.verifier, 0, 10), KnownKey(new.verifier, 11)]
    issuer.key_file.write_text(write_keys(keys))
    try:
        for path, code in ((issuer.path, 1), (tmp_path / "new.key", 0)):
            certificate = Signer(path).signed(bare, created=at(700))
            assert issuer.verify(json.dumps(certificate).encode())[0] == code
            said = capsys.readouterr().out
            assert ("signed the certificate was not in force at that size" in said) == (code == 1)
    finally:
        issuer.key_file.write_text(write_keys(issuer.keys))


def test_an_old_certificate_verifies_under_the_key_of_its_time_and_a_later_one_does_not(
    issuer: Issuer, document: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = NoteSigner(tmp_path / "new.key", ORIGIN).verifier
    for last, code in ((11, 0), (10, 1)):
        known = [KnownKey(issuer.log.verifier, 0, last), KnownKey(new, last)]
        issuer.key_file.write_text(write_keys(known))
        try:
            assert issuer.verify(document)[0] == code
        finally:
            issuer.key_file.write_text(write_keys(issuer.keys))
    assert "not in force at that size" in capsys.readouterr().out


def test_keys_that_cannot_be_read_are_said(issuer: Issuer, document: bytes) -> None:
    for text in ("name", "name+00000000+AAAA", f"{issuer.log.verifier} x", "\xff"):
        issuer.key_file.write_text(text, encoding="latin-1")
        try:
            assert issuer.verify(document)[0] == 2
        finally:
            issuer.key_file.write_text(write_keys(issuer.keys))


# -- Nothing of a person


@pytest.mark.law("P5")
@pytest.mark.parametrize(
    "kind", [str, str | None, tuple[str, ...], dict[str, str], Any, object, bytes, list[str], float]
)
def test_a_field_that_could_hold_something_of_a_person_is_refused(kind: Any) -> None:
    with pytest.raises(TypeError, match="could hold something of a person"):
        type("Bad", (Impersonal,), {"__annotations__": {"field": kind}, "__module__": __name__})
    for good in (Digest, Word | None, Count, tuple[Word, ...], AwareDatetime, Statement):
        type("Good", (Impersonal,), {"__annotations__": {"field": good}, "__module__": __name__})


@pytest.mark.law("P5")
@pytest.mark.parametrize(
    "text", ["Jane Doe", "jane@example.org", "Gr\u00fcn", "a\nb", "", "x" * 81]
)
def test_no_field_takes_a_name_or_an_address(text: str) -> None:
    for path in paths(a_statement()):
        said: dict[str, Any] = json.loads(changed(json.dumps(a_statement()).encode(), path, text))
        with pytest.raises(ValidationError) as refused:
            Statement.model_validate(said)
        assert not text.strip() or text not in str(refused.value)


@pytest.mark.law("P5")
def test_a_word_that_is_none_of_the_system_s_is_not_certified(issuer: Issuer) -> None:
    assert set(words(Statement.model_validate(a_statement()))) == KNOWN
    for name, value in (("cls", "jane-doe"), ("rule", "jane.doe")):
        said = a_statement()
        said["exemptions"][0][name] = value
        with pytest.raises(NotCertified, match="look it up") as refused:
            issuer.issue(said)
        assert value not in str(refused.value)


@pytest.mark.law("P5")
def test_a_certificate_and_its_page_hold_no_pseudonym_and_no_address(
    issuer: Issuer, document: bytes
) -> None:
    page = as_page(issuer.issue(a_statement()))
    for text in (document.decode(), page):
        assert "p" + "0" * 32 not in text
        assert "p" + "1" * 32 not in text
        assert not ADDRESS.search(text)


def test_a_commitment_tells_nothing_without_its_salt() -> None:
    one, two = "p" + "0" * 32, "p" + "1" * 32
    assert commitment(b"s" * 16, [one, two]) == commitment(b"s" * 16, [two, one])
    assert commitment(b"s" * 16, [one]) != commitment(b"t" * 16, [one])
    with pytest.raises(ValueError, match="at least 16"):
        commitment(b"", [one])


# -- Nothing that is not so


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (("levels", "unreadable"), at(-1)),
        (("levels", "gone"), at(0)),
        (("levels", "irrecoverable"), at(0)),
        (("manifest", "services"), ["accounts"]),
        (("manifest", "services"), ["accounts", "deposits", "consent"]),
        (("manifest", "services"), []),
        (("evidence", 0, "result"), "could-not-look"),
        (("evidence", 0, "result"), "nothing-found"),
        (("evidence", 0, "remaining"), 1),
        (("evidence", 0, "erased"), 1),
        (("evidence", 1, "result"), "erased"),
        (("compaction",), []),
        (("compaction", 0, "cleaned"), 118_233),
        (("compaction", 0, "replicas"), 0),
        (("scan", "residual"), 1),
        (("scan", "found"), 39),
        (("scan", "planted"), 0),
        (("exemptions",), []),
        (("processors", 0, "state"), "completed"),
        (("processors", 0, "state"), "listed"),
        (("processors", 0, "state"), "awaited"),
        (("processors", 0, "told_at"), None),
        (("processors", 0, "listed_at"), None),
        (("processors", 0, "completed_at"), at(1)),
        (("policies",), []),
        (("guarantees", "epochs_end"), "attested"),
        (("guarantees", "key_provider"), "key-service"),
        (("cause",), "due-clock"),
        (("rule",), "retention.billing"),
        (("note",), "thanks"),
    ],
    ids=count(),
)
def test_a_statement_that_is_not_so_cannot_be_made(path: tuple[str | int, ...], to: Any) -> None:
    Statement.model_validate(a_statement())
    said = json.loads(changed(json.dumps(a_statement()).encode(), path, to))
    with pytest.raises(ValidationError):
        Statement.model_validate(said)


def test_nothing_is_signed_that_would_not_verify(issuer: Issuer, tmp_path: Path) -> None:
    statement = Statement.model_validate(a_statement())
    tree = issuer.tree(statement)
    ours, stranger = Signer(issuer.path), Signer(tmp_path / "other.key")

    def signed_by(signer: Signer, tree: InTree, keys: list[KnownKey]) -> Certificate:
        return issue(statement, tree, signer=signer, keys=keys, known=KNOWN, created=AT)

    moved = tree.model_copy(update={"index": 4})
    with pytest.raises(NotCertified, match="not in the tree"):
        signed_by(ours, moved, issuer.all_keys)
    with pytest.raises(NotCertified, match="the signer's key"):
        signed_by(stranger, tree, issuer.all_keys)
    with pytest.raises(NotCertified, match="a line of an unknown key"):
        signed_by(ours, tree, issuer.keys)
    with pytest.raises(NoteError, match="no known key"):
        signed_by(ours, tree, [])


def test_a_certificate_is_read_again_as_it_was_written(document: bytes) -> None:
    assert as_json(Certificate.model_validate_json(document)) == document


@pytest.mark.law("P5")
@pytest.mark.parametrize(
    ("said", "printed", "shown"),
    [
        (
            {"state": "listed"},
            "act-on is listed since 2026-11-02T12:00:00Z; nobody says that it was told",
            "listed; nobody says that it was told",
        ),
        (
            {"state": "told", "told_at": at(9)},
            "act-on was told on 2026-11-02T12:09:00Z, as staff attest; it has not confirmed",
            "told, as staff attest; it has not confirmed",
        ),
        (
            {"state": "attested", "completed_at": at(10)},
            "act-on confirmed on 2026-11-02T12:10:00Z, as staff attest",
            "has confirmed, as staff attest",
        ),
    ],
    ids=["listed", "told", "attested"],
)
def test_of_a_processor_no_more_is_said_than_somebody_attests(
    issuer: Issuer,
    capsys: pytest.CaptureFixture[str],
    said: dict[str, Any],
    printed: str,
    shown: str,
) -> None:
    one = {"processor": "act-on", "listed_at": at(0), **said}
    certificate = issuer.issue({**a_statement(), "processors": [one]})
    assert issuer.verify(as_json(certificate))[0] == 0
    assert f"processor: {printed}\n" in capsys.readouterr().out
    assert f"<td>{shown}</td>" in as_page(certificate)


@pytest.mark.law("P5")
def test_where_not_every_replica_was_seen_it_is_said_of_how_many(
    issuer: Issuer, document: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    assert issuer.verify(document)[0] == 0
    assert "replicas seen" not in capsys.readouterr().out  # of one, one
    said = a_statement()
    (first,) = said["compaction"]
    receipts = [{**first, "replicas": 3}, {**first, "broker": 2, "replicas": 3}]
    certificate = issuer.issue({**said, "compaction": receipts})
    assert issuer.verify(as_json(certificate))[0] == 0
    line = "weaker  gone: accounts.personal.v1-4: 2 of 3 replicas seen; of others nothing is shown"
    assert line in capsys.readouterr().out.splitlines()
    assert "partition 4: 2 of 3 replicas seen. Of others nothing is shown." in as_page(certificate)
    with pytest.raises(ValidationError, match="than there are"):
        Statement.model_validate({**said, "compaction": [first, {**first, "broker": 2}]})


@pytest.mark.law("P5")
def test_a_certificate_from_when_listed_passed_for_told_verifies_and_says_less_now(
    capsys: pytest.CaptureFixture[str],
) -> None:
    file, keys = OLD / "before-listed.json", OLD / "before-listed.keys.txt"
    assert verify_certificate.main([str(file), str(keys)]) == 0
    said = capsys.readouterr().out
    assert "act-on is listed since 2026-11-02T12:00:00Z; nobody says that it was told" in said
    assert "1 of an unknown number of replicas seen" in said
    read = Certificate.model_validate_json(file.read_bytes())
    # The page carries it, and a restored tree is searched for it: to the byte as it was signed.
    assert as_json(read) == file.read_bytes()
    assert "nobody says that it was told</td>" in as_page(read)


@pytest.mark.parametrize("index", [0, 6])
@pytest.mark.parametrize("size", [7, 8])
def test_a_certificate_verifies_wherever_it_stands_in_the_tree(
    issuer: Issuer, index: int, size: int
) -> None:
    assert issuer.verify(as_json(issuer.issue(a_statement(), index=index, size=size)))[0] == 0


def test_a_due_clock_s_certificate_names_its_rule(issuer: Issuer) -> None:
    said = {**a_statement(), "cause": "due-clock", "rule": "retention.billing"}
    certificate = issuer.issue(said)
    assert issuer.verify(as_json(certificate))[0] == 0
    assert "a clock of rule retention.billing" in as_page(certificate)


# -- The page


class Reader(HTMLParser):
    """Reads a page: its tags with their attributes, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.pre = ""
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.tags[-1:] == ["pre"]:
            self.pre += data.removesuffix("\n")


def test_the_page_says_what_the_certificate_does_and_carries_it(
    issuer: Issuer, document: bytes
) -> None:
    reader = Reader()
    reader.feed(as_page(issuer.issue(a_statement())))
    assert issuer.verify(reader.pre.encode())[0] == 0
    assert json.loads(reader.pre) == json.loads(document)
    for said in (
        "Fenced",
        "2026-11-02 12:15:00+00:00",
        "Weaker than it could be",
        "record 5 of 11",
    ):
        assert said in reader.text
    attested = a_statement()
    attested["guarantees"] |= {"key_provider": "key-service", "epochs_end": "attested"}
    assert "Weaker" not in as_page(issuer.issue(attested))


def test_the_page_fetches_nothing_runs_nothing_and_escapes_everything(issuer: Issuer) -> None:
    certificate = issuer.issue(a_statement())
    # No certificate can hold this; a page would show it all the same.
    evil = certificate.statement.evidence[0].model_copy(update={"service": "<script>&'\""})
    said = certificate.statement.model_copy(update={"evidence": (evil,), "rule": "<img src=x>"})
    page = as_page(certificate.model_copy(update={"statement": said}))
    reader = Reader()
    reader.feed(page)
    assert not {"script", "img", "link", "iframe", "form", "a"} & set(reader.tags)
    assert not {"src", "href", "onload", "onclick"} & set(reader.attributes)
    assert "<script>&'\"" in reader.text
    assert "default-src 'none'" in page
