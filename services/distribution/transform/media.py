"""The forms that a work is given in: media type -> how it is written (crossref.md 1.11)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from typing import Any, Final

import orjson

from services.distribution.transform.bibtex import bibtex
from services.distribution.transform.csl import csl_json
from services.distribution.transform.ris import ris
from services.distribution.transform.styles import LOCALE, STYLE
from services.distribution.transform.unixref import DECLARATION, doi_records
from services.distribution.transform.unixsd import unixsd
from services.distribution.transform.wording import Work


@dataclass(frozen=True, slots=True)
class Wish:
    """What a reader may ask for beside the form: the names of a style and of a locale."""

    style: str = STYLE
    locale: str = LOCALE


@dataclass(frozen=True, slots=True)
class Form:
    """A form: its writer, and its content type where that says more than the media type.

    ``formatted`` forms follow the wish. ``counts`` tells those with the number of citing works,
    which changes without a date. ``slow`` ones are written in a thread.
    """

    write: Callable[[Work, Wish], bytes]
    content_type: str = ""
    formatted: bool = False
    counts: bool = False
    slow: bool = False


def _text(write: Callable[[Work], str]) -> Callable[[Work, Wish], bytes]:
    return lambda work, _: write(work).encode()


@cache
def _loaded(name: str) -> Any:
    """Load a writer when it is first asked for, in a thread: its library takes long to load."""
    return import_module(f"services.distribution.transform.{name}")


def _cited(work: Work, wish: Wish) -> bytes:
    return f"{_loaded('formatted').citation(work, wish.style, wish.locale)}\n".encode()


def _xml(write: Callable[[Work], str]) -> Callable[[Work, Wish], bytes]:
    return lambda work, _: f"{DECLARATION}{write(work)}".encode()


def _sd(work: Work) -> str:
    # What the owner's prefix is called is what its owner is called.
    return unixsd(work, prefix_name=work.get("publisher"))


def _graph(form: str, content_type: str = "") -> Form:
    def write(work: Work, _: Wish) -> bytes:
        written: bytes = _loaded("rdf").rdf(work, form)
        return written

    return Form(write, content_type, slow=True)


_CSL: Final = Form(lambda work, _: orjson.dumps(csl_json(work)), counts=True)
_CITATION: Final = partial(Form, _cited, formatted=True, slow=True)
_REF: Final = Form(_xml(doi_records), slow=True)

FORMS: Final[Mapping[str, Form]] = {
    "application/vnd.citationstyles.csl+json": _CSL,
    "application/citeproc+json": _CSL,
    "application/json": _CSL,
    "application/x-bibtex": Form(_text(bibtex)),
    "application/x-research-info-systems": Form(_text(ris)),
    "text/x-bibliography": _CITATION("text/x-bibliography; charset=utf-8"),
    "text/bibliography": _CITATION("text/bibliography; charset=utf-8"),
    "text/plain": _CITATION("text/plain; charset=utf-8"),
    "application/rdf+xml": _graph("xml"),
    "text/turtle": _graph("turtle", "text/turtle; charset=utf-8"),
    "text/n-triples": _graph("nt", "text/n-triples; charset=utf-8"),
    "application/n-triples": _graph("nt"),
    "text/n3": _graph("n3", "text/n3; charset=utf-8"),
    "application/ld+json": _graph("json-ld"),
    "application/vnd.crossref.unixref+xml": _REF,
    "application/unixref+xml": _REF,
    "application/vnd.crossref.unixsd+xml": Form(_xml(_sd), counts=True, slow=True),
}
"""Media type -> form, best first: the first is given to who asks for none."""

OFFERS: Final = tuple(FORMS)
