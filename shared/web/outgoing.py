"""Requests to addresses that others chose: never to a private network, no redirects, little read.

Which address a name stands for is looked at when it is connected to, so that a name which changes
its answer in between gains nothing.
"""

import socket
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias

import aiohttp
from yarl import URL

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network
LONGEST_URL: Final = 2_000  # characters
CONNECTIONS: Final = 64


class ForbiddenAddress(OSError):
    """The name stands for an address that must not be asked."""


def networks(text: str) -> tuple[Network, ...]:
    """Read networks such as ``10.0.0.0/8, fd00::/8``; raises ``ValueError``."""
    return tuple(ip_network(one.strip()) for one in text.split(",") if one.strip())


def allowed(address: Address, exempt: Sequence[Network]) -> bool:
    """Say whether an address may be asked: a public one, or one of an exempt network."""
    if any(address in network for network in exempt if network.version == address.version):
        return True
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is not None:
            return allowed(inner, exempt)
    return address.is_global and not (address.is_multicast or address.is_reserved)


def refused_url(text: str, exempt: Sequence[Network]) -> str | None:
    """Return why a URL cannot be called, in a few words, or None where it can be tried."""
    if len(text) > LONGEST_URL:
        return f"it is longer than {LONGEST_URL} characters"
    try:
        url = URL(text)
        host, port = url.host, url.port
    except ValueError:
        return "it is not a URL"
    if url.scheme not in ("http", "https") or not host or not port:
        return "it is not an absolute http or https URL"
    if url.user is not None or url.password is not None:
        return "it holds a user or a password"
    # What a name stands for is seen when it is connected to.
    literal = _literal(host)
    if literal is not None and not allowed(literal, exempt):
        return "its address is not a public one"
    return None


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def outgoing(exempt: Sequence[Network], *, seconds: float) -> aiohttp.ClientSession:
    """Open a client for such requests; close it when done. ``seconds`` bounds a whole request."""

    def connecting(info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        if not allowed(ip_address(str(address[0]).partition("%")[0]), exempt):
            raise ForbiddenAddress("not a public address")
        return socket.socket(family, kind, protocol)

    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            socket_factory=connecting, limit=CONNECTIONS, force_close=True, use_dns_cache=False
        ),
        timeout=aiohttp.ClientTimeout(total=seconds),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
    )


async def post(
    session: aiohttp.ClientSession, url: str, body: bytes, headers: Mapping[str, str]
) -> int | str:
    """Send a body and return the status of the answer, unread, or in a word why there is none."""
    try:
        async with session.post(
            URL(url), data=body, headers=headers, allow_redirects=False
        ) as answer:
            return answer.status
    except aiohttp.ClientConnectorCertificateError:
        return "certificate"
    except aiohttp.ClientConnectorError as fault:
        forbidden = isinstance(fault.os_error, ForbiddenAddress)
        return "forbidden-address" if forbidden else "cannot-connect"
    except aiohttp.InvalidURL:
        return "cannot-connect"
    except TimeoutError:
        return "timeout"
    except (aiohttp.ClientError, OSError):
        return "broken-answer"
