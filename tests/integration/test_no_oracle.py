"""No answer tells of a contact (DOAJ-4b3): neither search nor filter, facet, sort, count or error.

Each question is asked twice: with a value that somebody gave, and with one of the same form that
nobody ever did. But for the value itself, the answers are the same.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import aiohttp
import pytest

from deploy.local.platform import Platform
from deploy.privacy import register
from deploy.privacy.canaries import canaries
from deploy.privacy.register import Entry
from services.distribution.rest.routes import FACETS, FIELD_QUERIES
from services.distribution.rest.work_filters import WORK_FILTERS
from shared.kafka import topics
from shared.runtime.ids import new_id, new_pseudonym
from tests.mailbox import Mailbox
from tests.planting import BESIDE, PASSWORD, PLANTED, UNAVAILABLE, World, member
from tests.processes import OPERATOR, Place, service, until

SERVICES: Final = ("accounts", "consent", "deposits", "distribution", "retention")
# What differs from one answer to the next, whatever was asked.
VARYING: Final = {"date", "content-length", "etag", "x-request-id"}
CORRELATION: Final = re.compile(rb'"(correlation|confirmation)":"[^"]*"')
OTHER: Final = "other"  # the login of another organisation
NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
# Values of each kind, from each service; asks for mail are about the first two.
SOUGHT: Final = (
    "accounts.person-details.v1/email",
    "consent.subscriber.v1/email",
    "accounts.person-details.v1/name",
    "accounts.contact.v1/email",
    "accounts.volunteer.v1/email",
    "accounts.login/email",
    "deposits.raw.v1/file",
    "deposits.raw.v1/email",
    "deposits.submissions.v1/batch_id",
)


class Question(NamedTuple):
    """One request; ``{}`` is where the value stands, quoted in paths, as it is in bodies."""

    service: str
    method: str
    path: str
    field: str | None = None
    beside: Mapping[str, Any] = NOTHING
    headers: Mapping[str, str] = NOTHING


@pytest.fixture(scope="module")
async def world(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory, box: Mailbox
) -> AsyncIterator[World]:
    """Plant every canary, wait until readers know the deposit."""
    name = f"t{new_id().replace('-', '')[8:24]}."
    await topics.create(platform.kafka_bootstrap, prefix=name)
    folder = tmp_path_factory.mktemp("oracle")
    place = Place(platform.kafka_bootstrap, platform.mongodb_url, name, folder)
    settings = {"SMTP_URL": box.url, "MAIL_FIRST_SECONDS": "0.1"}
    async with AsyncExitStack() as stack:
        running = {
            one: await stack.enter_async_context(service(one, place, ready=False, **settings))
            for one in SERVICES
        }
        await asyncio.gather(*(one.ready(within=90) for one in running.values()))
        session = await stack.enter_async_context(
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        )
        world = World(session, running, box, given(new_id()))
        await world.ok("consent", "POST", "/notices", headers=OPERATOR)
        await member(world)
        await world.ok(
            "accounts", "POST", "/organisations", {"id": 79, "name": "O"}, headers=OPERATOR
        )
        login = {"login": OTHER, "password": PASSWORD, "scopes": ["deposit", "admin"]}
        await world.ok("accounts", "POST", "/organisations/79/credentials", login, headers=OPERATOR)

        async def known() -> bool:
            status, _ = await world.ask("deposits", "GET", "/submissions", headers=basic(OTHER))
            return status == 200

        await until(known, within=60, what="deposits to know the logins")
        await asyncio.gather(*(plant(world) for plant in dict.fromkeys(PLANTED.values())))

        async def read() -> bool:
            return (await world.ask("distribution", "GET", "/works/10.5555/canary"))[0] == 200

        await until(read, within=60, what="the work to be read")
        yield world


def given(salt: str) -> dict[str, Any]:
    beside = [Entry(schema, name, (), (), "self") for schema, name in BESIDE]
    return canaries([*register.entries(), *beside], salt)


def basic(login: str, password: str = PASSWORD) -> dict[str, str]:
    return {"Authorization": aiohttp.encode_basic_auth(login, password)}


async def questions(world: World) -> list[Question]:
    """Return all that can be asked with a value of somebody's."""
    asked = [
        *(Question("distribution", "GET", path) for path in searches()),
        *(
            Question("accounts", "POST", path, name, beside)
            for path, name, beside in (
                ("/people", "email", {}),
                ("/sign-ins/codes", "email", {}),
                ("/sign-ins", "email", {"password": "wrong horse"}),
                ("/volunteer-applications", "email", {"name": "A", "referees": REFEREES}),
            )
        ),
        Question("consent", "POST", "/lists/newsletter/subscriptions", "email"),
        Question("consent", "POST", "/preferences", "email"),
        Question("retention", "POST", "/requests/self", "email", {"kinds": ["access"]}),
    ]
    other = basic(OTHER)
    asked += [
        Question("deposits", "GET", f"/{path}={{}}", headers=other)
        for path in (
            "submissions?file_name",
            "submissions?batch_id",
            "submissions?before",
            "titles?query",
            "conflicts?prefix",
        )
    ]
    mine = f"usr={OTHER}&pwd={quote(PASSWORD)}&type=result"
    asked += [
        Question("deposits", "GET", f"/servlet/submissionDownload?{mine}&{name}={{}}")
        for name in ("file_name", "doi_batch_id", "submission_id")
    ]
    for name in SERVICES:
        _, document = await world.ask(name, "GET", "/openapi.json")
        for path in document["paths"]:
            if "{" in path:
                at = re.sub(r"\{[a-z_]+\}", "{}", path)
                headers = other if name in {"accounts", "deposits"} else NOTHING
                asked.append(Question(name, "GET", at, headers=headers))
    return asked


REFEREES: Final = [{"name": "B", "email": "somebody@press.example"}]


def searches() -> Iterator[str]:
    """Give every way of the read interface to search, filter, count and sort by a value."""
    yield from ("/works?query={}", "/members?query={}", "/works?query={}&rows=0&facet=license:*")
    yield from (f"/works?query.{name}={{}}" for name in FIELD_QUERIES)
    yield from (f"/works?filter={name}:{{}}" for name in WORK_FILTERS)
    yield from (f"/works?query={{}}&facet={name}:*" for name in FACETS)
    yield from (f"/works?{name}={{}}" for name in ("facet", "sort", "select", "cursor", "sample"))
    yield from ("/works?{}=1", "/works?filter={}:1", "/works?query.{}=1")


async def answered(world: World, asked: Question, value: str) -> tuple[Any, ...]:
    """Return all that an answer says but for the value; asked again where it is "ask again"."""
    url = world.services[asked.service].url + asked.path.replace("{}", quote(value, safe=""))
    body = None if asked.field is None else {**asked.beside, asked.field: value}

    async def one() -> tuple[Any, ...] | None:
        async with world.session.request(
            asked.method, url, json=body, headers=asked.headers, allow_redirects=False
        ) as answer:
            told = answer.headers.items()
            headers = {name: text for name, text in told if name.lower() not in VARYING}
            said = CORRELATION.sub(b"", await answer.read())
            for form in (value, value.lower(), quote(value, safe=""), quote(value)):
                said = said.replace(form.encode(), b"<value>")
                headers = {name: text.replace(form, "<value>") for name, text in headers.items()}
            return None if answer.status == UNAVAILABLE else (answer.status, said, headers)

    found: tuple[Any, ...] = await until(one, within=60, what=f"an answer of {asked.path}")
    return found


@pytest.mark.soak
@pytest.mark.clause("DOAJ-4b3")
async def test_what_somebody_gave_is_answered_as_what_nobody_ever_did(world: World) -> None:
    nobodys = given(new_id())
    places = asyncio.Semaphore(8)

    async def same(asked: Question, name: str) -> str | None:
        async with places:
            known = await answered(world, asked, world.canaries[name].text)
            unknown = await answered(world, asked, nobodys[name].text)
        if known == unknown:
            return None
        return f"{asked.service} {asked.path} tells of {name}: {known} {unknown}"

    asked = [
        (one, name)
        for one in await questions(world)
        for name in (SOUGHT if one.field is None else SOUGHT[:2])
    ]
    assert len(asked) > 500
    told = await asyncio.gather(*(same(one, name) for one, name in asked))
    assert not any(told), "\n".join(one for one in told if one)


@pytest.mark.soak
@pytest.mark.clause("DOAJ-4b3")
async def test_a_question_that_would_tell_is_found(world: World) -> None:
    """The comparison sees: of one's own submission by its name, the answers differ."""
    name = "deposits.submissions.v1/batch_id"
    own = Question("deposits", "GET", "/submissions?batch_id={}", headers=basic(world.login))
    known = await answered(world, own, world.canaries[name].text)
    assert known[0] == 200
    assert known != await answered(world, own, given(new_id())[name].text)


@pytest.mark.soak
@pytest.mark.clause("DOAJ-4b3")
async def test_an_account_by_its_id_is_to_others_as_one_that_does_not_exist(world: World) -> None:
    email = "reader.of.others@press.example"
    other = await world.signed_in(email, name="Other")
    at, who = other.pop("at"), other
    holder = await world.signed_in("holder.of.one@press.example", name="Holder")
    ids = (holder["at"].rpartition("/")[2], new_pseudonym())
    for path in ("", "/accesses", "/keys", "/deletion"):
        for headers in (who, NOTHING, OPERATOR):
            question = Question("accounts", "GET", f"/people/{{}}{path}", headers=headers)
            known, unknown = [await answered(world, question, one) for one in ids]
            assert known == unknown, question
    assert at != holder["at"]
