"""Deposits as member systems use it: the real process on the real broker and store."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from shared.events import (
    Event,
    SubmissionCompleted,
    SubmissionReceived,
    WorkRegistered,
    WorkUpdated,
)
from shared.kafka import topics
from shared.mongo import connect
from shared.runtime.clock import SYSTEM, rfc3339
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
from tests.keeping import held
from tests.platform import Platform
from tests.processes import OPERATOR, Place, service, until

NORA = Login("nora@press.example/press", 78)
SENTENCE = "Your batch submission was successfully received."
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
    logins = (PRESS, PRESS_TOO, PRESS_ADMIN, OTHER, NORA)
    async with (
        members(house, logins),
        service("deposits", house, PUBLIC_URL="https://deposits.example") as running,
        client(running) as found,
    ):
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

    async def both() -> list[Event] | None:
        events = await published(house, "deposits.works.v1", at_least=1)
        about = [one for one in events if one.key == doi("r")]
        return about if len(about) > 1 else None

    states = await until(both, what="both events")
    assert [type(one) for one in states] == [WorkRegistered, WorkUpdated]
    assert "reference" in states[0].work  # type: ignore[attr-defined]
    assert "reference" not in states[1].work  # type: ignore[attr-defined]
    assert states[0].created == states[1].created  # type: ignore[attr-defined]


async def test_answer_9_only_a_strictly_greater_version_counts_and_the_winner_is_named(
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
    problem = view["items"][0]["problem"]
    assert (problem["status"], problem["type"]) == (409, "urn:colophon:problem:version")
    assert (problem["version"], problem["winning"]["version"]) == ("5", str(first))
    assert problem["winning"]["record"].endswith("#0")
    assert problem["detail"] == OLDER.format(5)
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


@dataclass(frozen=True, slots=True)
class Spelling:
    """How one client sends its deposits (crossref.md 5.1 to 5.3)."""

    fields: dict[str, str]
    part: str
    query: dict[str, str] = field(default_factory=dict)
    path: str = "/servlet/deposit"
    login: Login = PRESS
    file_name: str = "batch.xml"


def login_of(name: str, password: str, login: Login = PRESS) -> dict[str, str]:
    return {name: login.name, password: PASSWORD}


METADATA = {"operation": "doMDUpload"}
LOGIN_ID = login_of("login_id", "login_passwd")
USR = login_of("usr", "pwd")
CLIENTS = {
    "EZID": Spelling(METADATA | LOGIN_ID, "fname", file_name="b5f0c1d2.xml"),
    "crossrefapi": Spelling(METADATA | LOGIN_ID, "mdFile"),
    "OJS": Spelling(METADATA | USR, "mdFile", path="/v2/deposits"),
    "OJS, queued": Spelling(METADATA | USR, "mdFile"),
    "PHP script": Spelling({**METADATA, "area": "live", **USR}, "mdFile"),
    "PCI": Spelling({}, "pci-2026.xml", METADATA | LOGIN_ID, file_name="pci-2026.xml"),
    "cayenne": Spelling({}, "fname", METADATA | LOGIN_ID),
    "a personal login": Spelling(
        METADATA | login_of("login_id", "login_passwd", NORA), "fname", login=NORA
    ),
    "a personal login in the query": Spelling(
        {}, "fname", METADATA | login_of("usr", "pwd", NORA), login=NORA
    ),
    "no operation": Spelling(LOGIN_ID, "fname"),
    "an operation in other letters": Spelling({**LOGIN_ID, "operation": "DOMDUPLOAD"}, "fname"),
    "with a subType": Spelling({**METADATA, **USR, "subType": "undo"}, "fname"),
    "citations": Spelling({**USR, "operation": "doDOICitUpload"}, "mdFile"),
}


@pytest.mark.parametrize("name", CLIENTS)
async def test_every_client_s_spelling_is_taken_and_answered_in_the_words_it_looks_for(
    site: Client, doi: Callable[[str], str], name: str
) -> None:
    said = CLIENTS[name]
    form = aiohttp.FormData(said.fields)
    content = deposit(article(doi("s")), batch=doi("s"))
    form.add_field(said.part, content, filename=said.file_name, content_type="text/xml")
    url = site.url + said.path
    async with site.session.post(url, params=said.query, data=form) as answer:
        text = await answer.text()
        assert answer.status == 200, text
        monitor = answer.headers.get("Link")
    if said.path == "/v2/deposits":
        log = Log.of(text)
        assert (log.status, log.records) == (
            "completed",
            [("Success", doi("s"), "Successfully added")],
        )
        return
    assert "SUCCESS" in text
    assert SENTENCE in text
    number = text.partition("Submission ID: ")[2].partition("<")[0]
    assert monitor == f'<https://deposits.example/submissions/{number}>; rel="monitor"'
    assert (await site.ended(number, login=said.login))["success_count"] == 1


async def test_other_operations_are_refused_with_the_name_of_what_is_supported(
    site: Client, doi: Callable[[str], str]
) -> None:
    content = deposit(article(doi("op")))
    for operation in ("doQueryUpload", "doDOIQueryUpload", "doTransferDOIsUpload", "nonsense"):
        status, text = await site.post("/servlet/deposit", content, operation=operation)
        assert status == 400
        assert "doMDUpload" in text
        assert "doDOICitUpload" in text
        assert "nonsense" not in text


async def test_a_login_can_be_tried_without_a_deposit(site: Client) -> None:
    for login in (PRESS, NORA):
        url = f"{site.url}/info"
        asked = {"rtype": "prefixes", "pid": f"{login.name}:{PASSWORD}"}
        async with site.session.get(url, params=asked) as answer:
            assert (answer.status, await answer.text()) == (200, "10.5555\n")
        for pid in (f"{login.name}:wrong", login.name, ""):
            async with site.session.get(url, params=asked | {"pid": pid}) as answer:
                assert answer.status == 401


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
            (400, await site.post(path, content, operation="doQueryUpload")),
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


async def test_one_s_own_submissions_are_found_by_state_time_file_name_and_batch_id(
    site: Client, doi: Callable[[str], str]
) -> None:
    before = SYSTEM.now()
    names = [f"{new_id()}.xml" for _ in range(2)]
    numbers = [
        await site.later(deposit(article(doi("f")), batch=f"of {name} &amp;c"), file_name=name)
        for name in names
    ]
    for number in numbers:
        await site.ended(number)
    after = SYSTEM.now() + timedelta(seconds=1)

    async def found(**asked: str) -> list[str]:
        async with site.session.get(
            f"{site.url}/submissions", params=asked, headers=PRESS.basic
        ) as answer:
            assert answer.status == 200, await answer.text()
            return [one["id"] for one in (await answer.json())["items"]]

    since, until = rfc3339(before), rfc3339(after)
    newest_first = numbers[::-1]
    assert await found(from_received=since, until_received=until) == newest_first
    assert await found(from_received=since, status="completed") == newest_first
    assert await found(from_received=since, status="queued") == []
    assert await found(from_received=since, status="in_process") == []
    assert await found(from_received=until) == []
    assert not set(numbers) & set(await found(until_received=since, rows="200"))
    assert await found(from_received=since, before=numbers[1]) == [numbers[0]]
    for name, number in zip(names, numbers, strict=True):
        assert await found(file_name=name) == [number]
        assert await found(batch_id=f"of {name} &c") == [number]
        assert await found(file_name=name, status="queued") == []
        assert await found(file_name=name[1:]) == []
    assert await found(from_received=since, until_received="2200-01-01") == newest_first
    for asked in (
        "status=ended",
        "before=1",
        "from_received=x",
        "from_received=0001-01-01T00:00:00%2B14:00",
        "file_name=a&batch_id=b",
    ):
        status, problem = await site.get(f"/submissions?{asked}")
        assert (status, problem["type"]) == (400, "urn:colophon:problem:invalid-request")


# -- the interface in JSON ---------------------------------------------------------------------


async def send(
    site: Client, content: bytes, *, kind: str = "application/xml", **query: str
) -> tuple[int, Any, dict[str, str]]:
    """Deposit XML alone; return the status, the answer and its headers."""
    async with site.session.post(
        f"{site.url}/submissions",
        params=query,
        data=content,
        headers={**PRESS.basic, "Content-Type": kind},
    ) as answer:
        return answer.status, await answer.json(content_type=None), dict(answer.headers)


@pytest.mark.parametrize(
    "kind",
    [
        "application/vnd.crossref.deposit+xml",
        "application/vnd.crossref.partial+xml",
        "application/xml; charset=UTF-8",
        "multipart/form-data",
    ],
)
async def test_a_deposit_as_json_says_answers_at_once_where_its_state_stands(
    site: Client, doi: Callable[[str], str], kind: str
) -> None:
    content, name = deposit(article(doi("j"))), f"{new_id()}.xml"
    if kind == "multipart/form-data":
        form = aiohttp.FormData()
        form.add_field("fname", content, filename=name)
        url = f"{site.url}/submissions"
        async with site.session.post(url, data=form, headers=PRESS.basic) as answer:
            status, said, headers = answer.status, await answer.json(), dict(answer.headers)
    else:
        status, said, headers = await send(site, content, kind=kind, file_name=name)
    assert (status, said["status"], said["callback"]) == (202, "queued", False)
    here = f"https://deposits.example/submissions/{said['id']}"
    assert headers["Location"] == here == said["links"]["self"]
    whole = await site.ended(said["id"])
    assert (whole["success_count"], whole["file_name"]) == (1, name)
    assert whole["progress"] == {"judged": 1, "records": 1}
    assert whole["callback"] is None
    assert whole["links"] == {
        "self": here,
        "records": f"{here}/records",
        "contents": f"{here}/contents",
    }
    async with site.session.get(
        f"{site.url}/submissions/{said['id']}/contents", headers=PRESS.basic
    ) as answer:
        assert await answer.read() == content
        assert "sandbox" in answer.headers["Content-Security-Policy"]


async def test_what_is_refused_as_json_is_a_problem_that_repeats_nothing(site: Client) -> None:
    content = deposit(article("10.5555/never"))
    for kind, query, status, slug in (
        ("application/pdf", {}, 415, "not-a-deposit"),
        ("application/json", {}, 415, "not-a-deposit"),
        ("application/xml", {"operation": "doQueryUpload"}, 400, "operation-not-supported"),
        ("application/xml", {"callback": "ftp://canary.example/"}, 422, "callback-refused"),
    ):
        got, problem, _ = await send(site, content, kind=kind, **query)
        assert (got, problem["type"]) == (status, f"urn:colophon:problem:{slug}")
        assert "canary" not in repr(problem)
    assert (await send(site, b""))[1]["type"] == "urn:colophon:problem:no-file"
    async with site.session.post(f"{site.url}/submissions", data=content) as answer:
        assert answer.status == 401
    async with site.session.post(
        f"{site.url}/submissions",
        data=content,
        headers={**PRESS_ADMIN.basic, "Content-Type": "application/xml"},
    ) as answer:
        assert (answer.status, (await answer.json())["type"]) == (
            403,
            "urn:colophon:problem:not-a-depositor",
        )


async def test_answer_4_an_accepted_record_names_its_work_s_version_and_where_to_ask_for_it(
    site: Client, doi: Callable[[str], str]
) -> None:
    for version in (1, 2):
        _, said, _ = await send(
            site,
            deposit(article(doi("V(4)"), timestamp=version)),
        )
        record = (await site.ended(said["id"]))["records"][0]
        assert record["problem"] is None
        shown = doi("V(4)")
        assert record["work"]["doi"] == shown
        assert record["work"]["version"] == version
        quoted = shown.replace("(", "%28").replace(")", "%29")
        assert record["work"]["links"] == {
            "work": f"/v1/works/{quoted}",
            "position": f"/v1/works/{quoted}/position",
        }


async def test_answer_7_a_submission_is_known_by_all_its_names_from_the_moment_of_its_answer(
    site: Client, doi: Callable[[str], str]
) -> None:
    name = f"{new_id()}.xml"
    content = deposit(*(article(doi(f"k{n}")) for n in range(300)), batch=f"batch {name}")
    number = await site.later(content, file_name=name)
    for asked in ({"file_name": name}, {"doi_batch_id": f"batch {name}"}):
        log = await site.log(**asked)
        assert log.status in ("queued", "in_process", "completed")
        assert log.submission == number
    # A file name comes first; where there is none of that name the batch id is looked at too.
    assert (await site.log(file_name="none", doi_batch_id=f"batch {name}")).submission == number
    await site.ended(number)


async def test_answer_7_of_several_files_of_one_name_the_newest_is_shown(
    site: Client, doi: Callable[[str], str]
) -> None:
    name = f"{new_id()}.xml"
    numbers = [await site.later(deposit(article(doi(f"n{n}"))), file_name=name) for n in range(3)]
    assert (await site.log(file_name=name)).submission == numbers[-1]


async def test_answer_7_a_failed_record_is_a_problem_with_place_rule_doi_and_remedy(
    site: Client, doi: Callable[[str], str]
) -> None:
    good, bad = article(doi("good")), article("10.6666/foreign")
    without = article(doi("without")).replace("<year>2026</year>", "<year>MMXXVI</year>")
    _, said, _ = await send(site, deposit(good, bad, without, article(doi("good"))))
    whole = await site.ended(said["id"])
    assert (whole["success_count"], whole["failure_count"]) == (1, 3)
    assert [one["status"] for one in whole["records"]] == ["Success", *["Failure"] * 3]
    foreign, year, again = (one["problem"] for one in whole["records"][1:])
    assert foreign["doi"] == "10.6666/foreign"
    assert foreign["errors"][0]["rule"] == "prefixes-differ"
    assert (year["status"], year["title"]) == (422, "The record is not as it must be")
    fault = year["errors"][0]
    assert fault["at"].endswith("/journal_article[3]/publication_date[1]")
    assert fault["line"] > 1
    assert fault["remedy"]
    assert again["status"] == 409

    async def found(**asked: str) -> list[int]:
        """Ask page by page, one record each, as a client does."""
        numbers: list[int] = []
        start: int | None = 0
        while start is not None:
            query = "&".join(f"{key}={value}" for key, value in asked.items())
            url = f"/submissions/{said['id']}/records?rows=1&start={start}&{query}"
            status, page = await site.get(url)
            assert status == 200
            numbers += [one["record"] for one in page["items"]]
            assert page["next"] is None or page["next"] > start
            start = page["next"]
        return numbers

    assert await found() == [0, 1, 2, 3]
    assert await found(status="Failure") == [1, 2, 3]
    assert await found(status="Success") == [0]
    assert await found(status="Warning") == []
    assert await found(rule="version") == [3]
    assert await found(doi=doi("GOOD")) == [0, 3]
    assert await found(doi=doi("good"), status="Failure") == [3]
    assert await found(doi="10.6666/FOREIGN") == [1]


async def test_answer_10_nobody_but_its_login_and_its_house_s_admin_opens_a_file(
    site: Client, doi: Callable[[str], str]
) -> None:
    content = deposit(article(doi("c")))
    number = await site.later(content, file_name=f"{new_id()}.xml")
    await site.ended(number)
    url = f"{site.url}/submissions/{number}/contents"
    for headers, status in (
        (PRESS.basic, 200),
        (PRESS_ADMIN.basic, 200),
        (PRESS_TOO.basic, 404),
        (OTHER.basic, 404),
        (OPERATOR, 403),
        ({}, 401),
    ):
        async with site.session.get(url, headers=headers) as answer:
            assert answer.status == status, headers
            assert (await answer.read() == content) == (status == 200)


async def test_a_file_that_cannot_be_opened_any_more_is_gone_and_the_rest_stays(
    site: Client, house: Place, doi: Callable[[str], str]
) -> None:
    number = await site.later(deposit(article(doi("g"))), file_name=f"{new_id()}.xml")
    await site.ended(number)
    async with connect(house.mongodb_url, f"{house.name.replace('.', '_')}deposits") as database:
        await database["raw"].delete_many({"submission": number})
    status, problem = await site.get(f"/submissions/{number}/contents")
    assert (status, problem["type"]) == (410, "urn:colophon:problem:contents-gone")
    assert (await site.get(f"/submissions/{number}"))[0] == 200


@pytest.mark.clause("DOAJ-6a4")
async def test_a_file_under_a_hold_is_held_and_not_gone(
    site: Client, house: Place, doi: Callable[[str], str]
) -> None:
    number = await site.later(deposit(article(doi("h"))), file_name=f"{new_id()}.xml")
    await site.ended(number)
    async with connect(house.mongodb_url, f"{house.name.replace('.', '_')}deposits") as database:
        found: Any = await database["submissions"].find_one({"_id": number})

    async def refused() -> Any:
        status, problem = await site.get(f"/submissions/{number}/contents")
        return problem if status != 200 else None

    async with held(house, found["kid"].rpartition(".")[0]):
        # No retention speaks here, so that the key itself is asked for, or its time is up.
        problem: Any = await until(refused, within=40, what="the file out of reach")
        assert (problem["status"], problem["type"], problem["rule"]) == (
            409,
            "urn:colophon:problem:details-restricted",
            "DOAJ-6a4",
        )


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
