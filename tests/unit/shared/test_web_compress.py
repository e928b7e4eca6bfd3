"""What is compressed is another representation, and its tag says so."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from shared.runtime.health import Health
from shared.web import Info, Route, build_site


@pytest.mark.parametrize(
    ("tag", "accept", "expected"),
    [
        ('"abc"', "gzip", 'W/"abc"'),
        ('W/"abc"', "gzip", 'W/"abc"'),
        ('"abc"', "identity", '"abc"'),
    ],
)
async def test_a_tag_is_weak_where_the_bytes_are_not_those_it_was_made_for(
    tag: str, accept: str, expected: str
) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text="a" * 50_000, headers={"ETag": tag})

    route = Route("GET", "/a", answer, "A")
    site = build_site("test", [route], health=Health(), info=Info(title="t", version="1"))
    async with (
        TestClient(TestServer(site)) as client,
        client.get("/a", headers={"Accept-Encoding": accept}) as answered,
    ):
        assert answered.headers["ETag"] == expected
        assert await answered.text() == "a" * 50_000
