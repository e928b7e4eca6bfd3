"""Accounts with somebody in every collection of it, beside its store and a voice that orders."""

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from services.accounts.commands import asking
from shared.events.orders import EvidenceState
from shared.mail.queue import seal_fields
from shared.mongo import Database
from shared.privacy.epochs import FileEpochs
from shared.runtime.clock import SYSTEM
from shared.runtime.ids import new_id
from tests.ordering import Retention
from tests.peopling import Office, Somebody
from tests.processes import OPERATOR, service

VOLUNTEERS: Final = "/volunteer-applications"
SETTINGS: Final = {"MAIL_FIRST_SECONDS": "0.2", "REPLICA": "accounts-1"}


@dataclass(slots=True)
class Known:
    """Somebody with an account, a role and an application, all of one address."""

    one: Somebody
    application: str
    referee: str

    @property
    def email(self) -> str:
        return self.one.email


@dataclass(slots=True)
class Registry:
    """Accounts' office, its store, and the service that orders."""

    office: Office
    database: Database
    orders: Retention
    running: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start(self, *, ready: bool = True, **environment: str) -> None:
        """Start accounts, in the place of the one that runs."""
        await self.running.aclose()
        settings: dict[str, Any] = {**SETTINGS, "SMTP_URL": self.office.box.url, **environment}
        self.office.accounts = await self.running.enter_async_context(
            service("accounts", self.office.place, ready=ready, **settings)
        )

    async def somebody(self) -> Known:
        one = await self.office.somebody()
        await self.contact(one.email)
        return Known(one, *await self.volunteer(one.email))

    async def contact(self, email: str) -> None:
        number = int(new_id()[-12:], 16)
        body = {"id": number, "name": f"Press {number}"}
        await self.office.ok("POST", "/organisations", body, OPERATOR)
        path, before = f"/organisations/{number}/contacts/billing", len(self.office.box.to(email))
        await self.office.ok("PUT", path, {"name": "Cara Contact", "email": email}, OPERATOR)
        await self.office.box.next_to(email, after=before)

    async def volunteer(self, email: str) -> tuple[str, str]:
        before = set(await self.kept("volunteers"))
        referee = self.office.address("referee")
        said = {"name": "Vera", "email": email, "referees": [{"name": "R", "email": referee}]}
        assert (await self.office("POST", VOLUNTEERS, said))[0] == 202
        (new,) = set(await self.kept("volunteers")) - before
        return new, referee

    async def kept(self, collection: str) -> dict[str, Any]:
        """Return the documents of a collection by their ids."""
        found = await self.database[collection].find({}).to_list(None)
        return {one["_id"]: one for one in found}

    async def everything(self, email: str) -> dict[str, list[str]]:
        """Return the documents in which an address stands as a blind index, by collection."""
        (index,) = self.orders.index.all(email)
        found = {}
        for name in await self.database.list_collection_names():
            ids = [key for key, one in (await self.kept(name)).items() if index in repr(one)]
            if ids:
                found[name] = sorted(ids)
        return found

    async def given_up_ask(self, email: str) -> None:
        """Leave an ask for a code that could not be answered for too long."""
        now, one = SYSTEM.now(), f"{asking.SIGN_IN}:{new_id()}"
        keys = FileEpochs(self.office.place.folder / "accounts")
        sealed = seal_fields(keys, {"email": email}, schema=asking.SCHEMA, record=one)
        await self.database["deliveries"].insert_one(
            {
                "_id": one,
                "kind": asking.SIGN_IN,
                "payload": {"sealed": sealed, "about": {}},
                "share": asking.SIGN_IN,
                "state": "dead",
                "dead": True,
                "tries": 9,
                "since": now,
                "due": now,
            }
        )

    async def copied(self) -> dict[str, dict[str, Any]]:
        """Return all documents, as a copy of the store has them."""
        return {name: await self.kept(name) for name in await self._collections()}

    async def put_back(self, copied: dict[str, dict[str, Any]]) -> None:
        """Have a copy in the place of what is there."""
        for name in await self._collections():
            await self.database[name].delete_many({})
        for name, documents in copied.items():
            if documents:
                await self.database[name].insert_many(list(documents.values()))

    async def _collections(self) -> list[str]:
        return [one for one in await self.database.list_collection_names() if one != "leases"]

    async def lacks_one(self) -> bool:
        """Whether accounts says that it is ahead of the ledger, and is not ready."""
        try:
            async with self.office.session.get(self.office.accounts.url + "/readyz") as answer:
                said = await answer.text()
                return answer.status == 503 and "the ledger lacks 1 erasures" in said
        except aiohttp.ClientError:
            return False

    async def told(self, kind: str, *emails: str, **more: Any) -> EvidenceState:
        return await self.orders.evidence(
            await self.orders.order("accounts", kind, *emails, **more)
        )
