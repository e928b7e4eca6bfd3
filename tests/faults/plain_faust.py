"""Faust as its guides use it, and as this project does: one worker process over the same messages.

``python -m tests.faults.plain_faust SHAPE GROUP TOPIC ADDRESS FILE``: each message's value, a
number, is added to FILE once it is handled. Handling one in ``FAILING`` fails the first time it is
tried, as a store that is away for a moment would make it.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final

import faust

from shared.kafka.connection import parse
from shared.kafka.faust_edge import guarded_app

FAILING: Final = 2_000  # one in so many
BATCH: Final = 100
EX_SOFTWARE: Final = 70
Agent = Callable[[Any], Awaitable[None]]


class Kept:
    """What was handled, on disk before it is acknowledged."""

    def __init__(self, file: Path) -> None:
        self.file = file.open("ab", buffering=0)
        self.failed = file.with_suffix(".failed")
        self.failed.touch()
        self.before = set(self.failed.read_bytes().split())

    def write(self, said: Sequence[bytes]) -> None:
        """Handle messages; raises for some the first time."""
        for one in said:
            if int(one) % FAILING == FAILING - 1 and one not in self.before:
                self.before.add(one)
                with self.failed.open("ab") as failed:
                    failed.write(one + b"\n")
                raise ConnectionError("the store is away")
        self.file.write(b"".join(one + b"\n" for one in said))


def shapes(kept: Kept) -> dict[str, Agent]:  # noqa: C901  (four loops side by side)
    """Return the agents by the name of their loop."""

    async def events(stream: Any) -> None:
        async for event in stream.events():
            kept.write([event.value])

    async def take(stream: Any) -> None:
        async for said in stream.take(BATCH, within=0.1):
            kept.write(said)

    async def noack(stream: Any) -> None:
        async for event in stream.noack().events():
            kept.write([event.value])
            event.ack()

    async def guarded(stream: Any) -> None:
        async for batch in stream.noack().noack_take(BATCH, within=0.1):
            try:
                kept.write([event.value for event in batch])
            except ConnectionError:
                os._exit(EX_SOFTWARE)
            for event in batch:
                await stream.ack(event)

    return {"events": events, "take": take, "noack": noack, "guarded": guarded}


async def main(shape: str, group: str, topic: str, address: str, file: str) -> None:
    """Run until killed."""
    made: faust.App
    if shape == "guarded":
        made = guarded_app(group, address, member="one")
    else:
        made = faust.App(
            group,
            broker=f"kafka://{parse(address).servers}",
            autodiscover=False,
            topic_allow_declare=False,
            topic_disable_leader=True,
            web_enabled=False,
            broker_commit_interval=1.0,
            broker_session_timeout=10.0,
            consumer_group_instance_id="one",
            consumer_auto_offset_reset="earliest",
        )
    raw = {"key_serializer": "raw", "value_serializer": "raw"}
    channel = made.topic(topic, key_type=bytes, value_type=bytes, **raw)
    agent = shapes(Kept(Path(file)))[shape]
    made.agent(channel)(agent)
    await made.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
