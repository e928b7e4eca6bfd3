"""The manifest of a snapshot as one reader gets it: its members, counts, sums and sources."""

from collections.abc import Mapping
from typing import Any, Final

from services.distribution.changes import cursor
from services.distribution.rest.render import SOURCE
from services.distribution.snapshots.choosing import Served
from services.distribution.snapshots.forms import Form
from services.distribution.snapshots.tarring import ending
from services.distribution.snapshots.watching import Watched, places_of
from shared.policy.sources import SourcesPolicy

OWN: Final = {"id": SOURCE, "terms": None, "policy": None}
"""Members' own: no terms bind."""


def manifest(
    watched: Watched,
    files: Mapping[Form, Served],
    *,
    key: bytes,
    sources: SourcesPolicy | None = None,
) -> dict[str, Any]:
    """Return what a reader would download now: lengths, tags and sums of the chosen variants."""
    ready = watched.ready
    since = cursor.write(places_of(ready.manifest["feed"]), key=key)
    at = f"/snapshots/monthly/{ready.month.year:04}/{ready.month.month:02}"
    return {
        "id": ready.id,
        "month": str(ready.month),
        "as-of": ready.manifest["as-of"],
        "ready": ready.built,
        "complete": ready.manifest["complete"],
        "works": ready.manifest["works"],
        "sources": [OWN, *(sources.stated() if sources else [])],  # CRP-12b, CRP-12c
        "changes": f"/works/changes?since={since}",
        "files": [
            {
                "at": f"{at}/{form.file}",
                "etag": file.etag,
                "bytes": file.length + len(ending()),
                "parts": [
                    {
                        "name": form.entry(member.number),
                        "prefix": member.owner or None,
                        "works": member.works,
                        "references": variant == "full",
                        "bytes": member.piece(variant).length,
                        "sha256": member.piece(variant).sha256,
                    }
                    for member, variant in zip(file.members, file.variants, strict=True)
                ],
            }
            for form, file in files.items()
        ],
    }
