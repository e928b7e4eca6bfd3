"""Our records are CloudEvents: judged by the CloudEvents SDK, in both directions."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka, to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.events import Event, Meta, Received, Unknown, Unreadable, Watermark
from shared.events.records import from_record, to_record, watermark
from shared.runtime.clock import rfc3339
from shared.runtime.ids import new_id
from tests.laws.events import INSTANTS, any_events

WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)
METAS = st.builds(
    Meta,
    id=WORDS,
    source=WORDS.map("/services/{}".format),
    time=INSTANTS.map(rfc3339),
    causation=st.none() | WORDS,
    correlation=st.none() | WORDS,
)
LIGHT = settings(max_examples=100, deadline=None)


def read_by_the_sdk(key: bytes, value: bytes | None, headers: Any) -> Any:
    return from_kafka(KafkaMessage(dict(headers), key, value or b""), JSONFormat(), CloudEvent)


@LIGHT
@given(any_events(), METAS)
def test_the_sdk_reads_what_we_write(event: Event, meta: Meta) -> None:
    sent = to_record(event, meta)
    read = read_by_the_sdk(sent.key, sent.value, sent.headers)
    assert read.get_specversion() == "1.0"
    assert read.get_id() == meta.id
    assert read.get_source() == meta.source
    assert read.get_type() == event.type
    assert read.get_subject() == event.key
    assert read.get_time() == datetime.fromisoformat(meta.time)
    assert read.get_datacontenttype() == "application/json"
    assert read.get_extension("partitionkey") == event.key
    assert read.get_extension("causationid") == meta.causation
    assert read.get_extension("correlationid") == meta.correlation
    version = event.aggregate_version
    assert read.get_extension("aggregateversion") == (None if version is None else str(version))
    assert read.get_data() == orjson.loads(event.model_dump_json())


@LIGHT
@given(any_events(), METAS, st.sampled_from([to_binary, to_structured]))
def test_we_read_what_the_sdk_writes_in_either_mode(event: Event, meta: Meta, mode: Any) -> None:
    attributes = {
        "id": meta.id,
        "source": meta.source,
        "type": event.type,
        "time": datetime.fromisoformat(meta.time),
        "datacontenttype": "application/json",
        "subject": event.key,
    }
    extensions = {"causationid": meta.causation, "correlationid": meta.correlation}
    attributes |= {name: value for name, value in extensions.items() if value is not None}
    written = mode(CloudEvent(attributes, orjson.loads(event.model_dump_json())), JSONFormat())
    read = from_record(event.key.encode(), written.value, list(written.headers.items()))
    assert isinstance(read, Received), read
    assert read.event == event
    assert (read.meta.id, read.meta.source) == (meta.id, meta.source)
    assert (read.meta.causation, read.meta.correlation) == (meta.causation, meta.correlation)
    assert datetime.fromisoformat(read.meta.time) == datetime.fromisoformat(meta.time)
    other = from_record(b"another key", written.value, list(written.headers.items()))
    assert isinstance(other, Unreadable)


@LIGHT
@given(any_events(), METAS)
def test_what_we_write_we_read_back(event: Event, meta: Meta) -> None:
    sent = to_record(event, meta)
    assert from_record(sent.key, sent.value, sent.headers) == Received(event, meta)


def test_ids_are_uuids_that_sort_by_time_and_watermarks_are_cloudevents_too() -> None:
    ids = [new_id() for _ in range(3)]
    assert all(one[14] == "7" for one in ids)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    sent = watermark("accounts.prefixes.v1", 3, rfc3339(at), source="/services/accounts")
    read = read_by_the_sdk(sent.key, sent.value, sent.headers)
    assert read.get_type() == "gate.watermark.v1"
    assert from_record(sent.key, sent.value, sent.headers) == Watermark(at)


HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["ce_type", "ce_id", "ce_source", "ce_time", "content-type", "traceparent"])
        | st.text(max_size=5),
        st.none()
        | st.binary(max_size=12)
        | st.sampled_from(
            [
                b"accounts.prefix-assigned.v1",
                b"gate.watermark.v1",
                b"application/cloudevents+json",
                b"2026-01-01T00:00:00Z",
                b"2026-01-01",
                b"later",
            ]
        ),
    ),
    max_size=8,
)
VALUES = st.none() | st.binary(max_size=30) | st.sampled_from(
    [b"{}", b"[]", b"null", b'{"at":null}', b'{"id":1,"source":2,"type":[],"time":{},"data":1}',
     b'{"id":"1","source":"/","type":"accounts.prefix-assigned.v1","time":"x","data":{}}',
     b"[" * 2000, b'{"at":"2026-01-01T00:00:00"}']
)  # fmt: skip


@pytest.mark.law("L5")
@settings(max_examples=500, deadline=None)
@given(st.none() | st.binary(max_size=12), VALUES, HEADERS)
def test_reading_never_raises_whatever_a_record_holds(
    key: bytes | None, value: bytes | None, headers: Any
) -> None:
    read = from_record(key, value, headers)
    assert isinstance(read, Received | Watermark | Unknown | Unreadable)
    if isinstance(read, Watermark):
        assert read.at.tzinfo is not None


@LIGHT
@given(any_events(), METAS)
def test_a_reason_never_quotes_what_the_record_held(event: Event, meta: Meta) -> None:
    secret = "never-to-be-quoted"
    sent = to_record(event, meta)
    spoilt = orjson.dumps({name: {secret: secret} for name in orjson.loads(sent.value or b"{}")})
    read = from_record(sent.key, spoilt, sent.headers)
    assert isinstance(read, Unreadable)
    assert secret not in read.reason
