"""The leak matrix: every way to ask x every setting x every kind of caller (laws L3, L4).

What each caller may see is written down here by hand, from the policy text and not from the
policy file, so that a wrong row in the file fails too.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import aiohttp
import orjson
import pytest

from shared.events import (
    CredentialIssued,
    OrganisationRegistered,
    PrefixAssigned,
    ReferencePreferenceSet,
    WorkOwnerAssigned,
    WorkRegistered,
)
from shared.privacy.keyfile import load_or_create
from shared.privacy.passwords import hash_password, login_key, token_key
from shared.runtime.clock import SYSTEM
from tests.events import AT, Voice, speaking
from tests.processes import OPERATOR, Place, Running, service, until

SECRET: Final = "Xyzzyography"  # stands in every reference and nowhere else
PASSWORD: Final = "correct horse"
SETTINGS: Final = {"10.5001": "closed", "10.5002": "limited", "10.5003": "open", "10.5004": None}
OWNER: Final = 78
OTHER: Final = 99
CALLERS: Final = ("anonymous", "plus", "expired plus", "owner", "other member", "operator")
SEEN_BY: Final[Mapping[str | None, frozenset[str]]] = {
    "open": frozenset(CALLERS),
    "limited": frozenset({"plus", "owner"}),
    None: frozenset({"plus", "owner"}),  # nobody chose: limited since 2018
    "closed": frozenset({"owner"}),
}
SINGLES: Final = ("/works/{doi}", "/v1/works/{doi}", "/v1.0/works/{DOI}", "/works/{doi}/")
LISTS: Final = (
    "/works?filter=prefix:{prefix}",
    "/v1/works?filter=doi:{doi}",
    "/prefixes/{prefix}/works",
    "/v1/prefixes/{prefix}/works?rows=5&offset=0",
    "/members/78/works?filter=prefix:{prefix}",
    "/works?filter=prefix:{prefix}&select=reference",
    "/works?filter=prefix:{prefix}&select=DOI,reference,references-count,relation",
    "/works?filter=prefix:{prefix},has-references:true&sort=references-count&order=asc",
    "/works?filter=prefix:{prefix}&sort=published&facet=publisher-name:*,type-name:*,published:*",
    "/works?filter=prefix:{prefix}&cursor=*&rows=2",
    "/works?filter=prefix:{prefix}&query=measured",
    "/works?filter=prefix:{prefix},type:journal-article,issn:1234-5679&sort=created",
    "/works?filter=prefix:{prefix},from-index-date:2020,until-created-date:2030&mailto=a@example.org",
)
CITING: Final = "/works?filter=prefix:{prefix}&select=relation,references-count"
NEVER: Final = (
    "/works?filter=prefix:{prefix}&select=DOI,title,references-count",
    "/works?filter=prefix:{prefix}&rows=0&facet=*",
    "/works?query=" + SECRET,
    "/works?query.bibliographic=" + SECRET,
    "/works?query.title=" + SECRET,
    "/members/78",
    "/members",
    "/prefixes/{prefix}",
)


@dataclass(slots=True)
class Registry:
    """A distribution with a member of four prefixes, and callers of every kind."""

    running: Running
    accounts: Voice
    deposits: Voice
    headers: dict[str, dict[str, str]]
    session: aiohttp.ClientSession
    versions: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SETTINGS, 1))

    async def ask(self, caller: str, path: str, method: str = "GET", **headers: str) -> Any:
        async with self.session.request(
            method, self.running.url + path, headers=self.headers[caller] | headers
        ) as answer:
            return answer.status, await answer.read(), answer.headers

    async def prefer(self, prefix: str, setting: str | None) -> None:
        self.versions[prefix] += 1
        await self.accounts.say(assigned(prefix, setting, self.versions[prefix]))


def assigned(prefix: str, setting: str | None, version: int, owner: int = OWNER) -> Any:
    kind = PrefixAssigned if version == 1 else ReferencePreferenceSet
    return kind(
        prefix=prefix,
        owner=owner,
        owner_name=f"Press {owner}",
        setting=setting,
        assigned_at=AT,
        version=version,
    )


def work(doi: str) -> WorkRegistered:
    return WorkRegistered(
        doi=doi,
        prefix=doi.partition("/")[0],
        timestamp="1",
        created=AT,
        deposited=AT,
        submission="1#0",
        version=1,
        work={
            "type": "journal-article",
            "title": ["On things measured"],
            "DOI": doi,
            "ISSN": ["1234-5679"],
            "published": {"date-parts": [[2020]]},
            "issued": {"date-parts": [[2020]]},
            "reference": [{"key": "r1", "unstructured": f"{SECRET} 1, 2 (1999)"}],
            "relation": {
                "cites": [{"id-type": "doi", "id": f"10.9999/{SECRET}", "asserted-by": "subject"}]
            },
            "references-count": 1,
            "reference-count": 1,
        },
    )


@pytest.fixture
async def registry(place: Place) -> AsyncIterator[Registry]:
    key = load_or_create(place.folder / "login.key")
    now = SYSTEM.now()
    hashed = hash_password(PASSWORD)

    def login(name: str, organisation: int) -> CredentialIssued:
        return CredentialIssued(
            credential=login_key(key, name),
            organisation=organisation,
            scopes=("deposit",),
            password_hash=hashed,
            version=1,
        )

    def token(text: str, until_: timedelta) -> CredentialIssued:
        return CredentialIssued(
            credential=token_key(text),
            organisation=500,
            scopes=("plus",),
            valid_from=AT,
            valid_until=now + until_,
            version=1,
        )

    def basic(name: str) -> dict[str, str]:
        return {"Authorization": aiohttp.encode_basic_auth(name, PASSWORD)}

    async with (
        speaking(place, "accounts", "deposits") as (accounts, deposits),
        service("distribution", place) as running,
        aiohttp.ClientSession() as session,
    ):
        await accounts.say(
            OrganisationRegistered(organisation=OWNER, name="Press", registered_at=AT, version=1),
            *(assigned(prefix, setting, 1) for prefix, setting in SETTINGS.items()),
            assigned("10.6000", "open", 1, owner=OTHER),
            login("owner", OWNER),
            login("other", OTHER),
            token("plus", timedelta(hours=1)),
            token("lapsed", timedelta(hours=-1)),
        )
        await deposits.say(
            *(work(f"{prefix}/{n}") for prefix in SETTINGS for n in range(3)),
            work("10.6000/moved"),
            work("10.7777/unowned"),
        )
        registry = Registry(
            running,
            accounts,
            deposits,
            {
                "anonymous": {},
                "plus": {"Crossref-Plus-API-Token": "Bearer plus"},
                "expired plus": {"Crossref-Plus-API-Token": "Bearer lapsed"},
                "owner": basic("owner"),
                "other member": basic("other"),
                "operator": OPERATOR,
            },
            session,
        )

        async def complete() -> bool:
            _, listed, _ = await registry.ask("anonymous", "/works?rows=0")
            stored = [
                (await registry.ask("anonymous", f"/works/{prefix}/2"))[0] == 200
                for prefix in (*SETTINGS,)
            ]
            return b'"total-results":14' in listed and all(stored)

        await until(complete, within=30, what="all works indexed and stored")
        yield registry


def filled(path: str, prefix: str) -> str:
    doi = f"{prefix}/0"
    return path.format(doi=doi, DOI=doi.replace("/", "%2F"), prefix=prefix)


async def leaks(registry: Registry, settings: Mapping[str, str | None]) -> list[str]:
    """Ask everything as everybody; return what differs from what the policy says."""
    wrong = []
    for prefix, setting in settings.items():
        for caller in CALLERS:
            may = caller in SEEN_BY[setting]
            for path in (*SINGLES, *LISTS):
                status, body, headers = await registry.ask(caller, filled(path, prefix))
                seen = SECRET.encode() in body
                counted = b'"references-count":1' in body or "select=reference" in path
                told = b'"references-withheld"' in body
                if status != 200 or seen is not may or told is may or not counted:
                    wrong.append(f"{caller} {setting} {path}: {status} seen={seen} told={told}")
                if (
                    headers["Cache-Control"] != "private, no-cache"
                    or "Authorization" not in headers["Vary"]
                ):
                    wrong.append(f"{caller} {setting} {path}: may be cached")
                head = await registry.ask(caller, filled(path, prefix), "HEAD")
                if head[0] != 200 or int(head[2]["Content-Length"]) != int(
                    headers.get("Content-Length", len(body))
                ):
                    wrong.append(f"{caller} {setting} HEAD {path}: {head[2].get('Content-Length')}")
            _, body, _ = await registry.ask(caller, filled(CITING, prefix))
            if (SECRET.encode() in body) is not may:
                wrong.append(f"{caller} {setting}: relation.cites seen={not may}")
            for path in NEVER:
                _, body, _ = await registry.ask(caller, filled(path, prefix))
                if SECRET.encode() in body.replace(b'"search-terms":"Xyzzyography"', b""):
                    wrong.append(f"{caller} {setting} {path}: always private")
    return wrong


@pytest.mark.law("L3")
@pytest.mark.law("L4")
@pytest.mark.clause("CRR-2")
@pytest.mark.clause("CRR-5")
@pytest.mark.clause("CRR-6")
@pytest.mark.clause("CRR-7")
@pytest.mark.clause("CRR-14")
async def test_no_route_shows_anybody_more_or_less_than_the_setting_says(
    registry: Registry,
) -> None:
    assert await leaks(registry, SETTINGS) == []


@pytest.mark.law("L3")
@pytest.mark.clause("CRR-4")
async def test_after_a_flip_every_route_cursor_and_validator_obeys_the_new_setting(
    registry: Registry,
) -> None:
    path = "/works?filter=prefix:10.5003&rows=1&cursor="
    _, first, _ = await registry.ask("anonymous", path + "*")
    _, _, shown = await registry.ask("anonymous", "/works/10.5003/0")
    assert SECRET.encode() in first
    cursor = _json(first)["message"]["next-cursor"]
    # Each setting moves on by one: open becomes closed, and so on.
    moved = {"10.5001": "open", "10.5002": "closed", "10.5003": "closed", "10.5004": "open"}
    for prefix, setting in moved.items():
        await registry.prefer(prefix, setting)

    async def obeyed() -> bool:
        _, a, _ = await registry.ask("anonymous", "/works/10.5004/0")
        return SECRET.encode() in a

    await until(obeyed, within=5)
    _, second, _ = await registry.ask("anonymous", path + cursor)
    assert SECRET.encode() not in second
    assert _json(second)["message"]["items"][0]["references-withheld"]["reason"] == "closed"
    status, body, hidden = await registry.ask(
        "anonymous", "/works/10.5003/0", **{"If-None-Match": shown["ETag"]}
    )
    assert (status, SECRET.encode() in body) == (200, False)
    assert hidden["ETag"] != shown["ETag"]
    again = {"If-None-Match": hidden["ETag"]}
    assert (await registry.ask("anonymous", "/works/10.5003/0", **again))[0] == 304
    assert (await registry.ask("owner", "/works/10.5003/0", **again))[0] == 200
    assert await leaks(registry, moved) == []


@pytest.mark.law("L3")
async def test_a_work_given_to_another_owner_obeys_that_owners_setting(registry: Registry) -> None:
    path = "/works/10.6000/moved"
    assert SECRET.encode() in (await registry.ask("anonymous", path))[1]
    await registry.deposits.say(
        WorkOwnerAssigned(subject="10.6000/moved", owner_prefix="10.5001", version=1)
    )

    async def hidden() -> bool:
        return SECRET.encode() not in (await registry.ask("anonymous", path))[1]

    await until(hidden, within=5)
    _, body, _ = await registry.ask("anonymous", path)
    message = _json(body)["message"]
    assert (message["member"], message["prefix"]) == ("78", "10.5001")
    assert SECRET.encode() in (await registry.ask("owner", path))[1]
    assert SECRET.encode() not in (await registry.ask("other member", path))[1]


@pytest.mark.law("L3")
async def test_an_unknown_owner_shows_nobody_anything(registry: Registry) -> None:
    for caller in CALLERS:
        status, body, _ = await registry.ask(caller, "/works/10.7777/unowned")
        assert (status, SECRET.encode() in body) == (200, False)
        assert _json(body)["message"]["references-withheld"] == {"reason": "unknown-owner"}


@pytest.mark.law("L3")
async def test_stale_knowledge_shows_nobody_anything_and_recovers(registry: Registry) -> None:
    registry.accounts.marking = False

    async def stale() -> bool:
        _, body, _ = await registry.ask("anonymous", "/works/10.5003/0")
        return b"knowledge-stale" in body

    await until(stale, within=10, what="knowledge older than its bound")
    for path in SINGLES:
        status, body, headers = await registry.ask("anonymous", filled(path, "10.5003"))
        assert (status, SECRET.encode() in body) == (200, False)
        assert headers["Cache-Control"] == "no-store"
    for path in LISTS:
        status, body, headers = await registry.ask("anonymous", filled(path, "10.5003"))
        assert (status, SECRET.encode() in body) == (503, False)
        assert int(headers["Retry-After"]) > 0
    assert (await registry.ask("anonymous", "/works?select=DOI"))[0] == 200
    assert (await registry.ask("anonymous", "/works?rows=0"))[0] == 200
    # Who shows a credential cannot be recognised either.
    for caller in ("plus", "owner"):
        status, body, _ = await registry.ask(caller, "/works/10.5003/0")
        assert (status, SECRET.encode() in body) == (503, False)
    registry.accounts.marking = True

    async def fresh() -> bool:
        return SECRET.encode() in (await registry.ask("anonymous", "/works/10.5003/0"))[1]

    await until(fresh, within=10)


def _json(body: bytes) -> Any:
    return orjson.loads(body)
