"""Exports to a processor, through the wire: two people, one encrypted file, nobody who left."""

import csv
from collections.abc import AsyncIterator
from itertools import count
from typing import Any, Final

import pytest

from shared.mongo import connect
from shared.policy.uses import load_uses
from shared.privacy.blind import BlindIndex
from tests.aged import Processor, processor
from tests.consenting import POLICIES, PROBLEM, Client, a_place, consenting, subscribed
from tests.mailbox import Mailbox
from tests.platform import Platform
from tests.processes import OPERATOR, Place

_PEOPLE: Final = count(1)
FIELD: Final = "consent.subscriber.v1/email"
HOLDER: Final = processor()


def wanted(name: str = "act-on", kind: str = "processor", **changes: Any) -> dict[str, Any]:
    """Return what an export of the newsletter's subscribers is asked for by."""
    said: dict[str, Any] = {
        "recipient": {"kind": kind, "name": name},
        "purpose": "list",
        "list": "newsletter",
        "fields": [FIELD],
        "reason": "The newsletter of the quarter",
        "requester": "ada",
    }
    return said | changes


@pytest.fixture(scope="module")
async def living(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Place:
    return await a_place(platform, tmp_path_factory.mktemp("exports"))


@pytest.fixture(scope="module")
async def client(living: Place, box: Mailbox) -> AsyncIterator[Client]:
    page = living.folder / "policies" / "processors.toml"
    row = 'id = "act-on"\n'
    page.write_text(page.read_text().replace(row, f'{row}public-key = "{HOLDER.recipient}"\n'))
    async with consenting(living, box) as made:
        yield made


@pytest.fixture
async def people(client: Client, box: Mailbox) -> list[tuple[str, str]]:
    """Two people who asked for the newsletter: their addresses and their pages."""
    addresses = [f"canary-{next(_PEOPLE)}@press.example" for _ in range(2)]
    return [(one, await subscribed(client, box, one)) for one in addresses]


async def asked(client: Client, body: dict[str, Any]) -> str:
    said = await client.ok("POST", "/exports", body, operator=True)
    path = f"/exports/{said['export']}"
    assert (said["rows"], said["approved-at"], said["approver"]) == (0, None, None)
    return path


async def approved(client: Client, by: str = "grace") -> str:
    path = await asked(client, wanted())
    await client.ok("POST", f"{path}/approval", {"approver": by}, operator=True)
    return path


async def fetched(
    client: Client, path: str, holder: Processor = HOLDER
) -> tuple[int, dict[str, str]]:
    """Fetch an export as its processor opens it: the edition, and addresses by rows."""
    url = client.consent.url + path + "/downloads"
    async with client.session.post(url, headers=OPERATOR) as answer:
        file = await answer.read()
        assert answer.status == 200, file
        edition = int(answer.headers["Export-Edition"])
        rows = int(answer.headers["Export-Rows"])
    assert b"@press.example" not in file
    header, *lines = csv.reader(holder.opened(file).decode().splitlines())
    assert header == ["row", "email"]
    assert len(lines) == rows
    return edition, dict(lines)


@pytest.mark.clause("DOAJ-5a1")
@pytest.mark.clause("DOAJ-5a2")
async def test_an_export_is_made_when_another_approved_it_and_only_its_processor_opens_it(
    client: Client, people: list[tuple[str, str]], living: Place
) -> None:
    path = await asked(client, wanted())
    status, problem = await client("POST", f"{path}/downloads", operator=True)
    assert (status, problem["type"]) == (409, PROBLEM + "export-unapproved")
    status, problem = await client("POST", f"{path}/approval", {"approver": "ada"}, operator=True)
    assert (status, problem["rule"]) == (403, "DOAJ-5a1")
    said = await client.ok("POST", f"{path}/approval", {"approver": "grace"}, operator=True)
    assert (said["requester"], said["approver"]) == ("ada", "grace")
    assert said["expires-at"] > said["approved-at"]
    status, problem = await client("POST", f"{path}/approval", {"approver": "jean"}, operator=True)
    assert (status, problem["type"]) == (409, PROBLEM + "export-approved")
    edition, rows = await fetched(client, path)
    assert edition == 1
    assert {address for address, _ in people} <= set(rows.values())
    shown = await client.ok("GET", path, operator=True)
    assert (shown["rows"], shown["given"][0]["rows"]) == (len(rows), len(rows))
    assert "@" not in str(shown)
    assert (await client("GET", path))[0] == 401
    # Each of them was asked about and recorded, when it was made and when it was fetched.
    subject = BlindIndex(living.folder).of(people[0][0])
    async with connect(living.mongodb_url, living.name.replace(".", "_") + "consent") as database:
        kept = await database["decisions"].find({"subjects": subject}).to_list(None)
        stored = str(await database["exports"].find({}).to_list(None))
    acts = [one["state"].partition('"act":"')[2].partition('"')[0] for one in kept]
    assert {"export", "hand-over"} <= set(acts)
    assert "@press.example" not in stored


@pytest.mark.clause("DOAJ-5a2")
@pytest.mark.clause("DOAJ-10a")
@pytest.mark.law("P7")
async def test_who_leaves_is_in_no_later_file_and_the_processor_is_told_to_delete_the_row(
    client: Client, people: list[tuple[str, str]]
) -> None:
    path = await approved(client)
    _, before = await fetched(client, path)
    address, page = people[0]
    await client.ok("PUT", f"{page}/list:newsletter", {"consent": "refused"})
    edition, after = await fetched(client, path)
    assert edition == 2
    assert set(before.values()) - set(after.values()) == {address}
    assert after.items() <= before.items()
    row = next(row for row, one in before.items() if one == address)
    told = await client.ok("GET", f"{path}/withdrawals", operator=True)
    assert [one["row"] for one in told["withdrawals"]] == [row]
    assert told["withdrawals"][0]["deleted-at"] is None
    assert address not in str(told)
    other = {"rows": [next(iter(after))]}
    status, problem = await client("POST", f"{path}/deletions", other, operator=True)
    assert (status, problem["type"]) == (422, PROBLEM + "row-not-told")
    told = await client.ok("POST", f"{path}/deletions", {"rows": [row]}, operator=True)
    assert told["withdrawals"][0]["deleted-at"]
    # Whoever comes back is in no export that was approved before.
    said = await client.ok("GET", page)
    seen = next(one["version"] for one in said["consents"])
    await client.ok("PUT", f"{page}/list:newsletter", {"consent": "given", "seen": seen})
    assert address not in (await fetched(client, path))[1].values()


@pytest.mark.clause("DOAJ-10a")
async def test_who_leaves_after_the_last_download_is_told_as_well(
    client: Client, people: list[tuple[str, str]]
) -> None:
    path = await approved(client)
    _, rows = await fetched(client, path)
    for _, page in people:
        await client.ok("PUT", f"{page}/list:newsletter", {"consent": "refused"})
    told = await client.ok("GET", f"{path}/withdrawals", operator=True)
    left = {rows[one["row"]] for one in told["withdrawals"]}
    assert left == {address for address, _ in people}


@pytest.mark.clause("CRP-9a")
@pytest.mark.clause("DOAJ-7a")
@pytest.mark.clause("DOAJ-7b")
@pytest.mark.parametrize(
    ("body", "clause"),
    [
        (wanted(act="sell"), "CRP-9a"),
        (wanted(act="rent"), "CRP-9a"),
        (wanted("press.example", "industry"), "DOAJ-7b"),
        (wanted("a-friend", "outside"), "DOAJ-7a"),
    ],
)
async def test_what_no_role_can_lift_is_refused_in_the_notices_words_and_on_record(
    client: Client, body: dict[str, Any], clause: str
) -> None:
    status, problem = await client("POST", "/exports", body, operator=True)
    assert (status, problem["type"]) == (403, PROBLEM + "use-barred")
    assert problem["rule"] == clause
    says = [row.says for row in load_uses(POLICIES).file.never if row.clause == clause]
    assert any(problem["detail"].startswith(one) for one in says)
    use = problem["detail"].rpartition(" ")[2].rstrip(".")
    kept = await client.ok("GET", f"/uses/{use}", operator=True)
    assert (kept["outcome"], kept["hard"], kept["clause"]) == ("refused", True, clause)


@pytest.mark.clause("CRP-1a")
@pytest.mark.clause("CRP-3b")
@pytest.mark.parametrize(
    ("body", "slug", "rule"),
    [
        (wanted("nobody-we-know"), "use-barred", "CRP-1a"),
        (wanted("hotjar"), "use-barred", "CRP-1a"),
        (wanted("mailchimp"), "use-barred", "DOAJ-5a2"),
        (wanted(purpose="marketing", list=""), "use-barred", "CRP-3c"),
        (wanted(fields=[FIELD, "accounts.person-details.v1/name"]), "use-barred", "CRP-3b"),
        (wanted(fields=[]), "use-barred", "CRP-3b"),
        (wanted(kind="supplier"), "use-barred", "CRP-9b"),
        (wanted(category="account-holder"), "field-not-held", "field-not-held"),
    ],
)
async def test_a_processor_gets_the_fields_and_purposes_of_its_row_and_no_others(
    client: Client, body: dict[str, Any], slug: str, rule: str
) -> None:
    _, problem = await client("POST", "/exports", body, operator=True)
    assert (problem["type"], problem["rule"]) == (PROBLEM + slug, rule)


async def test_an_export_goes_to_a_processor_and_is_asked_for_whole(client: Client) -> None:
    for body in (wanted(kind="person"), wanted(requester="Ada Lovelace"), wanted(reason="")):
        assert (await client("POST", "/exports", body, operator=True))[0] == 422
    assert (await client("POST", "/exports", wanted()))[0] == 401
    for path in ("/exports/none", "/exports/none/withdrawals"):
        assert (await client("GET", path, operator=True))[0] == 404
