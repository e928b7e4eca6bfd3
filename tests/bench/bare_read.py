"""The bare reader: one handler, one find_one, one orjson.dumps; nothing else."""

import os

import orjson
import uvloop
from aiohttp import web
from pymongo import AsyncMongoClient


async def main() -> None:
    """Serve works of the real collection until killed."""
    client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(os.environ["MONGODB_URL"])
    works = client[os.environ["DATABASE"]]["works"]

    async def show(request: web.Request) -> web.Response:
        found = await works.find_one({"_id": request.match_info["doi"]})
        return web.Response(body=orjson.dumps(found), content_type="application/json")

    app = web.Application()
    app.router.add_get("/works/{doi:.+}", show)
    await web._run_app(app, host="127.0.0.1", port=int(os.environ["HTTP_PORT"]), print=None)


if __name__ == "__main__":
    uvloop.run(main())
