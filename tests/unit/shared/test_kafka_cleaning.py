"""What is said of compaction: when to nudge, how far a cleaner came, what a log still holds."""

from pathlib import Path

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from shared.events import Outgoing
from shared.events.orders import KeptUnits
from shared.events.records import NUDGE_KEY, Nudge, from_record
from shared.kafka.compaction import CHECKPOINT, checkpoint
from shared.kafka.nudge import PersonalNudges, gone_within
from shared.kafka.residue import Key, Places, Sought, look_into_files
from shared.kafka.segments import CODECS, stored
from shared.kafka.topics import declared, partition_of
from shared.runtime.faults import Transient

TOPIC = "accounts.personal.v1"
ONE, TWO = "p" + "1" * 32, "p" + "2" * 32


def test_every_personal_topic_is_nudged_by_its_writer() -> None:
    for topic in declared().values():
        assert (topic.nudge is not None) == (topic.by_person or topic.audience is not None)


def test_what_was_published_is_nudged_until_the_tombstone_is_gone_too() -> None:
    nudges = PersonalNudges("accounts", every=30)
    key = f"{ONE}|account|details".encode()
    place = (TOPIC, partition_of(TOPIC, key))
    assert not nudges.due(0)
    nudges.published([Outgoing(TOPIC, key, None, ()), Outgoing("other.v1", b"k", b"", ())], 0)
    lasts = gone_within(declared()[TOPIC], 30)
    assert 2 * (600 + 30) + 86_400 <= lasts <= 25 * 3600
    assert not nudges.due(29)
    assert nudges.due(30) == [place]
    nudges.nudged([place], 30)
    assert not nudges.due(59)
    assert nudges.due(lasts - 1) == [place]
    assert not nudges.due(lasts + 1)


def test_a_new_writer_nudges_everything_for_it_does_not_know_what_was() -> None:
    nudges = PersonalNudges("consent")
    nudges.begun(0)
    due = nudges.due(30)
    assert len(due) == declared()["consent.personal.v1"].partitions
    for record in nudges.records(due, "2026-11-22T00:00:00Z"):
        assert record.key == NUDGE_KEY
        assert isinstance(from_record(record.key, record.value, record.headers), Nudge)


def test_a_service_without_personal_topics_nudges_nothing() -> None:
    nudges = PersonalNudges("deposits")
    nudges.begun(0)
    assert not nudges.due(1e9)


def test_how_far_a_cleaner_came_is_told_for_the_partition_alone(tmp_path: Path) -> None:
    for folder, lines in {
        "a": f"0\n2\n{TOPIC} 1 7\n{TOPIC}.x 2 9\n",
        "b": f"0\n2\n{TOPIC} 2 30\n{TOPIC} 1 99\n",  # 1 lay here before it moved
    }.items():
        (tmp_path / folder).mkdir()
        (tmp_path / folder / CHECKPOINT).write_text(lines)
    (tmp_path / "a" / f"{TOPIC}-1").mkdir()
    (tmp_path / "b" / f"{TOPIC}-2").mkdir()
    (tmp_path / "b" / f"{TOPIC}-3").mkdir()
    assert checkpoint(tmp_path, TOPIC, 1) == 7
    assert checkpoint(tmp_path, TOPIC, 2) == 30
    assert checkpoint(tmp_path, TOPIC, 3) is None
    assert checkpoint(tmp_path, TOPIC, 4) is None


def batch(codec: str, value: bytes) -> bytes:
    number = CODECS.index(codec)
    builder = DefaultRecordBatchBuilder(2, number, 0, -1, -1, 0, 1 << 20)
    builder.append(0, None, b"k", value + b" " * 500, [("h", b"v")])
    return bytes(builder.build())


def envelope(person: str, unit: str = "details") -> bytes:
    return f'{{"a":"pe1.{person}.account.{unit}.{"A" * 40}"}}'.encode()


@pytest.mark.law("P3")
@pytest.mark.parametrize("codec", CODECS)
def test_an_envelope_is_counted_in_every_codec_and_only_of_the_keys_that_are_meant(
    codec: str, tmp_path: Path
) -> None:
    folder = tmp_path / f"x.{TOPIC}-0"
    folder.mkdir()
    (folder / "0.log").write_bytes(batch(codec, envelope(ONE)) + batch(codec, envelope(TWO)))
    (folder / "1.log.deleted").write_bytes(batch(codec, envelope(ONE, "other")))
    (tmp_path / "y.topic-0").mkdir()
    (tmp_path / "y.topic-0" / "0.log").write_bytes(batch(codec, envelope(ONE)))
    whole = Sought.of([KeptUnits(keys_id=f"{ONE}.account")])
    found = look_into_files([tmp_path], whole, prefix="x.")
    assert found.found == {
        (Key(f"{ONE}.account", "details"), TOPIC, codec): 1,
        (Key(f"{ONE}.account", "other"), TOPIC, codec): 1,
    }
    assert found.records[TOPIC] == 3
    unit = Sought.of([KeptUnits(keys_id=f"{ONE}.account", units=("other",))])
    assert look_into_files([tmp_path], unit, prefix="x.").found.total() == 1


class Disturbed(Sought):
    """Keys that are looked for while a broker works on the same folder: at each find once more."""

    folder: Path
    done: int = 0

    def means(self, key: Key) -> bool:
        self.done += 1
        self.disturb()
        return key.keys_id == f"{ONE}.account"

    def disturb(self) -> None:
        (self.folder / f"{self.done:03}.log").write_bytes(batch("none", envelope(ONE, "later")))


class Cleaned(Disturbed):
    """The broker cleans what was not read yet: the same records stand in a file of another name."""

    def disturb(self) -> None:
        old, new = self.folder / "b.log", self.folder / "a.log.swap"
        if old.exists():
            new.write_bytes(old.read_bytes())
            old.unlink()


def disturbed(kind: type[Disturbed], folder: Path) -> Disturbed:
    found = kind({})
    found.folder = folder / f"x.{TOPIC}-0"
    found.folder.mkdir()
    (found.folder / "a.log").write_bytes(batch("none", envelope(ONE)))
    return found


@pytest.mark.law("P3")
def test_a_search_of_a_partition_that_is_written_to_all_the_time_ends(tmp_path: Path) -> None:
    found = look_into_files([tmp_path], disturbed(Disturbed, tmp_path), prefix="x.")
    assert found.found[Key(f"{ONE}.account", "details"), TOPIC, "none"] == 1


@pytest.mark.law("P3")
def test_what_a_broker_moves_to_another_file_while_it_is_searched_is_found(tmp_path: Path) -> None:
    cleaned = disturbed(Cleaned, tmp_path)
    (cleaned.folder / "b.log").write_bytes(batch("none", envelope(ONE, "moved")))
    found = look_into_files([tmp_path], cleaned, prefix="x.")
    assert found.found[Key(f"{ONE}.account", "moved"), TOPIC, "none"] == 1


def test_keys_that_are_named_twice_are_meant_as_widely_as_they_are_named() -> None:
    units = [KeptUnits(keys_id=f"{ONE}.account", units=(name,)) for name in "ab"]
    both = Sought.of(units)
    assert both.means(Key(f"{ONE}.account", "a"))
    assert both.means(Key(f"{ONE}.account", "b"))
    assert not both.means(Key(f"{ONE}.account", "c"))
    for order in (
        [*units, KeptUnits(keys_id=f"{ONE}.account")],
        [KeptUnits(keys_id=f"{ONE}.account"), *units],
    ):
        assert Sought.of(order).means(Key(f"{ONE}.account", "c"))
    assert not both.means(Key(f"{TWO}.account", "a"))


def test_several_envelopes_of_one_record_are_all_seen() -> None:
    places = Places(Sought.of([KeptUnits(keys_id=f"{ONE}.account")]))
    places.look("t", envelope(TWO) + envelope(ONE) + envelope(ONE))
    assert places.found.total() == 2


def test_a_half_written_batch_is_nothing_only_at_the_end_of_what_grows(tmp_path: Path) -> None:
    path = tmp_path / "0.log"
    path.write_bytes(batch("none", b"whole") + batch("lz4", b"half")[:-3])
    assert len(list(stored(path, growing=True))) == 1
    with pytest.raises(ValueError, match="whole batch"):
        list(stored(path, growing=False))
    broken = bytearray(batch("none", b"broken"))
    broken[-1] ^= 1
    path.write_bytes(bytes(broken))
    with pytest.raises(ValueError, match="checksum"):
        list(stored(path, growing=True))
    folder = tmp_path / f"{TOPIC}-0"
    folder.mkdir()
    path.rename(folder / "0.log")
    with pytest.raises(Transient, match="cannot be read"):
        look_into_files([tmp_path], Sought.of([]))
