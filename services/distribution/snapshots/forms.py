"""The forms that a snapshot has: how the works of one file are written in each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from services.distribution.rest.render import Ownership, RegisteredWork, render_item
from shared.policy import ReferencesPolicy, Visible, Withheld


@dataclass(frozen=True, slots=True)
class Told:
    """A work as it goes into a snapshot: its record, its owner at the time, its citations."""

    record: RegisteredWork
    ownership: Ownership
    cited_by: int


Write = Callable[[Sequence[Told], Visible | Withheld, ReferencesPolicy], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Form:
    """One form: what its files are called, and how works are written into one."""

    name: str
    write: Write

    def entry(self, number: int) -> str:
        """Return the name of a file in the archive."""
        return f"{number}.{self.name}.gz"

    @property
    def file(self) -> str:
        """The name under which the archive is fetched."""
        return f"all.{self.name}.tar.gz"

    def stored(self, variant: str) -> str:
        """Return the name of the file that holds all members in a variant."""
        return f"{self.name}.{variant}"


def as_json(
    works: Sequence[Told], visibility: Visible | Withheld, policy: ReferencesPolicy
) -> Iterator[bytes]:
    """Write works as one object with the list ``items``, as Crossref's public files have it."""
    yield b'{"items":['
    for number, told in enumerate(works):
        if number:
            yield b","
        yield orjson.dumps(_item(told, visibility, policy))
    yield b"]}"


def _item(
    told: Told, visibility: Visible | Withheld, policy: ReferencesPolicy
) -> Mapping[str, Any]:
    return render_item(
        told.record,
        told.ownership,
        cited_by=told.cited_by,
        visibility=visibility,
        policy=policy,
    )


FORMS: Final[Mapping[str, Form]] = {form.name: form for form in (Form("json", as_json),)}
