"""Organisations, prefixes, credentials, agreements and requests in the store, and their lists."""

from dataclasses import dataclass
from typing import Any

from services.accounts.model.agreements import KeptAgreement
from services.accounts.model.credentials import KeptCredential
from services.accounts.model.organisations import KeptOrganisation, folded
from services.accounts.model.prefixes import KeptPrefix
from services.accounts.model.requests import KeptRequest
from services.accounts.store.aggregates import Keeping, newest
from shared.mongo import Aggregates, Database, faults
from shared.runtime.bell import Ring, unheard
from shared.runtime.clock import SYSTEM, Clock


@dataclass(frozen=True, slots=True)
class Store:
    """Every aggregate of organisations."""

    database: Database
    organisations: Aggregates[KeptOrganisation]
    prefixes: Aggregates[KeptPrefix]
    credentials: Aggregates[KeptCredential]
    agreements: Aggregates[KeptAgreement]
    requests: Aggregates[KeptRequest]
    clock: Clock = SYSTEM

    async def organisations_named(self, name: str) -> list[KeptOrganisation]:
        """Return the organisations that have this name among theirs."""
        return await self.organisations.where(folded=folded(name))

    async def prefixes_of(self, organisation: int) -> list[KeptPrefix]:
        """Return the prefixes an organisation owns, in order."""
        return sorted(await self.prefixes.where(owner=organisation), key=lambda one: one.prefix)

    async def newest_requests(self, *, before: str | None, most: int) -> list[KeptRequest]:
        """Return requests, newest first, from behind ``before`` on."""
        return await newest(self.requests, {}, before=before, most=most)

    async def is_published(self, prefix: str, version: int) -> bool:
        """Say whether a version of a prefix is at the broker; later ones need not be."""
        with faults():
            found = await self.prefixes.collection.find_one({"_id": prefix}, {"outbox.version": 1})
        return all(entry["version"] > version for entry in (found or {}).get("outbox", ()))


def open_store(database: Database, *, wake: Ring = unheard, clock: Clock = SYSTEM) -> Store:
    """Make the store over a database; ``wake`` hurries the relay of this process."""
    keeping = Keeping(database, wake, clock)
    return Store(
        database,
        organisations=keeping.of("organisations", KeptOrganisation, _of_organisation),
        prefixes=keeping.of("prefixes", KeptPrefix, _of_prefix),
        credentials=keeping.of("credentials", KeptCredential, _of_credential),
        agreements=keeping.of("agreements", KeptAgreement, _of_agreement),
        requests=keeping.of("requests", KeptRequest, _of_request),
        clock=clock,
    )


def choice_of(own: str | None, account_default: str | None) -> str:
    """Return what prefixes are found by when their setting in force is asked for."""
    return f"{own}|{account_default}"


def _of_organisation(state: KeptOrganisation) -> dict[str, Any]:
    return {
        "folded": [folded(name) for name in state.names],
        "unsettled": state.unsettled,
    }


def _of_prefix(state: KeptPrefix) -> dict[str, Any]:
    return {
        "owner": state.owner,
        "choice": choice_of(state.setting, state.account_default),
    }


def _of_credential(state: KeptCredential) -> dict[str, Any]:
    return {"organisation": state.organisation}


def _of_agreement(state: KeptAgreement) -> dict[str, Any]:
    return {"organisation": state.organisation, "unsettled": state.unsettled}


def _of_request(state: KeptRequest) -> dict[str, Any]:
    return {"unsettled": state.unsettled}
