"""Planting controls: records that a scan of the log must find, one batch for each codec."""

from collections.abc import Mapping
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared.events import Meta, to_record
from shared.events.orders import ControlPlanted
from shared.kafka.connection import client
from shared.kafka.produce import stop
from shared.kafka.segments import CODECS
from shared.kafka.topics import owned
from shared.runtime.faults import Transient
from shared.runtime.ids import new_id

# A client leaves a batch alone that does not get smaller: with this it does.
ROOM: Final = " " * 2_000
SERVICE: Final = "retention"


async def plant(bootstrap: str, envelopes: Mapping[str, str], *, at: str, prefix: str = "") -> None:
    """Write one envelope for each codec of ``CODECS``, compressed by it; ``at`` is RFC 3339.

    Returns when all are acknowledged; raises ``Transient``.
    """
    name = prefix + owned(ControlPlanted.topic, by=SERVICE).name
    for codec in CODECS:
        event = ControlPlanted(control=codec, envelope=envelopes[codec], room=ROOM, version=1)
        record = to_record(event, Meta(new_id(), f"/services/{SERVICE}", at))
        producer = AIOKafkaProducer(
            **client(bootstrap),
            acks="all",
            compression_type=None if codec == CODECS[0] else codec,
            request_timeout_ms=15_000,
        )
        try:
            await producer.start()
            await producer.send_and_wait(
                name, record.value, key=record.key, headers=list(record.headers)
            )
        except (KafkaError, OSError) as fault:
            raise Transient(f"the broker did not take it: {type(fault).__name__}") from fault
        finally:
            await stop(producer)
