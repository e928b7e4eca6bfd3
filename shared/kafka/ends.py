"""Where topics end, for who reads them whole: up to here, and not for ever; and which there are."""

from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from shared.kafka.connection import client
from shared.kafka.follow import Place
from shared.kafka.produce import stop
from shared.kafka.topics import declared
from shared.runtime.faults import Transient


async def ends(bootstrap: str, topics: Sequence[str], *, prefix: str = "") -> dict[Place, int]:
    """Return the offset behind the last record readers may see, of each partition of ``topics``.

    What was committed before the call stands below. Raises ``Transient`` while the broker is away.
    """
    places = {
        TopicPartition(prefix + topic, partition): (topic, partition)
        for topic in topics
        for partition in range(declared()[topic].partitions)
    }
    consumer = AIOKafkaConsumer(
        **client(bootstrap),
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_committed",
        request_timeout_ms=15_000,
    )
    try:
        await consumer.start()
        consumer.assign(list(places))
        found = await consumer.end_offsets(list(places))
    except (KafkaError, OSError) as fault:
        raise Transient(f"the broker did not answer: {type(fault).__name__}") from fault
    finally:
        await stop(consumer)
    return {place: found[where] for where, place in places.items()}


async def missing(bootstrap: str, names: Sequence[str]) -> set[str]:
    """Return which of these topics the broker does not have, or shows to nobody here.

    Raises ``Transient`` while the broker is away.
    """
    consumer = AIOKafkaConsumer(**client(bootstrap), group_id=None, request_timeout_ms=15_000)
    try:
        await consumer.start()
        there: set[str] = await consumer.topics()
        return set(names) - there
    except (KafkaError, OSError) as fault:
        raise Transient(f"the broker did not answer: {type(fault).__name__}") from fault
    finally:
        await stop(consumer)


async def since(
    bootstrap: str, topics: Sequence[str], milliseconds: int, *, prefix: str = ""
) -> dict[Place, int]:
    """Return the offset of the first record the broker took at a time or later, of each partition.

    Where there is none it is the end. Raises ``Transient`` while the broker is away.
    """
    places = {
        TopicPartition(prefix + topic, partition): (topic, partition)
        for topic in topics
        for partition in range(declared()[topic].partitions)
    }
    consumer = AIOKafkaConsumer(
        **client(bootstrap),
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_committed",
        request_timeout_ms=15_000,
    )
    try:
        await consumer.start()
        consumer.assign(list(places))
        found = await consumer.offsets_for_times(dict.fromkeys(places, milliseconds))
        last = await consumer.end_offsets(list(places))
    except (KafkaError, OSError) as fault:
        raise Transient(f"the broker did not answer: {type(fault).__name__}") from fault
    finally:
        await stop(consumer)
    return {
        place: last[where] if found.get(where) is None else found[where].offset
        for where, place in places.items()
    }
