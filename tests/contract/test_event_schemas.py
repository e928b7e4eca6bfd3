"""Events keep what they promised: golden schemas, topics, writers (design 1, streams.md 4.7)."""

import copy
import json
from collections.abc import Callable
from typing import Any, get_args

import pytest

from deploy import schemas
from shared.events import REGISTRY, Event, Scope, Setting
from shared.kafka.topics import NotTheWriter, declared, owned

Change = Callable[[dict[str, Any]], None]
KIND = "accounts.prefix-assigned.v1"


def test_every_event_is_described_as_it_was_promised_and_the_descriptions_are_up_to_date() -> None:
    assert schemas.differences() == []


def _set(path: str, value: Any) -> Change:
    def change(schema: dict[str, Any]) -> None:
        *way, last = path.split("/")
        for name in way:
            schema = schema[int(name)] if isinstance(schema, list) else schema[name]
        schema[last] = value

    return change


def _drop(path: str) -> Change:
    def change(schema: dict[str, Any]) -> None:
        *way, last = path.split("/")
        for name in way:
            schema = schema[name]
        del schema[last]

    return change


NARROWER: dict[str, Change] = {
    "a field removed": _drop("properties/owner_name"),
    "a field of a part removed": _drop("$defs/PreferenceFact/properties/actor"),
    "a new required field": lambda s: s["required"].append("setting"),
    "a new required field of a part": lambda s: s["$defs"]["PreferenceFact"]["required"].append(
        "x"
    ),
    "an enumeration's value removed": _set(
        "properties/setting/anyOf",
        [{"enum": ["closed", "open"], "type": "string"}, {"type": "null"}],
    ),
    "null no longer allowed": _set(
        "properties/setting/anyOf", [{"enum": ["closed", "limited", "open"], "type": "string"}]
    ),
    "another type": _set("properties/owner/type", "string"),
    "a greater least": _set("properties/version/minimum", 5),
    "a smaller most": _set("properties/owner/exclusiveMaximum", 1000),
    "a new bound": _set("properties/owner_name/maxLength", 5),
    "a new pattern": _set("properties/owner_name/pattern", "^x$"),
    "another pattern": _set("properties/prefix/pattern", "^10[.]1$"),
    "text becomes a date": _set("properties/owner_name/format", "date"),
    "another topic": _set("x-topic", "accounts.other.v1"),
    "another key": _set("x-key", "owner"),
}
WIDER: dict[str, Change] = {
    "a new optional field": _set("properties/note", {"type": "string", "default": ""}),
    "a required field becomes optional": lambda s: s["required"].remove("owner_name"),
    "a new value": _set(
        "properties/setting/anyOf",
        [{"enum": ["closed", "limited", "open", "x"], "type": "string"}, {"type": "null"}],
    ),
    "null allowed": _set(
        "properties/owner_name", {"anyOf": [{"type": "string"}, {"type": "null"}]}
    ),
    "a smaller least": _set("properties/version/minimum", 0),
    "a bound removed": _drop("properties/owner/exclusiveMaximum"),
    "other words": _set("properties/owner/description", "whose it is"),
}


@pytest.mark.parametrize("what", NARROWER)
def test_a_narrowing_within_v1_is_caught(what: str) -> None:
    golden = schemas.schema_of(KIND)
    changed = copy.deepcopy(golden)
    NARROWER[what](changed)
    assert schemas.narrowed(golden, changed), what


@pytest.mark.parametrize("what", WIDER)
def test_a_widening_within_v1_is_allowed(what: str) -> None:
    golden = schemas.schema_of(KIND)
    changed = copy.deepcopy(golden)
    WIDER[what](changed)
    assert schemas.narrowed(golden, changed) == [], what


def test_the_tool_names_what_was_narrowed_and_refuses_to_write_it_down(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schemas, "FOLDER", tmp_path)
    assert schemas.main(["check"]) == 1
    assert schemas.main(["write"]) == 0
    assert schemas.main(["check"]) == 0
    path = tmp_path / f"{KIND}.json"
    golden = json.loads(path.read_text())
    golden["properties"]["colour"] = {"type": "string"}
    path.write_text(json.dumps(golden))
    assert schemas.differences() == [f"{KIND}: colour was removed"]
    assert schemas.main(["write"]) == 1
    assert json.loads(path.read_text()) == golden
    (tmp_path / "accounts.gone.v1.json").write_text("{}")
    assert "no class makes any more" in " ".join(schemas.differences())


@pytest.mark.parametrize("kind", sorted(REGISTRY))
def test_every_event_has_its_topic_its_key_and_its_writer(kind: str) -> None:
    event = REGISTRY[kind]
    topic = declared()[event.topic]
    service = kind.partition(".")[0]
    assert event.type == kind
    assert topic.writer == service
    assert topic.key == event.key_field
    assert event.key_field in event.model_fields
    assert event.model_fields[event.key_field].is_required()
    assert owned(event.topic, by=service) is topic
    with pytest.raises(NotTheWriter, match=f"its writer is {service}"):
        owned(event.topic, by="console")
    assert event.__doc__


@pytest.mark.parametrize("kind", sorted(REGISTRY))
def test_state_events_of_compacted_topics_carry_a_version(kind: str) -> None:
    event = REGISTRY[kind]
    topic = declared()[event.topic]
    if topic.audience:  # products: the order of a key is its offset
        assert event.model_fields["work_version"].is_required()
    elif "compact" in topic.config["cleanup.policy"]:
        assert event.model_fields["version"].is_required()


def test_every_topic_that_is_no_parking_place_has_events_and_gate_topics_are_compacted() -> None:
    used = {event.topic for event in REGISTRY.values()}
    for topic in declared().values():
        parking = topic.name.endswith((".dead.v1", ".replay.v1"))
        assert parking or topic.name in used, topic.name
        assert topic.name.startswith(f"{topic.writer}.")
        if topic.gate:
            assert topic.config["cleanup.policy"] == "compact"


def test_a_second_event_of_the_same_type_is_refused() -> None:
    with pytest.raises(TypeError, match=r"two events are called accounts\.prefix-assigned\.v1"):
        type("PrefixAssigned", (Event,), {}, topic="accounts.prefixes.v1", key="prefix")


def test_the_words_of_the_policy_are_those_of_the_events() -> None:
    assert get_args(Setting) == ("closed", "limited", "open")
    assert set(get_args(Scope)) == {"deposit", "admin", "plus"}
