"""Applications of volunteers through the wire: accounts, its broker, store and mail."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any, Final

import aiohttp
import orjson
import pytest

from deploy.local.platform import Platform
from shared.kafka import topics
from shared.mongo import connect
from shared.runtime.ids import new_id
from tests.asking import Answer
from tests.keeping import held
from tests.mailbox import Mailbox
from tests.peopling import Office, Somebody, bearer, looks_at
from tests.processes import Place, service, until

PROBLEM: Final = "urn:colophon:problem:"
PATH: Final = "/volunteer-applications"
REFEREE: Final = {"name": "Rita Referee", "email": "rita@referees.example"}


@pytest.fixture(scope="module")
async def office(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory, box: Mailbox
) -> AsyncIterator[Office]:
    name = f"t{new_id().replace('-', '')[8:24]}."
    await topics.create(platform.kafka_bootstrap, prefix=name)
    folder = tmp_path_factory.mktemp("volunteers")
    place = Place(platform.kafka_bootstrap, platform.mongodb_url, name, folder)
    settings = {"SMTP_URL": box.url, "MAIL_FIRST_SECONDS": "0.2"}
    async with (
        service("accounts", place, **settings) as accounts,
        aiohttp.ClientSession() as session,
    ):
        yield Office(session, accounts, box, place)


@pytest.fixture(scope="module")
async def team(office: Office) -> Somebody:
    return await office.somebody("team", name="Tess Team")


@pytest.fixture(scope="module")
async def executive(office: Office) -> Somebody:
    return await office.somebody("executive", name="Eve Executive")


async def apply(office: Office, team: Somebody, **fields: Any) -> tuple[str, str]:
    """Apply; return the application's id, as the team finds it, and the address."""
    email = office.address("volunteer")
    said = {"name": "Vera Volunteer", "email": email, "referees": [REFEREE]} | fields
    assert (await office("POST", PATH, said))[0] == 202
    page = await office.ok("GET", PATH, None, team.looking())
    return page["items"][0]["application"], said["email"]


def slug(answer: Answer) -> tuple[int, str]:
    status, said = answer
    return status, said["type"].removeprefix(PROBLEM)


@pytest.mark.clause("DOAJ-1b1")
async def test_an_application_takes_its_few_fields_and_makes_no_account(
    office: Office, team: Somebody
) -> None:
    before = await _kept(office, "people")
    application, email = await apply(office, team)
    whole = await office.ok("GET", f"{PATH}/{application}", None, team.looking())
    assert (whole["name"], whole["email"], whole["status"]) == ("Vera Volunteer", email, "open")
    assert whole["referees"] == [REFEREE | {"withheld": None}]
    assert await _kept(office, "people") == before
    kept = await _kept(office, "volunteers")
    assert kept.count(application) > 1
    assert not [one for one in ("Vera", "Rita", email, REFEREE["email"]) if one in kept]
    said = {"name": "Vera", "email": email, "referees": [REFEREE]}
    for more in ({"phone": "1"}, {"motivation": "x"}, {"referees": [REFEREE | {"job": "x"}]}):
        assert slug(await office("POST", PATH, said | more)) == (422, "invalid-request")


@pytest.mark.clause("DOAJ-2c1")
@pytest.mark.parametrize("missing", ["name", "email", "referees"])
async def test_an_application_without_name_address_or_referee_is_refused(
    office: Office, missing: str
) -> None:
    said = {"name": "Vera", "email": office.address(), "referees": [REFEREE]}
    del said[missing]
    assert slug(await office("POST", PATH, said)) == (422, "invalid-request")


@pytest.mark.clause("DOAJ-4b3")
async def test_who_applies_hears_the_same_whether_or_not_an_address_has_an_account(
    office: Office, team: Somebody
) -> None:
    said = {"name": "Vera", "referees": [REFEREE]}
    known = await office("POST", PATH, said | {"email": team.email})
    unknown = await office("POST", PATH, said | {"email": office.address("nobody")})
    assert known == unknown == (202, {"status": "received"})


@pytest.mark.clause("DOAJ-6a4")
async def test_an_applicant_under_a_hold_is_shown_as_held_and_told_of_an_acceptance_all_the_same(
    office: Office, team: Somebody
) -> None:
    application, email = await apply(office, team)
    prefix = office.place.environment("accounts")["DATABASE_PREFIX"]
    async with connect(office.place.mongodb_url, prefix + "accounts") as database:
        found: Any = await database["volunteers"].find_one({"_id": application})
    applicant = orjson.loads(found["state"])["applicant"]

    async def seen(withheld: str | None) -> Any:  # the key is remembered until the hold is heard of
        whole = await office.ok("GET", f"{PATH}/{application}", None, team.looking())
        return whole if whole["withheld"] == withheld else None

    async with held(office.place, f"{applicant}.volunteer-application"):
        whole = await until(partial(seen, "restricted"), what="the hold to be heard of")
        assert (whole["name"], whole["email"]) == (None, None)
        assert whole["referees"] == [REFEREE | {"withheld": None}]
        [item] = [
            one
            for one in (await office.ok("GET", PATH, None, team.looking()))["items"]
            if one["application"] == application
        ]
        assert (item["name"], item["withheld"]) == (None, "restricted")
        path = f"{PATH}/{application}/acceptance"
        await office.ok("POST", path, {"category": "volunteer"}, team.headers)
        assert await office.box.code_to(email)
    assert (await until(partial(seen, None), what="its end"))["name"] == "Vera Volunteer"


@pytest.mark.clause("DOAJ-1b3")
@pytest.mark.clause("DOAJ-2c1")
@pytest.mark.clause("DOAJ-0c")
async def test_an_accepted_volunteer_gets_an_account_with_name_and_address_and_no_referees(
    office: Office, team: Somebody
) -> None:
    application, email = await apply(office, team)
    path = f"{PATH}/{application}/acceptance"
    wrong = await office("POST", path, {"category": "team"}, team.headers)
    assert slug(wrong) == (422, "category-unknown")
    for _ in range(2):
        said = await office.ok("POST", path, {"category": "volunteer"}, team.headers)
        assert (said["status"], said["category"]) == ("accepted", "volunteer")
    signed = await office.use(await office.box.code_to(email))
    account = await office.ok("GET", f"/people/{signed['person']}", None, bearer(signed["token"]))
    assert (account["name"], account["email"]) == ("Vera Volunteer", email)
    assert (account["category"], account["roles"]) == ("volunteer", ["associate-editor"])
    assert "referees.example" not in str(account)
    assert len(office.box.to(email)) == 1
    holder = await office.ok("GET", team.at, None, team.headers)
    assert holder["category"] == "account-holder"
    turned = await office("POST", f"{PATH}/{application}/rejection", None, team.headers)
    assert slug(turned) == (409, "volunteer-decided")
    assert not office.box.to(REFEREE["email"])


@pytest.mark.clause("DOAJ-4e")
async def test_applications_are_for_the_team_alone(office: Office, team: Somebody) -> None:
    application, _ = await apply(office, team)
    one = f"{PATH}/{application}"
    others = [await office.somebody(role) for role in ("editor", "associate-editor", "partner")]
    for other in others:
        for method, path in (("GET", PATH), ("GET", one), ("POST", one + "/rejection")):
            told = await office(method, path, None, other.looking())
            assert slug(told) == (403, "not-permitted")
    assert (await office("GET", one))[0] == 401
    await office.ok("GET", one, None, team.looking())


@pytest.mark.clause("DOAJ-4c2")
async def test_the_team_reads_an_application_for_a_reason_that_is_on_record(
    office: Office, team: Somebody, executive: Somebody
) -> None:
    application, _ = await apply(office, team)
    one = f"{PATH}/{application}"
    applicant, referee = await _people_in(office, application)
    listed = await looks_at(office.place, applicant)
    for path in (PATH, one):
        for headers in (team.headers, team.looking("curiosity")):
            assert slug(await office("GET", path, None, headers)) == (403, "reason-needed")
    archive = PATH + "?archived=true"
    assert slug(await office("GET", archive, None, executive.headers)) == (403, "reason-needed")
    assert await looks_at(office.place, applicant) == listed
    await office.ok("GET", one, None, team.looking("delete"))
    for person, before in ((applicant, listed), (referee, [])):
        *earlier, last = await looks_at(office.place, person)
        assert earlier == before
        assert (last["action"], last["reason"]) == ("volunteer-read", "delete")
        assert last["actor"] == f"staff:{team.person}"
    # A page shows names of applicants alone.
    assert [look["action"] for look in listed] == ["volunteer-read"]
    await office.ok("POST", one + "/rejection", None, team.headers)
    await office.ok("POST", one + "/archive", None, team.headers)
    assert slug(await office("GET", one, None, executive.headers)) == (403, "reason-needed")
    await office.ok("GET", one, None, executive.looking())
    last = (await looks_at(office.place, referee))[-1]
    assert (last["action"], last["actor"]) == (
        "volunteer-archive-read",
        f"staff:{executive.person}",
    )


@pytest.mark.clause("DOAJ-6c1")
@pytest.mark.clause("DOAJ-6c2")
async def test_an_application_is_open_until_it_is_assessed_then_archived_for_executives(
    office: Office, team: Somebody, executive: Somebody
) -> None:
    application, _ = await apply(office, team)
    one = f"{PATH}/{application}"
    early = await office("POST", one + "/archive", None, team.headers)
    assert slug(early) == (409, "volunteer-open")
    rejected = await office.ok("POST", one + "/rejection", None, team.headers)
    assert rejected["decided-at"] is not None
    archived = await office.ok("POST", one + "/archive", None, team.headers)
    assert archived["archived-at"] is not None
    assert slug(await office("GET", one, None, team.looking())) == (404, "volunteer-unknown")
    assert slug(await office("GET", PATH + "?archived=true", None, team.looking())) == (
        403,
        "not-permitted",
    )
    page = await office.ok("GET", PATH, None, team.looking())
    assert application not in {item["application"] for item in page["items"]}
    page = await office.ok("GET", PATH + "?archived=true", None, executive.looking())
    assert application in {item["application"] for item in page["items"]}
    whole = await office.ok("GET", one, None, executive.looking())
    assert [fact["what"] for fact in whole["facts"]] == ["applied", "rejected", "archived"]
    assert {fact["actor"] for fact in whole["facts"][1:]} == {f"staff:{team.person}"}


async def test_the_list_is_paged_and_filtered_newest_first(office: Office, team: Somebody) -> None:
    made = [(await apply(office, team, name=f"Vera {number}"))[0] for number in range(3)]
    first = await office.ok("GET", PATH + "?rows=2&status=open", None, team.looking())
    assert [item["application"] for item in first["items"]] == made[:0:-1]
    second = await office.ok("GET", first["next"], None, team.looking())
    assert second["items"][0]["application"] == made[0]
    assert {item["status"] for item in second["items"]} == {"open"}


async def _people_in(office: Office, application: str) -> list[str]:
    """Return the pseudonyms in an application: the applicant's, then those of referees."""
    name = office.place.environment("accounts")["DATABASE_PREFIX"] + "accounts"
    async with connect(office.place.mongodb_url, name) as database:
        [found] = await database["volunteers"].find({"_id": application}).to_list(None)
    state = orjson.loads(found["state"])
    return [state["applicant"], *state["referees"]]


async def _kept(office: Office, collection: str) -> str:
    """Return a collection of accounts as text, once all it tells has been told."""
    name = office.place.environment("accounts")["DATABASE_PREFIX"] + "accounts"
    async with connect(office.place.mongodb_url, name) as database:

        async def told() -> bool:
            return not await database[collection].count_documents({"dirty": True})

        await until(told, what="the relay to be done")
        return "\n".join(str(one) for one in await database[collection].find({}).to_list(None))
