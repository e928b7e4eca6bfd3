"""Consent obeys orders of erasure: on the real broker and store, its evidence read from its topic.

One process answers all tests; each has addresses of its own there.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import count
from typing import Any, Final

import pytest

from services.consent.erasing import RECORDS
from services.consent.model.proofs import KeptProof
from shared.events.consent import ConsentState
from shared.events.orders import EvidenceState, KeptUnits
from shared.events.people import PersonFact, PersonRegistered, PersonState
from shared.kafka.consents import DECISIONS
from shared.mongo import Database
from shared.privacy.telling import Told
from shared.privacy.vault import reveal
from shared.runtime.clock import SYSTEM, rfc3339
from shared.runtime.ids import new_pseudonym
from tests.aged import processor
from tests.consenting import Client, a_place, consenting, subscribed
from tests.depositing import published
from tests.erasure_orders import Retention, ordering
from tests.events import speaking
from tests.mailbox import Mailbox
from tests.platform import Platform
from tests.processes import OPERATOR, Place, service, until

pytestmark = [pytest.mark.law("P3"), pytest.mark.clause("DOAJ-8b")]

_PEOPLE: Final = count(1)
NOTHING: Final = {"matched": 0, "erased": 0, "kept": 0, "remaining": 0}
REPLICA: Final = {"REPLICA": "consent-1"}
# What is of nobody, or stays on purpose (services/consent/erasing.py): everything else is searched.
KEPT: Final = ("suppressions", "evidence", "ledger")


@pytest.fixture(scope="module")
async def place(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Place:
    made = await a_place(platform, tmp_path_factory.mktemp("erasing"))
    page = made.folder / "policies" / "processors.toml"
    row = 'id = "act-on"\n'
    key = processor().recipient
    page.write_text(page.read_text().replace(row, f'{row}public-key = "{key}"\n'))
    return made


@pytest.fixture(scope="module")
async def retention(place: Place) -> AsyncIterator[Retention]:
    async with ordering(place, "consent") as made:
        yield made


@pytest.fixture(scope="module")
async def client(place: Place, box: Mailbox, retention: Retention) -> AsyncIterator[Client]:
    assert retention
    async with consenting(place, box, **REPLICA) as made:
        yield made


@pytest.fixture
def address() -> str:
    return f"erased-{next(_PEOPLE)}@press.example"


@pytest.fixture
def other() -> str:
    return f"stays-{next(_PEOPLE)}@press.example"


def by_collection(said: EvidenceState) -> dict[str, dict[str, int]]:
    """Return what was looked through and found something, or all of it where nothing was."""
    return {
        one.collection: {name: getattr(one, name) for name in NOTHING}
        for one in said.looked
        if one.matched
    }


async def said_yes(client: Client, box: Mailbox, address: str) -> str:
    """Have somebody on a list, with a letter kept of how they said yes to another thing."""
    page = await subscribed(client, box, address)
    letter = {"email": address, "consent": "given", "channel": "letter", "evidence": "A letter."}
    letter |= {"said-at": rfc3339(SYSTEM.now() - timedelta(seconds=1))}
    await client.ok("PUT", "/consents/marketing", letter, operator=True)
    return page


async def exported(client: Client) -> str:
    """Have the newsletter's readers exported and fetched; return the path of the export."""
    body = {
        "recipient": {"kind": "processor", "name": "act-on"},
        "purpose": "list",
        "list": "newsletter",
        "fields": ["consent.subscriber.v1/email"],
        "reason": "The newsletter of the quarter",
        "requester": "ada",
    }
    path = f"/exports/{(await client.ok('POST', '/exports', body, operator=True))['export']}"
    await client.ok("POST", path + "/approval", {"approver": "grace"}, operator=True)
    url = client.consent.url + path + "/downloads"
    async with client.session.post(url, headers=OPERATOR) as answer:
        assert answer.status == 200
        assert await answer.read()
    return path


async def left_of(database: Database, *names: str) -> dict[str, int]:
    """Count the documents in which one of these texts stands, but for what is kept on purpose."""
    found: dict[str, int] = {}
    for name in await database.list_collection_names():
        documents = await database[name].find({}).to_list(None)
        hits = [one for one in documents if any(text in str(one) for text in names)]
        if hits and name not in KEPT:
            found[name] = len(hits)
    return found


async def person_of(client: Client, address: str) -> str:
    said = await client.ok("POST", "/consents/look-up", {"email": address}, operator=True)
    return str(said["person"])


POINTS: Final = ("consent.consent-erased", "erasing.erased", "erasing.evidence")


@pytest.mark.soak
async def test_killed_anywhere_it_goes_on_and_says_of_all_that_it_is_gone(
    place: Place, box: Mailbox, retention: Retention
) -> None:
    people = [f"killed-{number}@press.example" for number in range(2)]
    async with consenting(place, box, **REPLICA) as client:
        for one in people:
            await said_yes(client, box, one)
    orders = {one: await retention.order("erase", one) for one in people}
    for point in POINTS:
        crash = REPLICA | {"COLOPHON_CRASH": point}
        async with service("consent", place, ready=False, **crash) as running:
            assert await running.ended() != 0
    async with service("consent", place, **REPLICA):
        for one in people:
            said = await retention.answer(orders[one])
            found = by_collection(said)
            assert said.outcome == "erased"
            assert found["people"] == NOTHING | {"matched": 1, "erased": 1}
            assert found["consents"] == NOTHING | {"matched": 2, "erased": 2}
            assert sum(each.count for each in said.tombstones) == 2
            assert await left_of(retention.database, one) == {}
    proofs = await retention.database["proofs"].find({}).to_list(None)
    assert len(proofs) == 2 * len(people)  # one of each consent, however often it began


@pytest.mark.clause("DOAJ-9a5")
async def test_for_a_package_mails_and_whom_an_address_was_given_to_are_told_with_their_dates(
    client: Client, box: Mailbox, retention: Retention, address: str
) -> None:
    await said_yes(client, box, address)
    await exported(client)
    given = await retention.answer(await retention.order("look", address, tells=True))
    assert given.told is not None
    told = (await reveal(retention.ring, Told, [given.told]))[0].data
    assert told is not None
    rows = told.read()
    assert {one["became"] for one in rows["mails"].rows} >= {"taken"}
    (use,) = [one for one in rows["uses"].rows if one["act"] == "export"]
    assert (use["to"], use["answer"]) == ("act-on", "allowed")
    assert use["at"]


async def test_a_look_finds_all_and_erases_nothing_and_an_erasure_takes_theirs_alone(
    client: Client, box: Mailbox, retention: Retention, address: str, other: str
) -> None:
    await said_yes(client, box, address)
    await said_yes(client, box, other)
    path = await exported(client)
    person, stays = await person_of(client, address), await person_of(client, other)
    said = await retention.looked(address)
    assert (said.service, said.outcome, said.processors) == ("consent", "found", ("act-on",))
    assert {name: one["matched"] for name, one in by_collection(said).items()}.keys() == {
        "people", "consents", "exports", "decisions"
    }  # fmt: skip
    assert {one.keys_id for one in said.keys_found} == {
        f"{person}.subscriber", f"{person}.consent-evidence"
    }  # fmt: skip
    assert said.tombstones == ()
    before = await client.look_up(address)
    assert {one: said["worth"] for one, said in before.items()} == {
        "list:newsletter": "given", "marketing": "given"
    }  # fmt: skip

    known = [one["_id"] for one in await retention.database["proofs"].find({}).to_list(None)]
    await retention.destroy(*(KeptUnits(keys_id=one.keys_id) for one in said.keys_found))
    order = await retention.order("erase", address, records=said.keys_found)
    erased = await retention.answer(order)
    assert erased.outcome == "erased"
    for name, one in by_collection(erased).items():
        assert (one["erased"], one["remaining"]) == (one["matched"], 0), name
    assert sum(one.count for one in erased.tombstones) == 2
    gone = [one for one in retention.gone("consent.personal.v1") if one.startswith(person)]
    assert {one.rpartition("|")[0] for one in gone} == {
        f"{person}|subscriber", f"{person}|consent-evidence"
    }  # fmt: skip

    assert await client.look_up(address) == {}
    assert (await client.look_up(other)).keys() == before.keys()
    rows = await client.ok("GET", path + "/withdrawals", operator=True)
    assert (
        len(rows["withdrawals"]) == 1
    )  # the processor is told of a row, of whom is not known any more
    subject = retention.blind.of(address)
    # The key of a consent, which denies, is all that its blind index is left in.
    assert await left_of(retention.database, address, subject) == {"consents": 2}
    # Of mails that were sent the cause is known for a while, under a pseudonym of nobody.
    assert await left_of(retention.database, person) == {"deliveries": 1}
    assert await left_of(retention.database, stays)
    proofs = [
        KeptProof.model_validate_json(one["state"])
        for one in await retention.database["proofs"].find({}).to_list(None)
        if one["_id"] not in known
    ]
    assert sorted(one.purpose for one in proofs) == ["list:newsletter", "marketing"]
    for proof in proofs:
        assert proof.facts[-1].notice is not None
        assert all(text not in proof.model_dump_json() for text in (person, subject, "evidence"))
    newest: dict[str, ConsentState] = {}
    for event in await published(retention.place, DECISIONS, at_least=6):
        match event:
            case ConsentState() as state:
                newest[state.consent] = state
    denied = [one for key, one in newest.items() if key.startswith(subject)]
    assert [(one.standing, one.facts) for one in denied] == [("erased", ())] * 2

    again = await retention.answer(await retention.order("erase", address))
    assert (again.outcome, by_collection(again), again.tombstones) == ("nothing-found", {}, ())
    assert again.looked_at > erased.looked_at
    # The same order once more, as a topic that is read again brings it: answered once.
    version = retention.answers[order].version
    await retention.order("erase", address, order=order)
    await retention.looked(other)
    assert retention.answers[order].version == version


@pytest.mark.law("P2")
async def test_an_erased_person_comes_back_by_no_old_word_and_anew_as_somebody_new(
    client: Client, box: Mailbox, retention: Retention, address: str
) -> None:
    page = await said_yes(client, box, address)
    person, subject = await person_of(client, address), retention.blind.of(address)
    holder = registered(new_pseudonym(), subject)
    async with speaking(retention.place, "accounts") as (accounts,):
        await accounts.say(holder)
        await until(lambda: held(retention.database, holder.person), what="a holder")
        said = await retention.looked(address)
        assert by_collection(said)["holders"]["matched"] == 1
        await retention.destroy(*(KeptUnits(keys_id=one.keys_id) for one in said.keys_found))
        await retention.answer(await retention.order("erase", address))
        # Accounts is read again from its start, and a word of before that was late comes too.
        late = changed(holder, version=2)
        await accounts.say(holder, late)
        closed = registered(new_pseudonym(), retention.blind.of("else@press.example"))
        await accounts.say(closed)
        await until(lambda: held(retention.database, closed.person), what="what came behind it")
    assert await left_of(retention.database, person) == {"deliveries": 1}
    status, _ = await client("GET", page)
    assert status == 410
    letter = {"email": address, "consent": "given", "channel": "letter"}
    letter |= {"said-at": "2026-01-01T00:00:00Z"}
    status, problem = await client("PUT", "/consents/marketing", letter, operator=True)
    assert (status, problem["rule"]) == (409, "DOAJ-8b")
    assert await client.look_up(address) == {}

    await subscribed(client, box, address)
    anew = await client.look_up(address)
    assert [one["what"] for one in anew["list:newsletter"]["facts"]] == ["requested", "given"]
    assert await person_of(client, address) not in (person, None)


async def held(database: Database, holder: str) -> bool:
    return await database["holders"].find_one({"_id": holder}) is not None


def registered(person: str, subject: str) -> PersonRegistered:
    now = SYSTEM.now()
    fact = PersonFact(at=now, what="registered", actor="operator")
    return PersonRegistered.model_validate(
        {
            "person": person,
            "subjects": (subject,),
            "category": "account",
            "registered_at": now,
            "facts": (fact,),
            "version": 1,
        }
    )


def changed(state: PersonState, *, version: int) -> PersonRegistered:
    return PersonRegistered.model_validate(state.model_dump() | {"version": version})


async def test_a_due_clock_takes_one_record_and_the_person_stays(
    client: Client, box: Mailbox, retention: Retention, address: str
) -> None:
    await said_yes(client, box, address)
    person = await person_of(client, address)
    known = await retention.looked(address)
    found = {one.keys_id: one.units for one in known.keys_found}
    (unit,) = set(found[f"{person}.consent-evidence"]) - {RECORDS}
    letter = KeptUnits(keys_id=f"{person}.consent-evidence", units=(unit,))
    await retention.destroy(letter)
    said = await retention.answer(await retention.order("erase", records=[letter]))
    assert (said.outcome, list(by_collection(said))) == ("erased", ["people"])
    assert said.keys_found == (letter,)
    assert retention.gone("consent.personal.v1")[-1].startswith(f"{person}|consent-evidence|")
    left = {one.keys_id: one.units for one in (await retention.looked(address)).keys_found}
    assert left == {
        f"{person}.subscriber": ("address",), f"{person}.consent-evidence": (RECORDS,)
    }  # fmt: skip
    assert (await client.look_up(address))["marketing"]["worth"] == "given"
    again = await retention.answer(await retention.order("erase", records=[letter]))
    assert again.outcome == "nothing-found"


@pytest.mark.law("P2")
async def test_all_of_somebody_is_found_by_the_keys_that_the_ledger_names(
    client: Client, box: Mailbox, retention: Retention, address: str
) -> None:
    await said_yes(client, box, address)
    person, subject = await person_of(client, address), retention.blind.of(address)
    known = await retention.looked(address)
    keys = [KeptUnits(keys_id=one.keys_id) for one in known.keys_found]
    said = await retention.answer(await retention.order("erase", records=keys))
    assert by_collection(said).keys() == by_collection(known).keys()
    assert await left_of(retention.database, address, subject) == {"consents": 2}
    assert await left_of(retention.database, person) == {"deliveries": 1}


async def test_what_is_exempt_stays_and_is_said_to_stay(
    client: Client, box: Mailbox, retention: Retention, address: str
) -> None:
    await said_yes(client, box, address)
    person = await person_of(client, address)
    order = await retention.order("erase", address, exempt=["consent-evidence"])
    said = await retention.answer(order)
    assert (said.outcome, said.exempted) == ("erased", ("consent-evidence",))
    assert by_collection(said)["consents"] == {
        "matched": 2, "erased": 0, "kept": 2, "remaining": 0
    }  # fmt: skip
    left = await retention.looked(address)
    assert [one.keys_id for one in left.keys_found] == [f"{person}.consent-evidence"]


@pytest.mark.law("P2")
async def test_a_mail_that_waits_for_somebody_erased_is_not_sent_and_says_nothing(
    client: Client, box: Mailbox, retention: Retention, address: str
) -> None:
    box.refuse[address] = "451 later"
    await client.ok("POST", "/lists/newsletter/subscriptions", {"email": address})

    async def waits() -> Any:
        return by_collection(await retention.looked(address)).get("deliveries")

    await until(waits, within=30, what="a mail that waits")
    said = await retention.answer(await retention.order("erase", address))
    assert by_collection(said)["deliveries"]["erased"] == 1
    del box.refuse[address]
    (mail,) = await retention.database["deliveries"].find({"said": "erased"}).to_list(None)
    assert "sealed" not in mail["payload"]
    assert "waiting" not in mail
    # The link in a mail that went before leads nowhere.
    assert await client.look_up(address) == {}
    assert box.to(address) == []
