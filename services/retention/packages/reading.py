"""Reading all that topics hold of one person.

Values are opened with that person's keys alone: what stands there of others stays ciphertext, and
their pseudonyms and indexes are taken out. So a package cannot hold what is another's (law P8).
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import orjson

from shared.events import PersonalRecordState, Received, from_record
from shared.events.personal import Sealed
from shared.kafka.follow import read_whole
from shared.kafka.topics import Topic, declared, partition_of
from shared.privacy.keyring import Erased, KeyRing, Restricted, Unopened
from shared.privacy.vault import values_for_access

OTHER: Final = "(another person)"
# Who writes them holds nothing of people, or they only repeat what stands elsewhere.
_APART: Final = (".dead.v1", ".replay.v1", ".applied.v1", ".erasures.v1")
_NOT_ABOUT_PEOPLE: Final = frozenset(
    {"deposits.works.v1", "distribution.open.v1", "distribution.plus.v1", "retention.tree.v1"}
)
_NAMES: Final = re.compile(r"p[0-9a-f]{32}|bi[1-9][0-9]*\.[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Whose:
    """A person as services know them: their pseudonyms and the blind indexes of their addresses.

    ``keys`` are those of whole records that are about them and do not name them, by topic.
    """

    people: frozenset[str]
    subjects: frozenset[str]
    keys: Mapping[str, frozenset[bytes]] = field(default_factory=dict)

    @property
    def names(self) -> frozenset[str]:
        """Everything that is theirs among names."""
        return self.people | self.subjects


@dataclass(frozen=True, slots=True)
class Said:
    """One record about the person: where it stands, what it says, in clear where it is theirs."""

    topic: str
    partition: int
    offset: int
    time: str
    type: str
    key: str
    data: Mapping[str, Any]
    sealed: Sealed | None = None


@dataclass(slots=True)
class Reader:
    """Reads topics to their ends for one person; ``ends`` says how far, by topic and partition."""

    ring: KeyRing
    bootstrap: str
    prefix: str
    whose: Whose
    ends: dict[str, dict[str, int]]

    async def read(self) -> AsyncIterator[list[Said]]:
        """Give every record about the person, topic by topic, some at once. Raises ``Transient``.

        Others get their turn between: a long life is read for seconds.
        """
        places = {
            topic.name: self._partitions(topic)
            for topic in declared().values()
            if not topic.name.endswith(_APART) and topic.name not in _NOT_ABOUT_PEOPLE
        }
        pages = read_whole(self.bootstrap, places, prefix=self.prefix)
        async with contextlib.aclosing(pages):
            async for topic, records, ends in pages:
                known = self.ends.setdefault(topic, {})
                known |= {str(partition): end for partition, end in ends.items()}
                if said := await heard(self.ring, self.whose, topic, records):
                    yield said
                await asyncio.sleep(0)

    def _partitions(self, topic: Topic) -> Sequence[int]:
        if not topic.by_person:
            return range(topic.partitions)
        return sorted({partition_of(topic.name, one.encode()) for one in self.whose.people})


class Record(Protocol):
    """A record of a topic, as the broker's client gives it."""

    @property
    def partition(self) -> int:
        """Its partition."""
        ...

    @property
    def offset(self) -> int:
        """Its offset."""
        ...

    @property
    def key(self) -> bytes | None:
        """Its key."""
        ...

    @property
    def value(self) -> bytes | None:
        """Its value, None of a tombstone."""
        ...

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]:
        """Its headers."""
        ...


async def heard(ring: KeyRing, whose: Whose, topic: str, records: Sequence[Record]) -> list[Said]:
    """Return what records say of a person, in their order, opened by that person's keys alone."""
    names = [one.encode() for one in whose.names]
    keys = whose.keys.get(topic, frozenset())
    about = (
        one
        for one in records
        if one.key in keys
        or any(name in (one.key or b"") or name in (one.value or b"") for name in names)
    )
    told = [
        (one, said)
        for one in about
        if isinstance(said := from_record(one.key, one.value, one.headers), Received)
    ]
    own = {
        number: sealed
        for number, (_, said) in enumerate(told)
        if (sealed := _own(said, whose)) is not None
    }
    values = dict(zip(own, await values_for_access(ring, list(own.values())), strict=True))
    return [
        Said(
            topic,
            record.partition,
            record.offset,
            said.meta.time,
            said.event.type,
            redacted(said.event.key, whose),
            _shown(said, whose, values.get(number)),
            own.get(number),
        )
        for number, (record, said) in enumerate(told)
    ]


def redacted(value: Any, whose: Whose) -> Any:
    """Return a value without the names of others."""
    match value:
        case str():
            return _NAMES.sub(lambda found: found[0] if found[0] in whose.names else OTHER, value)
        case dict():
            return {name: redacted(one, whose) for name, one in value.items()}
        case list():
            return [redacted(one, whose) for one in value]
        case _:
            return value


def clear(value: str | Unopened) -> str | dict[str, str]:
    """Return a value, or why it cannot be read; never nothing."""
    match value:
        case str():
            return value
        case Erased(at):
            return {"erased": at.isoformat()}
        case Restricted():
            return {"restricted": "a hold keeps it from being read"}
        case _:
            return {"lost": "its key is not known"}


def _own(said: Received, whose: Whose) -> Sealed | None:
    event = said.event
    if isinstance(event, PersonalRecordState) and event.sealed.person in whose.people:
        return event.sealed
    return None


def _shown(
    said: Received, whose: Whose, values: Mapping[str, str | Unopened] | None
) -> Mapping[str, Any]:
    event = said.event
    if not isinstance(event, PersonalRecordState):
        return dict(redacted(orjson.loads(event.model_dump_json()), whose))
    if values is None:
        # It names the person's address and is kept under another's key: a colleague's record.
        return {"record": OTHER, "schema": event.sealed.schema_id}
    return {
        "schema": event.sealed.schema_id,
        "class": event.sealed.cls,
        "record": event.sealed.record,
        "values": {name: clear(one) for name, one in sorted(values.items())},
        "version": event.version,
    }
