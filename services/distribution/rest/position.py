"""Where a work has got to: in the records, in the lists, and whose setting it is under.

What deposits accepted is here as soon as the projector applied it (``stored``), found by lists as
soon as this host indexed it (``search``). Nothing else says why a DOI that was registered a moment
ago is on one page and not yet on another.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.distribution.gate import Gate, Subject
from services.distribution.search import Held, SearchIndex
from services.distribution.store import Works
from shared.runtime.clock import rfc3339


@dataclass(frozen=True, slots=True)
class Positions:
    """Looks up where works are."""

    gate: Gate
    works: Works
    index: SearchIndex

    async def of(self, doi: str) -> dict[str, Any] | None:
        """Return where a work is, None where neither store nor index has it."""
        stored = await self.works.position(doi)
        held = (await asyncio.to_thread(self.index.held, [doi])).get(doi)
        if stored is None and held is None:
            return None
        # A work that only the index has yet may stand in a title: its owner is not known.
        owner = self.gate.owner_prefix(Subject.of(stored)) if stored else None
        known = owner if owner and self.gate.fresh() else None
        return position(
            doi, stored, held, owner=owner, setting=self.gate.setting(known) if known else None
        )


def position(
    doi: str,
    stored: Mapping[str, Any] | None,
    held: Held | None,
    *,
    owner: str | None,
    setting: str | None,
) -> dict[str, Any]:
    """Return the position of a work; null stands where something is not there or not known."""
    version = stored["v"] if stored else 0
    return {
        "doi": doi,
        "stored": stored
        and {
            "version": version,
            "deposited": _moment(stored["deposited"]),
            "indexed": _moment(stored["indexed"]),
            "citations-counted": "recount_shelf" not in stored,
        },
        "search": held
        and {
            "version": held.version,
            "behind": max(version - held.version, 0),
            "owner-prefix": held.owner,
        },
        "owner-prefix": owner,
        "reference-visibility": setting,
    }


def _moment(at: datetime | str) -> str:
    return at if isinstance(at, str) else rfc3339(at)
