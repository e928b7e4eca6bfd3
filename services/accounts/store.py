"""The aggregates of accounts in the store: one collection each, their indexes and their lists."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeVar

from services.accounts.acks import Acks, Announcing
from services.accounts.model.access import KeptAccess, KeptKey, KeptSigningKey
from services.accounts.model.addresses import KeptClaim
from services.accounts.model.agreements import KeptAgreement
from services.accounts.model.challenges import KeptChallenge
from services.accounts.model.credentials import KeptCredential
from services.accounts.model.deletions import KeptOffer
from services.accounts.model.looks import KeptLook
from services.accounts.model.organisations import KeptOrganisation, folded
from services.accounts.model.people import KeptPerson
from services.accounts.model.prefixes import KeptPrefix
from services.accounts.model.requests import KeptRequest
from services.accounts.model.volunteers import KeptVolunteer
from shared.events import OwnerState
from shared.kafka.relay import Source
from shared.mongo import Aggregates, Collection, Database, IndexModel, Outbox, faults
from shared.mongo.aggregates import Versioned
from shared.runtime.clock import SYSTEM, Clock

S = TypeVar("S", bound=Versioned)
SOURCE: Final = "/services/accounts"
OWNED: Final = "owned"  # what deposits tells of people's journals, written by its projection alone

# Gate topics first: the relay serves sources in this order, and each gate topic has one collection.
PUBLISHED: Final[Mapping[str, tuple[str, ...]]] = {
    "prefixes": ("accounts.prefixes.v1",),
    "credentials": ("accounts.credentials.v1",),
    "organisations": (),
    "people": (),
    "looks": (),
    "volunteers": (),
    "memberships": (),
    "contacts": (),
}
_UNSETTLED: Final = IndexModel(
    [("unsettled", 1)], name="unsettled", partialFilterExpression={"unsettled": True}
)
INDEXES: Final[Mapping[str, Sequence[IndexModel]]] = {
    "organisations": (_UNSETTLED, IndexModel([("folded", 1)], name="folded")),
    "prefixes": (
        IndexModel([("owner", 1)], name="owner"),
        IndexModel([("choice", 1)], name="choice"),
    ),
    "credentials": (
        IndexModel([("organisation", 1)], name="organisation"),
        IndexModel(
            [("key_of", 1)], name="key_of", partialFilterExpression={"key_of": {"$exists": True}}
        ),
    ),
    "agreements": (_UNSETTLED, IndexModel([("organisation", 1)], name="organisation")),
    "requests": (_UNSETTLED,),
    "people": (IndexModel([("subjects", 1)], name="subjects"),),
    "addresses": (IndexModel([("person", 1)], name="person"),),
    "volunteers": (
        IndexModel([("subjects", 1)], name="subjects"),
        IndexModel([("archived", 1), ("status", 1)], name="status"),
    ),
    "offers": (
        IndexModel([("subjects", 1)], name="subjects"),
        IndexModel([("forget_at", 1)], name="forget", expireAfterSeconds=0),
    ),
    "challenges": (
        IndexModel([("subjects", 1)], name="subjects"),
        IndexModel([("forget_at", 1)], name="forget", expireAfterSeconds=0),
    ),
    "looks": (IndexModel([("person", 1)], name="person"),),
    "memberships": (
        _UNSETTLED,
        IndexModel([("status", 1)], name="status"),
        IndexModel([("subjects", 1)], name="subjects"),
    ),
    "contacts": (
        _UNSETTLED,
        IndexModel([("organisation", 1)], name="organisation"),
        IndexModel([("mailed", 1)], name="mailed"),
        IndexModel([("subjects", 1)], name="subjects"),
    ),
}


@dataclass(frozen=True, slots=True)
class PeopleStore:
    """Every aggregate about people.

    Access records and keys share the collection of the organisations' credentials, under ids of
    their own: a gate topic has one collection, whose reading its watermarks are about.
    """

    people: Aggregates[KeptPerson]
    claims: Aggregates[KeptClaim]
    challenges: Aggregates[KeptChallenge]
    looks: Aggregates[KeptLook]
    accesses: Aggregates[KeptAccess]
    keys: Aggregates[KeptKey]
    signing: Aggregates[KeptSigningKey]
    offers: Aggregates[KeptOffer]
    owned: Collection
    volunteers: Aggregates[KeptVolunteer]
    clock: Clock = SYSTEM

    async def hangs_on(self, person: str) -> OwnerState | None:
        """Return what deposits told last of a person's journals, None where it never did."""
        with faults():
            found = await self.owned.find_one({"_id": person}, {"state": 1})
        return OwnerState.model_validate_json(found["state"]) if found else None

    async def newest_volunteers(
        self, *, archived: bool, status: str | None, before: str | None, most: int
    ) -> list[KeptVolunteer]:
        """Return applications, newest first, from behind ``before`` on; hundreds a year."""
        asked: dict[str, Any] = {"archived": archived}
        if status is not None:
            asked["status"] = status
        if before is not None:
            asked["_id"] = {"$lt": before}
        return await newest(self.volunteers, asked, most)


def of_people(credential: str) -> str:
    """Return the id of the document of a person's credential."""
    return f"people/{credential}"


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
        """Return requests, newest first, from behind ``before`` on.

        The one list that sorts in the store: a support desk has thousands, not tens of thousands.
        """
        behind = {} if before is None else {"_id": {"$lt": before}}
        return await newest(self.requests, behind, most)

    async def is_published(self, prefix: str, version: int) -> bool:
        """Say whether a version of a prefix is at the broker; later ones need not be."""
        with faults():
            found = await self.prefixes.collection.find_one({"_id": prefix}, {"outbox.version": 1})
        return all(entry["version"] > version for entry in (found or {}).get("outbox", ()))


def open_store(
    database: Database, *, wake: Callable[[], None] = lambda: None, clock: Clock = SYSTEM
) -> Store:
    """Make the store over a database; ``wake`` hurries the relay of this process."""

    def kept(name: str, parse: Any, fields: Any) -> Aggregates[Any]:
        return Aggregates(database[name], parse, SOURCE, fields, clock, wake)

    return Store(
        database,
        organisations=kept("organisations", KeptOrganisation.model_validate_json, _of_organisation),
        prefixes=kept("prefixes", KeptPrefix.model_validate_json, _of_prefix),
        credentials=kept("credentials", KeptCredential.model_validate_json, _of_credential),
        agreements=kept("agreements", KeptAgreement.model_validate_json, _of_agreement),
        requests=kept("requests", KeptRequest.model_validate_json, _of_request),
        clock=clock,
    )


def open_people(
    database: Database, *, wake: Callable[[], None] = lambda: None, clock: Clock = SYSTEM
) -> PeopleStore:
    """Make the store of people over the same database."""

    def kept(name: str, parse: Any, fields: Any = lambda _state: {}) -> Aggregates[Any]:
        return Aggregates(database[name], parse, SOURCE, fields, clock, wake)

    return PeopleStore(
        people=kept(
            "people",
            KeptPerson.model_validate_json,
            lambda state: {"subjects": list(state.subjects)},
        ),
        claims=kept(
            "addresses", KeptClaim.model_validate_json, lambda state: {"person": state.person}
        ),
        challenges=kept("challenges", KeptChallenge.model_validate_json, _forgotten),
        looks=kept("looks", KeptLook.model_validate_json, lambda state: {"person": state.person}),
        accesses=kept("credentials", KeptAccess.model_validate_json),
        keys=kept(
            "credentials", KeptKey.model_validate_json, lambda state: {"key_of": state.person}
        ),
        signing=kept("credentials", KeptSigningKey.model_validate_json),
        offers=kept("offers", KeptOffer.model_validate_json, _forgotten),
        owned=database[OWNED],
        volunteers=kept("volunteers", KeptVolunteer.model_validate_json, _of_volunteer),
        clock=clock,
    )


async def prepare(database: Database) -> None:
    """Create the indexes; safe to repeat."""
    for name, indexes in INDEXES.items():
        with faults():
            await database[name].create_indexes(list(indexes))
    for name in PUBLISHED:
        await Outbox(database[name], SOURCE).prepare()


def sources(database: Database, acks: Acks) -> list[Source]:
    """Return what the relay publishes, in its order; ``acks`` hear of it."""
    return [
        Source(Announcing(Outbox(database[name], SOURCE), acks), gate)
        for name, gate in PUBLISHED.items()
    ]


async def newest(aggregates: Aggregates[S], asked: dict[str, Any], most: int) -> list[S]:
    """Return the states that ``asked`` finds by shown fields, those with the greatest ids first."""
    with faults():
        found = await (
            aggregates.collection.find(asked, {"state": 1})
            .sort("_id", -1)
            .limit(most)
            .to_list(most)
        )
    return [aggregates.parse(document["state"]) for document in found]


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


def _of_volunteer(state: KeptVolunteer) -> dict[str, Any]:
    return {
        "subjects": [part.subject for part in state.parts],
        "status": state.status,
        "archived": state.archived_at is not None,
    }


def _of_request(state: KeptRequest) -> dict[str, Any]:
    return {"unsettled": state.unsettled}


def _forgotten(state: KeptChallenge | KeptOffer) -> dict[str, Any]:
    # A day longer than it counts, so that codes of an address can be counted.
    return {"subjects": list(state.subjects), "forget_at": state.until + timedelta(days=1)}
