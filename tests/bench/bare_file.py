"""The bare sender: one handler, one file, in aiohttp's own way."""

import os

import uvloop
from aiohttp import web


async def main() -> None:
    """Send the file to whoever asks until killed."""

    async def send(_request: web.Request) -> web.FileResponse:
        return web.FileResponse(os.environ["FILE"])

    app = web.Application()
    app.router.add_get("/{path:.*}", send)
    await web._run_app(app, host="127.0.0.1", port=int(os.environ["HTTP_PORT"]), print=None)


if __name__ == "__main__":
    uvloop.run(main())
