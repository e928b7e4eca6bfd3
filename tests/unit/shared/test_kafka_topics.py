"""Topics as data: what a declaration must have, and who may write."""

from datetime import timedelta
from pathlib import Path

import pytest

from shared.kafka.dead import dead_topic, groups, replay_topic
from shared.kafka.topics import NotTheWriter, declared, owned

HEAD = """
[defaults]
partitions = 6
replication = 1
config = { a = "1" }
[profiles.kept.config]
b = "2"
"""
ROW = '[[topic]]\nname = "x.y.v1"\nwriter = "x"\nkey = "k"\nprofile = "kept"\n'


def read(folder: Path, text: str) -> object:
    path = folder / "topics.toml"
    path.write_text(HEAD + text, encoding="utf-8")
    return declared(path)


def test_a_topic_takes_what_it_does_not_say_from_its_profile_and_the_defaults(
    tmp_path: Path,
) -> None:
    found = read(tmp_path, ROW + 'partitions = 12\nconfig = { b = "3" }\n')
    topic = found["x.y.v1"]  # type: ignore[index]
    assert (topic.partitions, topic.replication, topic.gate) == (12, 1, False)
    assert topic.config == {"a": "1", "b": "3"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ROW + ROW, "x.y.v1 is declared twice"),
        (ROW.replace('writer = "x"\n', ""), "topic x.y.v1 lacks 'writer'"),
        (ROW.replace("kept", "none"), "topic x.y.v1 lacks 'none'"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read(tmp_path, text)


def test_only_its_writer_may_write_a_topic_and_nobody_one_that_is_not_declared() -> None:
    assert owned("deposits.works.v1", by="deposits").partitions == 12
    with pytest.raises(NotTheWriter, match="its writer is deposits"):
        owned("deposits.works.v1", by="accounts")
    with pytest.raises(NotTheWriter, match="does not name it"):
        owned("deposits.else.v1", by="deposits")


def test_every_group_has_a_parking_place_and_a_way_back_of_one_writer() -> None:
    assert "distribution.projector" in groups()
    for group in groups():
        service = group.partition(".")[0]
        for topic in (dead_topic(group), replay_topic(group)):
            assert owned(topic, by=service).config["cleanup.policy"] == "compact,delete"


def test_a_topic_says_how_old_its_records_get() -> None:
    topics = declared()
    assert topics["accounts.applied.v1"].kept == timedelta(days=7)
    assert topics["accounts.orders.dead.v1"].kept == timedelta(days=30)  # compacted, too
    assert topics["accounts.personal.v1"].kept is None
