"""What the cluster is made of: its brokers, its topics, and where each partition lies."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, for_code

from shared.kafka.connection import client
from shared.runtime.faults import Transient


@dataclass(frozen=True, slots=True)
class Replicas:
    """The brokers that hold a partition, and the one that leads."""

    brokers: tuple[int, ...]
    leader: int


async def brokers(bootstrap: str) -> frozenset[int]:
    """Return the brokers of the cluster. Raises ``Transient``."""
    async with _asking(bootstrap) as admin:
        found = await admin.describe_cluster()
    return frozenset(int(one["node_id"]) for one in found["brokers"])


async def partitions(bootstrap: str, *, prefix: str = "") -> list[tuple[str, int]]:
    """Return every partition of topics whose names begin so; the broker's own are not among them.

    A topic that we may not read is not told. Raises ``Transient``.
    """
    async with _asking(bootstrap) as admin:
        found = await admin.describe_topics()
    return [
        (topic["topic"], one["partition"])
        for topic in found
        if topic["topic"].startswith(prefix) and not topic["is_internal"]
        for one in topic["partitions"]
    ]


async def replicas(bootstrap: str, topic: str, partition: int, *, prefix: str = "") -> Replicas:
    """Return where a partition lies. Raises ``Transient``."""
    async with _asking(bootstrap) as admin:
        (found,) = await admin.describe_topics([prefix + topic])
        if found["error_code"]:
            raise for_code(found["error_code"])
    for one in found["partitions"]:
        if one["partition"] == partition:
            return Replicas(tuple(one["replicas"]), one["leader"])
    raise ValueError(f"{topic} has no partition {partition}")


@contextlib.asynccontextmanager
async def _asking(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**client(bootstrap))
    try:
        await admin.start()
        yield admin
    except (KafkaError, OSError) as fault:
        raise Transient(f"the broker did not answer: {type(fault).__name__}") from fault
    finally:
        await admin.close()
