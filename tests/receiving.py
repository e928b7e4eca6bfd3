"""A receiver of callbacks in tests: answers as its paths say, and keeps what came."""

import asyncio
import base64
import contextlib
import hmac
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from aiohttp import web

from tests.processes import until


@dataclass(frozen=True, slots=True)
class Call:
    """One request that came."""

    path: str
    headers: dict[str, str]
    body: bytes

    def signed_with(self, secret: str) -> bool:
        """Verify as Standard Webhooks 1.0.0 tells receivers to; written apart from the sender."""
        key = base64.b64decode(secret.partition("_")[2])
        head = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}."
        expected = hmac.new(key, head.encode() + self.body, "sha256").digest()
        offers = self.headers["webhook-signature"].split(" ")
        return any(
            base64.b64decode(offer.removeprefix("v1,")) == expected
            for offer in offers
            if offer.startswith("v1,")
        )


@dataclass(slots=True)
class Receiver:
    """What came to a receiver at ``url``.

    ``/ok/...`` answers 204; ``/status/<n>/...`` answers n; ``/late/<n>/...`` answers 503 n times
    and then 200; ``/redirect/...`` leads to ``/ok/redirected``; ``/silent/...`` does not answer.
    """

    url: str
    calls: list[Call] = field(default_factory=list)
    healed: bool = False  # then everything is answered with 200
    _counted: Counter[str] = field(default_factory=Counter)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.calls.append(
            Call(
                request.path,
                {name.lower(): value for name, value in request.headers.items()},
                await request.read(),
            )
        )
        self._counted[request.path] += 1
        if self.healed:
            return web.Response(text="thanks")
        match request.path.split("/")[1:3]:
            case ["status", status]:
                return web.Response(status=int(status))
            case ["late", times]:
                late = self._counted[request.path] <= int(times)
                return web.Response(status=503 if late else 200)
            case ["redirect", *_]:
                return web.Response(status=307, headers={"Location": "/ok/redirected"})
            case ["silent", *_]:
                await asyncio.sleep(60)
        return web.Response(status=204)

    def to(self, path: str) -> list[Call]:
        return [call for call in self.calls if call.path == path]

    async def called(self, path: str, times: int = 1) -> list[Call]:
        """Wait until a path was called so often, at least; return its calls."""

        async def enough() -> bool:
            return len(self.to(path)) >= times

        await until(enough, within=30, what=f"{times} calls to {path}, of {len(self.calls)}")
        return self.to(path)


@contextlib.asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """Run a receiver on a free port of 127.0.0.1."""
    receiver = Receiver("")
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", receiver.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield receiver
    finally:
        await runner.cleanup()
