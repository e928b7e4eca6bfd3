"""Consent through the wire: the real process, broker, store and SMTP server.

One process answers all tests; each has addresses of its own there.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any, Final

import aiohttp
import orjson
import pytest

from shared.kafka.consents import TOPICS, KnownConsents
from shared.kafka.knowledge import Knowledge
from shared.mongo import connect
from shared.policy.registers import cookies_unregistered, load_cookies, load_lists
from shared.policy.uses import load_uses
from shared.privacy.blind import BlindIndex
from shared.privacy.receipts import verified
from shared.runtime.clock import SYSTEM, rfc3339
from shared.runtime.ids import new_id
from shared.runtime.metrics import WITHDRAWAL_SECONDS
from shared.runtime.service import Role
from tests.consenting import (
    POLICIES,
    PROBLEM,
    Client,
    a_place,
    consenting,
    path_in,
    sent,
    subscribed,
)
from tests.keeping import held
from tests.mailbox import Mailbox, text_of
from tests.platform import Platform
from tests.processes import Place, until

_PEOPLE: Final = count(1)


@pytest.fixture(scope="module")
async def living(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Where the process lives that all tests share."""
    return await a_place(platform, tmp_path_factory.mktemp("consent"))


@pytest.fixture(scope="module")
async def client(living: Place, box: Mailbox) -> AsyncIterator[Client]:
    async with consenting(living, box) as made:
        yield made


@pytest.fixture
def address() -> str:
    return f"canary-{next(_PEOPLE)}@press.example"


@pytest.mark.clause("CRP-13a")
@pytest.mark.clause("CRP-13b")
@pytest.mark.clause("CRP-1b")
async def test_notices_are_read_by_everybody_and_changes_come_as_feeds(client: Client) -> None:
    listed = (await client.ok("GET", "/notices"))["notices"]
    assert {one["notice"] for one in listed} >= {"site-and-members", "index-users"}
    said = await client.ok("GET", "/notices/site-and-members?at=2018-01-01T00:00:00Z")
    assert said["label"] == "2017-01"
    assert "@" in said["feedback"]
    assert said["feedback"] in said["text"]
    status, problem = await client("GET", "/notices/site-and-members?at=2016-12-31T00:00:00Z")
    assert (status, problem["type"]) == (404, PROBLEM + "notice-version-unknown")
    feed = await client.ok("GET", "/notices/feed.json")
    assert said["sha256"] in str(feed["items"])
    _, atom = await client("GET", "/notices/feed.atom")
    assert said["sha256"] in atom
    for text in (str(feed), atom):
        assert "@" not in text
        assert said["officer"]["name"] not in text


@pytest.mark.clause("DOAJ-X1")
async def test_a_text_that_changed_without_a_new_label_is_refused_and_none_is_posted(
    client: Client, living: Place
) -> None:
    folder = living.folder / "policies" / "notices" / "reference-distribution"
    page = folder / "2018-01.md"
    kept = page.read_text()
    new = kept.replace('label = "2018-01"', 'label = "2019-01"').replace(
        "effective = 2018-01-01", 'effective = "at-once"'
    )
    (folder / "2019-01.md").write_text(new)
    page.write_text(kept + "\nOne more sentence.\n")
    status, problem = await client("POST", "/notices", operator=True)
    assert (status, problem["type"]) == (409, PROBLEM + "label-reused")
    assert problem["errors"][0]["at"] == "/reference-distribution/2018-01.md"
    listed = (await client.ok("GET", "/notices"))["notices"]
    labels = {one["notice"]: [each["label"] for each in one["versions"]] for one in listed}
    assert labels["reference-distribution"] == ["2018-01"]
    page.write_text(kept)
    posted = await client.ok("POST", "/notices", operator=True)
    assert [one["notice"] for one in posted["notices"] if one["new"]] == ["reference-distribution"]


@pytest.mark.clause("CRP-3a")
@pytest.mark.parametrize("field", ["name", "first-name", "organisation", "birthday"])
async def test_subscribing_takes_an_address_and_nothing_else(
    client: Client, address: str, field: str
) -> None:
    body = {"email": address, field: "Josiah Carberry"}
    status, problem = await client("POST", "/lists/newsletter/subscriptions", body)
    assert (status, problem["rule"]) == (422, "CRP-3a")
    assert "Carberry" not in str(problem)
    assert address not in str(problem)
    assert await client.look_up(address) == {}


@pytest.mark.clause("CRP-3c")
@pytest.mark.clause("CRP-3d")
@pytest.mark.law("P7")
async def test_a_list_is_joined_by_the_mailed_link_and_no_other_list_comes_with_it(
    client: Client, box: Mailbox, address: str
) -> None:
    await client.ok("POST", "/lists/newsletter/subscriptions", {"email": address.upper()})
    mail = await box.next_to(address.upper())
    text = text_of(mail)
    assert text.splitlines()[0] == "Hello,"  # whoever it is
    assert (await client.look_up(address))["list:newsletter"]["worth"] == "requested"
    link = path_in(client, text, "confirmations")
    await client.ok("GET", link)  # programs open links too: nothing comes of that
    assert (await client.look_up(address))["list:newsletter"]["worth"] == "requested"
    said = await client.ok("POST", link)
    assert (said["worth"], said["status"]) == ("given", "effective")
    assert await client.ok("POST", link)  # twice is once
    held = await client.look_up(address)
    assert set(held) == {"list:newsletter"}
    assert [fact["what"] for fact in held["list:newsletter"]["facts"]] == ["requested", "given"]
    for name, expected in (("newsletter", "allowed"), ("blog", "refused")):
        use = {"act": "mail", "purpose": "list", "category": "subscriber", "name": name}
        asked = await client.ok(
            "POST", "/uses", use | {"email": address, "opt-out-link": True}, operator=True
        )
        assert (asked["outcome"], asked["clause"]) == (expected, "CRP-3c")
        assert await client.ok("GET", f"/uses/{asked['use']}", operator=True) == asked


@pytest.mark.clause("CRP-3e")
@pytest.mark.clause("DOAJ-10a")
@pytest.mark.law("P7")
async def test_one_click_ends_a_list_at_once_and_every_mail_has_the_link(
    client: Client, box: Mailbox, address: str
) -> None:
    page = await subscribed(client, box, address)
    issue = {"issue": new_id(), "subject": "News", "text": "Hello,\n\nthere is news."}
    await client.ok("POST", "/lists/newsletter/issues", issue, operator=True)
    mail = await box.next_to(address, after=1)
    link = path_in(client, text_of(mail), "unsubscribe")
    assert link in mail["List-Unsubscribe"]
    await client.ok("POST", "/lists/newsletter/issues", issue, operator=True)
    form = aiohttp.FormData({"List-Unsubscribe": "One-Click"})
    async with client.session.post(client.consent.url + link, data=form) as answer:
        assert (answer.status, (await answer.json())["worth"]) == (200, "withdrawn")
    another = issue | {"issue": new_id()}
    assert (await sent(client, "newsletter", another))["refused"] >= 1
    # Whoever is behind in the queue has been served when this one has.
    later = address.replace("canary", "later")
    await subscribed(client, box, later)
    assert len(box.to(address)) == 2
    held = (await client.ok("GET", page))["consents"]
    assert [one["worth"] for one in held] == ["withdrawn"]


@pytest.mark.clause("DOAJ-10a")
@pytest.mark.law("P7")
async def test_a_mail_that_waits_is_not_sent_after_its_list_was_left(
    client: Client, box: Mailbox, living: Place, address: str
) -> None:
    page = await subscribed(client, box, address, "blog")
    box.refuse[address] = "451 come back later"
    issue = {"issue": new_id(), "subject": "News", "text": "Hello,\n\nthere is news."}
    assert (await sent(client, "blog", issue))["posted"] == 1
    name = f"mail:list:blog:{issue['issue']}:"
    async with connect(living.mongodb_url, living.name.replace(".", "_") + "consent") as database:

        async def waiting(**wanted: Any) -> Any:
            asked = {"_id": {"$gte": name, "$lt": name + "~"}, **wanted}
            return await database["deliveries"].find_one(asked)

        tried = partial(waiting, said="refused-451")
        await until(tried, within=60, what="a try that the server refused")
        await client.ok("PUT", f"{page}/list:blog", {"consent": "refused"})
        del box.refuse[address]
        given_up = partial(waiting, said="no-longer-allowed")
        found = await until(given_up, within=60, what="the mail to be given up")
    assert "sealed" not in found["payload"]
    assert len(box.to(address)) == 1


async def test_a_yes_that_became_too_old_counts_for_nothing_and_says_so(
    client: Client, address: str
) -> None:
    letter = {
        "email": address,
        "consent": "given",
        "channel": "letter",
        "said-at": rfc3339(datetime.now(UTC) - timedelta(days=740)),
    }
    said = await client.ok("PUT", "/consents/marketing", letter, operator=True)
    assert said["worth"] == "expired"

    async def written_down() -> bool:
        return (await client.look_up(address))["marketing"]["facts"][-1]["what"] == "expired"

    await until(written_down, within=60, what="the end to be written down")


@pytest.mark.clause("DOAJ-10b")
@pytest.mark.clause("DOAJ-10a")
async def test_staff_enter_what_came_by_letter_and_a_later_no_holds(
    client: Client, address: str
) -> None:
    now = datetime.now(UTC)
    letter = {"email": address, "consent": "given", "channel": "letter"}
    status, _ = await client("PUT", "/consents/marketing", letter, operator=True)
    assert status == 422  # a yes without its day
    letter |= {"said-at": rfc3339(now - timedelta(days=2)), "evidence": "Letter of Canary Quetzal"}
    said = await client.ok("PUT", "/consents/marketing", letter, operator=True)
    assert (said["worth"], said["facts"][-1]["channel"]) == ("given", "letter")
    no = {"email": address, "consent": "refused", "channel": "e-mail"}
    said = await client.ok("PUT", "/consents/marketing", no, operator=True)
    assert said["worth"] == "withdrawn"
    status, problem = await client("PUT", "/consents/marketing", letter, operator=True)
    assert (status, problem["type"]) == (409, PROBLEM + "consent-suppressed")
    found = await client.look_up(address)
    assert [fact["what"] for fact in found["marketing"]["facts"]] == ["given", "withdrawn"]
    assert (await client("PUT", "/consents/status-change", no, operator=True))[0] == 404
    assert (await client("PUT", "/consents/marketing", no))[0] == 401


@pytest.mark.clause("DOAJ-6a4")
async def test_what_would_be_written_under_a_hold_is_refused_as_held(
    client: Client, living: Place, address: str
) -> None:
    letter = {"email": address, "consent": "given", "channel": "letter", "evidence": "A letter"}
    letter |= {"said-at": rfc3339(datetime.now(UTC) - timedelta(days=2))}
    await client.ok("PUT", "/consents/marketing", letter, operator=True)
    name = living.environment("consent")["DATABASE_PREFIX"] + "consent"
    async with connect(living.mongodb_url, name) as database:
        subject = BlindIndex(living.folder).of(address)
        found: Any = await database["people"].find_one({"_id": subject})
    person = orjson.loads(found["state"])["person"]

    async def refused() -> Any:
        again = letter | {"said-at": rfc3339(datetime.now(UTC) - timedelta(days=1))}
        status, said = await client("PUT", "/consents/marketing", again, operator=True)
        return said if status >= 400 else None

    async with held(living, f"{person}.consent-evidence"):
        problem = await until(refused, within=40, what="what is held to be refused")
        assert (problem["status"], problem["type"]) == (409, PROBLEM + "details-restricted")


async def test_a_person_chooses_on_their_own_page_and_takes_a_receipt_along(
    client: Client, box: Mailbox, address: str
) -> None:
    page = await subscribed(client, box, address)
    shown = await client.ok("GET", page)
    assert "marketing" in shown["purposes"]
    await client.ok("PUT", f"{page}/marketing", {"consent": "given", "seen": 0})
    status, problem = await client("PUT", f"{page}/marketing", {"consent": "given", "seen": 0})
    assert (status, problem["type"]) == (412, PROBLEM + "version-differs")
    receipt = await client.ok("GET", f"{page}/marketing/receipt")
    key = (await client.ok("GET", "/receipt-key"))["public"]
    assert verified(receipt, key)
    assert not verified(receipt | {"dpv:hasStatus": "withdrawn"}, key)
    assert receipt["dpv:hasNotice"]["@id"] == "urn:colophon:notice:index-users"
    assert address not in str(receipt)
    said = await client.ok("PUT", f"{page}/marketing", {"consent": "refused"})
    assert said["worth"] == "withdrawn"
    forged = page[:-4] + "AAAA"
    assert (await client("GET", forged))[0] == 410
    # The link to one's page is mailed, and nobody is told whether an address is known.
    known = await client("POST", "/preferences", {"email": address})
    unknown = await client("POST", "/preferences", {"email": "nobody@press.example"})
    assert known == unknown
    again = path_in(client, text_of(await box.next_to(address, after=1)), "preferences")
    assert await client.ok("GET", again)
    assert not box.to("nobody@press.example")


@contextlib.asynccontextmanager
async def following(role: Role) -> AsyncIterator[None]:
    """Run a role beside the block."""
    draining = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(role(draining))
        try:
            yield
        finally:
            draining.set()


@pytest.mark.law("P7")
async def test_another_service_denies_from_a_withdrawal_on(
    client: Client, box: Mailbox, living: Place, address: str
) -> None:
    page = await subscribed(client, box, address)
    policy = load_uses(POLICIES)
    knowledge = Knowledge(TOPICS, living.kafka_bootstrap, policy.stale_after, living.name)
    known = KnownConsents(knowledge, policy, "test")
    knowledge.listeners.append(known.hear)
    subjects = BlindIndex(living.folder).all(address)

    def worth() -> str:
        return known.worth(subjects, "list:newsletter", SYSTEM.now())

    async with following(knowledge.run):

        async def given() -> bool:
            return worth() == "given"

        await until(given, within=60, what="the consent to be known")
        await client.ok("PUT", f"{page}/list:newsletter", {"consent": "refused"})

        async def denied() -> bool:
            return worth() == "withdrawn"

        await until(denied, within=60, what="the withdrawal to be known")
    measured = {
        sample.name: sample.value
        for family in WITHDRAWAL_SECONDS.collect()
        for sample in family.samples
        if sample.name.endswith(("_count", "_sum"))
    }
    assert measured["colophon_withdrawal_seconds_count"] >= 1
    assert measured["colophon_withdrawal_seconds_sum"] > 0


@pytest.mark.law("P1")
async def test_no_address_and_no_letter_stands_in_the_store_or_the_log(
    client: Client, box: Mailbox, living: Place, address: str
) -> None:
    await subscribed(client, box, address)
    letter = {
        "email": address,
        "consent": "given",
        "channel": "letter",
        "said-at": rfc3339(datetime.now(UTC) - timedelta(days=1)),
        "evidence": "Quetzal wrote it by hand",
    }
    await client.ok("PUT", "/consents/marketing", letter, operator=True)
    subject = BlindIndex(living.folder).of(address)
    canaries, found = (address, "Quetzal wrote"), ""
    prefix = living.name.replace(".", "_")
    async with connect(living.mongodb_url, f"{prefix}consent") as database:
        for name in await database.list_collection_names():
            found += str(await database[name].find({}).to_list(None))
    found += client.consent.log.read_text()
    assert subject in found  # the control: what may stand there is found
    for canary in canaries:
        assert canary not in found


@pytest.mark.clause("CRP-1a")
@pytest.mark.clause("CRP-8a")
@pytest.mark.clause("CRP-8b")
async def test_registers_are_public_and_no_answer_sets_a_cookie_that_is_not_in_them(
    client: Client,
) -> None:
    processors = (await client.ok("GET", "/processors"))["processors"]
    assert {one["processor"] for one in processors} >= {"act-on", "discourse", "mailchimp"}
    assert all(one["trust"] for one in processors if one["active"])
    cookies = await client.ok("GET", "/cookies")
    assert all(one["lifetime"] for one in cookies["cookies"])
    assert cookies["analytics"] == ["page-view", "referrer", "geography", "exit-page"]
    # Every answer of this module was looked at; no cookie is ever sent back.
    assert cookies_unregistered(load_cookies(POLICIES / "cookies.toml"), client.cookies) == []


@pytest.mark.clause("CRP-9a")
@pytest.mark.clause("DOAJ-7a")
async def test_a_hard_refusal_is_recorded_with_its_clause_and_not_whom_it_was_about(
    client: Client, address: str
) -> None:
    use = {"act": "sell", "purpose": "list", "category": "subscriber", "email": address}
    said = await client.ok("POST", "/uses", use, operator=True)
    assert (said["outcome"], said["clause"], said["hard"]) == ("refused", "CRP-9a", True)
    assert said["policy"] == load_uses(POLICIES).version
    outside = {"kind": "outside", "name": "a friend"}
    use |= {"act": "hand-over", "recipient": outside}
    said = await client.ok("POST", "/uses", use, operator=True)
    assert (said["clause"], said["hard"]) == ("DOAJ-7a", True)
    kept = await client.ok("GET", f"/uses/{said['use']}", operator=True)
    assert address not in str(kept)


async def test_a_material_change_makes_consents_stale_until_they_are_reconfirmed(
    client: Client, box: Mailbox, living: Place, address: str
) -> None:
    page = await subscribed(client, box, address)
    folder = living.folder / "policies" / "notices" / "site-and-members"

    def posted(label: str, change: str) -> None:
        text = (folder / "2017-01.md").read_text()
        for old, new in (
            ('label = "2017-01"', f'label = "{label}"'),
            ('change = "material"', f'change = "{change}"'),
            ("effective = 2017-01-01", 'effective = "at-once"'),
        ):
            assert old in text
            text = text.replace(old, new)
        (folder / f"{label}.md").write_text(text)

    posted("2017-02", "editorial")
    await client.ok("POST", "/notices", operator=True)
    assert (await client.look_up(address))["list:newsletter"]["worth"] == "given"
    posted("2017-03", "material")
    await client.ok("POST", "/notices", operator=True)
    held = (await client.look_up(address))["list:newsletter"]
    assert held["worth"] == "stale"
    choice = {"consent": "given", "seen": held["version"]}
    said = await client.ok("PUT", f"{page}/list:newsletter", choice)
    assert (said["worth"], said["facts"][-1]["what"]) == ("given", "reconfirmed")
    assert said["facts"][-1]["notice"] == "2017-03"


async def test_whoever_asks_for_mail_to_many_addresses_has_to_wait(client: Client) -> None:
    """The last of the module: from here on this network waits."""
    asked = load_lists(POLICIES / "lists.toml").asking
    answers = [
        await client("POST", "/preferences", {"email": f"nobody-{number}@press.example"})
        for number in range(asked.free + 1)
    ]
    assert answers[0][0] == 202
    status, problem = answers[-1]
    assert (status, problem["type"]) == (429, PROBLEM + "too-many-asks")
