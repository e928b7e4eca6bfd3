"""What a snapshot remembers of a work's references: enough to tell that one was taken away. Pure.

A reference counts as the same one when what it says is the same: its key, and a DOI that was found
for it later, do not make it another one.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

BYTES: Final = 4  # of each; two that are alike would have to stand in one work to be mistaken
_BESIDE: Final = frozenset({"key", "doi-asserted-by", "DOI"})


def remembered(work: Mapping[str, Any]) -> bytes:
    """Return the marks of a work's references and cited relations, sorted, each of four bytes."""
    marks = sorted(_mark(said) for said in _said(work))
    return b"".join(marks)


def lacks(work: Mapping[str, Any], marks: bytes) -> bool:
    """Say whether a work no longer says one of the references that were remembered of it."""
    if not marks:
        return False
    kept = {marks[start : start + BYTES] for start in range(0, len(marks), BYTES)}
    return not kept <= {_mark(said) for said in _said(work)}


def _said(work: Mapping[str, Any]) -> Iterator[object]:
    for reference in work.get("reference") or ():
        words = {name: value for name, value in reference.items() if name not in _BESIDE}
        yield words or str(reference.get("DOI", "")).lower()
    for cited in (work.get("relation") or {}).get("cites") or ():
        yield {"cites": str(cited.get("id", "")).lower()}


def _mark(said: object) -> bytes:
    written = orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(written, digest_size=BYTES).digest()
