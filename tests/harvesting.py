"""A registry that is harvested: works that change, callers of every kind, and OAI-PMH's grammar."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import aiohttp
from lxml import etree

from shared.events import (
    OrganisationRegistered,
    PrefixAssigned,
    ReferencePreferenceSet,
    TitleRegistered,
    WorkRegistered,
    WorkUpdated,
)
from tests.callers import basic, login, token
from tests.events import AT, Voice, speaking
from tests.processes import OPERATOR, Place, Running, service, until

SECRET: Final = "Xyzzyography"  # stands in every reference and nowhere else
OWNER: Final = 78
OTHER: Final = 99
SETTINGS: Final = {"10.5001": "closed", "10.5002": "limited", "10.5003": "open", "10.5004": None}
JOURNAL: Final = "journal:1234-5679"
BOOK: Final = "book:9780000000002"
FIRST: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
OAI: Final = "{http://www.openarchives.org/OAI/2.0/}"
GRAMMAR: Final = Path(__file__).parent / "corpus" / "oai-pmh.rng"


def work(
    doi: str,
    minute: int = 0,
    *,
    version: int = 1,
    kind: str = "journal-article",
    title: str | None = None,
    deposited: datetime | None = None,
    cites: str | None = None,
) -> Any:
    """Return a work whose newest deposit was accepted so many minutes after the first of all."""
    return (WorkRegistered if version == 1 else WorkUpdated)(
        title=title,
        doi=doi,
        prefix=doi.partition("/")[0],
        timestamp=str(version),
        created=AT,
        deposited=deposited or FIRST + timedelta(minutes=minute),
        submission="1#0",
        version=version,
        work={
            "type": kind,
            "title": [f"On <i>things</i> measured & made, {version}"],
            "DOI": doi,
            "author": [{"given": "Ada", "family": "Love\u0001lace", "sequence": "first"}],
            "published": {"date-parts": [[2020, 5]]},
            "issued": {"date-parts": [[2020, 5]]},
            "reference": [
                # No DOI stands in its text: it would be matched, and the work cite itself.
                {"key": "r1", "unstructured": f"{SECRET} in {doi.replace('/', ' ')} 1, 2 (1999)"},
                *([{"key": "r2", "DOI": cites}] if cites else []),
            ],
            "relation": {
                "cites": [{"id-type": "doi", "id": f"10.9999/{SECRET}", "asserted-by": "subject"}]
            },
            "references-count": 1,
            "reference-count": 1,
        },
    )


@dataclass(slots=True)
class Harvested:
    """A running distribution, who speaks to it, and who asks."""

    running: Running
    accounts: Voice
    deposits: Voice
    callers: dict[str, dict[str, str]]
    session: aiohttp.ClientSession
    versions: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SETTINGS, 1))

    @property
    def url(self) -> str:
        return self.running.url + "/oai"

    async def ask(
        self, caller: str = "anonymous", *, path: str = "/oai", method: str = "GET", **said: str
    ) -> tuple[int, bytes, Any]:
        """Ask a verb; ``from_`` is written ``from``."""
        given = {name.rstrip("_"): value for name, value in said.items()}
        sent = {"params": given} if method != "POST" else {"data": given}
        async with self.session.request(
            method,
            self.running.url + path,
            headers=self.callers[caller],
            **sent,  # type: ignore[arg-type]
        ) as answer:
            return answer.status, await answer.read(), answer.headers

    async def told(self, caller: str = "anonymous", **said: str) -> Any:
        """Return a valid answer's root."""
        status, body, _ = await self.ask(caller, **said)
        assert status == 200, body
        return valid(body)

    async def walk(self, caller: str, verb: str, **said: str) -> list[Any]:
        """Return every record or header of a list, page after page."""
        found = []
        root = await self.told(caller, verb=verb, **said)
        while True:
            found += root.findall(f"{OAI}{verb}/*")
            token = found.pop() if found[-1].tag == f"{OAI}resumptionToken" else None
            if token is None or not token.text:
                return found
            root = await self.told(caller, verb=verb, resumptionToken=token.text)

    async def prefer(self, prefix: str, setting: str | None) -> None:
        self.versions[prefix] += 1
        await self.accounts.say(_assigned(prefix, setting, self.versions[prefix], OWNER))

    async def holds(self, total: int) -> None:
        """Wait until so many works are in the lists, and all of them in the store."""

        async def there() -> bool:
            _, body, _ = await self.ask(path="/works", rows="0")
            if f'"total-results":{total}'.encode() not in body:
                return False
            # A page ends where the store is behind the list; one that would be empty is refused.
            found, more = 0, {"metadataPrefix": "oai_dc"}
            while more:
                status, body, _ = await self.ask("plus", verb="ListRecords", **more)
                if status != 200:
                    return False
                root = valid(body)
                found += len(root.findall(f"{OAI}ListRecords/{OAI}record"))
                token = root.findtext(f"{OAI}ListRecords/{OAI}resumptionToken")
                more = {"resumptionToken": token} if token else {}
            return found == total

        await until(there, within=30, what=f"{total} works")


def valid(body: bytes) -> Any:
    """Return the root of an answer that is valid by OAI-PMH 2.0's grammar."""
    root = etree.fromstring(body)
    GRAMMAR_OF_ANSWERS.assertValid(root)
    return root


def error(root: Any) -> str | None:
    """Return the code of an error."""
    found = root.find(f"{OAI}error")
    return None if found is None else found.get("code")


def doi_of(one: Any) -> str:
    """Return the DOI of a record or a header, in lower case."""
    return str(one.findtext(f".//{OAI}identifier")).removeprefix("info:doi/")


def _assigned(prefix: str, setting: str | None, version: int, owner: int) -> Any:
    kind = PrefixAssigned if version == 1 else ReferencePreferenceSet
    return kind(
        prefix=prefix,
        owner=owner,
        owner_name=f"Press {owner} & Sons",
        setting=setting,
        assigned_at=AT,
        version=version,
    )


@contextlib.asynccontextmanager
async def harvested(place: Place) -> AsyncIterator[Harvested]:
    """Open a registry without works: a member of four prefixes, another of one."""

    async with (
        speaking(place, "accounts", "deposits") as (accounts, deposits),
        service("distribution", place) as running,
        aiohttp.ClientSession() as session,
    ):
        await accounts.say(
            OrganisationRegistered(organisation=OWNER, name="Press", registered_at=AT, version=1),
            *(_assigned(prefix, setting, 1, OWNER) for prefix, setting in SETTINGS.items()),
            _assigned("10.6000", "open", 1, OTHER),
            login(place, "owner", OWNER),
            login(place, "other", OTHER),
            token("plus", timedelta(hours=1)),
            token("lapsed", timedelta(hours=-1)),
        )
        await deposits.say(
            TitleRegistered(subject=JOURNAL, name="On Things", owner_prefix="10.5003", version=1),
            TitleRegistered(subject=BOOK, name="A Book", owner_prefix="10.6000", version=1),
        )
        callers = {
            "anonymous": {},
            "plus": {"Crossref-Plus-API-Token": "Bearer plus"},
            "expired plus": {"Crossref-Plus-API-Token": "Bearer lapsed"},
            "owner": basic("owner"),
            "other member": basic("other"),
            "operator": OPERATOR,
        }
        yield Harvested(running, accounts, deposits, callers, session)


GRAMMAR_OF_ANSWERS: Final = etree.RelaxNG(file=str(GRAMMAR))
