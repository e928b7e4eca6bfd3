"""Posting notices from their folder, all or none."""

import asyncio
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Final

from services.consent.commands.context import Consenting
from services.consent.errors import Refusal
from services.consent.model import notices
from services.consent.model.notices import KeptNotice
from services.consent.model.texts import NoticeText, read_text
from shared.mongo import Refused

LAST: Final = datetime.max.replace(tzinfo=UTC)


async def post_all(
    consenting: Consenting, *, correlation: str
) -> list[tuple[KeptNotice, bool]] | Refused[Refusal]:
    """Post what the folder has; the second of each is whether anything of it was new.

    Nothing is posted where one text is unreadable or changed under its old label (DOAJ-X1).
    """
    texts = await asyncio.to_thread(_read, consenting.notices_dir)
    if isinstance(texts, Refused):
        return texts
    now = consenting.now()
    names = sorted({one.head.notice for one in texts})
    known = await consenting.store.notices.load_many(names)
    for text in texts:  # judged as a whole first
        judged = notices.post(known.get(text.head.notice), text, now=now)
        if isinstance(judged, Refused):
            return judged
        known[text.head.notice] = judged.state
    new: set[str] = set()
    for text in texts:
        saved = await consenting.store.notices.update(
            text.head.notice,
            lambda state, text=text: notices.post(state, text, now=now),  # type: ignore[misc]
            correlation=correlation,
        )
        if isinstance(saved, Refused):
            return saved
        if saved.event_ids:
            new.add(text.head.notice)
    stand = await consenting.store.notices.load_many(names)
    return [(stand[name], name in new) for name in names]


def _read(folder: Path) -> list[NoticeText] | Refused[Refusal]:
    """Read every notice of a folder, in the order their versions take effect; blocking."""
    texts = []
    for path in sorted(folder.glob("*/*.md")):
        text = read_text(path.read_bytes(), f"{path.parent.name}/{path.name}")
        if isinstance(text, Refused):
            return text
        texts.append(text)
    return sorted(texts, key=_order)


def _order(text: NoticeText) -> tuple[str, datetime, str]:
    day = text.head.effective
    begun = LAST if day == "at-once" else datetime.combine(day, time(), UTC)
    return text.head.notice, begun, text.head.label
