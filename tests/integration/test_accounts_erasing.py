"""Accounts obeys orders of erasure: it looks, erases, looks again, and says what it saw."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Final

import aiohttp
import pytest

from deploy.local.platform import Platform
from services.accounts.erasing import PSEUDONYMOUS
from shared.events.orders import EvidenceState, KeptUnits, LookedAt
from shared.events.owners import OwnerChanged
from shared.kafka import topics
from shared.kafka.follow import read_to_end
from shared.kafka.topics import declared
from shared.mongo import connect
from shared.privacy.ledger import APPLIED
from shared.privacy.telling import Told
from shared.privacy.vault import reveal
from shared.runtime.ids import new_id
from tests.events import speaking
from tests.mailbox import Mailbox
from tests.ordering import retention
from tests.peopling import Office
from tests.processes import Place, service, until
from tests.registry import VOLUNTEERS, Registry

POINTS: Final = ("erasing.erased", "erasing.evidence")
TOPIC: Final = "accounts.personal.v1"
FOUND: Final = {"people", "addresses", "contacts", "volunteers", "challenges", "decisions"}
# Of the house itself: none is about people; the ledger's are erasures by their ids.
HOUSEHOLD: Final = {"leases", "replicas", "replica_starts", "applied", APPLIED}


@pytest.fixture(scope="module")
async def registry(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory, box: Mailbox
) -> AsyncIterator[Registry]:
    name = f"t{new_id().replace('-', '')[8:24]}."
    await topics.create(platform.kafka_bootstrap, prefix=name)
    folder = tmp_path_factory.mktemp("accounts_erasing")
    place = Place(platform.kafka_bootstrap, platform.mongodb_url, name, folder)
    mine = place.environment("accounts")["DATABASE_PREFIX"] + "accounts"
    async with (
        connect(place.mongodb_url, mine) as database,
        retention(place, "accounts") as orders,
        aiohttp.ClientSession() as session,
        AsyncExitStack() as running,
        service("accounts", place, "relay", ready=False) as nobody,
    ):
        await nobody.end()
        one = Registry(Office(session, nobody, box, place), database, orders, running)
        await one.start()
        yield one


def found(given: EvidenceState) -> dict[str, LookedAt]:
    """Return what was found where anything was, seen to add up."""
    for one in given.looked:
        assert one.matched == one.erased + one.kept + one.remaining
    return {one.collection: one for one in given.looked if one.matched}


def matched(given: EvidenceState) -> dict[str, int]:
    return {name: one.matched for name, one in found(given).items()}


async def newest(place: Place) -> dict[tuple[int, str], bytes | None]:
    """Return the newest record of each key of the personal topic, with its partition."""
    newest: dict[tuple[int, str], bytes | None] = {}
    for partition in range(declared()[TOPIC].partitions):
        pages = read_to_end(place.kafka_bootstrap, TOPIC, partition, start=0, prefix=place.name)
        async for records, _ in pages:
            newest |= {(partition, one.key.decode()): one.value for one in records}
    return newest


@pytest.mark.law("P3")
@pytest.mark.clause("DOAJ-6b1")
async def test_a_look_finds_everything_of_somebody_and_erases_nothing(registry: Registry) -> None:
    anna = await registry.somebody()
    before = await registry.everything(anna.email)
    assert set(before) == FOUND
    given = await registry.told("look", anna.email)
    assert given.outcome == "found"
    assert matched(given) == {name: len(ids) for name, ids in before.items()} | {"credentials": 1}
    assert {one.keys_id.partition(".")[2]: one.units for one in given.keys_found} == {
        "account": ("details",),
        "contact-role": ("contact",),
        "volunteer-application": (anna.application,),
    }
    assert given.tombstones == ()
    assert await registry.everything(anna.email) == before
    assert (await registry.office("GET", anna.one.at, None, anna.one.headers))[0] == 200
    collections = set(await registry.database.list_collection_names())
    assert collections <= {one.collection for one in given.looked} | {*PSEUDONYMOUS} | HOUSEHOLD


@pytest.mark.clause("DOAJ-9a5")
@pytest.mark.clause("DOAJ-9a6")
async def test_for_a_package_each_mail_to_somebody_is_told_with_date_purpose_and_what_became_of_it(
    registry: Registry,
) -> None:
    anna = await registry.somebody()
    given = await registry.told("look", anna.email, tells=True)
    assert given.told is not None
    told = (await reveal(registry.orders.ring, Told, [given.told]))[0].data
    assert told is not None
    mails = told.read()["mails"]
    decisions = next(one.matched for one in given.looked if one.collection == "decisions")
    assert (len(mails.rows), mails.older) == (decisions, 0)
    assert [one["at"] for one in mails.rows] == sorted(one["at"] for one in mails.rows)[::-1]
    sent = [one for one in mails.rows if one["became"] == "taken"]
    assert sent
    assert all(one["on"] >= one["at"] for one in sent)
    assert {one["purpose"] for one in sent} == {"security"}  # codes
    assert {one["address"] for one in mails.rows} >= {"account-holder"}
    assert all(one["act"] == "mail" and one["clause"] for one in mails.rows)


@pytest.mark.law("P3")
@pytest.mark.clause("DOAJ-6b1")
async def test_an_erasure_takes_all_of_somebody_nothing_of_others_and_says_so_once(
    registry: Registry,
) -> None:
    anna, bela = await registry.somebody(), await registry.somebody()
    others = {one: await registry.everything(one) for one in (bela.email, anna.referee)}
    order = await registry.orders.order("accounts", "erase", anna.email)
    given = await registry.orders.evidence(order)
    assert given.outcome == "erased"
    assert set(found(given)) == FOUND | {"credentials"}
    assert not [one for one in given.looked if one.remaining or one.kept]
    assert await registry.everything(anna.email) == {}
    assert {one: await registry.everything(one) for one in others} == others
    records = await newest(registry.office.place)
    people = {one.keys_id.partition(".")[0] for one in given.keys_found}
    gone = [at for at in records if at[1].partition("|")[0] in people]
    assert len(gone) == len(people) == 3
    assert not [at for at in gone if records[at] is not None]
    assert sorted((one.partition, one.count) for one in given.tombstones) == sorted(
        (part, [at[0] for at in gone].count(part)) for part in {at[0] for at in gone}
    )
    await registry.office.becomes(401, anna.one.at, anna.one.headers)
    assert (await registry.office("GET", bela.one.at, None, bela.one.headers))[0] == 200
    # Told again it says nothing more; another order finds nothing.
    await registry.orders.voice.say(order)
    again = await registry.told("erase", anna.email)
    assert (again.outcome, matched(again), again.tombstones) == ("nothing-found", {}, ())
    assert registry.orders.heard[order.order] == [given]


@pytest.mark.clause("DOAJ-6c3")
async def test_an_order_of_units_erases_their_records_and_no_others_of_the_person(
    registry: Registry,
) -> None:
    anna, team = await registry.somebody(), await registry.office.somebody("team")
    before = await registry.everything(anna.email)
    given = await registry.told("look", anna.email, anna.referee)
    units = [one for one in given.keys_found if one.keys_id.endswith(".volunteer-application")]
    given = await registry.told("erase", records=tuple(units))
    assert (given.outcome, matched(given)) == ("erased", {"volunteers": 1})
    assert sum(one.count for one in given.tombstones) == 2
    del before["volunteers"]
    assert await registry.everything(anna.email) == before
    shown = f"{VOLUNTEERS}/{anna.application}"
    whole = await registry.office.ok("GET", shown, None, team.looking())
    assert (whole["name"], whole["email"], whole["referees"]) == (None, None, [])
    assert (await registry.office("GET", anna.one.at, None, anna.one.headers))[0] == 200


@pytest.mark.law("P3")
async def test_what_is_exempt_is_kept_counted_and_named_and_the_rest_goes(
    registry: Registry,
) -> None:
    anna = await registry.somebody()
    given = await registry.told("erase", anna.email, exempt=("account",))
    assert (given.outcome, given.exempted) == ("erased", ("account",))
    looked = found(given)
    assert (looked["people"].kept, looked["people"].erased) == (1, 0)
    assert (looked["contacts"].kept, looked["contacts"].erased) == (0, 1)
    assert set(await registry.everything(anna.email)) == FOUND - {"contacts", "volunteers"}
    assert (await registry.office("GET", anna.one.at, None, anna.one.headers))[0] == 200


@pytest.mark.law("P3")
async def test_whose_subjects_cannot_be_read_was_not_looked_for_until_they_can(
    registry: Registry,
) -> None:
    anna = await registry.office.somebody()
    sealed = await registry.orders.subjects(anna.email)
    async with registry.orders.keyless(sealed):
        order = await registry.orders.order("accounts", "erase", subjects=sealed)
        given = await registry.orders.evidence(order)
        assert (given.outcome, given.reason) == ("could-not-look", "subjects-lost")
        assert given.looked == ()
    given = await registry.orders.evidence(order, after=1)
    assert (given.outcome, given.reason) == ("erased", None)
    assert await registry.everything(anna.email) == {}


@pytest.mark.clause("DOAJ-8a1")
async def test_journals_that_hang_on_an_account_are_named_before_it_can_go(
    registry: Registry,
) -> None:
    anna = await registry.office.somebody()
    async with speaking(registry.office.place, "deposits") as (deposits,):
        journals = [{"journal": one, "turn": 1} for one in ("1111-1111", "2222-2222")]
        said = {"person": anna.person, "heard": 1, "journals": journals, "version": 1}
        await deposits.say(OwnerChanged.model_validate(said))

        async def heard() -> bool:
            return anna.person in await registry.kept("owned")

        await until(heard, what="the journals to be known")
    given = await registry.told("look", anna.email)
    assert [(one.what, one.count) for one in given.blockers] == [("journals", 2)]


@pytest.mark.law("P7")
async def test_a_mail_that_waits_for_whom_is_erased_never_goes(registry: Registry) -> None:
    box, anna = registry.office.box, await registry.office.somebody()
    box.refuse[anna.email] = "451 4.3.0 later"
    await registry.office.ok("POST", "/sign-ins/codes", {"email": anna.email})

    async def waits() -> bool:
        kept = (await registry.kept("deliveries")).values()
        return any(one.get("waiting") and one["share"] == anna.person for one in kept)

    await until(waits, what="the mail to wait")
    # And an ask that was given up: who asked stands in what is sealed, and nowhere else.
    await registry.given_up_ask(anna.email)
    given = await registry.told("erase", anna.email)
    assert found(given)["deliveries"].erased == 2
    del box.refuse[anna.email]
    assert not await waits()
    assert len(box.to(anna.email)) == 1  # with the code of the account


@pytest.mark.soak
@pytest.mark.law("P3")
async def test_killed_at_each_step_it_gives_the_evidence_that_it_would_have_given(
    registry: Registry,
) -> None:
    erased, evidence = POINTS
    await registry.start(COLOPHON_CRASH=erased)
    anna = await registry.somebody()
    looked = await registry.told("look", anna.email)
    order = await registry.orders.order("accounts", "erase", anna.email)
    await registry.office.accounts.ended()
    await registry.start(ready=False, COLOPHON_CRASH=evidence)
    await registry.office.accounts.ended()
    await registry.start()
    given = await registry.orders.evidence(order)
    assert (given.outcome, matched(given)) == ("erased", matched(looked))
    assert given.keys_found == looked.keys_found
    assert sum(one.count for one in given.tombstones) == 3
    assert await registry.everything(anna.email) == {}
    assert registry.orders.heard[order.order] == [given]


@pytest.mark.law("P2")
async def test_a_store_that_was_put_back_erases_again_before_it_is_ready(
    registry: Registry,
) -> None:
    anna = await registry.somebody()
    before = await registry.copied()
    order = await registry.orders.order("accounts", "erase", anna.email)
    given = await registry.orders.evidence(order)
    await registry.orders.end(order)
    await registry.orders.entry(order.erasure, given.keys_found)

    async def noted() -> bool:
        return order.erasure in await registry.kept(APPLIED)

    await until(noted, what="the entry to be noted")
    await registry.office.accounts.end()
    # In the copy stands an erasure that the ledger lacks: it was put back, too.
    lost = new_id()
    before.setdefault(APPLIED, {})[lost] = {"_id": lost, "version": 3, "records": ""}
    await registry.put_back(before)
    assert set(await registry.everything(anna.email)) >= FOUND
    await registry.start(ready=False)
    await until(registry.lacks_one, within=30, what="that the ledger was put back")
    assert set(await registry.everything(anna.email)) >= FOUND
    await registry.orders.entry(lost, [KeptUnits(keys_id=f"p{'0' * 32}.account")])
    await registry.office.accounts.ready()
    assert await registry.everything(anna.email) == {}
    assert await noted()
