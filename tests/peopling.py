"""People in tests: an office of accounts with its mail, and somebody who signs in there."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

import aiohttp
import orjson

from shared.kafka.follow import read_whole
from shared.kafka.topics import declared
from shared.mongo import connect
from tests.asking import Answer, asked
from tests.mailbox import Mailbox
from tests.processes import OPERATOR, ROOT, Place, Running, until

_NUMBERS: Final = count(1)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@dataclass(slots=True)
class Somebody:
    """A person of a test's own, once signed in."""

    email: str
    person: str = ""
    token: str = ""

    @property
    def headers(self) -> dict[str, str]:
        return bearer(self.token)

    def looking(self, reason: str = "update") -> dict[str, str]:
        """Return headers that say why staff look."""
        return self.headers | {"Colophon-Access-Reason": reason}

    @property
    def at(self) -> str:
        return f"/people/{self.person}"


@dataclass(slots=True)
class Office:
    """Accounts, the mail it sends, and who asks."""

    session: aiohttp.ClientSession
    accounts: Running
    box: Mailbox
    place: Place

    async def __call__(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        return await asked(self.session, method, self.accounts.url + path, body, headers)

    async def ok(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Any:
        status, said = await self(method, path, body, headers)
        assert status < 300, said
        return said

    def address(self, name: str = "reader") -> str:
        return f"{name}-{next(_NUMBERS)}@press.example"

    async def somebody(self, *roles: str, name: str | None = "Josiah Carberry") -> Somebody:
        """Register a person, confirm the address, and give roles."""
        one = Somebody(self.address())
        await self.ok("POST", "/people", {"email": one.email, "name": name})
        signed = await self.use(await self.box.code_to(one.email))
        one.person, one.token = signed["person"], signed["token"]
        if roles:
            await self.ok("PUT", one.at + "/roles", {"roles": roles}, OPERATOR)
            await self.sign_in(one, after=1)
        return one

    async def sign_in(self, one: Somebody, *, after: int) -> None:
        await self.ok("POST", "/sign-ins/codes", {"email": one.email})
        one.token = (await self.use(await self.box.code_to(one.email, after=after)))["token"]

    async def use(self, code: str, **more: str) -> Any:
        return await self.ok("POST", "/sign-ins", {"code": code, **more})

    async def becomes(self, status: int, path: str, headers: dict[str, str]) -> None:
        """Wait until a request is answered so: until this process's own copy knows."""

        async def so() -> bool:
            return (await self("GET", path, None, headers))[0] == status

        await until(so, within=30, what=f"{path} to answer {status}")


def patient(folder: Path) -> Path:
    """Copy the policies; all tests are one client here, which may ask more often."""
    shutil.copytree(ROOT / "deploy" / "policies", folder)
    file = folder / "signing-in.toml"
    file.write_text(file.read_text().replace("most = 30\n", "most = 3000\n"))
    return folder


def without_correlation(answer: Answer) -> Answer:
    status, said = answer
    return status, {name: value for name, value in said.items() if name != "correlation"}


async def looks_at(place: Place, person: str) -> list[dict[str, Any]]:
    """Return the looks at somebody's details that are on record, once all of them were told."""
    name = place.environment("accounts")["DATABASE_PREFIX"] + "accounts"
    async with connect(place.mongodb_url, name) as database:
        looks = database["looks"]

        async def told() -> bool:
            return not await looks.count_documents({"dirty": True})

        await until(told, within=30, what="the looks to be told")
        found = await looks.find({"person": person}, {"state": 1}).sort("_id", 1).to_list(None)
        return [orjson.loads(one["state"]) for one in found]


async def everything_kept(place: Place, accounts: Running) -> str:
    """Return all documents of accounts and its log, as text."""
    name = place.environment("accounts")["DATABASE_PREFIX"]
    texts = [accounts.log.read_text()]
    for database in ("accounts", "keys"):
        async with connect(place.mongodb_url, name + database) as found:
            for collection in await found.list_collection_names():
                texts += [str(one) for one in await found[collection].find({}).to_list(None)]
    return "\n".join(texts)


async def everything_said(place: Place, names: Sequence[str]) -> str:
    """Return all records of topics, keys and headers included, as text."""
    places = {name: range(declared()[name].partitions) for name in names}
    whole = read_whole(place.kafka_bootstrap, places, prefix=place.name)
    return "\n".join(
        [f"{one.key} {one.headers} {one.value}" async for _, records, _ in whole for one in records]
    )
