"""The aggregates of consent in the store: one collection each, their indexes and their lists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.consent.model.analytics import KeptCount
from services.consent.model.consents import KeptConsent
from services.consent.model.exports import KeptExport
from services.consent.model.holders import KeptHolder
from services.consent.model.issues import KeptIssue
from services.consent.model.notices import KeptNotice
from services.consent.model.people import KeptPerson, KeptSuppression
from services.consent.model.proofs import KeptProof
from shared.events.consent import ProcessorState
from shared.kafka.relay import Source
from shared.mail import kept_decisions
from shared.mongo import Aggregates, Database, IndexModel, Outbox, faults, prepare_all
from shared.policy.decisions import KeptDecision
from shared.privacy.obeying import EVIDENCE
from shared.privacy.obeying import INDEXES as OF_EVIDENCE
from shared.runtime.bell import Ring, unheard
from shared.runtime.clock import SYSTEM, Clock

SOURCE: Final = "/services/consent"

# The relay serves sources in this order: consents rest on notices, so notices come first.
PUBLISHED: Final[Mapping[str, tuple[str, ...]]] = {
    "notices": ("consent.notices.v1",),
    "consents": ("consent.decisions.v1",),
    "processors": (),
    "people": (),
    EVIDENCE: (),
}
INDEXES: Final[Mapping[str, Sequence[IndexModel]]] = {
    "consents": (
        IndexModel([("person", 1)], name="person"),
        IndexModel([("subjects", 1)], name="subjects"),
        IndexModel([("purpose", 1), ("_id", 1)], name="to"),
        IndexModel([("ends", 1)], name="ends"),
        IndexModel([("noes", 1)], name="noes"),
    ),
    EVIDENCE: OF_EVIDENCE,
    "holders": (IndexModel([("subjects", 1)], name="subjects"),),
    "issues": (IndexModel([("ended", 1)], name="ended"), IndexModel([("at", 1)], name="at")),
    "exports": (IndexModel([("subjects", 1)], name="subjects"),),
    "page_views": (IndexModel([("forget_at", 1)], name="forget", expireAfterSeconds=0),),
    "people": (
        IndexModel([("person", 1)], name="person"),
        IndexModel([("subjects", 1)], name="subjects"),
        IndexModel([("nobody", 1)], name="nobody", partialFilterExpression={"nobody": True}),
    ),
}


@dataclass(frozen=True, slots=True)
class Store:
    """Every aggregate of consent."""

    database: Database
    notices: Aggregates[KeptNotice]
    consents: Aggregates[KeptConsent]
    processors: Aggregates[ProcessorState]
    people: Aggregates[KeptPerson]
    holders: Aggregates[KeptHolder]
    suppressions: Aggregates[KeptSuppression]
    decisions: Aggregates[KeptDecision]
    issues: Aggregates[KeptIssue]
    exports: Aggregates[KeptExport]
    proofs: Aggregates[KeptProof]
    counts: Aggregates[KeptCount]
    clock: Clock = SYSTEM

    async def consents_of(self, person: str) -> list[KeptConsent]:
        """Return all consents of a person, by purpose."""
        return sorted(await self.consents.where(person=person), key=lambda one: one.purpose)

    async def consents_to(self, purpose: str, *, after: str, most: int) -> list[KeptConsent]:
        """Return consents to a purpose, by their keys, from behind ``after`` on."""
        asked = {"purpose": purpose, "_id": {"$gt": after}}
        with faults():
            found = await (
                self.consents.collection.find(asked, {"state": 1})
                .sort("_id", 1)
                .limit(most)
                .to_list(most)
            )
        return [self.consents.parse(document["state"]) for document in found]

    async def count_of(self, purpose: str) -> int:
        """Count the consents to a purpose, whatever they are worth."""
        with faults():
            return await self.consents.collection.count_documents({"purpose": purpose})

    async def person(self, pseudonym: str) -> KeptPerson | None:
        """Return a person by the pseudonym."""
        found = await self.people.where(person=pseudonym)
        return found[0] if found else None

    async def forget_nobody(self) -> bool:
        """Delete what is left of people who were erased, index and all, once that was told.

        On condition that nobody came back under the address meanwhile.
        """
        with faults():
            await self.people.collection.delete_many({"nobody": True, "dirty": {"$ne": True}})
        return False

    async def all_notices(self) -> list[KeptNotice]:
        """Return every notice, in order; there are a handful."""
        return await _all(self.notices)

    async def all_processors(self) -> list[ProcessorState]:
        """Return every processor, in order; there are some dozens."""
        return await _all(self.processors)

    async def over(self, now: datetime, *, most: int) -> list[str]:
        """Return the keys of consents whose time is up and that do not say so yet."""
        with faults():
            found = await (
                self.consents.collection.find({"ends": {"$lte": now}}, {"_id": 1})
                .limit(most)
                .to_list(most)
            )
        return [document["_id"] for document in found]


def open_store(database: Database, *, wake: Ring = unheard, clock: Clock = SYSTEM) -> Store:
    """Make the store over a database; ``wake`` hurries the relay of this process."""

    def kept(name: str, parse: Any, fields: Any) -> Aggregates[Any]:
        return Aggregates(database[name], parse, SOURCE, fields, clock, wake)

    return Store(
        database,
        notices=kept("notices", KeptNotice.model_validate_json, _nothing),
        consents=kept("consents", KeptConsent.model_validate_json, _of_consent),
        processors=kept("processors", ProcessorState.model_validate_json, _nothing),
        people=kept("people", KeptPerson.model_validate_json, _of_person),
        holders=kept("holders", KeptHolder.model_validate_json, _of_holder),
        suppressions=kept("suppressions", KeptSuppression.model_validate_json, _nothing),
        decisions=kept_decisions(database, SOURCE, clock),
        issues=kept("issues", KeptIssue.model_validate_json, _of_issue),
        exports=kept("exports", KeptExport.model_validate_json, _of_export),
        proofs=kept("proofs", KeptProof.model_validate_json, _nothing),
        counts=kept("page_views", KeptCount.model_validate_json, _of_count),
        clock=clock,
    )


async def prepare(database: Database) -> None:
    """Create the indexes; safe to repeat."""
    await prepare_all(database, INDEXES, published=PUBLISHED)


def sources(database: Database) -> list[Source]:
    """Return what the relay publishes, in its order."""
    return [Source(Outbox(database[name], SOURCE), gate) for name, gate in PUBLISHED.items()]


async def _all(aggregates: Aggregates[Any]) -> list[Any]:
    with faults():
        found = await aggregates.collection.find({}, {"state": 1}).sort("_id", 1).to_list(None)
    return [aggregates.parse(document["state"]) for document in found]


def _nothing(_state: Any) -> dict[str, Any]:
    return {}


def _of_consent(state: KeptConsent) -> dict[str, Any]:
    """Of one that was erased nothing leads to a person, once its proof was moved away."""
    here = not state.erased
    return {
        "person": state.person if here else None,
        "subjects": [state.subject] if here or state.proof is not None else [],
        "purpose": state.purpose if here else None,
        "ends": state.valid_until if state.standing == "given" else None,
        "noes": list(state.noes),
    }


def _of_issue(state: KeptIssue) -> dict[str, Any]:
    return {"ended": state.ended_at is not None, "at": state.at}


def _of_export(state: KeptExport) -> dict[str, Any]:
    return {"subjects": [row.subject for row in state.rows if row.subject is not None]}


def _of_count(state: KeptCount) -> dict[str, Any]:
    return {"forget_at": state.forget_at}


def _of_holder(state: KeptHolder) -> dict[str, Any]:
    return {"subjects": [one for one in (state.subject, state.left) if one is not None]}


def _of_person(state: KeptPerson) -> dict[str, Any]:
    if state.nobody:
        return {"person": None, "subjects": [], "nobody": True}
    return {"person": state.person, "subjects": [state.subject], "nobody": False}
