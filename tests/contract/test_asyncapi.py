"""The AsyncAPI document says what the topics hold: judged by its own schema and by real records."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from jsonschema import Draft7Validator

from deploy import asyncapi
from shared.events import NUDGE_KEY, REGISTRY, WATERMARK_KEY, Event, Meta, Outgoing, to_record
from shared.events.records import NUDGE_TYPE, WATERMARK_TYPE, nudge, watermark
from shared.kafka.dead import RESOLUTION, SHOWN
from shared.kafka.topics import declared
from tests.laws.events import any_events

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = json.loads(asyncapi.text())
CHANNELS = DOCUMENT["channels"]
MESSAGES = DOCUMENT["components"]["messages"]
META = Meta("id", "/services/one", "2026-01-01T00:00:00Z")
PARSER = """
const {Parser} = require('@asyncapi/parser');
new Parser().parse(require('fs').readFileSync(0, 'utf8')).then(({document, diagnostics}) =>
  console.log(JSON.stringify({read: !!document, said: diagnostics.map(d => d.message)})));
"""


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from nodes(one)


def found(pointer: str) -> Any:
    assert pointer.startswith("#/"), pointer
    at = DOCUMENT
    for word in pointer[2:].split("/"):
        at = at[word]
    return at


def allows(schema: Any, value: Any) -> bool:
    whole = {"components": DOCUMENT["components"], "allOf": [schema]}
    return bool(Draft7Validator(whole).is_valid(value))


def fits(name: str, record: Outgoing) -> bool:
    """Say whether a record is the message of this name: by headers, key and value."""
    said = MESSAGES[name]
    headers = {name: text.decode() for name, text in record.headers}
    return (
        allows(said["headers"], headers)
        and allows(said["bindings"]["kafka"]["key"], record.key.decode())
        and allows(said.get("payload", {}), orjson.loads(record.value or b"null"))
    )


def fitting(record: Outgoing) -> list[str]:
    return [name for name in CHANNELS[record.topic]["messages"] if fits(name, record)]


def test_every_topic_is_a_channel_as_it_is_declared() -> None:
    assert set(CHANNELS) == set(declared())
    for topic in declared().values():
        bound = CHANNELS[topic.name]["bindings"]["kafka"]
        assert (bound["partitions"], bound["replicas"]) == (topic.partitions, topic.replication)
        config = dict(bound["topicConfiguration"])
        assert ",".join(config.pop("cleanup.policy")) == topic.config["cleanup.policy"]
        assert {name: str(value) for name, value in config.items()} == {
            name: value for name, value in topic.config.items() if name != "cleanup.policy"
        }
        assert topic.key in CHANNELS[topic.name]["description"]


def test_every_event_is_a_message_of_its_topic_and_of_no_other() -> None:
    for kind, event in REGISTRY.items():
        on = [name for name, channel in CHANNELS.items() if kind in channel["messages"]]
        assert on == [event.topic], kind


def test_watermarks_stand_on_gate_topics_and_nudges_where_they_are_declared() -> None:
    for topic in declared().values():
        messages = CHANNELS[topic.name]["messages"]
        assert (WATERMARK_TYPE in messages) == topic.gate, topic.name
        assert (NUDGE_TYPE in messages) == (topic.nudge is not None), topic.name
        assert messages, topic.name


def test_a_topic_is_sent_to_by_its_writer_alone() -> None:
    sends = [one for one in DOCUMENT["operations"].values() if one["action"] == "send"]
    writers = {found(one["channel"]["$ref"])["address"]: one["tags"] for one in sends}
    assert writers == {one.name: [{"name": one.writer}] for one in declared().values()}


def test_the_page_for_indexers_states_the_bound_that_the_declarations_make() -> None:
    page = (ROOT / "docs" / "interfaces" / "topics.md").read_text(encoding="utf-8")
    products = [topic for topic in declared().values() if topic.audience]
    assert products
    for topic in products:
        assert f"`{topic.name}`" in page
        closed = min(int(topic.config[f"{one}.ms"]) for one in ("segment", "max.compaction.lag"))
        assert f"| `segment.ms` | {closed // 1000} s |" in page
        assert f"| `nudge` | {topic.nudge:g} s |" in page


def test_every_reference_resolves() -> None:
    references = [one["$ref"] for one in nodes(DOCUMENT) if isinstance(one.get("$ref"), str)]
    assert len(references) > len(REGISTRY)
    for one in references:
        assert found(one) is not None


@settings(max_examples=200, deadline=None)
@given(any_events())
def test_an_event_s_record_is_the_one_message_of_its_type(event: Event) -> None:
    record = to_record(event, META)
    assert fitting(record) == [event.type]
    odd = [(name, b"other" if name == "ce_type" else text) for name, text in record.headers]
    assert not fitting(Outgoing(record.topic, record.key, record.value, tuple(odd)))


def test_a_watermark_and_a_nudge_are_their_messages_under_their_reserved_keys_alone() -> None:
    at = "2026-01-01T00:00:00Z"
    for make, kind, key in (
        (watermark, WATERMARK_TYPE, WATERMARK_KEY),
        (nudge, NUDGE_TYPE, NUDGE_KEY),
    ):
        for topic in declared().values():
            if topic.gate if make is watermark else topic.nudge:
                record = make(topic.name, 0, at, source="/services/one")
                assert record.key == key
                assert fitting(record) == [kind]
                assert not fitting(Outgoing(topic.name, b"10.5555/a", b"{}", record.headers))


def test_what_may_be_shown_of_a_letter_is_described() -> None:
    letter, resolution = (MESSAGES[f"dead.{one}"]["headers"] for one in ("letter", "resolution"))
    assert {name for name in SHOWN if name.startswith("dead_")} <= set(letter["required"])
    assert RESOLUTION in resolution["required"]


def node(program: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["node", "-e", program],
        input=given,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_asyncapi_s_own_parser_finds_nothing_to_say() -> None:
    if shutil.which("node") is None:
        pytest.skip("node is not on the PATH")
    if node("require.resolve('@asyncapi/parser')").returncode != 0:
        pytest.skip("npm install --no-save @asyncapi/parser@3.6.3 was not done here")
    ran = node(PARSER, asyncapi.text())
    assert json.loads(ran.stdout) == {"read": True, "said": []}, ran.stderr
    ran = node(PARSER, asyncapi.text().replace('"action": "send"', '"action": "shout"', 1))
    assert json.loads(ran.stdout)["said"], "it finds a mistake"
