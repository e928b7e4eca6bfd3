#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = ["aiokafka[lz4]>=0.12"]
# ///
"""Keep a copy of a topic product and print it, one JSON line a work.

    python consumer.py --topic distribution.open.v1 --until-end
    KAFKA_PASSWORD=... python consumer.py --bootstrap broker.example:9092 --user indexer-78 \
        --topic distribution.plus.v1 --group indexer-78.copy --copy works.sqlite

It follows the topic and prints what changes; with --until-end it stops where the topic ended when
it began, and prints the whole copy. Without a group it reads from the start each time. With one it
goes on where the group stood, so keep the copy. The rules: docs/interfaces/topics.md.
"""

import argparse
import asyncio
import contextlib
import json
import os
import sqlite3
import ssl
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
)

KNOWN = {"distribution.open-work-published.v1", "distribution.plus-work-published.v1"}
Record = ConsumerRecord[bytes, bytes]

MAKE = """CREATE TABLE IF NOT EXISTS works
(doi TEXT PRIMARY KEY, position INTEGER NOT NULL, value BLOB) WITHOUT ROWID"""
# A key keeps its partition, so the offset orders its records: one that is read again changes
# nothing. What is removed stays as a row without a value, for the same reason.
WRITE = """INSERT INTO works VALUES (?, ?, ?) ON CONFLICT (doi) DO UPDATE
SET position = excluded.position, value = excluded.value WHERE excluded.position > position"""


class Copy:
    """The newest record of each key, in an SQLite file; any store with conditions will do."""

    def __init__(self, file: str) -> None:
        """Open the file, or make it."""
        self.store = sqlite3.connect(file)
        self.store.execute(MAKE)

    def apply(self, records: Iterable[Record]) -> list[str]:
        """Write a batch in one transaction and return its keys."""
        rows = {
            record.key.decode(): (record.offset, record.value)
            for record in records
            if tells_of_a_work(record)
        }
        with self.store:
            self.store.executemany(WRITE, [(doi, *row) for doi, row in rows.items()])
        return list(rows)

    def changed(self, dois: Iterable[str]) -> Iterator[dict[str, Any]]:
        """Yield what is printed of some keys."""
        for doi in dois:
            found = self.store.execute("SELECT value FROM works WHERE doi = ?", (doi,))
            (value,) = found.fetchone()
            yield {"doi": doi, "removed": True} if value is None else shown(value)

    def current(self) -> Iterator[dict[str, Any]]:
        """Yield what is printed of every work."""
        for (value,) in self.store.execute("SELECT value FROM works WHERE value IS NOT NULL"):
            yield shown(value)


def tells_of_a_work(record: Record) -> bool:
    """Say whether a record changes the copy: `__nudge` and types not known here do not."""
    if record.key is None or record.key.startswith(b"__"):
        return False
    return record.value is None or dict(record.headers).get("ce_type", b"").decode() in KNOWN


def shown(value: bytes) -> dict[str, Any]:
    """Return how many references a record shows, and why it shows none."""
    event = json.loads(value)
    return {
        "doi": event["doi"],
        "work_version": event["work_version"],
        "references": len(event["work"].get("reference", ())),
        "withheld": event["work"].get("references-withheld", {}).get("reason"),
    }


def tell(lines: Iterable[dict[str, Any]]) -> None:
    """Print JSON lines at once."""
    sys.stdout.writelines(json.dumps(line) + "\n" for line in lines)
    sys.stdout.flush()


async def follow(consumer: AIOKafkaConsumer, copy: Copy, *, group: bool, until_end: bool) -> None:
    """Write to the copy, then commit."""
    ends: dict[TopicPartition, int] = {}
    while True:
        batches = await consumer.getmany(timeout_ms=500, max_records=1000)
        changed = copy.apply(record for batch in batches.values() for record in batch)
        if group and batches:
            with contextlib.suppress(CommitFailedError):  # the group's next reader reads it again
                await consumer.commit()
        if not until_end:
            tell(copy.changed(changed))
            continue
        mine = consumer.assignment()
        ends |= await consumer.end_offsets(mine - ends.keys())
        if mine and all([await consumer.position(one) >= ends[one] for one in mine]):
            tell(copy.current())
            return


async def run(options: argparse.Namespace) -> None:
    """Open the topic from where the group stood, else from its start, and follow it."""
    secured = {
        "security_protocol": options.security,
        "ssl_context": ssl.create_default_context() if options.security == "SASL_SSL" else None,
        "sasl_mechanism": "SCRAM-SHA-256",
        "sasl_plain_username": options.user,
        "sasl_plain_password": os.environ.get("KAFKA_PASSWORD"),
    }
    consumer = AIOKafkaConsumer(
        options.topic,
        bootstrap_servers=options.bootstrap,
        group_id=options.group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        isolation_level="read_committed",
        **(secured if options.user else {}),
    )
    copy = Copy(options.copy)
    try:
        await consumer.start()
        await follow(consumer, copy, group=bool(options.group), until_end=options.until_end)
    except (TopicAuthorizationFailedError, GroupAuthorizationFailedError) as refused:
        sys.exit(f"the broker does not let us read that: {refused}")
    finally:
        await consumer.stop()


def main() -> None:
    """Read the command line."""
    said = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    said.add_argument("--bootstrap", default="127.0.0.1:9092")
    said.add_argument("--topic", required=True)
    said.add_argument("--group", help="begins with the user's name and a dot")
    said.add_argument("--copy", default=":memory:", help="an SQLite file; without: in memory")
    said.add_argument("--until-end", action="store_true")
    said.add_argument("--user", help="of a broker that asks; the password is in KAFKA_PASSWORD")
    said.add_argument("--security", default="SASL_SSL", choices=["SASL_SSL", "SASL_PLAINTEXT"])
    options = said.parse_args()
    if options.group and options.copy == ":memory:":
        said.error("with --group the copy must be kept: say --copy FILE")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run(options))


if __name__ == "__main__":
    main()
