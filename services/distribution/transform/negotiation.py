"""Which of the forms there are a reader wants: the Accept header (RFC 9110 section 12.5.1). Pure.

Of the ranges that a form falls under the most specific one says how much it is wanted. What is
wanted most is given; among equals what the reader named first, then what is listed first here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

_QUALITY: Final = re.compile(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")
_SPLIT: Final = re.compile(r',(?=(?:[^"]*"[^"]*")*[^"]*$)')
_PARAMETERS: Final = re.compile(r';(?=(?:[^"]*"[^"]*")*[^"]*$)')
LONGEST: Final = 4_096  # characters of a header that are looked at


@dataclass(frozen=True, slots=True)
class Range:
    """One media range of an Accept header: how much it is wanted, and its parameters."""

    name: str
    quality: float = 1.0
    parameters: Mapping[str, str] = field(default_factory=dict)

    def takes(self, media_type: str) -> int:
        """Return how specifically this range names a media type; 0: not at all."""
        if self.name == media_type:
            return 3
        if self.name.endswith("/*") and self.name != "*/*":
            return 2 if media_type.startswith(self.name[:-1]) else 0
        return 1 if self.name == "*/*" else 0


@dataclass(frozen=True, slots=True)
class Chosen:
    """The media type a reader gets, and what parameters it was asked for with."""

    media_type: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def choose(accept: str, offers: Sequence[str]) -> Chosen | None:
    """Return what of ``offers`` (best first) an Accept header wants most, None where nothing.

    A header that is absent or empty wants the first.
    """
    ranges = list(ranges_of(accept))
    if not ranges:
        return Chosen(offers[0]) if not accept.strip() else None
    ranked = []
    for offered, media_type in enumerate(offers):
        fitting = [
            (taken, -at, wanted)
            for at, wanted in enumerate(ranges)
            if (taken := wanted.takes(media_type))
        ]
        if fitting:
            _, order, wanted = max(fitting, key=lambda each: each[:2])
            ranked.append(((wanted.quality, order, -offered), media_type, wanted))
    if not ranked:
        return None
    (quality, *_), media_type, wanted = max(ranked, key=lambda each: each[0])
    return Chosen(media_type, wanted.parameters) if quality else None


def ranges_of(accept: str) -> Iterator[Range]:
    """Yield the media ranges of a header; one that is none is passed over."""
    for said in _SPLIT.split(accept[:LONGEST]):
        name, *parameters = _PARAMETERS.split(said)
        name = "".join(name.split()).lower()
        if not name or ("/" not in name and name != "*"):
            continue
        named = dict(_parameter(parameter) for parameter in parameters if parameter.strip())
        quality = named.pop("q", "1")
        yield Range(
            "*/*" if name == "*" else name,
            float(quality) if _QUALITY.fullmatch(quality) else 1.0,
            named,
        )


def _parameter(said: str) -> tuple[str, str]:
    """Return a parameter; blanks around its equals sign are let pass, as clients send them."""
    name, _, value = said.partition("=")
    return name.strip().lower(), value.strip().strip('"')
