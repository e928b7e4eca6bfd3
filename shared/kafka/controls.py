"""Planting controls: records that a scan of the log must find, one batch for each codec."""

from collections.abc import Mapping
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared.kafka.connection import client
from shared.kafka.produce import stop
from shared.kafka.segments import CODECS
from shared.kafka.topics import owned
from shared.runtime.faults import Transient

# A client leaves a batch alone that does not get smaller: with this it does.
ROOM: Final = b" " * 2_000


async def plant(
    bootstrap: str, topic: str, texts: Mapping[str, str], *, service: str, prefix: str = ""
) -> None:
    """Write one text for each codec of ``CODECS`` to a topic of ``service``'s, compressed by it.

    Returns when all are acknowledged; raises ``Transient``.
    """
    name = prefix + owned(topic, by=service).name
    for codec in CODECS:
        producer = AIOKafkaProducer(
            **client(bootstrap),
            acks="all",
            compression_type=None if codec == CODECS[0] else codec,
            request_timeout_ms=15_000,
        )
        try:
            await producer.start()
            await producer.send_and_wait(name, texts[codec].encode() + ROOM, key=codec.encode())
        except (KafkaError, OSError) as fault:
            raise Transient(f"the broker did not take it: {type(fault).__name__}") from fault
        finally:
            await stop(producer)
