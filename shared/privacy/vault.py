"""The border between personal data in memory and everything else: seal, and open again.

A sealed record is what states, events and stores hold. It names the person by a pseudonym, and its
values are ``pe1`` envelopes bound to schema, field and record. Opening is total: each field comes
back as its text or as why it cannot be read; a consumer never fails on what was erased.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from shared.events.personal import Sealed
from shared.privacy.envelope import ExpiredError, OpenKey, UnsealError, kid_of, open_text, seal_text
from shared.privacy.keyring import KeyRing, Lost, Restricted, Unopened
from shared.privacy.personal import PersonalData

T = TypeVar("T", bound=PersonalData)
Withheld = Literal["restricted", "gone"]


@dataclass(frozen=True, slots=True)
class Opened(Generic[T]):
    """What a sealed record holds, field by field; ``data`` where all of it can be read."""

    values: Mapping[str, str | Unopened]
    data: T | None

    @property
    def unopened(self) -> Unopened | None:
        """Why it cannot be read, if it cannot."""
        return next((one for one in self.values.values() if not isinstance(one, str)), None)

    @property
    def withheld(self) -> Withheld | None:
        """Why there is no ``data``: a hold keeps it from being read, or it is gone."""
        if self.data is not None:
            return None
        return "restricted" if isinstance(self.unopened, Restricted) else "gone"


async def seal(ring: KeyRing, data: PersonalData, *, person: str, unit: str, record: str) -> Sealed:
    """Encrypt a record of a person. Raises ``FencedError``, ``Transient``."""
    cls = data.retention_class()
    key = (await ring.sealing(person, cls, unit))[unit]
    values = {
        f"/{name}": seal_text(key, text, schema=data.schema_id, field=f"/{name}", record=record)
        for name, text in data.texts().items()
    }
    return Sealed(
        schema_id=data.schema_id, person=person, cls=cls, unit=unit, record=record, values=values
    )


async def reveal(
    ring: KeyRing, kind: type[T], sealed: Sequence[Sealed], *, to_person: bool = False
) -> list[Opened[T]]:
    """Decrypt records of one kind, in their order. Raises ``Transient`` only.

    ``to_person``: to answer what they asked, which a hold does not keep from (GDPR 12, 18).
    """
    kids = {kid_of(text) for one in sealed for text in one.values.values()}
    keys = await (ring.opening_for_access(kids) if to_person else ring.opening(kids))
    return [_opened(kind, one, keys) for one in sealed]


async def values_for_access(
    ring: KeyRing, sealed: Sequence[Sealed]
) -> list[Mapping[str, str | Unopened]]:
    """Decrypt records of any kind, field by field, in their order. Raises ``Transient`` only.

    For a package of what all services hold of a person, and for nothing else: a hold restricts
    what is done with their data, not their own access to them (GDPR 15, 18), so it is opened too.
    """
    keys = await ring.opening_for_access(
        {kid_of(text) for one in sealed for text in one.values.values()}
    )
    return [_values(one, keys) for one in sealed]


def _values(sealed: Sealed, keys: Mapping[str, OpenKey | Unopened]) -> dict[str, str | Unopened]:
    return {
        pointer.removeprefix("/"): _text(keys[kid_of(text)], text, sealed, pointer)
        for pointer, text in sealed.values.items()
    }


def _opened(kind: type[T], sealed: Sealed, keys: Mapping[str, OpenKey | Unopened]) -> Opened[T]:
    values = _values(sealed, keys)
    texts = {name: text for name, text in values.items() if isinstance(text, str)}
    whole = len(texts) == len(values)
    return Opened(values, kind.model_validate(texts) if whole else None)


def _text(key: OpenKey | Unopened, text: str, sealed: Sealed, pointer: str) -> str | Unopened:
    if not isinstance(key, OpenKey):
        return key
    try:
        return open_text(key, text, schema=sealed.schema_id, field=pointer, record=sealed.record)
    except ExpiredError:
        raise
    except UnsealError as fault:
        return Lost(str(fault))
