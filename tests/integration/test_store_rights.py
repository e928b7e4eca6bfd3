"""Each service's user of the store reads and writes its own databases and no other (DOAJ-4c1).

On the embedded store, whose users are made as those of a MongoDB are: ``createUser`` with the role
``readWrite`` on a database.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

import pytest
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import OperationFailure

from deploy.local.ports import free_ports
from deploy.local.services import SERVICES, rights_of
from deploy.local.store import administrator_url, grant, store

UNAUTHORISED: Final = 13  # MongoDB's code for it
RIGHTS: Final = rights_of(SERVICES)
DATABASES: Final = sorted({name for databases in RIGHTS.values() for name in databases})
Tried = Callable[[Database[dict[str, Any]]], object]
TRIES: Final[dict[str, Tried]] = {
    "find": lambda database: list(database["people"].find()),
    "count": lambda database: database["people"].count_documents({}),
    "distinct": lambda database: database["people"].distinct("_id"),
    "insert": lambda database: database["people"].insert_one({}),
    "update": lambda database: database["people"].update_one({"_id": 1}, {"$set": {"a": 1}}),
    "delete": lambda database: database["people"].delete_one({"_id": 2}),
    "list": lambda database: database.list_collection_names(),
    "index": lambda database: database["people"].create_index("name"),
}
# Ways into another database by one's own.
DETOURS: Final[dict[str, Callable[[str], list[dict[str, Any]]]]] = {
    "$out": lambda other: [{"$out": {"db": other, "coll": "people"}}],
    "$merge": lambda other: [{"$merge": {"into": {"db": other, "coll": "people"}}}],
}


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Run a store with a document in every database, and give each user's address."""
    folder = tmp_path_factory.mktemp("rights")
    port = free_ports(["store"])["store"]
    node = store(folder, port, log=folder / "store.log")
    node.start()
    try:
        with MongoClient[dict[str, Any]](administrator_url(folder, port)) as client:
            for name in DATABASES:
                client[name]["people"].insert_one({"_id": 1, "name": "Zoë Canary"})
        yield grant(folder, port, RIGHTS)
    finally:
        node.kill()


def may(tried: Callable[[], object]) -> bool:
    try:
        tried()
    except OperationFailure as refused:
        if refused.code != UNAUTHORISED or "Canary" in str(refused):
            raise
        return False
    return True


@pytest.mark.clause("DOAJ-4c1")
@pytest.mark.parametrize("user", RIGHTS)
def test_a_service_reads_and_writes_its_own_databases_and_no_other(
    urls: dict[str, str], user: str
) -> None:
    with MongoClient[dict[str, Any]](urls[user]) as client:
        for name in DATABASES:
            done = {what: may(partial(tried, client[name])) for what, tried in TRIES.items()}
            assert set(done.values()) == {name in RIGHTS[user]}, (name, done)
        own = client[RIGHTS[user][0]]["people"]
        for name in set(DATABASES) - set(RIGHTS[user]):
            for what, stages in DETOURS.items():
                assert not may(partial(own.aggregate, stages(name))), (what, name)


@pytest.mark.clause("DOAJ-4c1")
@pytest.mark.parametrize("user", RIGHTS)
def test_a_service_can_give_itself_no_right(urls: dict[str, str], user: str) -> None:
    role = {"role": "readWrite", "db": "colophon_accounts"}
    with MongoClient[dict[str, Any]](urls[user]) as client:
        for command in (
            {"createUser": "another", "pwd": "x", "roles": [role]},
            {"updateUser": user, "roles": [role]},
            {"grantRolesToUser": user, "roles": [role]},
        ):
            assert not may(partial(client.admin.command, command)), command
        assert not may(lambda: list(client.admin["system.users"].find()))


def test_the_keys_are_shared_by_those_that_hold_personal_data_and_nobody_else() -> None:
    assert {user for user, names in RIGHTS.items() if any("keys" in one for one in names)} == {
        *("accounts", "consent", "deposits", "retention")
    }
