"""Deposits as member systems use it: the real process on the real broker and store."""

from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest

from shared.events import SubmissionCompleted, SubmissionReceived, WorkRegistered, WorkUpdated
from shared.kafka import topics
from shared.mongo import connect
from shared.runtime.ids import new_id
from tests.depositing import (
    OTHER,
    PASSWORD,
    PRESS,
    PRESS_ADMIN,
    PRESS_TOO,
    Client,
    Log,
    Login,
    article,
    client,
    deposit,
    members,
    published,
)
from tests.platform import Platform
from tests.processes import OPERATOR, Place, service

OLDER = (
    "Record not processed because submitted version: {} is less or equal to previously submitted "
    "version (DOI match)"
)


@pytest.fixture(scope="module")
async def house(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """One place for all tests here: they keep apart by their DOIs, names and logins."""
    name = f"t{new_id().replace('-', '')[8:24]}."
    await topics.create(platform.kafka_bootstrap, prefix=name)
    folder = tmp_path_factory.mktemp("deposits")
    return Place(platform.kafka_bootstrap, platform.mongodb_url, name, folder)


@pytest.fixture(scope="module")
async def site(house: Place) -> AsyncIterator[Client]:
    async with members(house), service("deposits", house) as running, client(running) as found:
        yield found


@pytest.fixture
def doi() -> Callable[[str], str]:
    """Return DOIs that no other test uses."""
    mine = new_id()[-12:]
    return lambda name: f"10.5555/{mine}.{name}"


@pytest.mark.clause("CRR-1")
async def test_a_deposit_is_diagnosed_and_its_works_reach_the_log_whole(
    site: Client, house: Place, doi: Callable[[str], str]
) -> None:
    status, log = await site.now(deposit(article(doi("A")), article(doi("b")), batch="whole"))
    assert status == 200
    assert (log.status, log.batch) == ("completed", "whole")
    assert log.records == [
        ("Success", doi("A"), "Successfully added"),
        ("Success", doi("b"), "Successfully added"),
    ]
    assert log.counts == {
        "record_count": 2,
        "success_count": 2,
        "warning_count": 0,
        "failure_count": 0,
    }
    events = await published(house, "deposits.works.v1", at_least=2)
    mine = {one.doi: one for one in events if isinstance(one, WorkRegistered)}
    work = mine[doi("a")]
    assert (work.prefix, work.timestamp, work.version) == ("10.5555", "1", 1)
    assert work.submission == f"{log.submission}#0"
    assert work.work["DOI"].lower() == doi("a")
    assert work.work["title"] == ["A title"]
    assert work.work["reference"][0]["DOI"] == "10.1234/cited"
    about = [
        one
        for one in await published(house, "deposits.submissions.v1", at_least=2)
        if one.key == log.submission
    ]
    assert [type(one) for one in about] == [SubmissionReceived, SubmissionCompleted]
    assert about[-1].success_count == 2  # type: ignore[attr-defined]


@pytest.mark.clause("CRR-10")
@pytest.mark.clause("CRR-11")
async def test_a_redeposit_without_references_takes_them_out_of_the_work(
    site: Client, house: Place, doi: Callable[[str], str]
) -> None:
    whole = article(doi("r"), timestamp=1)
    bare = article(doi("r"), timestamp=2)
    bare = bare[: bare.index("<citation_list>")] + "</journal_article>"
    await site.now(deposit(whole))
    status, log = await site.now(deposit(bare))
    assert (status, log.records) == (200, [("Success", doi("r"), "Successfully updated")])
    events = await published(house, "deposits.works.v1", at_least=2)
    states = [one for one in events if one.key == doi("r")]
    assert [type(one) for one in states] == [WorkRegistered, WorkUpdated]
    assert "reference" in states[0].work  # type: ignore[attr-defined]
    assert "reference" not in states[1].work  # type: ignore[attr-defined]
    assert states[0].created == states[1].created  # type: ignore[attr-defined]


async def test_only_a_strictly_greater_version_counts_and_the_winner_is_named(
    site: Client, doi: Callable[[str], str]
) -> None:
    # Compared as numbers of any length: 19 digits, leading zeros.
    first = 2026010112000000000
    await site.now(deposit(article(doi("v"), timestamp=first)))
    for lower in (first, first - 1, 5):
        _, log = await site.now(deposit(article(doi("V"), timestamp=lower)))
        assert log.records == [
            (
                "Failure",
                doi("V"),
                OLDER.format(lower),
            )
        ]
    _, view = await site.get(f"/submissions/{log.submission}/records")
    assert view["items"][0]["version"] == "5"
    assert view["items"][0]["winning"]["version"] == str(first)
    _, log = await site.now(deposit(article(doi("v"), timestamp=first + 1)))
    assert log.records[0][2] == "Successfully updated"


async def test_the_same_doi_twice_in_a_file_is_judged_in_order(
    site: Client, doi: Callable[[str], str]
) -> None:
    _, log = await site.now(
        deposit(
            article(doi("t"), timestamp=2),
            article(doi("T"), timestamp=1),
            article(doi("t"), timestamp=3),
        )
    )
    assert [one[0] for one in log.records] == ["Success", "Failure", "Success"]
    assert log.records[2][2] == "Successfully updated"


async def test_a_foreign_prefix_is_refused_with_403_and_the_reason(site: Client) -> None:
    status, log = await site.now(deposit(article("10.6666/theirs")))
    assert status == 403
    assert log.records == [
        ("Failure", "10.6666/theirs", "User not allowed to add records for prefix: 10.6666")
    ]
    status, log = await site.now(deposit(article("10.7777/nobodys")))
    assert status == 403
    await site.now(deposit(article("10.6666/registered")), login=OTHER)
    status, log = await site.now(deposit(article("10.6666/registered", timestamp=9)))
    assert status == 403
    assert log.records[0][2] == (
        "User with ID: 78 can't submit into handle, please contact the Crossref admin"
    )


async def test_all_prefixes_of_a_file_must_match(site: Client, doi: Callable[[str], str]) -> None:
    status, log = await site.now(deposit(article(doi("p")), article("10.6666/q")))
    assert status == 200
    assert [one[0] for one in log.records] == ["Success", "Failure"]
    assert log.records[1][2] == "All prefixes in a submission must match (DOI[10.6666/q])"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not xml at all", "Content is not allowed in prolog"),
        (b"", "Content is not allowed in prolog"),
        (deposit(article("10.5555/cut"))[:-40], "[fatal error]"),
        (
            b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]>' + deposit("&b;")[39:],
            "DOCTYPE is disallowed",
        ),
        (b"<records><record/></records>", "does not match any supported schema"),
    ],
)
async def test_a_file_that_cannot_be_read_has_one_failure_and_nothing_processed(
    site: Client, content: bytes, message: str
) -> None:
    status, log = await site.now(content)
    assert status == 200
    assert [one[:2] for one in log.records] == [("Failure", "DOI not found")]
    assert message in log.records[0][2]
    assert log.counts["failure_count"] == log.counts["record_count"] == 1


async def test_a_large_file_that_breaks_at_its_end_registers_nothing(
    site: Client, doi: Callable[[str], str]
) -> None:
    content = deposit(*(article(doi(f"l{n}"), title="x" * 3000) for n in range(400)))
    assert len(content) > 1_000_000
    _, log = await site.now(content[:-20])
    assert [one[0] for one in log.records] == ["Failure"]
    _, log = await site.now(content)
    assert {one[2] for one in log.records} == {"Successfully added"}
    assert len(log.records) == 400


@pytest.mark.parametrize(
    ("spelling", "part"),
    [
        (("login_id", "login_passwd"), "fname"),
        (("login_id", "login_passwd"), "mdFile"),
        (("usr", "pwd"), "mdFile"),
        (("usr", "pwd"), "batch.xml"),
    ],
)
async def test_every_client_s_spelling_is_taken(
    site: Client, doi: Callable[[str], str], spelling: tuple[str, str], part: str
) -> None:
    number = await site.later(deposit(article(doi("s"))), spelling=spelling, part=part)
    assert (await site.ended(number))["success_count"] == 1


async def test_credentials_may_stand_in_the_query_in_basic_or_after_the_file(
    site: Client, doi: Callable[[str], str]
) -> None:
    content = deposit(article(doi("q"), timestamp=1))
    query = f"?operation=doMDUpload&login_id={PRESS.name}&login_passwd={PASSWORD}"
    assert (await site.post(f"/servlet/deposit{query}", content, login=None))[0] == 200
    form = aiohttp.FormData()
    form.add_field("q.xml", content, filename="q.xml")
    async with site.session.post(
        f"{site.url}/servlet/deposit", data=form, headers=PRESS.basic
    ) as answer:
        assert answer.status == 200
    form = aiohttp.FormData()
    form.add_field("fname", content, filename="q.xml")
    form.add_field("login_id", PRESS.name)
    form.add_field("login_passwd", PASSWORD)
    async with site.session.post(f"{site.url}/servlet/deposit", data=form) as answer:
        assert answer.status == 200


async def test_who_may_not_deposit_is_told_so_and_never_with_the_word_of_success(
    site: Client,
) -> None:
    content = deposit(article("10.5555/never"))
    for path in ("/servlet/deposit", "/v2/deposits"):
        refusals = [
            (401, await site.post(path, content, password="wrong")),
            (401, await site.post(path, content, login=None)),
            (403, await site.post(path, content, login=PRESS_ADMIN)),
            (400, await site.post(path, content, operation="doDOICitUpload")),
        ]
        async with site.session.post(site.url + path, data=b"<xml/>") as answer:
            refusals.append((415, (answer.status, await answer.text())))
        form = aiohttp.FormData({"usr": PRESS.name, "pwd": PASSWORD}, default_to_multipart=True)
        async with site.session.post(site.url + path, data=form) as answer:
            refusals.append((400, (answer.status, await answer.text())))
        for expected, (status, text) in refusals:
            assert status == expected, text
            assert "SUCCESS" not in text.upper()


async def test_a_form_that_ends_early_is_refused_and_leaves_nothing(
    site: Client, house: Place
) -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="usr"\r\n\r\npress\r\n'
        b'--b\r\nContent-Disposition: form-data; name="pwd"\r\n\r\n' + PASSWORD.encode() + b"\r\n"
        b'--b\r\nContent-Disposition: form-data; name="mdFile"; filename="cut.xml"\r\n\r\n'
        b"<doi_batch>"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    async with site.session.post(
        f"{site.url}/servlet/deposit", data=body, headers=headers
    ) as answer:
        assert answer.status == 400, await answer.text()
    assert (await site.log(file_name="cut.xml")).status == "unknown_submission"
    async with connect(house.mongodb_url, f"{house.name.replace('.', '_')}deposits") as database:
        raw = {one["submission"] async for one in database["raw"].find({"first": True})}
        kept = {one["_id"] async for one in database["submissions"].find({}, {"_id": 1})}
    assert raw == kept


async def test_the_log_is_found_by_file_name_and_by_batch_id_and_holds_what_was_sent(
    site: Client, doi: Callable[[str], str]
) -> None:
    content = deposit(article(doi("d")), batch=doi("batch"))
    name = f"{new_id()}.xml"
    await site.ended(await site.later(content, file_name=name))
    by_name = await site.log(file_name=name)
    assert by_name == await site.log(doi_batch_id=doi("batch"))
    assert by_name.records == [("Success", doi("d"), "Successfully added")]
    form = {"login_id": PRESS.name, "login_passwd": PASSWORD, "file_name": name}
    url = f"{site.url}/servlet/submissionDownload"
    async with site.session.post(url, data=form | {"type": "contents"}) as answer:
        assert await answer.read() == content
    async with site.session.post(url, data=form | {"login_passwd": "wrong"}) as answer:
        assert answer.status == 401
    nowhere = await site.log(file_name="never sent")
    assert nowhere == Log("unknown_submission", "0", "", [])


@pytest.mark.parametrize("login", [OTHER, PRESS_TOO])
async def test_a_login_sees_its_own_submissions_only(
    site: Client, doi: Callable[[str], str], login: Login
) -> None:
    name = f"{new_id()}.xml"
    content = deposit(article(doi("o")), batch=name)
    number = await site.later(content, file_name=name)
    await site.ended(number)
    for asked in ({"file_name": name}, {"doi_batch_id": name}):
        for kind in ("result", "contents"):
            log = await site.log(login=login, **asked | {"type": kind})
            assert log == Log("unknown_submission", "0", "", [])
    for path in (f"/submissions/{number}", f"/submissions/{number}/records"):
        status, problem = await site.get(path, login=login)
        assert (status, problem["type"]) == (404, "urn:colophon:problem:no-such-submission")
    _, mine = await site.get("/submissions?rows=200", login=login)
    assert number not in [one["id"] for one in mine["items"]]
    assert (await site.get("/submissions", login=None))[0] == 401


async def test_the_house_s_admin_and_operators_see_a_submission(
    site: Client, doi: Callable[[str], str]
) -> None:
    number = await site.later(deposit(article(doi("h"))), file_name="h.xml")
    await site.ended(number)
    for login, headers in ((PRESS_ADMIN, {}), (None, OPERATOR)):
        status, view = await site.get(f"/submissions/{number}", login=login, **headers)
        assert (status, view["file_name"]) == (200, "h.xml")
    _, listed = await site.get("/submissions?rows=5", login=None, **OPERATOR)
    assert listed["items"][0]["id"] == number


async def test_submissions_are_listed_newest_first_page_by_page(
    site: Client, doi: Callable[[str], str]
) -> None:
    numbers = [await site.later(deposit(article(doi("n"))), login=PRESS_TOO) for _ in range(3)]
    _, first = await site.get("/submissions?rows=2", login=PRESS_TOO)
    assert [one["id"] for one in first["items"]] == [numbers[2], numbers[1]]
    _, second = await site.get(f"/submissions?rows=2&before={first['next']}", login=PRESS_TOO)
    assert [one["id"] for one in second["items"]] == [numbers[0]]
    assert second["next"] is None


async def test_no_byte_of_a_deposit_or_its_names_is_at_rest_in_clear(
    site: Client, house: Place, doi: Callable[[str], str]
) -> None:
    content = deposit(article(doi("clear")), batch="canary-batch")
    await site.ended(await site.later(content, file_name="canary-file.xml"))
    async with connect(house.mongodb_url, f"{house.name.replace('.', '_')}deposits") as database:
        seen = ""
        for name in await database.list_collection_names():
            async for document in database[name].find({}):
                seen += repr(document)
    assert doi("clear") in seen  # the control: this look finds what is there
    for canary in ("nora@press.example", "Nora Depositor", "canary-batch", "canary-file"):
        assert canary not in seen
