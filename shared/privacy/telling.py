"""What a service tells of somebody for their access package, because it stands in no topic.

Records of people travel as events, and a package reads those. Beside them a service knows dates and
purposes that nobody else is told of: mails that it was allowed to send, files that name somebody.
They are told in the answer to the package's order, sealed under the key of the order's own blind
indexes, which goes with the package.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, NamedTuple, Protocol

import orjson

from shared.privacy.erasing import Looking
from shared.privacy.personal import Personal, PersonalData

MOST: Final = 1_000  # rows of a kind, the newest: an answer is one record of a topic
Row = Mapping[str, Any]
ROWS = Annotated[str, Personal("erasure-request", ("people-requests",), source="system")]


class Rows(NamedTuple):
    """What is told of one kind: the newest rows, and how many older ones there are."""

    rows: Sequence[Row]
    older: int = 0


class Told(PersonalData, schema="retention.told.v1"):
    """What one service tells: JSON, by kind of thing."""

    told: ROWS

    @classmethod
    def of(cls, told: Mapping[str, Rows]) -> "Told":
        """Write it down."""
        said = {name: one._asdict() for name, one in told.items() if one.rows}
        return cls(told=orjson.dumps(said).decode())

    def read(self) -> dict[str, Rows]:
        """Return it."""
        return {name: Rows(**one) for name, one in orjson.loads(self.told).items()}


class Tells(Protocol):
    """What a service adds to its answer for a package."""

    async def told(self, looking: Looking) -> Mapping[str, Rows]:
        """Return rows by kind, the newest first, of what was found. Raises ``Transient``."""
        ...


def newest(rows: Sequence[Row], by: str) -> Rows:
    """Return the newest rows by one of their fields, which holds a date."""
    every = sorted(rows, key=lambda one: str(one[by]), reverse=True)
    return Rows(every[:MOST], len(every[MOST:]))
