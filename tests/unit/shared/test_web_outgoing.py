"""Requests to addresses that others chose reach public addresses alone, whatever a name says."""

import asyncio
import socket
from collections.abc import AsyncIterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st

from shared.web.outgoing import allowed, networks, outgoing, post, refused_url

LOOPBACK = networks("127.0.0.0/8")
PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.0.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "0.0.0.0",
    "::",
    "::1",
    "fe80::1",
    "fd00::1",
    "ff0e::1",
    "::ffff:127.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2001:db8::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_is_not_allowed_in_any_spelling(address: str) -> None:
    assert not allowed(ip_address(address), ())


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1", "::ffff:8.8.8.8"])
def test_a_public_address_is_allowed(address: str) -> None:
    assert allowed(ip_address(address), ())


@given(st.ip_addresses(v=4))
def test_an_ipv6_address_that_holds_another_is_allowed_only_where_that_one_is(
    inner: IPv4Address,
) -> None:
    mapped = IPv6Address(f"::ffff:{inner}")
    sixtofour = IPv6Address((0x2002 << 112) | (int(inner) << 80))
    assert allowed(mapped, ()) == allowed(sixtofour, ()) == allowed(inner, ())


def test_an_exempt_network_is_allowed_and_no_other() -> None:
    exempt = networks("10.0.0.0/8, fd00::/8,")
    said = {one: allowed(ip_address(one), exempt) for one in ("10.1.2.3", "fd00::1", "127.0.0.1")}
    assert said == {"10.1.2.3": True, "fd00::1": True, "127.0.0.1": False}
    assert allowed(ip_address("::ffff:10.1.2.3"), exempt)
    with pytest.raises(ValueError, match="does not appear"):
        networks("not a network")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://example.org/a?b=c", None),
        ("http://example.org:8080", None),
        ("https://8.8.8.8/", None),
        ("gopher://example.org/", "absolute http"),
        ("file:///etc/passwd", "absolute http"),
        ("//example.org/", "absolute http"),
        ("", "absolute http"),
        ("https://example.org:0/", "absolute http"),
        ("https://example.org:70000/", "not a URL"),
        ("https://[::1", "not a URL"),
        ("https://a@example.org/", "user or a password"),
        ("https://:b@example.org/", "user or a password"),
        ("http://127.0.0.1/", "not a public one"),
        ("http://[fd00::1]/", "not a public one"),
        ("https://example.org/" + "a" * 2_000, "longer than"),
    ],
)
def test_a_url_is_refused_for_a_reason_that_does_not_repeat_it(url: str, why: str | None) -> None:
    said = refused_url(url, ())
    if why is None:
        assert said is None
    else:
        assert said is not None
        assert why in said
        assert "example" not in said


@pytest.fixture
async def heard() -> AsyncIterator[tuple[int, list[str]]]:
    """Run a server on 127.0.0.1; return its port and the paths that it was asked for."""
    paths: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        paths.append(request.path)
        match request.path:
            case "/redirect":
                return web.Response(status=302, headers={"Location": "/elsewhere"})
            case "/endless":
                response = web.StreamResponse()
                await response.prepare(request)
                while True:
                    await response.write(bytes(2**16))
            case "/silent":
                await asyncio.sleep(30)
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1], paths
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "2130706433", "0x7f000001", "127.1", "[::ffff:127.0.0.1]"]
)
async def test_what_a_name_stands_for_is_looked_at_when_it_is_connected_to(
    heard: tuple[int, list[str]], host: str
) -> None:
    port, paths = heard
    async with outgoing((), seconds=5) as session:
        said = await post(session, f"http://{host}:{port}/private", b"{}", {})
    # Some spellings lead nowhere on some systems; none leads there.
    assert said in ("forbidden-address", "cannot-connect")
    assert paths == []
    async with outgoing(LOOPBACK, seconds=5) as session:
        assert await post(session, f"http://localhost:{port}/private", b"{}", {}) == 200
    assert paths == ["/private"]


class Rebinding(AbstractResolver):
    """A name server that answers what it likes: a public address first, then a private one."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: Any = socket.AF_INET,  # noqa: ARG002  (the interface's)
    ) -> list[ResolveResult]:
        address = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        pass


async def test_a_name_that_changes_its_answer_gains_nothing(heard: tuple[int, list[str]]) -> None:
    port, paths = heard
    async with outgoing((), seconds=2) as session:
        connector = session.connector
        assert isinstance(connector, aiohttp.TCPConnector)
        real, connector._resolver = connector._resolver, Rebinding("127.0.0.1")
        try:
            said = await post(session, f"http://public.example:{port}/", b"{}", {})
        finally:
            connector._resolver = real
    assert said == "forbidden-address"
    assert paths == []


async def test_redirects_are_not_followed_and_an_endless_answer_is_not_read(
    heard: tuple[int, list[str]],
) -> None:
    port, paths = heard
    async with outgoing(LOOPBACK, seconds=1) as session:
        async with asyncio.timeout(5):
            assert await post(session, f"http://127.0.0.1:{port}/redirect", b"{}", {}) == 302
            assert await post(session, f"http://127.0.0.1:{port}/endless", b"{}", {}) == 200
            assert await post(session, f"http://127.0.0.1:{port}/silent", b"{}", {}) == "timeout"
        assert await post(session, "http://127.0.0.1:1/", b"{}", {}) == "cannot-connect"
    assert paths == ["/redirect", "/endless", "/silent"]


async def test_a_receiver_that_speaks_no_http_or_shows_no_good_certificate_is_a_failed_try() -> (
    None
):
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"not http at all\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, outgoing(LOOPBACK, seconds=3) as session:
        assert await post(session, f"http://127.0.0.1:{port}/", b"{}", {}) == "broken-answer"
        said = await post(session, f"https://127.0.0.1:{port}/", b"{}", {})
        assert said in ("cannot-connect", "certificate", "broken-answer")
