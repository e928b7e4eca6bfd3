"""A registry with a string planted in every reference, and callers of every kind.

Of members whose prefixes have each setting, with works, a title, an override of an owner. What is
shown anywhere to anybody can be looked through for the string.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import aiohttp
import orjson

from shared.events import (
    OrganisationRegistered,
    PrefixAssigned,
    ReferencePreferenceSet,
    TitleRegistered,
    WorkOwnerAssigned,
    WorkRegistered,
)
from tests.callers import basic, login, token
from tests.events import AT, Voice, speaking
from tests.processes import OPERATOR, ROOT, Place, Running, service, until

SECRET: Final = "Xyzzyography"  # stands in every reference and nowhere else
SETTINGS: Final = {"10.5001": "closed", "10.5002": "limited", "10.5003": "open", "10.5004": None}
OWNER: Final = 78
OTHER: Final = 99
GIVEN_AWAY: Final = ("10.6000", "10.6100", "10.6200")  # open, and OTHER's at first
REDEPOSITED: Final = "10.6400"  # open, and OTHER's
TAKER: Final = "10.6300"  # closed, and OWNER's
TITLE: Final = "journal:1234-5679"
ISSNS: Final = ("1234-5679",)
IN_TITLE: Final = tuple(f"10.6100/{n}" for n in range(12))
CITED: Final = "10.6100/11"  # by every work; which are many that nobody may know of
REFERENCES: Final = 3  # of each work
CALLERS: Final = ("anonymous", "plus", "expired plus", "owner", "other member", "operator")


@dataclass(slots=True)
class Registry:
    """A distribution with a member of four prefixes, and callers of every kind."""

    running: Running
    accounts: Voice
    deposits: Voice
    headers: dict[str, dict[str, str]]
    session: aiohttp.ClientSession
    settings: dict[str, str | None] = field(default_factory=lambda: dict(SETTINGS))
    versions: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SETTINGS, 1))

    async def ask(self, caller: str, path: str, method: str = "GET", **headers: str) -> Any:
        async with self.session.request(
            method, self.running.url + path, headers=self.headers[caller] | headers
        ) as answer:
            return answer.status, await answer.read(), answer.headers

    async def prefer(self, prefix: str, setting: str | None) -> None:
        self.versions[prefix] += 1
        self.settings[prefix] = setting
        await self.accounts.say(assigned(prefix, setting, self.versions[prefix]))

    async def restore(self) -> None:
        """Take every preference back to what it was, and wait until it is."""
        for prefix, setting in SETTINGS.items():
            if self.settings[prefix] == setting:
                continue
            await self.prefer(prefix, setting)
            await until(lambda prefix=prefix: self._in_force(prefix), what="restored")  # type: ignore[misc]

    async def _in_force(self, prefix: str) -> bool:
        _, body, _ = await self.ask("anonymous", f"/works/{prefix}/0/position")
        said = orjson.loads(body)["message"]["reference-visibility"]
        return bool(said == (SETTINGS[prefix] or "limited"))


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


def planted(doi: str) -> tuple[str, str]:
    """Return what stands in a work's references and nowhere else: a text, and a DOI."""
    return f"{SECRET} in {doi} 1, 2 (1999)", f"10.9999/{SECRET}/{doi}/"


def work(doi: str, title: str | None = None) -> WorkRegistered:
    return WorkRegistered(
        title=title,
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
            "author": [{"given": "Ada", "family": "Writer", "sequence": "first"}],
            "container-title": ["On Things"],
            "ISSN": ["1234-5679"],
            "resource": {"primary": {"URL": f"https://example.org/{doi}"}},
            "published": {"date-parts": [[2020]]},
            "issued": {"date-parts": [[2020]]},
            "reference": [
                {"key": "r0", "unstructured": planted(doi)[0]},
                {"key": "r1", "DOI": planted(doi)[1], "doi-asserted-by": "publisher"},
                {"key": "r2", "DOI": CITED, "doi-asserted-by": "publisher", "author": SECRET},
            ],
            "relation": {
                "cites": [{"id-type": "doi", "id": f"10.9999/{SECRET}", "asserted-by": "subject"}]
            },
            "references-count": REFERENCES,
            "reference-count": REFERENCES,
        },
    )


@contextlib.asynccontextmanager
async def opened(place: Place) -> AsyncIterator[Registry]:

    async with (
        speaking(place, "accounts", "deposits") as (accounts, deposits),
        service("distribution", place) as running,
        aiohttp.ClientSession() as session,
    ):
        await accounts.say(
            OrganisationRegistered(organisation=OWNER, name="Press", registered_at=AT, version=1),
            *(assigned(prefix, setting, 1) for prefix, setting in SETTINGS.items()),
            *(assigned(prefix, "open", 1, owner=OTHER) for prefix in (*GIVEN_AWAY, REDEPOSITED)),
            assigned(TAKER, "closed", 1),
            login(place, "owner", OWNER),
            login(place, "other", OTHER),
            token("plus", timedelta(hours=1)),
            token("lapsed", timedelta(hours=-1)),
        )
        await deposits.say(
            TitleRegistered(
                subject=TITLE, name="T", issns=ISSNS, owner_prefix="10.6100", version=1
            ),
            # One of its works belongs to its owner whatever becomes of the title.
            WorkOwnerAssigned(subject="10.6100/kept", owner_prefix="10.6100", version=1),
        )
        works = [
            *(work(f"{prefix}/{n}") for prefix in SETTINGS for n in range(3)),
            work("10.6000/moved"),
            work("10.7777/unowned"),
            work("10.6100/untitled", "journal:none"),
            *(work(doi, TITLE) for doi in IN_TITLE),
            work("10.6100/kept", TITLE),
            *(work(f"10.6200/{n}") for n in range(3)),
        ]
        await deposits.say(*works)
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
            total = f'"total-results":{len(works)}'.encode()
            return total in listed and all(stored)

        await until(complete, within=30, what="all works indexed and stored")
        await build_snapshot(registry, place)
        yield registry


async def build_snapshot(registry: Registry, place: Place) -> None:
    """Have the snapshot of the works' month built as operators do, and wait until it is served."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.distribution.snapshots", "build", "--month", "2026-01"),
        cwd=ROOT,
        env=place.environment("distribution") | {"REPLICA": "builder"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()

    async def served() -> bool:
        return bool((await registry.ask("plus", "/snapshots/monthly/2026/01"))[0] == 200)

    await until(served, within=20, what="the snapshot is served")
