"""The collections of accounts: what of each is published, and their indexes."""

from collections.abc import Mapping, Sequence
from typing import Final

from services.accounts.acks import Acks, Announcing
from shared.kafka.relay import Source
from shared.mongo import Database, IndexModel, Outbox, prepare_all
from shared.privacy.obeying import EVIDENCE
from shared.privacy.obeying import INDEXES as EVIDENCE_INDEXES

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
    EVIDENCE: (),
}
_UNSETTLED: Final = IndexModel(
    [("unsettled", 1)], name="unsettled", partialFilterExpression={"unsettled": True}
)
_SUBJECTS: Final = IndexModel([("subjects", 1)], name="subjects")
_PERSON: Final = IndexModel([("person", 1)], name="person")
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
    "people": (_SUBJECTS,),
    "addresses": (_PERSON,),
    "volunteers": (
        _SUBJECTS,
        _PERSON,
        IndexModel([("archived", 1), ("status", 1)], name="status"),
    ),
    "offers": (
        _SUBJECTS,
        _PERSON,
        IndexModel([("forget_at", 1)], name="forget", expireAfterSeconds=0),
    ),
    "challenges": (
        _SUBJECTS,
        _PERSON,
        IndexModel([("forget_at", 1)], name="forget", expireAfterSeconds=0),
    ),
    "looks": (_PERSON,),
    "memberships": (
        _UNSETTLED,
        IndexModel([("status", 1)], name="status"),
        _SUBJECTS,
        _PERSON,
    ),
    "contacts": (
        _UNSETTLED,
        IndexModel([("organisation", 1)], name="organisation"),
        IndexModel([("mailed", 1)], name="mailed"),
        _SUBJECTS,
        _PERSON,
    ),
    EVIDENCE: EVIDENCE_INDEXES,
}


async def prepare(database: Database) -> None:
    """Create the indexes; safe to repeat."""
    await prepare_all(database, INDEXES, published=PUBLISHED)


def sources(database: Database, acks: Acks) -> list[Source]:
    """Return what the relay publishes, in its order; ``acks`` hear of it."""
    return [
        Source(Announcing(Outbox(database[name], SOURCE), acks), gate)
        for name, gate in PUBLISHED.items()
    ]
