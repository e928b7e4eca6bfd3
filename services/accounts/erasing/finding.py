"""How documents of somebody are found: by a blind index in them, or by a pseudonym they show."""

from typing import TypeVar

from shared.events.personal import Sealed, record_key
from shared.mongo import Aggregates
from shared.mongo.aggregates import Versioned
from shared.privacy.erasing import Key, Record, Whom

PERSONAL = "accounts.personal.v1"
S = TypeVar("S", bound=Versioned)


async def found(aggregates: Aggregates[S], whom: Whom, *, person: str = "person") -> list[S]:
    """Return the states in which somebody may stand, once each.

    ``person`` is the field that shows a document's pseudonyms. Raises ``Transient``.
    """
    kept = await aggregates.among(**{"subjects": whom.subjects, person: whom.pseudonyms})
    return list(kept.values())


def key_of(sealed: Sealed) -> Key:
    """Return what a record is encrypted under."""
    return Key(sealed.person, sealed.cls, sealed.unit)


def record_of(sealed: Sealed) -> Record:
    """Return where a record travels."""
    return Record(PERSONAL, record_key(sealed))


def looked_for(whom: Whom, sealed: Sealed, subjects: tuple[str, ...]) -> bool:
    """Say whether a record is looked for, exempt or not."""
    return whom.looks(sealed.person, sealed.cls, sealed.unit, subjects)


def meant(whom: Whom, sealed: Sealed, subjects: tuple[str, ...]) -> bool:
    """Say whether a record is to go."""
    return whom.means(sealed.person, sealed.cls, sealed.unit, subjects)
