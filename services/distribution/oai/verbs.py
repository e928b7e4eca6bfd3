"""The verbs, their arguments, and what is wrong with a question. Pure.

Two manners of asking: the protocol's own, to the letter, and that of the service many harvesters
were written for, where records come as ``cr_unixml`` if no format is named (crossref.md 4).
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from services.distribution.oai.faults import Fault

PREFIX: Final = "metadataPrefix"
TOKEN: Final = "resumptionToken"  # noqa: S105  (an argument's name)
LONGEST: Final = 8_000  # characters of one argument; the longest identifier stays below
_WRITABLE: Final = re.compile(r"[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")
_FORMAT: Final = re.compile(r"[A-Za-z0-9\-_.!~*'()]+")


@dataclass(frozen=True, slots=True)
class Verb:
    """Which arguments a verb takes; where ``resumed`` a token may stand alone in their place."""

    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    resumed: bool = False


_LIST: Final = Verb(frozenset({PREFIX}), frozenset({"from", "until", "set"}), resumed=True)
VERBS: Final[Mapping[str, Verb]] = {
    "Identify": Verb(),
    "ListMetadataFormats": Verb(optional=frozenset({"identifier"})),
    "ListSets": Verb(resumed=True),
    "ListIdentifiers": _LIST,
    "ListRecords": _LIST,
    "GetRecord": Verb(required=frozenset({"identifier", PREFIX})),
}


@dataclass(frozen=True, slots=True)
class Manner:
    """How a route is asked: arguments that stand for those that were left out."""

    defaults: Mapping[str, str] = field(default_factory=dict)


TO_THE_LETTER: Final = Manner()
AS_BEFORE: Final = Manner({PREFIX: "cr_unixml"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A verb and its arguments; ``said`` are those that the request named itself."""

    verb: str
    arguments: Mapping[str, str]
    said: Mapping[str, str]

    def get(self, name: str) -> str | None:
        """Return an argument, None where it was not given."""
        return self.arguments.get(name)


def read(pairs: Iterable[tuple[str, str]], manner: Manner = TO_THE_LETTER) -> Asked:
    """Return what a request asks; raises ``Fault`` badVerb or badArgument.

    An argument that is repeated is refused even where it says the same twice.
    """
    listed = list(pairs)
    times = Counter(name for name, _ in listed)
    given = dict(listed)
    verb = given.pop("verb", "")
    if times["verb"] > 1 or verb not in VERBS:
        raise Fault("badVerb", f"verb is one of {', '.join(VERBS)}, and given once.")
    takes = VERBS[verb]
    _refuse(sorted(name for name in given if times[name] > 1), "is given more than once")
    if takes.resumed and TOKEN in given:
        _refuse(sorted(given.keys() - {TOKEN}), "does not go with a resumptionToken")
        _refuse([] if _legal(TOKEN, given[TOKEN]) else [TOKEN], "is illegal")
        return Asked(verb, given, given)
    _refuse(sorted(given.keys() - takes.required - takes.optional), f"is nothing {verb} takes")
    _refuse(sorted(name for name, value in given.items() if not value), "is empty")
    _refuse(sorted(name for name, value in given.items() if len(value) > LONGEST), "is too long")
    _refuse(sorted(name for name, value in given.items() if not _legal(name, value)), "is illegal")
    stands_in = {
        name: value
        for name, value in manner.defaults.items()
        if name in takes.required and name not in given
    }
    whole = stands_in | given
    _refuse(sorted(takes.required - whole.keys()), "is missing")
    return Asked(verb, whole, given)


def _legal(name: str, value: str) -> bool:
    """Whether an answer can repeat a value; a format's name has letters of its own."""
    pattern = _FORMAT if name == PREFIX else _WRITABLE
    return pattern.fullmatch(value) is not None


def _refuse(names: list[str], why: str) -> None:
    """Refuse the first of these arguments; one that no verb has is not repeated to the sender."""
    if names:
        known = {one for verb in VERBS.values() for one in (*verb.required, *verb.optional, TOKEN)}
        name = names[0] if names[0] in known else "An argument"
        raise Fault("badArgument", f"{name} {why}.")
