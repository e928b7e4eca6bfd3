"""Deposits obeys orders of erasure: a depositor's files go, works and logs stay.

One process answers all tests; each has depositors of its own there.
"""

from collections.abc import AsyncIterator
from itertools import count
from typing import Any, Final
from urllib.parse import quote

import pytest

from shared.events.orders import EvidenceState, KeptUnits
from shared.events.people import PersonFact, PersonRegistered
from shared.kafka import topics
from shared.mongo import Database
from shared.privacy.telling import Told
from shared.privacy.vault import reveal
from shared.runtime.clock import SYSTEM
from shared.runtime.ids import new_id, new_pseudonym
from tests.depositing import Client, article, client, deposit, members
from tests.erasure_orders import Retention, ordering
from tests.events import Voice
from tests.platform import Platform
from tests.processes import Place, Running, service, until

pytestmark = [pytest.mark.law("P3"), pytest.mark.clause("CRP-11a")]

ROLES: Final = ("api", "relay", "worker", "deliver", "reactions")
REPLICA: Final = {"REPLICA": "deposits-1"}
_NUMBERS: Final = count(1)


@pytest.fixture(scope="module")
async def place(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Place:
    name = f"t{new_id().replace('-', '')[8:24]}."
    await topics.create(platform.kafka_bootstrap, prefix=name)
    folder = tmp_path_factory.mktemp("erasing")
    return Place(platform.kafka_bootstrap, platform.mongodb_url, name, folder)


@pytest.fixture(scope="module")
async def accounts(place: Place) -> AsyncIterator[Voice]:
    async with members(place) as voice:
        yield voice


@pytest.fixture(scope="module")
async def retention(place: Place) -> AsyncIterator[Retention]:
    async with ordering(place, "deposits") as made:
        yield made


@pytest.fixture(scope="module")
async def running(place: Place, accounts: Voice, retention: Retention) -> AsyncIterator[Running]:
    assert accounts
    assert retention
    async with service("deposits", place, *ROLES, **REPLICA) as made:
        yield made


@pytest.fixture(scope="module")
async def press(running: Running) -> AsyncIterator[Client]:
    async with client(running) as made:
        yield made


@pytest.fixture
def address() -> str:
    return f"depositor-{next(_NUMBERS)}@press.example"


def a_file(address: str, doi: str, *, far: bool = False, utf_16: bool = False) -> bytes:
    """Return a file of a depositor; ``far``: what names them is not at its beginning."""
    text = deposit(article(doi), batch=f"batch-of-{address}").decode()
    text = text.replace("nora@press.example", address)
    if far:
        text = text.replace("<head>", f"<!--{'x' * 20_000}--><head>")
    if utf_16:
        return text.replace("UTF-8", "UTF-16").encode("utf-16")
    return text.encode()


async def deposited(press: Client, address: str, **more: bool) -> tuple[str, str]:
    """Deposit a file; return its number and its DOI, once it was read."""
    doi = f"10.5555/erased-{next(_NUMBERS)}"
    status, log = await press.now(a_file(address, doi, **more), file_name=f"{address}.xml")
    assert (status, log.status) == (200, "completed"), log
    return log.submission, doi


def by_collection(said: EvidenceState) -> dict[str, tuple[int, int, int]]:
    """Return how many were found, erased and left, where any were found."""
    return {
        one.collection: (one.matched, one.erased, one.remaining)
        for one in said.looked
        if one.matched
    }


async def files(database: Database, *submissions: str) -> list[str]:
    """Return which of these have a file yet."""
    found = await database["raw"].find({}).to_list(None)
    there = {str(one["_id"]).partition("#")[0] for one in found}
    return [one for one in submissions if one in there]


async def kept(database: Database, submission: str) -> dict[str, Any]:
    found: dict[str, Any] | None = await database["submissions"].find_one({"_id": submission})
    assert found is not None
    return found


POINTS: Final = ("erasing.erased", "relay.sent")


@pytest.mark.law("L1")
async def test_what_is_not_read_yet_is_waited_for_and_killed_anywhere_all_of_it_goes(
    place: Place, accounts: Voice, retention: Retention
) -> None:
    assert accounts
    people = [f"unread-{number}@press.example" for number in range(3)]
    async with (
        service("deposits", place, "api", "relay", "reactions", **REPLICA) as running,
        client(running) as press,
    ):
        sent = {one: await press.later(a_file(one, f"10.5555/{one[:8]}")) for one in people}
        said = await retention.looked(*people)
        assert [(one.what, one.count) for one in said.blockers] == [("open-submissions", 3)]
        orders = {one: await retention.order("erase", one) for one in people}
        assert (await retention.looked(*people)).outcome == "found"
    assert await files(retention.database, *sent.values()) == list(sent.values())
    async with (
        service("deposits", place, "api", "relay", "worker", **REPLICA) as running,
        client(running) as press,
    ):
        for submission in sent.values():
            assert (await press.ended(submission))["success_count"] == 1
    assert retention.answers.keys().isdisjoint(orders.values())
    for point in POINTS:
        crash = REPLICA | {"COLOPHON_CRASH": point}
        async with service("deposits", place, *ROLES, ready=False, **crash) as running:
            assert await running.ended() != 0
    async with service("deposits", place, *ROLES, **REPLICA):
        for one, submission in sent.items():
            said = await retention.answer(orders[one])
            assert by_collection(said) == {"raw": (1, 1, 0), "submissions": (1, 1, 0)}
            assert await files(retention.database, submission) == []


@pytest.mark.parametrize("written", ["near", "far", "utf_16"])
async def test_a_depositor_s_files_go_and_works_and_logs_stay(
    press: Client, retention: Retention, address: str, written: str
) -> None:
    more = {} if written == "near" else {written: True}
    submission, doi = await deposited(press, address, **more)
    others, _ = await deposited(press, f"other-of-{address}")
    said = await retention.looked(address)
    assert (said.outcome, said.blockers, said.processors) == ("found", (), ())
    assert by_collection(said) == {"raw": (1, 0, 1), "submissions": (1, 0, 1)}
    assert await files(retention.database, submission, others) == [submission, others]
    (keys,) = said.keys_found
    assert keys.units == (submission,)

    await retention.destroy(keys)
    order = await retention.order("erase", address, records=[keys])
    erased = await retention.answer(order)
    assert (erased.outcome, erased.tombstones) == ("erased", ())
    assert by_collection(erased) == {"raw": (1, 1, 0), "submissions": (1, 1, 0)}
    assert await files(retention.database, submission, others) == [others]
    left = await kept(retention.database, submission)
    assert left["lookup"] == [left["credential"]]
    assert not {"file_name", "batch", "callback"} & left.keys()
    assert (await kept(retention.database, others))["file_name"]
    work = await retention.database["works"].find_one({"_id": doi})
    assert work is not None
    status, shown = await press.get(f"/submissions/{submission}")
    assert (status, shown["status"], shown["success_count"]) == (200, "completed", 1)
    assert (shown["file_name"], shown["batch_id"]) == (None, None)
    assert [one["doi"] for one in shown["records"]] == [doi]
    status, problem = await press.get(f"/submissions/{submission}/contents")
    assert status == 410, problem

    again = await retention.answer(await retention.order("erase", address))
    assert (again.outcome, by_collection(again)) == ("nothing-found", {})
    version = retention.answers[order].version
    await retention.order("erase", address, order=order)
    await retention.looked(address)
    assert retention.answers[order].version == version


@pytest.mark.clause("DOAJ-9a3")
@pytest.mark.clause("DOAJ-9a6")
async def test_for_a_package_a_depositor_is_told_which_files_name_them_and_others_are_not(
    press: Client, retention: Retention, address: str
) -> None:
    submission, _ = await deposited(press, address)
    await deposited(press, f"other-of-{address}")
    looked = await retention.looked(address)
    assert looked.told is None
    for one in looked.keys_found:  # a hold keeps it from others, not from the person
        await retention.keys.restrict(one.keys_id, "case-7")
    given = await retention.answer(await retention.order("look", address, tells=True))
    assert given.told is not None
    assert address not in given.model_dump_json()
    told = (await reveal(retention.ring, Told, [given.told]))[0].data
    assert told is not None
    (row,) = told.read()["files"].rows
    assert (row["submission"], row["file"]) == (submission, "held, sealed")
    assert row["file-name"] == quote(f"{address}.xml")  # as a form sends it
    assert row["batch"] == f"batch-of-{address}"
    assert row["received"]
    assert row["completed"] >= row["received"]


async def test_a_due_clock_takes_one_file_and_the_ledger_finds_it_by_its_key(
    press: Client, retention: Retention, address: str
) -> None:
    first, _ = await deposited(press, address)
    second, _ = await deposited(press, address)
    third, _ = await deposited(press, address)
    keys = {one.units[0]: one for one in (await retention.looked(address)).keys_found}
    said = await retention.answer(await retention.order("erase", records=[keys[first]]))
    assert (said.outcome, said.keys_found) == ("erased", (keys[first],))
    assert await files(retention.database, first, second, third) == [second, third]
    whole = KeptUnits(keys_id=keys[second].keys_id)  # no unit named
    said = await retention.answer(await retention.order("erase", records=[whole]))
    assert await files(retention.database, first, second, third) == [third]
    # The number of a submission under a key that is not its own means nothing.
    wrong = KeptUnits(keys_id=keys[first].keys_id, units=(third,))
    said = await retention.answer(await retention.order("erase", records=[wrong]))
    assert said.outcome == "nothing-found"


@pytest.mark.law("P2")
async def test_who_took_over_journals_is_forgotten_and_old_words_change_nothing(
    running: Running, retention: Retention, accounts: Voice
) -> None:
    assert running
    leaver, heir = new_pseudonym(), new_pseudonym()
    words = [person(leaver), person(heir), person(leaver, heir=heir, version=2)]
    await accounts.say(*words)

    async def released() -> bool:
        found = await retention.database["owners"].find_one({"_id": leaver})
        return found is not None and found["heir"] == heir

    await until(released, what="an account that is to go")
    account = KeptUnits(keys_id=f"{leaver}.account")
    said = await retention.answer(await retention.order("erase", records=[account]))
    assert by_collection(said) == {"owners": (1, 1, 0)}
    latest = person(new_pseudonym())
    await accounts.say(*words, latest)

    async def heard() -> bool:
        return await retention.database["owners"].find_one({"_id": latest.person}) is not None

    await until(heard, what="what came behind the old words")
    found = await retention.database["owners"].find_one({"_id": leaver})
    assert found is not None
    assert found["heir"] is None


def person(pseudonym: str, *, heir: str | None = None, version: int = 1) -> PersonRegistered:
    now = SYSTEM.now()
    asked = {"attempt": version, "since": now, "actor": "self", "replacement": heir}
    closing = asked if heir else None
    return PersonRegistered.model_validate(
        {
            "person": pseudonym,
            "category": "account",
            "registered_at": now,
            "facts": (PersonFact(at=now, what="registered", actor="operator"),),
            "closing": closing,
            "version": version,
        }
    )
