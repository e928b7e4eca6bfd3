"""The registry that is put under fire: members, prefixes, titles, and what their works say.

Everything about a work follows from its DOI and its timestamp, so that whoever reads one knows what
it must hold.
"""

from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import aiohttp

from tests.depositing import NAMESPACE
from tests.processes import OPERATOR, until

PRESS, OTHERS, LIBRARY = 78, 99, 500
PASSWORD: Final = "correct horse"
SECRET: Final = "Xyzzyography"  # stands once in every reference and nowhere else
MEMBERS: Final = {PRESS: "Press", OTHERS: "Others"}

# A prefix and its first owner. Of the last two one changes its owner, one is poisoned.
PREFIXES: Final = {
    "10.5001": PRESS,
    "10.5002": PRESS,
    "10.5003": OTHERS,
    "10.5004": OTHERS,
    "10.5005": PRESS,
}
FIRST_SETTING: Final = {"10.5001": "open", "10.5002": "limited", "10.5003": "closed"}
MOVING: Final = "10.5004"
POISONED: Final = "10.5005"
SETTLED: Final = ("10.5001", "10.5002", "10.5003")
# Titles: one a prefix, and one that moves between two of them.
TRAVELS: Final = "10.5001"  # the prefix of the DOIs that stand in the title that moves
BETWEEN: Final = ("10.5001", "10.5003")
HUB: Final = "10.5002/hub"  # cited by every work that has references
CALLERS: Final = ("anonymous", "plus", "owner78", "owner99")
SEEN_BY: Final[dict[str, frozenset[str]]] = {
    "open": frozenset({"public", "plus", "owner"}),
    "limited": frozenset({"plus", "owner"}),
    "closed": frozenset({"owner"}),
}


def may_see(caller: str, setting: str, owner: int) -> bool:
    """Say whether a caller may see references of ``owner`` under a setting; from the policy text.

    ``caller`` is one of CALLERS, or "public" for whom a topic is open to.
    """
    audience = "plus" if caller == "plus" else "public"
    if caller == f"owner{owner}":
        audience = "owner"
    return audience in SEEN_BY[setting]


def issn_of(number: int) -> str:
    """Return a valid ISSN that begins with a number."""
    digits = f"{number:07d}"
    left = -sum(int(digit) * weight for digit, weight in zip(digits, range(8, 1, -1), strict=True))
    check = "0123456789X"[left % 11]
    return f"{digits[:4]}-{digits[4:]}{check}"


@cache
def journal_of(doi: str) -> tuple[str, str]:
    """Return name and ISSN of the journal that a DOI stands in, whoever deposits it."""
    prefix, suffix = doi.split("/")
    if suffix.startswith("t"):
        return "Travels", issn_of(1900001)
    return f"Journal of {prefix}", issn_of(1000000 + int(prefix.removeprefix("10.")))


@cache
def title_of(doi: str) -> str:
    """Return the subject of the title that a DOI stands in."""
    return f"journal:{journal_of(doi)[1]}"


def references(doi: str, timestamp: int) -> int:
    """Return how many references a version of a work has."""
    return 0 if doi == HUB else (timestamp + len(doi)) % 4


def article(doi: str, timestamp: int) -> str:
    """Return one version of a work as deposited."""
    cited = "".join(
        f'<citation key="r{n}">'
        + (f"<doi>{HUB}</doi>" if n == 0 else "")
        + f"<unstructured_citation>{SECRET} {timestamp}.{n}</unstructured_citation></citation>"
        for n in range(references(doi, timestamp))
    )
    return (
        '<journal_article publication_type="full_text">'
        f"<titles><title>Version {timestamp} of {doi}</title></titles>"
        '<publication_date media_type="online"><year>2026</year></publication_date>'
        f"<doi_data><doi>{doi}</doi><timestamp>{timestamp}</timestamp>"
        f"<resource>https://example.org/{doi}</resource></doi_data>"
        + (f"<citation_list>{cited}</citation_list>" if cited else "")
        + "</journal_article>"
    )


def deposit_file(batch: str, records: list[tuple[str, int]]) -> bytes:
    """Return a deposit of versions of works, all of the same journal."""
    name, issn = journal_of(records[0][0])
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<doi_batch version="5.3.1" xmlns="{NAMESPACE}">'
        f"<head><doi_batch_id>{batch}</doi_batch_id><timestamp>1</timestamp>"
        "<depositor><depositor_name>Nora Depositor</depositor_name>"
        "<email_address>nora@press.example</email_address></depositor>"
        "<registrant>Press</registrant></head><body><journal><journal_metadata>"
        f'<full_title>{name}</full_title><issn media_type="electronic">{issn}</issn>'
        "</journal_metadata>"
        f"{''.join(article(*one) for one in records)}</journal></body></doi_batch>"
    ).encode()


def basic(login: str) -> dict[str, str]:
    """Return the header of a login."""
    return {"Authorization": aiohttp.encode_basic_auth(login, PASSWORD)}


@dataclass(slots=True)
class World:
    """What clients need: the headers of each caller, and the next timestamp of each DOI."""

    plus: str = ""
    timestamps: dict[str, int] = field(default_factory=dict)

    def headers(self, caller: str) -> dict[str, str]:
        """Return what proves a caller."""
        match caller:
            case "plus":
                return {"Crossref-Plus-API-Token": f"Bearer {self.plus}"}
            case "anonymous":
                return {}
        return basic(caller)

    def next(self, doi: str) -> int:
        """Return a timestamp that no other deposit of this DOI has."""
        self.timestamps[doi] = self.timestamps.get(doi, 0) + 1
        return self.timestamps[doi]


async def enter(session: aiohttp.ClientSession, accounts: str) -> World:
    """Enter the members, their prefixes and logins, and a subscriber."""

    async def post(path: str, body: Any) -> Any:
        async with session.post(accounts + path, json=body, headers=OPERATOR) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()

    for number, name in {**MEMBERS, LIBRARY: "Library"}.items():
        await post("/organisations", {"id": number, "name": name})
    for prefix, owner in PREFIXES.items():
        said = {"reference-visibility": FIRST_SETTING[prefix]} if prefix in FIRST_SETTING else {}
        name = MEMBERS[owner]
        await post(f"/organisations/{owner}/prefixes", {"prefix": prefix, "name": name, **said})
    for number in MEMBERS:
        login = {"login": f"owner{number}", "password": PASSWORD, "scopes": ["deposit", "admin"]}
        await post(f"/organisations/{number}/credentials", login)
    years = {"start": "2020-01-01", "end": "2099-12-31"}
    signed = await post(f"/organisations/{LIBRARY}/plus-agreements", years)
    return World(plus=signed["token"])


async def known(session: aiohttp.ClientSession, world: World, urls: list[str]) -> None:
    """Wait until every site knows every caller."""

    async def everyone() -> bool:
        for url in urls:
            for caller in CALLERS[1:]:
                path = "/submissions?rows=1" if "owner" in caller else "/works?rows=0"
                async with session.get(url + path, headers=world.headers(caller)) as answer:
                    if answer.status in {401, 503}:
                        return False
        return True

    await until(everyone, within=60, what="callers known")
