"""A DOI however a reader writes it -> as the registry holds it."""

import re
from typing import Final

from aiohttp import web

# An address as some proxies pass it on, with one slash of two, is one too.
_BEFORE: Final = re.compile(r"(?:https?:/{1,2})?(?:dx\.|www\.)?doi\.org/|(?:info:doi/|doi:)\s*")


def doi_of(text: str) -> str:
    """Return a DOI without the address or scheme before it, lower-case."""
    plain = text.strip().lower()
    before = _BEFORE.match(plain)
    return plain[before.end() :] if before else plain


def doi_in(request: web.Request) -> str:
    """Return the DOI that a path names: ``/works/https://doi.org/10.5555/a`` is asked for too."""
    return doi_of(request.match_info["doi"])
