"""Asking, and again where a service says that it cannot tell yet who is asking."""

from collections.abc import Mapping
from typing import Any, Final

import aiohttp

from tests.processes import until

Answer = tuple[int, Any]
STALE: Final = "urn:colophon:problem:credentials-stale"


async def asked(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Return the status, and the JSON, the text, or nothing.

    Asks again while the service cannot tell who is asking: nothing was done then.
    """

    async def heard() -> Answer | None:
        async with session.request(method, url, json=body, headers=headers or {}) as answer:
            text = await answer.text()
            if not text or "json" not in answer.content_type:
                return answer.status, text or None
            said = await answer.json(content_type=None)
            stale = answer.status == 503 and said.get("type") == STALE
            return None if stale else (answer.status, said)

    found: Answer = await until(heard, within=60, what=f"{method} {url} to know who asks")
    return found
