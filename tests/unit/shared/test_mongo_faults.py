"""What the store's faults mean: pass by, collided, or wrong for good."""

from typing import Any

import pytest
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    DuplicateKeyError,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    ServerSelectionTimeoutError,
)

from shared.mongo.client import collided, faults
from shared.mongo.guarded import Put, apply_writes, collapse
from shared.runtime.faults import Transient

DUPLICATE = {"index": 1, "code": 11000}
UNCONFIRMED = [{"code": 64, "errmsg": "waiting for replication timed out"}]


@pytest.mark.parametrize(
    "kind", [AutoReconnect, NetworkTimeout, NotPrimaryError, ServerSelectionTimeoutError]
)
def test_what_passes_is_transient_and_quotes_nothing(kind: Any) -> None:
    with pytest.raises(Transient) as caught, faults():
        raise kind("mongodb://user:secret@host")
    assert "secret" not in str(caught.value)


@pytest.mark.law("L5")
@pytest.mark.parametrize(
    "fault",
    [
        OperationFailure("internal server error of secret", code=1),
        OperationFailure("no space left for secret", code=14031),
        BulkWriteError({"writeErrors": [{"index": 0, "code": 1}], "writeConcernErrors": []}),
    ],
    ids=["broken inside", "disk full", "in a bulk"],
)
def test_a_store_that_is_not_well_passes_and_is_not_the_record_s_fault(fault: Exception) -> None:
    with pytest.raises(Transient) as caught, faults():
        raise fault
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("fault", [DuplicateKeyError("x"), OperationFailure("x", code=2)])
def test_what_is_wrong_for_good_stays_itself(fault: Exception) -> None:
    with pytest.raises(type(fault)), faults():
        raise fault


def test_collisions_are_named_and_anything_else_beside_them_is_raised() -> None:
    assert collided(BulkWriteError({"writeErrors": [DUPLICATE], "writeConcernErrors": []})) == [1]
    other = BulkWriteError({"writeErrors": [DUPLICATE, {"index": 2, "code": 121}]})
    with pytest.raises(BulkWriteError):
        collided(other)


class Unconfirmed:
    """A collection whose store writes and cannot say that it is durable."""

    def __init__(self, errors: list[Any]) -> None:
        self.errors = errors

    async def bulk_write(self, _operations: Any, *, ordered: bool) -> None:
        assert not ordered
        raise BulkWriteError({"writeErrors": self.errors, "writeConcernErrors": UNCONFIRMED})


@pytest.mark.law("L1")
@pytest.mark.law("L5")
@pytest.mark.parametrize("errors", [[], [DUPLICATE]], ids=["alone", "beside a collision"])
async def test_a_write_that_is_not_confirmed_durable_is_never_taken_for_done(
    errors: list[Any],
) -> None:
    database: Any = {"shown": Unconfirmed(errors)}
    with pytest.raises(Transient, match="did not confirm durability"):
        await apply_writes(database, [Put("shown", "a", 1, {}), Put("shown", "b", 1, {})])


def test_a_batch_is_collapsed_to_the_newest_write_of_each_key_and_of_equal_ones_the_last() -> None:
    writes = [
        Put("one", "a", 2, {"n": 1}),
        Put("one", "a", 1, {"n": 2}),
        Put("one", "a", 2, {"n": 3}),
        Put("two", "a", 1, {"n": 4}),
    ]
    kept = collapse(writes)
    assert kept == {"one": {"a": writes[2]}, "two": {"a": writes[3]}}
