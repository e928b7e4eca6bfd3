"""Large textual answers compressed for readers who take gzip."""

import asyncio
import zlib
from typing import Final

from aiohttp import web

GZIP_FROM: Final = 16_384  # bytes; below, compressing costs a local reader more than it saves
GZIP_LEVEL: Final = 1  # three times as fast as 6 for a tenth more bytes of JSON
OFF_LOOP_FROM: Final = 262_144  # bytes; about 2 ms of compressing, longer ones go to a thread
_TEXTUAL: Final = ("application/json", "text/", "application/xml")
_STRUCTURED: Final = ("+json", "+xml")  # RFC 6838 section 4.2.8


async def compress(request: web.Request, response: web.Response, body: bytes) -> None:
    """Compress a textual answer where the reader takes gzip; ETags of such answers are weak."""
    named = response.headers
    if "Content-Encoding" in named or not _textual(named.get("Content-Type", "")):
        return
    vary = named.get("Vary")
    if "Accept-Encoding" not in (vary or ""):
        named["Vary"] = f"{vary}, Accept-Encoding" if vary else "Accept-Encoding"
    if not _takes_gzip(request.headers.get("Accept-Encoding", "")):
        return
    if len(body) < OFF_LOOP_FROM:
        response.body = _gzip(body)
    else:
        response.body = await asyncio.to_thread(_gzip, body)
    named["Content-Encoding"] = "gzip"
    tag = named.get("ETag")
    if tag is not None and not tag.startswith("W/"):
        # RFC 9110 section 8.8.1: other bytes than those the tag was made for.
        named["ETag"] = f"W/{tag}"


def _textual(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].rstrip()
    return media_type.startswith(_TEXTUAL) or media_type.endswith(_STRUCTURED)


def _takes_gzip(accept: str) -> bool:
    for offer in accept.lower().split(","):
        coding, _, weight = offer.partition(";")
        if coding.strip() in ("gzip", "x-gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _gzip(body: bytes) -> bytes:
    compressor = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return compressor.compress(body) + compressor.flush()
