"""What may become of the log's checkpoints and keys, and what its records say (law P5)."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.retention.model import log
from services.retention.model.audit import AUDITED, record, records, topics
from services.retention.model.log import Unfit
from shared.events import REGISTRY, Event, Meta, Received
from shared.events.consent import AccountsObeys
from shared.events.decisions import Accepted, Refused, Unchanged
from shared.events.retention import FencedUnit, KeyUnitDestroyed, KeyUnitFenced
from shared.events.tree import CheckpointState, LogKeysState
from shared.kafka.topics import declared
from shared.privacy.checkpoints import Checkpoint, KnownKey, NoteSigner, opened
from shared.privacy.notes import BY_WITNESS, Note, NoteError
from shared.privacy.receipts import canonical

AT = datetime(2026, 11, 2, 12, tzinfo=UTC)
ORIGIN = "log.test/retention"
SAID = Checkpoint(ORIGIN, 8, bytes(range(32)))


@pytest.fixture(name="signer")
def a_signer(tmp_path: Path) -> NoteSigner:
    return NoteSigner(tmp_path / "log.key", ORIGIN)


@pytest.fixture(name="witness")
def a_witness(tmp_path: Path) -> NoteSigner:
    return NoteSigner(tmp_path / "witness.key", "witness.test/w1", BY_WITNESS)


def made(decision: object) -> CheckpointState:
    assert isinstance(decision, Accepted)
    (event,) = decision.events
    assert event.model_dump() == decision.state.model_dump()
    state: CheckpointState = decision.state
    return state


def begun(signer: NoteSigner) -> LogKeysState:
    decision = log.first_keys(None, signer.verifier)
    assert isinstance(decision, Accepted)
    return decision.state


def test_of_a_size_the_log_signs_one_root_once(signer: NoteSigner) -> None:
    state = made(log.checkpoint(None, SAID, [signer], at=AT))
    assert opened(state.text, [KnownKey(signer.verifier)]).checkpoint == SAID
    assert log.checkpoint(state, SAID, [signer], at=AT) == Unchanged(state)
    other = Checkpoint(ORIGIN, 8, bytes(32))
    assert log.checkpoint(state, other, [signer], at=AT) == Refused(Unfit.OTHER_ROOT)


def test_a_checkpoint_only_gains_lines(
    signer: NoteSigner, witness: NoteSigner, tmp_path: Path
) -> None:
    state = made(log.checkpoint(None, SAID, [signer], at=AT))
    known = [KnownKey(witness.verifier)]
    seen = Note(SAID.text, (witness.sign(SAID, at=7),))
    cosigned = made(log.cosigned(state, seen, known))
    second = NoteSigner(tmp_path / "next.key", ORIGIN)
    both = made(log.checkpoint(cosigned, SAID, [second], at=AT))
    assert (both.version, both.signed_at) == (3, AT)
    found = opened(both.text, [*known, KnownKey(signer.verifier), KnownKey(second.verifier)])
    assert (len(found.by), len(found.witnesses)) == (2, 1)
    # One line of each witness: it may sign again and again, and the note stays as it is.
    again = Note(SAID.text, (witness.sign(SAID, at=8),))
    assert log.cosigned(both, again, known) == Unchanged(both)


def test_a_witness_line_is_taken_only_where_it_holds(
    signer: NoteSigner, witness: NoteSigner
) -> None:
    state = made(log.checkpoint(None, SAID, [signer], at=AT))
    line, known = witness.sign(SAID, at=7), [KnownKey(witness.verifier)]
    other = Checkpoint(ORIGIN, 8, bytes(32))
    for offered, witnesses, why in (
        (Note(other.text, (witness.sign(other, at=7),)), known, Unfit.OTHER_TEXT),
        (Note(SAID.text, (witness.sign(other, at=7),)), known, Unfit.BAD_LINE),
        (Note(SAID.text, (line,)), [], Unfit.NO_WITNESS),
        (Note(SAID.text, (signer.sign(SAID),)), known, Unfit.NO_WITNESS),
        (Note(SAID.text, (line,)), [KnownKey(witness.verifier, 9)], Unfit.BAD_LINE),
        (Note(SAID.text, (line,)), [KnownKey(witness.verifier, 0, 7)], Unfit.BAD_LINE),
    ):
        assert log.cosigned(state, offered, witnesses) == Refused(why)
    assert log.cosigned(None, Note(SAID.text, (line,)), known) == Refused(Unfit.UNKNOWN_CHECKPOINT)


def test_a_key_signs_no_greater_tree_than_that_at_which_it_was_changed(
    signer: NoteSigner, tmp_path: Path
) -> None:
    state = begun(signer)
    assert log.first_keys(state, signer.verifier) == Unchanged(state)
    assert log.in_force(state, signer.verifier)
    second = NoteSigner(tmp_path / "next.key", ORIGIN).verifier
    changed = log.next_key(state, second, size=8)
    assert isinstance(changed, Accepted)
    assert log.keys_of(changed.state) == [KnownKey(signer.verifier, 0, 8), KnownKey(second, 8)]
    assert log.in_force(changed.state, second)
    assert not log.in_force(changed.state, signer.verifier)
    # Said again after a crash it is the same change; a former key does not come back.
    assert log.next_key(changed.state, second, size=9) == Unchanged(changed.state)
    assert log.next_key(changed.state, signer.verifier, size=9) == Unchanged(changed.state)


def test_witnesses_have_keys_for_nothing_else(signer: NoteSigner, witness: NoteSigner) -> None:
    assert log.witnesses_of(f"{witness.verifier} 3\n") == [KnownKey(witness.verifier, 3)]
    with pytest.raises(NoteError, match="not a witness'"):
        log.witnesses_of(f"{signer.verifier}\n")


def received(event: Event) -> Received:
    return Received(
        event, Meta("0197a000-0000-7000-8000-000000000001", "/services/x", "2026-11-02T12:00:00Z")
    )


def test_a_record_says_what_and_when_and_nothing_that_could_be_guessed() -> None:
    fact = {"person": "p" + "0" * 32, "reason": "support"}
    made = record("accounts.account-accessed.v1", AT, fact)
    assert made == record("accounts.account-accessed.v1", AT, dict(reversed(fact.items())))
    assert made != record("accounts.account-accessed.v1", AT, fact | {"person": "p" + "1" * 32})
    assert b"p000" not in made
    assert b"support" not in made
    assert canonical({"type": "LogBegun/1", "origin": ORIGIN}) == log.begun(ORIGIN)


def test_each_key_that_is_gone_has_one_record_however_often_and_late_it_is_told() -> None:
    keys = "p5d41402abc4b2a76b9719d911017c592.account"
    first = FencedUnit(unit="a", fenced_at=AT, destroyed_at=AT)
    waiting = FencedUnit(unit="b", fenced_at=AT)
    told = {"keys_id": keys, "fence": "active"}
    one = records(received(KeyUnitDestroyed(**told, gone=(first,), version=3)))
    assert len(one) == 1
    # The next event of these keys says it again, so compaction may take the first.
    assert records(received(KeyUnitFenced(**told, gone=(first, waiting), version=4))) == one
    both = records(
        received(
            KeyUnitDestroyed(
                **told,
                gone=(first, waiting.model_copy(update={"destroyed_at": AT})),
                version=5,
            )
        )
    )
    assert both[0] == one[0]
    assert len(set(both)) == 2
    assert not any(keys.encode() in each for each in both)


def test_a_report_that_says_nothing_new_has_no_record() -> None:
    report = AccountsObeys(replica="r", since=AT, at=AT)
    assert records(received(report)) == []


def test_what_is_audited_is_declared() -> None:
    assert set(AUDITED) <= set(REGISTRY)
    assert set(topics()) <= set(declared())
    assert "retention.tree.v1" not in topics()  # or each record would make another
