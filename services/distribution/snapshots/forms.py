"""The forms that a snapshot has: how a work is written in each, and what stands around works."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

import orjson

from services.distribution.rest.render import Ownership, RegisteredWork, render_item
from services.distribution.transform.records.elements import writable
from services.distribution.transform.unixref import DECLARATION
from services.distribution.transform.unixsd import CLOSING, OPENING, described
from shared.policy import ReferencesPolicy, Visible, Withheld
from shared.runtime.log import get_log

log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """A work as it goes into a snapshot: its record, its owner at the time, its citations.

    ``refers`` is false where it says nothing that could be kept back.
    """

    record: RegisteredWork
    ownership: Ownership
    cited_by: int
    refers: bool


Write = Callable[[Told, Visible | Withheld, ReferencesPolicy], bytes]


@dataclass(frozen=True, slots=True)
class Form:
    """One form: how a work is written, and what stands before, between and after works."""

    name: str
    write: Write
    before: bytes
    between: bytes
    after: bytes

    def file_of(self, works: Iterable[bytes]) -> Iterator[bytes]:
        """Yield what a file with these works holds."""
        yield self.before
        for number, one in enumerate(works):
            if number:
                yield self.between
            yield one
        yield self.after

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


def _as_json(told: Told, visibility: Visible | Withheld, policy: ReferencesPolicy) -> bytes:
    """Write a work as lists of works have it."""
    return orjson.dumps(_rendered(told, visibility, policy))


def _as_xml(told: Told, visibility: Visible | Withheld, policy: ReferencesPolicy) -> bytes:
    """Write a work as one ``query`` of UNIXSD; one that has no such form is told by its DOI."""
    work = _rendered(told, visibility, policy)
    try:
        said = described(work, prefix_name=told.ownership.name)
    except (AttributeError, LookupError, TypeError, ValueError) as fault:
        # One work that cannot be written must not keep all others from being there.
        log.warning("work not in the snapshot as XML", reason=type(fault).__name__)
        said = f"<doi>{escape(writable(told.record.doi))}</doi>"
        return f'<query status="unresolved">{said}</query>'.encode()
    return f'<query status="resolved">{said}</query>'.encode()


def _rendered(
    told: Told, visibility: Visible | Withheld, policy: ReferencesPolicy
) -> Mapping[str, object]:
    return render_item(
        told.record,
        told.ownership,
        cited_by=told.cited_by,
        visibility=visibility,
        policy=policy,
    )


FORMS: Final[Mapping[str, Form]] = {
    form.name: form
    for form in (
        Form("json", _as_json, b'{"items":[', b",", b"]}"),
        Form("xml", _as_xml, f"{DECLARATION}{OPENING}".encode(), b"\n", CLOSING.encode()),
    )
}
"""As Crossref's files have them: an object with the list ``items``, and UNIXSD."""
