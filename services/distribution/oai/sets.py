"""Sets: ``J``, ``B`` and ``S``, in each the owners' prefixes, in each of those its titles.

``J`` holds what stands in journals, ``S`` whole series, ``B`` everything else: books, conferences,
dissertations, reports, datasets, posted content, reviews, grants. The second level is the prefix
of the work's owner, the third the title it stands in, named by a token of the title's own subject:
it stays the same whatever the title is called and whoever owns it. A work that stands in no title
has two levels: a set of its own would be GetRecord under another name.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.distribution.oai.faults import Fault
from services.distribution.rest.types import TYPE_LABELS
from services.distribution.search import Clause, OneOf, Term, standing

_IN_JOURNALS: Final = frozenset({"journal", "journal-volume", "journal-issue", "journal-article"})
_SERIES: Final = frozenset({"book-series", "book-set", "report-series", "proceedings-series"})

FAMILIES: Final[Mapping[str, frozenset[str]]] = {
    "J": _IN_JOURNALS,
    "B": frozenset(TYPE_LABELS) - _IN_JOURNALS - _SERIES,
    "S": _SERIES,
}
"""First level -> the types of its works: every type has one."""

NAMES: Final[Mapping[str, str]] = {
    "J": "Journals",
    "B": "Books, conferences, dissertations, reports, datasets and other works",
    "S": "Series",
}
_FAMILY: Final = {kind: letter for letter, kinds in FAMILIES.items() for kind in kinds}

_SPEC: Final = re.compile(r"[A-Za-z0-9\-_.!~*'()]+(?::[A-Za-z0-9\-_.!~*'()]+)*")
_ILLEGAL: Final = re.compile(rb"[^A-Za-z0-9\-_.!*'()]")  # the tilde is what escapes begin with
_ESCAPED: Final = re.compile(rb"~([0-9a-f]{2})")
_LEVELS: Final = 3


def token_of(title: str) -> str:
    """Return the token that names a title in a set: its subject, in the characters of a setSpec."""
    kind, _, rest = title.partition(":")
    legal = _ILLEGAL.sub(lambda found: b"~" + found[0].hex().encode(), rest.encode())
    return f"{kind}.{legal.decode()}"


def title_of(token: str) -> str | None:
    """Return the subject of the title that a token names, None where no title has it."""
    kind, dot, rest = token.partition(".")
    raw = _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), rest.encode())
    try:
        title = f"{kind}:{raw.decode()}"
    except UnicodeDecodeError:
        return None
    return title if dot and token_of(title) == token else None


def specs_of(kind: str, owner: str, title: str | None) -> tuple[str, ...]:
    """Return the sets that a work is in, from the widest on; a type nobody knows is in ``B``."""
    letter = _FAMILY.get(kind, "B")
    levels = (letter, f"{letter}:{owner}")
    return levels if title is None else (*levels, f"{letter}:{owner}:{token_of(title)}")


def clauses_of(spec: str) -> tuple[Clause, ...] | None:
    """Return what the works of a set have in common, None where there can be no such set.

    Raises ``Fault`` where the text is no setSpec at all.
    """
    if not _SPEC.fullmatch(spec):
        raise Fault("badArgument", "set is a setSpec: words between colons.")
    letter, *narrower = spec.split(":")
    kinds = FAMILIES.get(letter)
    if kinds is None or len(narrower) >= _LEVELS:
        return None
    family = OneOf(Term.TYPE, kinds)
    match narrower:
        case []:
            return (family,)
        case [owner]:
            return (family, OneOf(Term.OWNER, frozenset({owner})))
        case [owner, token]:
            title = title_of(token)
            held = None if title is None else standing(title, owner)
            return None if held is None else (family, OneOf(Term.STANDING, frozenset({held})))
    return None


@dataclass(frozen=True, slots=True)
class Set:
    """One set as it is listed."""

    spec: str
    name: str
