"""The identifier of an item: ``info:doi/`` and the DOI, in the characters of a URI.

A DOI may hold what no URI may, such as ``<`` or a space: it stands percent-encoded. A DOI that is
sent as it is, as older harvesters do, is understood.
"""

from typing import Final
from urllib.parse import quote, unquote

SCHEME: Final = "info:doi/"
_AS_THEY_ARE: Final = "/:;()._-!~*',@&=+$"


def identifier_of(doi: str) -> str:
    """Return the identifier of a DOI."""
    return SCHEME + quote(doi, safe=_AS_THEY_ARE)


def dois_of(identifier: str) -> tuple[str, ...]:
    """Return the DOIs that an identifier may mean, the likelier first; none where it is no DOI."""
    if identifier[: len(SCHEME)].lower() != SCHEME:
        return ()
    said = identifier[len(SCHEME) :].lower()
    return tuple(dict.fromkeys((unquote(said).lower(), said)))
