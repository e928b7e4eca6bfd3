"""Who owns journals: a document for each journal, and a list for each person; two collections."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.deposits.model.owners import KeptJournal
from shared.events.owners import OwnerState
from shared.mongo import Aggregates, Database, IndexModel, faults
from shared.runtime.bell import Ring, unheard

PEOPLE: Final = "owners"
JOURNALS: Final = "journal_owners"
INDEXES: Final[Sequence[IndexModel]] = (
    IndexModel([("holds", 1)], name="holds"),
    IndexModel([("heir", 1)], name="heir"),
    IndexModel([("waits", 1)], name="waits", partialFilterExpression={"waits": True}),
)


@dataclass(frozen=True, slots=True)
class Owners:
    """Journals by id, and people by pseudonym. Only people's lists are told to others."""

    people: Aggregates[OwnerState]
    journals: Aggregates[KeptJournal]


def shown(state: OwnerState) -> Mapping[str, Any]:
    """Return what a list is looked up by; ``waits``: journals keep the account from going."""
    return {
        "holds": [one.journal for one in state.journals],
        "heir": state.heir,
        "waits": state.closing is not None and state.released is None,
    }


def open_owners(database: Database, source: str, *, wake: Ring = unheard) -> Owners:
    """Make the store over a database; ``wake`` hurries the relay of this process."""
    return Owners(
        Aggregates(
            database[PEOPLE], OwnerState.model_validate_json, source, fields=shown, wake=wake
        ),
        Aggregates(database[JOURNALS], KeptJournal.model_validate_json, source),
    )


async def prepare(database: Database) -> None:
    """Create the indexes; safe to repeat."""
    with faults():
        await database[PEOPLE].create_indexes(list(INDEXES))
