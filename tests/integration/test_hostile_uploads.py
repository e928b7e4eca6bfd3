"""What nobody should send, over the wire: a clear answer, promptly, and the service goes on.

One process takes it all, one after another; what it needed at most is asked at the end.
"""

import asyncio
import gzip
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import aiohttp
import pytest

from shared.kafka import topics
from shared.runtime.ids import new_id
from tests.bulk import cpu_seconds, memory
from tests.depositing import OTHER, PASSWORD, PRESS, Client, article, deposit, members
from tests.hostile import FILES, MB, RECORDS, SECRET
from tests.platform import Platform
from tests.processes import Place, Running, service, until
from tests.striking import some_of

PROMPT: Final = 15.0  # seconds, on a machine that does other things too
STALL: Final = 2.0
IDLE: Final = 3.0
MOST_MEMORY: Final = 300  # MB
B: Final = "x-boundary-x"


@dataclass(frozen=True, slots=True)
class House:
    site: Client
    running: Running
    place: Place


@pytest.fixture(scope="module")
async def house(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    name = f"t{new_id().replace('-', '')[8:24]}."
    await topics.create(platform.kafka_bootstrap, prefix=name)
    folder = tmp_path_factory.mktemp("hostile")
    place = Place(platform.kafka_bootstrap, platform.mongodb_url, name, folder)
    slow = {
        "BODY_STALL_SECONDS": str(STALL),
        "IDLE_SECONDS": str(IDLE),
        "DEPOSIT_BYTES": str(40 * MB),
    }
    async with (
        members(place),
        service("deposits", place, **slow) as running,
        # Not kept alive: while a test makes its file, the idle time would pass.
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session,
    ):
        yield House(Client(session, running.url), running, place)


async def assert_serves(house: House) -> None:
    """A small deposit of somebody else goes through."""
    doi = f"10.6666/{new_id()}"
    status, log = await house.site.now(deposit(article(doi)), login=OTHER)
    assert status == 200
    assert [one[0] for one in log.records] == ["Success"]


# -- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", some_of(tuple(FILES), most=20))
async def test_a_hostile_file_gets_one_verdict_promptly_that_repeats_nothing_of_it(
    house: House, name: str
) -> None:
    rule, make = FILES[name]
    content = make()
    before = cpu_seconds(house.running)
    view = await house.site.ended(await house.site.later(content))
    assert cpu_seconds(house.running) - before < PROMPT
    assert len(view["records"]) == view["record_count"] == 1
    (record,) = view["records"]
    assert SECRET not in str(view)
    assert (record.get("rule") or "") == rule
    assert record["status"] == ("Failure" if rule else "Success")
    assert len(str(record)) < 6_000
    if rule:
        assert record["problem"]["errors"][0]["remedy"]


@pytest.mark.parametrize("name", some_of(tuple(RECORDS), most=5))
async def test_a_huge_value_fails_its_record_and_is_not_repeated(house: House, name: str) -> None:
    rule, make = RECORDS[name]
    named = f"{new_id()}.xml"
    view = await house.site.ended(await house.site.later(make(), file_name=named))
    assert [one["rule"] for one in view["records"]] == [rule]
    assert len(str(view)) < 4_000
    assert len(str(await house.site.log(file_name=named))) < 1_500


# -- requests ------------------------------------------------------------------------------------


async def say(
    house: House, *parts: bytes, pause: float = 0.0, within: float = PROMPT, hang_up: bool = False
) -> bytes:
    """Send bytes as they are and return all that is answered until the connection ends."""
    host, _, port = house.running.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        async with asyncio.timeout(within):
            heard = asyncio.ensure_future(one_answer(reader))
            for part in parts:
                if heard.done():
                    break
                writer.write(part)
                try:
                    await writer.drain()
                except ConnectionError:
                    break
                await asyncio.sleep(pause)
            if hang_up:
                writer.close()
            try:
                return await heard
            except ConnectionError:
                return b""  # cut off while bytes were still under way
    finally:
        writer.close()


async def one_answer(reader: asyncio.StreamReader) -> bytes:
    """Read an answer, or what came until the connection ended."""
    head = b""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"\r\nContent-Length: (\d+)\r\n", head, re.IGNORECASE)
        return head + (await reader.readexactly(int(length[1])) if length else await reader.read())
    except asyncio.IncompleteReadError as short:
        return head + short.partial


def request(
    *headers: str, path: str = "/servlet/deposit", boundary: str = f"; boundary={B}"
) -> bytes:
    return "\r\n".join(
        [
            f"POST {path} HTTP/1.1",
            "Host: x",
            "Connection: close",
            f"Content-Type: multipart/form-data{boundary}",
            *headers,
            "",
            "",
        ]
    ).encode()


def field(name: str, value: str) -> bytes:
    said = f'--{B}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
    return said.encode()


CREDENTIALS: Final = field("login_id", PRESS.name) + field("login_passwd", PASSWORD)
END: Final = f"\r\n--{B}--\r\n".encode()


def file(content: bytes, *, name: str = "h.xml", end: bytes = END) -> bytes:
    head = f'--{B}\r\nContent-Disposition: form-data; name="fname"; filename="{name}"\r\n\r\n'
    return head.encode() + content + end


GOOD: Final = deposit(article("10.5555/wire"))
WHOLE: Final = CREDENTIALS + file(GOOD)


def long(body: bytes, *, more: int = 0) -> str:
    return f"Content-Length: {len(body) + more}"


CHUNKED: Final = "Transfer-Encoding: chunked"


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


REQUESTS: Final[dict[str, tuple[int, bytes]]] = {
    "no last boundary": (
        400,
        request(long(CREDENTIALS + file(GOOD, end=b""))) + CREDENTIALS + file(GOOD, end=b""),
    ),
    "no boundary named": (400, request(long(WHOLE), boundary="") + WHOLE),
    "another boundary named": (400, request(long(WHOLE), boundary="; boundary=other") + WHOLE),
    "a boundary of 10,000 characters": (
        400,
        request(long(WHOLE), boundary=f"; boundary={'b' * 10_000}") + WHOLE,
    ),
    "a body that is shorter than it says, and the end": (0, request(long(WHOLE, more=9)) + WHOLE),
    "a body that is longer than it says": (
        400,
        request(long(WHOLE, more=-len(END) - 100)) + WHOLE,
    ),
    "two lengths": (400, request(long(WHOLE), long(WHOLE, more=1)) + WHOLE),
    "a length and chunks": (400, request(long(WHOLE), CHUNKED) + chunk(WHOLE) + b"0\r\n\r\n"),
    "a negative length": (400, request("Content-Length: -1") + WHOLE),
    "a length that is no number": (400, request("Content-Length: 1e3") + WHOLE),
    "a length beyond what is taken": (413, request("Content-Length: 99999999999") + WHOLE),
    "chunks of garbage": (400, request(CHUNKED) + b"zz\r\nsecret\r\n"),
    "a chunk's size of 100 digits": (400, request(CHUNKED) + b"f" * 100 + b"\r\n" + WHOLE),
    "garbage behind a good chunk": (400, request(CHUNKED) + chunk(WHOLE[:300]) + b"\xff\xfe\r\n"),
    "a compressed body": (
        415,
        request("Content-Encoding: gzip", long(gzip.compress(WHOLE))) + gzip.compress(WHOLE),
    ),
    "a compressed bomb": (
        415,
        request("Content-Encoding: gzip", CHUNKED)
        + chunk(gzip.compress(bytes(10 * MB)))
        + b"0\r\n\r\n",
    ),
    "thousands of fields": (
        413,
        request(CHUNKED)
        + chunk(b"".join(field(f"f{n}", "x") for n in range(5_000)) + WHOLE)
        + b"0\r\n\r\n",
    ),
    "a field's name of 100 KB": (
        400,
        request(CHUNKED) + chunk(field("n" * 100_000, "x") + WHOLE) + b"0\r\n\r\n",
    ),
    "a field of 1 MB": (
        413,
        request(CHUNKED) + chunk(field("operation", "x" * MB) + WHOLE) + b"0\r\n\r\n",
    ),
    "a part with 1,000 headers": (
        400,
        request(CHUNKED)
        + chunk(
            f"--{B}\r\n".encode()
            + b"".join(b"X-%d: y\r\n" % n for n in range(1_000))
            + b"\r\nx\r\n"
            + WHOLE
        )
        + b"0\r\n\r\n",
    ),
    "a form within a form": (
        413,
        request(CHUNKED)
        + chunk(
            f"--{B}\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n".encode()
            + b"--i\r\n\r\nx\r\n--i--\r\n"
            + WHOLE
        )
        + b"0\r\n\r\n",
    ),
    "a large file before its credentials": (
        401,
        request(CHUNKED)
        + chunk(file(GOOD + b" " * 2 * MB, end=b"\r\n") + CREDENTIALS + END[2:])
        + b"0\r\n\r\n",
    ),
    "a file of 41 MB": (
        413,
        request(CHUNKED) + chunk(CREDENTIALS + file(b" " * 41 * MB)) + b"0\r\n\r\n",
    ),
    "a wrong password, twice": (
        401,
        request(CHUNKED)
        + chunk(
            field("login_id", PRESS.name)
            + field("login_passwd", "wrong-1")
            + field("login_passwd", "wrong-2")
            + file(GOOD)
        )
        + b"0\r\n\r\n",
    ),
    "a header of 1 MB": (400, request(f"X-Long: {'x' * MB}", long(WHOLE)) + WHOLE),
    "10,000 headers": (
        400,
        request(*(f"X-{n}: y" for n in range(10_000)), long(WHOLE)) + WHOLE,
    ),
    "not HTTP": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200)),
}


@pytest.mark.parametrize("name", REQUESTS)
async def test_a_hostile_request_is_refused_promptly_and_is_no_submission(
    house: House, name: str
) -> None:
    status, said = REQUESTS[name]
    before = await submissions(house)
    hang_up = status == 0
    answer = await say(house, *pieces(said), hang_up=hang_up)
    if hang_up:
        assert answer == b""
    else:
        assert answer.startswith((b"HTTP/1.1 %d " % status, b"HTTP/1.0 %d " % status)), answer[:200]
    assert PASSWORD.encode() not in answer
    assert b"wrong-" not in answer
    assert b"Traceback" not in answer
    assert await submissions(house) == before


def pieces(said: bytes) -> list[bytes]:
    return [said[at : at + MB] for at in range(0, len(said), MB)]


async def submissions(house: House) -> int:
    _, listed = await house.site.get("/submissions?rows=100")
    return len(listed["items"]) if "next" not in listed else int(listed["items"][0]["id"])


@pytest.mark.parametrize(
    "body",
    [
        file(GOOD, end=b"\r\n") + CREDENTIALS + END[2:],
        CREDENTIALS + field("operation", "doMDUpload") * 3 + file(GOOD),
        CREDENTIALS + file(GOOD, end=b"\r\n") + file(b"another", name="b.xml"),
        b"preamble\r\n" * 10 + WHOLE + b"epilogue",
    ],
    ids=["file before credentials", "a field thrice", "two files", "words around"],
)
async def test_an_odd_form_is_taken_whole_or_not_at_all(house: House, body: bytes) -> None:
    answer = await say(house, request(long(body)) + body)
    assert answer.startswith(b"HTTP/1.1 200 "), answer[:300]
    number = answer.decode().partition("Submission ID: ")[2].partition("<")[0]
    assert (await house.site.ended(number))["record_count"] == 1


# -- slow clients ----------------------------------------------------------------------------------


async def test_a_head_that_comes_by_bytes_is_cut_off_in_the_time_stated(house: House) -> None:
    began = time.perf_counter()
    head = request(long(WHOLE))
    answer = await say(house, *(head[n : n + 1] for n in range(60)), pause=0.2)
    assert answer == b""
    assert IDLE <= time.perf_counter() - began < IDLE + 3


async def test_a_connection_that_says_nothing_is_cut_off_in_the_time_stated(house: House) -> None:
    began = time.perf_counter()
    assert await say(house, b"") == b""
    assert IDLE <= time.perf_counter() - began < IDLE + 3


@pytest.mark.parametrize(
    "body",
    [WHOLE, CREDENTIALS + file(b" " * MB), b"preamble\r\n" * 1000],
    ids=["in a field", "in the file", "before the form"],
)
async def test_a_body_that_comes_by_bytes_is_answered_408_and_holds_up_nobody(
    house: House, body: bytes
) -> None:
    quick = 0 if body == WHOLE else len(CREDENTIALS) + 10_000
    dripping = (body[quick + n : quick + n + 1] for n in range(200))
    began = time.perf_counter()
    cut_off = asyncio.ensure_future(
        say(house, request("Content-Length: 900000") + body[:quick], *dripping, pause=0.1)
    )
    await assert_serves(house)
    answer = await cut_off
    assert answer.startswith(b"HTTP/1.1 408 "), answer[:200]
    assert STALL <= time.perf_counter() - began < 3 * STALL + 2


async def test_a_client_that_goes_away_leaves_nothing_behind(house: House) -> None:
    before = await submissions(house)
    body = CREDENTIALS + file(b"<a>" + b" " * 3 * MB)
    assert await say(house, request("Content-Length: 30000000") + body, hang_up=True) == b""
    await assert_serves(house)
    assert await submissions(house) == before


# -- and then --------------------------------------------------------------------------------------


async def test_after_all_that_the_service_serves_within_its_memory_and_its_log_is_discreet(
    house: House,
) -> None:
    async def idle() -> bool:
        status, listed = await house.site.get("/submissions?status=queued")
        return status == 200 and not listed["items"]

    await until(idle, within=60, what="nothing left to process")
    await assert_serves(house)
    assert memory(house.running)["VmHWM"] < MOST_MEMORY
    logged = await asyncio.to_thread(house.running.log.read_text)
    assert SECRET not in logged
    assert PASSWORD not in logged
    assert "Traceback" not in logged
