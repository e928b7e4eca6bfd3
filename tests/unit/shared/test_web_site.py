"""A site over real HTTP: routes, errors, bounds, compression, and no more said than should be."""

import asyncio
import gzip
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel, Field, field_validator
from yarl import URL

from shared.runtime.clock import ManualClock
from shared.runtime.health import Health
from shared.web import (
    Info,
    PortTaken,
    Problem,
    Route,
    body_of,
    build_site,
    chunks,
    correlation,
    json_answer,
    query_of,
    serve,
    text_answer,
)
from shared.web.compress import _textual
from shared.web.routes import Table

SECRET = "s3cret-of-somebody@example.org"
INFO = Info("Trial", "1", "A site for its tests.")


class Choice(BaseModel):
    """A choice."""

    visibility: str = Field(alias="reference-visibility", pattern="^(open|limited|closed)$")
    count: int = 1

    @field_validator("count")
    @classmethod
    def _few(cls, count: int) -> int:
        if count > 9:
            raise ValueError("at most nine")
        return count


class Page(BaseModel):
    """A page."""

    rows: int = Field(default=20, ge=0, le=1000)
    filter: list[str] = Field(default_factory=list)


class Unplugged(Exception):
    pass


async def doi(request: web.Request) -> web.Response:
    return json_answer({"doi": request.match_info["doi"]})


async def agency(request: web.Request) -> web.Response:
    return json_answer({"agency-of": request.match_info["doi"]})


async def member(request: web.Request) -> web.Response:
    return text_answer(request.match_info["id"])


async def choose(request: web.Request) -> web.Response:
    return json_answer(await body_of(request, Choice))


async def page(request: web.Request) -> web.Response:
    return json_answer(query_of(request, Page))


async def upload(request: web.Request) -> web.Response:
    total = 0
    async for piece in chunks(request, limit=3_000_000):
        total += len(piece)
    return json_answer({"bytes": total})


async def fail(request: web.Request) -> web.Response:
    raise RuntimeError(f"{SECRET} was {request.query_string}")


async def unplugged(_request: web.Request) -> web.Response:
    raise Unplugged


async def aged(_request: web.Request) -> web.Response:
    raise web.HTTPGone


async def moved(_request: web.Request) -> web.Response:
    raise web.HTTPFound("/members/1")


async def refuse(_request: web.Request) -> web.Response:
    raise Problem(409, "taken", "It is taken", "By somebody.", owner=78)


async def large(_request: web.Request) -> web.Response:
    return json_answer({"text": "x" * 50_000}, headers={"Vary": "Authorization"})


async def traced(request: web.Request) -> web.Response:
    return text_answer(correlation(request))


async def plain_refusal(_request: web.Request) -> web.Response:
    raise Problem(401, "unauthorised", "No")


def in_plain_words(_request: web.Request, problem: Problem) -> web.Response:
    return text_answer(f"refused: {problem.slug}", status=problem.status)


ROUTES = [
    Route("GET", "/works/{+doi}/agency", agency, "Agency", responses={200: "Its agency."}),
    Route("GET", "/works/{+doi}", doi, "A work", responses={200: "The work.", 404: "None."}),
    Route("GET", "/members/{id}", member, "A member"),
    Route("PUT", "/choice", choose, "Choose", request=Choice, responses={200: Choice}),
    Route("GET", "/choice", page, "Pages", query=Page, responses={200: Page}),
    Route("POST", "/upload", upload, "Upload", max_body=None),
    Route("GET", "/fail", fail, "Fails"),
    Route("POST", "/fail", fail, "Fails too"),
    Route("GET", "/unplugged", unplugged, "Is away"),
    Route("GET", "/gone", aged, "Is gone"),
    Route("GET", "/moved", moved, "Is elsewhere"),
    Route("GET", "/refused", refuse, "Refuses"),
    Route("GET", "/large", large, "Is large"),
    Route("GET", "/traced", traced, "Says its correlation"),
    Route("GET", "/own-words", plain_refusal, "Has its own errors", render=in_plain_words),
]


@asynccontextmanager
async def serving(
    app: web.Application, draining: asyncio.Event | None = None
) -> AsyncIterator[tuple[int, asyncio.Task[None]]]:
    draining = draining or asyncio.Event()
    bound: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(
            serve(app, draining, host="127.0.0.1", port=0, drain_seconds=10, bound=bound)
        )
        try:
            yield await bound, task
        finally:
            draining.set()


@pytest.fixture
def health() -> Health:
    return Health(ManualClock())


@pytest.fixture
async def site(health: Health) -> AsyncIterator[str]:
    app = build_site(
        "trial",
        ROUTES,
        health=health,
        info=INFO,
        aliases=("/v1", "/v1.0"),
        headers={"x-api-pool": "public"},
        faults={Unplugged: lambda _: Problem(503, "away", "Away", headers={"Retry-After": "2"})},
    )
    async with serving(app) as (port, _):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def raw(site: str, request: bytes) -> bytes:
    url = URL(site)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


DOI = "10.1002/(sici)1096-8644(199601)99:1<1::aid-ajpa1>3.0.co;2-1"


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/works/10.5555/12345678", "10.5555/12345678"),
        ("/works/10.5555%2F12345678", "10.5555/12345678"),
        ("/v1/works/10.5555%2f12345678/", "10.5555/12345678"),
        ("/v1.0/works/10.5555/12345678", "10.5555/12345678"),
        (f"/works/{DOI}", DOI),
        ("/works/" + DOI.replace("/", "%2F").replace("<", "%3C").replace(">", "%3E"), DOI),
        ("/works/10.5555/a//b", "10.5555/a//b"),
        ("/works/10.5555/a/../b", "10.5555/a/../b"),
        ("/works/10.5555/a%252Fb", "10.5555/a%2Fb"),
        ("/works/10.5555/a+b", "10.5555/a+b"),
        ("/works/10.5555/%C3%A9", "10.5555/é"),
        ("/works/10.5555/v1/works", "10.5555/v1/works"),
    ],
)
async def test_a_doi_is_taken_from_the_path_however_it_is_written(
    site: str, path: str, found: str
) -> None:
    answer = await raw(
        site, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    )
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert json.loads(body) == {"doi": found}


async def test_a_suffix_after_a_doi_leads_to_its_own_route(
    site: str, client: aiohttp.ClientSession
) -> None:
    async with client.get(f"{site}/works/10.5555/a/agency/") as answer:
        assert await answer.json() == {"agency-of": "10.5555/a"}


def test_what_is_written_as_json_or_xml_is_compressed_whatever_it_is_called() -> None:
    for taken in ("text/turtle", "application/json;charset=utf-8", "application/ld+json"):
        assert _textual(taken)
    assert _textual("application/vnd.crossref.unixsd+xml; version=3")
    for left in ("", "application/gzip", "application/x-json+zip", "image/png; a=+xml"):
        assert not _textual(left)


def test_a_name_within_the_first_segment_is_looked_at_where_no_other_path_begins_so() -> None:
    routes = (
        Route("GET", "/10.{+rest}", doi, "A DOI"),
        Route("GET", "/10.1/{id}", member, "One prefix"),
        Route("GET", "/works/{+doi}", doi, "A work"),
    )
    table = Table([(route, route.summary) for route in routes], ("/v1",))

    def found(path: str) -> tuple[str, dict[str, str]] | None:
        place = table.find(path)
        return place and (place[0].methods["GET"], place[1])

    assert found("/10.5555/a/b") == ("A DOI", {"rest": "5555/a/b"})
    assert found("/v1/10.5555%2Fa") == ("A DOI", {"rest": "5555/a"})
    assert found("/10.1/7") == ("One prefix", {"id": "7"})
    assert found("/works/10.5555/a") == ("A work", {"doi": "10.5555/a"})
    assert found("/11.5555/a") is None
    assert found("/") is None


async def test_a_path_that_is_not_utf8_is_refused(site: str) -> None:
    for path in (b"/works/10.5555/%ff", b"/works/10.5555/\xff"):
        answer = await raw(
            site, b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        assert b" 400 " in answer.splitlines()[0]


async def test_one_segment_is_one_segment(site: str, client: aiohttp.ClientSession) -> None:
    async with client.get(URL(f"{site}/members/a%2Fb", encoded=True)) as answer:
        assert await answer.text() == "a/b"
    async with client.get(f"{site}/members/78/9") as answer:
        assert answer.status == 404


async def test_head_is_get_without_the_body_with_the_same_headers(
    site: str, client: aiohttp.ClientSession
) -> None:
    for path in ("/works/10.5555/a", "/large"):
        async with client.get(site + path) as got, client.head(site + path) as head:
            assert head.status == 200
            assert await head.read() == b""
            for name in ("Content-Length", "Content-Type", "Vary", "x-api-pool"):
                assert head.headers.get(name) == got.headers.get(name)


async def test_options_and_wrong_methods_say_what_is_allowed(
    site: str, client: aiohttp.ClientSession
) -> None:
    async with client.options(f"{site}/choice") as answer:
        assert answer.status == 204
        assert answer.headers["Allow"] == "GET, HEAD, OPTIONS, PUT"
    async with client.delete(f"{site}/choice") as answer:
        assert answer.status == 405
        assert answer.headers["Allow"] == "GET, HEAD, OPTIONS, PUT"
        assert (await answer.json(content_type=None))["type"].endswith(":method-not-allowed")


async def test_an_unknown_address_is_a_problem_or_what_the_service_says(
    site: str, client: aiohttp.ClientSession, health: Health
) -> None:
    for path in ("/nowhere", "/works", "/works/", "//", "/v1", "/members/"):
        async with client.get(URL(site + path, encoded=True)) as answer:
            assert answer.status == 404
            assert answer.content_type == "application/problem+json"
            assert answer.headers["x-api-pool"] == "public"
    own = build_site(
        "trial",
        [],
        health=health,
        info=INFO,
        unknown_route=lambda _: json_answer({"message-type": "route-not-found"}, status=404),
    )
    async with serving(own) as (port, _), client.get(f"http://127.0.0.1:{port}/x") as answer:
        assert await answer.json() == {"message-type": "route-not-found"}


async def test_a_refusal_is_a_problem_document(site: str, client: aiohttp.ClientSession) -> None:
    async with client.get(f"{site}/refused") as answer:
        said = await answer.json(content_type="application/problem+json")
        assert answer.status == 409
        assert answer.headers["X-Request-Id"] == said.pop("correlation")
        assert said == {
            "type": "urn:colophon:problem:taken",
            "title": "It is taken",
            "status": 409,
            "detail": "By somebody.",
            "owner": 78,
        }


async def test_a_route_may_have_its_own_form_of_errors(
    site: str, client: aiohttp.ClientSession
) -> None:
    async with client.get(f"{site}/own-words") as answer:
        assert (answer.status, await answer.text()) == (401, "refused: unauthorised")


async def test_a_fault_tells_its_caller_and_the_log_nothing_of_what_it_says(
    site: str, client: aiohttp.ClientSession, capfd: pytest.CaptureFixture[str]
) -> None:
    async with client.get(f"{site}/fail", params={"q": SECRET}) as answer:
        said = await answer.text()
        assert answer.status == 500
    logged = "".join(capfd.readouterr())
    assert json.loads(said)["type"] == "urn:colophon:problem:internal"
    for told in (said, logged):
        assert SECRET not in told
        assert "Traceback" not in told
        assert "RuntimeError" not in said
    assert "RuntimeError" in logged
    assert "test_web_site.py" in logged
    assert json.loads(said)["correlation"] in logged


async def test_a_known_fault_is_the_problem_the_service_says(
    site: str, client: aiohttp.ClientSession
) -> None:
    async with client.get(f"{site}/unplugged") as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
    async with client.get(f"{site}/gone") as answer:
        assert answer.status == 410
        assert answer.content_type == "application/problem+json"
    async with client.get(f"{site}/moved", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "/members/1")


@pytest.mark.parametrize(
    ("body", "status", "errors"),
    [
        ({"reference-visibility": "closed"}, 200, []),
        ({"reference-visibility": SECRET}, 422, [("/reference-visibility", "string_pattern")]),
        ({"count": 3}, 422, [("/reference-visibility", "missing")]),
        ({"reference-visibility": "open", "count": 10}, 422, [("/count", "value_error")]),
        ({"reference-visibility": "open", "count": SECRET}, 422, [("/count", "int_parsing")]),
        ("{", 400, [("", "json_invalid")]),
        ("", 400, [("", "json_invalid")]),
        (f'"{SECRET}"', 422, [("", "model_type")]),
    ],
)
async def test_a_wrong_body_is_pointed_at_and_not_repeated(
    site: str,
    client: aiohttp.ClientSession,
    body: object,
    status: int,
    errors: list[tuple[str, str]],
) -> None:
    sent = body if isinstance(body, str) else json.dumps(body)
    headers = {"Content-Type": "application/json"}
    async with client.put(f"{site}/choice", data=sent.encode(), headers=headers) as answer:
        text = await answer.text()
        said = json.loads(text)
        assert answer.status == status
        found = [(e["at"], e["rule"].removesuffix("_mismatch")) for e in said.get("errors", [])]
        assert found == errors
        assert SECRET not in text
        if status == 200:
            assert said["reference-visibility"] == "closed"


async def test_a_body_that_is_not_json_is_refused_as_such(
    site: str, client: aiohttp.ClientSession
) -> None:
    async with client.put(f"{site}/choice", data={"reference-visibility": "open"}) as answer:
        assert answer.status == 415


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 200),
        ("rows=5&filter=a&filter=b", 200),
        ("rows=5&rows=6", 400),
        ("rows=many", 400),
        ("rows=1001", 400),
    ],
)
async def test_a_query_is_checked_and_names_stand_once(
    site: str, client: aiohttp.ClientSession, query: str, status: int
) -> None:
    async with client.get(f"{site}/choice?{query}") as answer:
        assert answer.status == status
        if "filter" in query:
            assert await answer.json() == {"rows": 5, "filter": ["a", "b"]}


async def endless(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 65_536):
        yield bytes(65_536)


async def test_a_body_is_bounded_whether_it_says_its_length_or_not(
    site: str, client: aiohttp.ClientSession
) -> None:
    headers = {"Content-Type": "application/json"}
    for data in (io.BytesIO(bytes(2_000_000)), endless(2_000_000)):
        async with client.put(f"{site}/choice", data=data, headers=headers) as answer:
            assert answer.status == 413
            assert answer.content_type == "application/problem+json"


async def test_a_body_that_unfolds_is_refused_unread(
    site: str, client: aiohttp.ClientSession
) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    bomb = gzip.compress(bytes(50_000_000))
    async with client.put(f"{site}/choice", data=bomb, headers=headers) as answer:
        assert answer.status == 415
        assert answer.headers["Accept-Encoding"] == "identity"
        assert (await answer.json())["type"].endswith("encoded-body")


async def test_a_streaming_route_bounds_its_body_itself(
    site: str, client: aiohttp.ClientSession
) -> None:
    async with client.post(f"{site}/upload", data=endless(2_000_000)) as answer:
        assert (await answer.json())["bytes"] == 2_000_000 // 65_536 * 65_536
    async with client.post(f"{site}/upload", data=endless(3_200_000)) as answer:
        assert answer.status == 413


async def test_a_malformed_body_or_request_is_refused_and_not_logged(
    site: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    broken = await raw(
        site,
        b"PUT /choice HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        b"Content-Type: application/json\r\nContent-Encoding: gzip\r\n"
        b"Content-Length: 8\r\n\r\nnot-gzip",
    )
    assert broken.startswith(b"HTTP/1.1 415")
    mangled = await raw(
        site, f"GET / HTTP/1.1\r\nAuthorization: Bearer {SECRET}\x00\r\nHost: x\r\n\r\n".encode()
    )
    assert mangled.startswith(b"HTTP/1.0 400")
    logged = "".join(capfd.readouterr()) + caplog.text
    assert "BadHttpMessage" in logged
    assert SECRET not in logged
    assert "Traceback" not in logged


async def test_large_answers_are_compressed_for_those_who_ask(
    site: str, client: aiohttp.ClientSession
) -> None:
    sizes = {}
    for accept in ("gzip, deflate", "*", "gzip;q=0", "identity", "br"):
        headers = {"Accept-Encoding": accept}
        async with client.get(f"{site}/large", headers=headers) as answer:
            assert (await answer.json())["text"] == "x" * 50_000
            assert answer.headers["Vary"] == "Authorization, Accept-Encoding"
            sizes[accept] = int(answer.headers["Content-Length"])
    assert sizes["gzip, deflate"] == sizes["*"] < 1_000
    assert sizes["gzip;q=0"] == sizes["identity"] == sizes["br"] > 50_000
    async with client.get(f"{site}/works/10.5555/a") as small:
        assert "Content-Encoding" not in small.headers


async def test_a_traced_request_keeps_its_trace_id(
    site: str, client: aiohttp.ClientSession
) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    async with client.get(f"{site}/traced", headers=headers) as answer:
        assert await answer.text() == answer.headers["X-Request-Id"] == trace
    made = set()
    for wrong in ("", "00-" + "0" * 32 + "-b7ad6b7169203331-01", SECRET):
        async with client.get(f"{site}/traced", headers={"traceparent": wrong}) as answer:
            made.add(await answer.text())
    assert len(made) == 3
    assert all(len(correlation) == 32 for correlation in made)


async def test_health_tells_a_stall_from_a_start(
    site: str, client: aiohttp.ClientSession, health: Health
) -> None:
    async def status(path: str) -> tuple[int, str]:
        async with client.get(site + path) as answer:
            return answer.status, await answer.text()

    health.promise("relay", within=5)
    health.unready("gate", "not caught up")
    assert (await status("/healthz"))[0] == 200
    ready, said = await status("/readyz")
    assert ready == 503
    assert "not caught up" in said
    health.ready("gate")
    assert (await status("/readyz"))[0] == 200
    assert isinstance(health.clock, ManualClock)
    health.clock.advance(6)
    for path in ("/healthz", "/readyz"):
        code, said = await status(path)
        assert code == 503
        assert "no progress for 6 s" in said


async def test_figures_name_routes_by_template_and_never_by_path(
    site: str, client: aiohttp.ClientSession
) -> None:
    for path in ("/works/10.5555/secret-doi", "/members/secret-member", "/secret-nowhere"):
        async with client.get(site + path):
            pass
    async with client.get(f"{site}/metrics") as answer:
        figures = await answer.text()
    assert 'route="/works/{doi}",service="trial",status="200"' in figures
    assert 'route="(unknown)",service="trial",status="404"' in figures
    assert "secret" not in figures


async def test_the_openapi_document_is_valid_and_names_every_route(
    site: str, client: aiohttp.ClientSession
) -> None:
    async with client.get(f"{site}/openapi.json") as answer:
        document = await answer.json()
    OpenAPIV31SpecValidator(document).validate()
    assert set(document["paths"]["/choice"]) == {"get", "put"}
    put = document["paths"]["/choice"]["put"]
    assert "$ref" in put["requestBody"]["content"]["application/json"]["schema"]
    parameters = document["paths"]["/choice"]["get"]["parameters"]
    assert {parameter["name"] for parameter in parameters} == {"rows", "filter"}
    for path in ("/works/{doi}", "/healthz", "/readyz", "/metrics", "/openapi.json"):
        assert path in document["paths"]


def test_routes_that_clash_are_refused_at_start(health: Health) -> None:
    twice = [Route("GET", "/a/{id}", doi, ""), Route("GET", "/a/{id}", agency, "")]
    with pytest.raises(ValueError, match="given twice"):
        build_site("trial", twice, health=health, info=INFO)
    guarded = [Route("GET", "/a", doi, "", auth="caller")]
    with pytest.raises(ValueError, match="wants to know callers"):
        build_site("trial", guarded, health=health, info=INFO)


async def test_draining_finishes_what_is_under_way_and_takes_no_more(
    health: Health, client: aiohttp.ClientSession
) -> None:
    entered, leave, draining = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow(_request: web.Request) -> web.Response:
        entered.set()
        await leave.wait()
        return text_answer("done")

    app = build_site("trial", [Route("GET", "/slow", slow, "")], health=health, info=INFO)
    async with serving(app, draining) as (port, task), asyncio.TaskGroup() as group:
        url = f"http://127.0.0.1:{port}/slow"

        async def get() -> str:
            async with client.get(url) as answer:
                return await answer.text()

        under_way = group.create_task(get())
        await entered.wait()
        draining.set()
        await until(refused(port))
        assert not task.done()
        leave.set()
        assert await under_way == "done"
        await task


def refused(port: int) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return True
        writer.close()
        return False

    return ask


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await condition():  # noqa: ASYNC110  (another's socket sets no event)
            await asyncio.sleep(0)


async def test_a_taken_port_is_said_with_its_remedy(site: str, health: Health) -> None:
    app = build_site("trial", [], health=health, info=INFO)
    port = URL(site).port
    assert port is not None
    with pytest.raises(PortTaken, match="PORT_SHIFT"):
        await serve(app, asyncio.Event(), host="127.0.0.1", port=port)
