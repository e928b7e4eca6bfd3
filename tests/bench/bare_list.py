"""The bare lister: one index query, one find of its keys, one orjson.dumps; nothing else."""

import os
from typing import Any

import orjson
import tantivy
import uvloop
from aiohttp import web
from pymongo import AsyncMongoClient

from services.distribution.search import date_bounds
from services.distribution.search.keys import key_span
from services.distribution.search.schema import WORDS, word_cutter


async def main() -> None:
    """Serve pages of works of the real collection until killed."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(os.environ["MONGODB_URL"])
    works = client[os.environ["DATABASE"]]["works"]
    index = tantivy.Index.open(os.environ["INDEX"])
    index.register_tokenizer(WORDS, word_cutter())
    schema, searcher, query = index.schema, index.searcher(), tantivy.Query

    def found(first: str, last: str) -> list[str]:
        since, until = date_bounds(first), date_bounds(last)
        assert since
        assert until
        low, high = key_span(since[0], until[1])
        dates = query.range_query(schema, "by-published", tantivy.FieldType.Unsigned, low, high)
        kind = query.term_query(schema, "type", "journal-article", index_option="basic")
        must = tantivy.Occur.Must
        hits = searcher.search(
            query.boolean_query([(must, kind), (must, dates)]),
            limit=100,
            order_by_field="by-deposited",
        ).hits
        return [str(searcher.doc(address)["doi"][0]) for _, address in hits]

    async def show(request: web.Request) -> web.Response:
        asked = dict(pair.split(":") for pair in request.query["filter"].split(","))
        dois = found(asked["from-pub-date"], asked["until-pub-date"])
        page = {one["_id"]: one async for one in works.find({"_id": {"$in": dois}})}
        return web.Response(
            body=orjson.dumps([page[doi] for doi in dois]), content_type="application/json"
        )

    app = web.Application()
    app.router.add_get("/works", show)
    await web._run_app(app, host="127.0.0.1", port=int(os.environ["HTTP_PORT"]), print=None)


if __name__ == "__main__":
    uvloop.run(main())
