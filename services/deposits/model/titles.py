"""Titles: which one a record stands in, whether its depositor may, and what it adds to it.

A journal is known by its ISSNs. A book or proceedings is known by its ISBNs; its ISSN is that of
a series with many books, and counts where it has no ISBN. A title without identifiers is known by
its name among those of one organisation.
"""

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from services.deposits.crossref.submission import TitleClaim
from shared.events import TitleChanged, TitleRegistered, TitleState

ISSN_OWNED: Final = (
    'ISSN "{given}" has already been assigned, title/issn: {name}/{issn} is owned by publisher: '
    "{owner}"
)
ISBN_OWNED: Final = (
    'ISBN "{given}" has already been assigned, ISBN assigned to other title DOI: {doi}'
)
TITLE_OWNED: Final = 'Title "{name}" is owned by publisher: {owner}'
_DOI: Final = re.compile(r"10\.[0-9]{4,9}/.{1,2000}", re.DOTALL)
MOST_IDENTIFIERS: Final = 50  # of one title
NAME_LENGTH: Final = 1000


@dataclass(frozen=True, slots=True)
class KnownTitles:
    """The titles that a claim meets, by its keys; ``subjects`` also where no title came of it."""

    subjects: Mapping[str, str] = field(default_factory=dict)
    states: Mapping[str, TitleState] = field(default_factory=dict)

    def by(self, key: str) -> TitleState | None:
        """Return the title that a key belongs to."""
        return self.states.get(self.subjects.get(key, key))


@dataclass(frozen=True, slots=True)
class Entered:
    """A record stands in this title; where there is an ``event`` the title must be written first.

    ``reserve`` are keys to be taken for it before that.
    """

    title: TitleState
    event: TitleRegistered | TitleChanged | None = None
    reserve: tuple[str, ...] = ()
    advice: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """An identifier belongs to a title of another organisation."""

    rule: str
    msg: str
    title: TitleState


def keys_of(claim: TitleClaim) -> tuple[str, ...]:
    """Return the keys that a title is found by, ``issn:...`` or ``isbn:...``."""
    issns = tuple(f"issn:{issn}" for issn in claim.issns)
    isbns = tuple(f"isbn:{isbn_13(isbn)}" for isbn in claim.isbns)
    keys = issns if claim.kind == "journal" else isbns or issns
    return tuple(dict.fromkeys(keys))[:MOST_IDENTIFIERS]


def subject_of(claim: TitleClaim, *, organisation: int) -> str:
    """Return what a title is registered under when this claim registers it."""
    keys = keys_of(claim)
    if keys:
        return f"{claim.kind}:{keys[0].partition(':')[2]}"
    said = f"{organisation}\n{normalised(claim.name)}".encode()
    return f"{claim.kind}:{hashlib.sha256(said).hexdigest()[:20]}"


def normalised(name: str) -> str:
    """Return a name as names are compared: without case and with single spaces."""
    return " ".join(name.casefold().split())


def enter(
    claim: TitleClaim,
    known: KnownTitles,
    *,
    organisation: int,
    owner_prefix: str,
    prefixes: Collection[str],
) -> Entered | Taken:
    """Say which title a record stands in, for a depositor that owns ``prefixes``.

    The first deposit registers the title, owned by ``owner_prefix``. Later ones of the same
    organisation add identifiers; an identifier of another organisation's title is refused.
    """
    keys = keys_of(claim)
    for key in keys:
        held = known.by(key)
        if held is not None and held.owner_prefix not in prefixes:
            return _taken(key, held)
    subject = subject_of(claim, organisation=organisation)
    # Keys that were reserved for a title that never came lead to it.
    reserved = [known.subjects[key] for key in keys if key in known.subjects]
    title = next((held for key in keys if (held := known.by(key))), None)
    if title is None:
        subject = reserved[0] if reserved else subject
        title = known.states.get(subject)
    if title is None:
        free = tuple(key for key in keys if known.subjects.get(key, subject) == subject)
        return _registered(claim, subject, owner_prefix=owner_prefix, keys=free)
    if title.owner_prefix not in prefixes:
        return _taken(keys[0] if keys else "", title)
    return _joined(claim, title, [key for key in keys if _joins(key, title, known)])


def _joins(key: str, title: TitleState, known: KnownTitles) -> bool:
    return known.subjects.get(key, title.subject) == title.subject


def _registered(
    claim: TitleClaim, subject: str, *, owner_prefix: str, keys: tuple[str, ...]
) -> Entered:
    title = TitleState(
        subject=subject,
        name=claim.name[:NAME_LENGTH],
        issns=_of("issn", keys),
        isbns=_of("isbn", keys),
        doi=_doi(claim),
        owner_prefix=owner_prefix,
        version=1,
    )
    return Entered(title, TitleRegistered.model_construct(**dict(title)), reserve=keys)


def _joined(claim: TitleClaim, title: TitleState, keys: Sequence[str]) -> Entered:
    room = MOST_IDENTIFIERS - len(title.issns) - len(title.isbns)
    held = {f"issn:{one}" for one in title.issns} | {f"isbn:{one}" for one in title.isbns}
    new = tuple(key for key in keys if key not in held)[: max(room, 0)]
    doi = title.doi or _doi(claim)
    advice = _advice(claim, title)
    if not new and doi == title.doi:
        return Entered(title, advice=advice)
    changed = title.model_copy(
        update={
            "issns": (*title.issns, *_of("issn", new)),
            "isbns": (*title.isbns, *_of("isbn", new)),
            "doi": doi,
            "version": title.version + 1,
        }
    )
    return Entered(changed, TitleChanged.model_construct(**dict(changed)), new, advice)


def _advice(claim: TitleClaim, title: TitleState) -> tuple[Mapping[str, Any], ...]:
    found = []
    if normalised(claim.name[:NAME_LENGTH]) not in map(normalised, (title.name, *title.names)):
        found.append(
            {
                "rule": "title-differs",
                "msg": f"The title is registered as: {title.name} ({title.subject})",
                "remedy": "Deposit it by its registered name, or ask for the other name to be "
                "added.",
            }
        )
    if title.doi and claim.doi and claim.doi.lower() != title.doi:
        found.append(
            {
                "rule": "title-doi-differs",
                "msg": f"The title is registered with the DOI {title.doi}",
                "remedy": "Give the title the DOI it has.",
            }
        )
    return tuple(found)


def _taken(key: str, held: TitleState) -> Taken:
    kind, _, identifier = key.partition(":")
    given = identifier.replace("-", "")
    if not key:
        msg = TITLE_OWNED.format(name=held.name, owner=held.owner_prefix)
        return Taken("title-not-yours", msg, held)
    if kind == "isbn":
        msg = ISBN_OWNED.format(given=given, doi=held.doi or held.subject)
        return Taken("isbn-owned", msg, held)
    msg = ISSN_OWNED.format(given=given, name=held.name, issn=given, owner=held.owner_prefix)
    return Taken("issn-owned", msg, held)


def _doi(claim: TitleClaim) -> str | None:
    return claim.doi.lower() if _DOI.fullmatch(claim.doi) else None


def _of(kind: str, keys: Sequence[str]) -> tuple[str, ...]:
    return tuple(key.partition(":")[2] for key in keys if key.startswith(kind))


def isbn_13(isbn: str) -> str:
    """Return an ISBN as thirteen digits, so that both of its forms are one."""
    digits = isbn.replace("-", "").replace(" ", "").upper()
    if len(digits) != 10 or not digits[:9].isdigit():  # noqa: PLR2004  (the older form)
        return digits
    stem = "978" + digits[:9]
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(stem))
    return f"{stem}{-total % 10}"
