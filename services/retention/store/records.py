"""The fact table: every record that has clocks, with its dated facts and when it is due next."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from services.retention.model.records import KeptRecord, next_due
from shared.mongo import Aggregates, Database, IndexModel
from shared.policy.retention import Schedule
from shared.privacy.rings import SOURCE
from shared.runtime.clock import SYSTEM, Clock

RECORDS: Final = "records"
RECORD_INDEXES: Final = (
    # ``next_due``: the next time that a clock of it is ripe; later while somebody has it in hand.
    IndexModel(
        [("waits", 1), ("next_due", 1)], name="due", partialFilterExpression={"waits": True}
    ),
    IndexModel([("keys_ids", 1)], name="keys_ids"),
)


def open_records(
    database: Database, schedule: Callable[[], Schedule], clock: Clock = SYSTEM
) -> Aggregates[KeptRecord]:
    """Return the fact table; what is written is folded by the schedule of that moment."""

    def shown(record: KeptRecord) -> Mapping[str, Any]:
        due = next_due(record, schedule())
        return {
            "kind": record.kind,
            "keys_ids": [one.keys_id for one in record.keys],
            "waits": due is not None,
            "next_due": due,
        }

    return Aggregates(database[RECORDS], KeptRecord.model_validate_json, SOURCE, shown, clock)
