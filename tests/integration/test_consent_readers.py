"""Whoever decides by consents denies soon after a withdrawal, says so, and records what it mails.

Consent and accounts as real processes, and a reader of this test's own.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import count
from typing import Any, Final

import aiohttp
import pytest

from shared.kafka.consents import TOPICS, KnownConsents
from shared.kafka.knowledge import Knowledge
from shared.mongo import connect
from shared.policy.uses import load_uses
from shared.privacy.blind import BlindIndex
from shared.runtime.clock import SYSTEM, parse_rfc3339
from shared.runtime.service import Role
from tests.consenting import POLICIES, PROBLEM, Client, a_place, consenting, subscribed
from tests.mailbox import Mailbox, text_of
from tests.platform import Platform
from tests.processes import Place, Running, service, until

_PEOPLE: Final = count(1)
LIST: Final = "list:newsletter"


@pytest.fixture(scope="module")
async def living(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Place:
    return await a_place(platform, tmp_path_factory.mktemp("readers"))


@pytest.fixture(scope="module")
async def both(living: Place, box: Mailbox) -> AsyncIterator[tuple[Client, Running]]:
    async with (
        consenting(living, box) as client,
        service("accounts", living, "api", "relay", "deliver", SMTP_URL=box.url) as accounts,
    ):
        yield client, accounts


@pytest.fixture
def address() -> str:
    return f"reader-{next(_PEOPLE)}@press.example"


async def withdrawn(client: Client, page: str) -> str:
    """Leave the list; return the id that the withdrawal's receipts are found by."""
    said = await client.ok("PUT", f"{page}/{LIST}", {"consent": "refused"})
    assert (said["worth"], said["facts"][-1]["what"]) == ("withdrawn", "withdrawn")
    found: str = said["facts"][-1]["withdrawal"]
    return found


async def receipt_of(client: Client, withdrawal: str) -> dict[str, Any]:
    """Return a withdrawal's receipt; ``accounts`` is what accounts said."""
    said = await client.ok("GET", f"/withdrawals/{withdrawal}", operator=True)
    accounts = [one for one in said["services"] if one["service"] == "accounts"]
    return said | {"accounts": accounts[0] if accounts else None}


async def obeyed(client: Client, withdrawal: str) -> dict[str, Any]:
    """Wait until accounts said that it denies."""

    async def so() -> Any:
        said = await receipt_of(client, withdrawal)
        return said if said["accounts"] and said["accounts"]["obeyed-since"] else None

    found: dict[str, Any] = await until(so, within=60, what="accounts to obey")
    return found


@pytest.mark.clause("DOAJ-10a")
@pytest.mark.law("P7")
async def test_every_reader_says_since_when_it_denies_by_a_withdrawal(
    both: tuple[Client, Running], box: Mailbox, address: str
) -> None:
    client, _ = both
    page = await subscribed(client, box, address)
    said = await obeyed(client, await withdrawn(client, page))
    assert said["purpose"] == LIST
    decided = parse_rfc3339(said["decided-at"])
    (replica,) = [one for one in said["accounts"]["replicas"] if one["live"]]
    took = parse_rfc3339(said["accounts"]["obeyed-since"]) - decided
    assert timedelta(0) <= took < timedelta(seconds=5)
    assert replica["since"] == said["accounts"]["obeyed-since"]
    assert address not in str(said)
    (figures,) = (await client.ok("GET", "/withdrawals", operator=True))["services"]
    assert figures["service"] == "accounts"
    assert 0 <= figures["p50"] <= figures["p99"] <= figures["greatest"] < 5
    _, metrics = await client("GET", "/metrics")
    for quantile in ("0.5", "0.99", "1"):
        named = f'colophon_withdrawal_applied_seconds{{quantile="{quantile}",service="accounts"}}'
        assert named in metrics
    status, problem = await client("GET", "/withdrawals/none", operator=True)
    assert (status, problem["type"]) == (404, PROBLEM + "withdrawal-unknown")
    assert (await client("GET", "/withdrawals"))[0] == 401


async def test_a_withdrawal_is_not_obeyed_while_a_live_reader_stands_still(
    both: tuple[Client, Running], box: Mailbox, address: str
) -> None:
    client, accounts = both
    page = await subscribed(client, box, address)
    accounts.freeze()
    try:
        withdrawal = await withdrawn(client, page)
        said = await receipt_of(client, withdrawal)
        assert said["accounts"]["obeyed-since"] is None
        assert any(one["live"] and one["since"] is None for one in said["accounts"]["replicas"])
    finally:
        accounts.thaw()
    assert (await obeyed(client, withdrawal))["accounts"]["obeyed-since"]


@pytest.mark.law("P7")
@pytest.mark.clause("DOAJ-1a3")
async def test_every_mail_of_accounts_has_a_recorded_decision_and_no_address_in_it(
    both: tuple[Client, Running], box: Mailbox, living: Place, address: str
) -> None:
    client, accounts = both
    async with client.session.post(accounts.url + "/people", json={"email": address}) as answer:
        assert answer.status == 202
    mail = await box.next_to(address)
    assert "confirm" in text_of(mail)
    subject = BlindIndex(living.folder).of(address)
    name = living.name.replace(".", "_") + "accounts"
    async with connect(living.mongodb_url, name) as database:
        (kept,) = await database["decisions"].find({"subjects": subject}).to_list(None)
        waiting = await database["deliveries"].find({"kind": "mail"}).to_list(None)
    assert '"outcome":"allowed"' in kept["state"]
    assert '"clause":"CRP-11a"' in kept["state"]
    assert f'"policy":"{load_uses(POLICIES).version}"' in kept["state"]
    assert '"category":"account-holder"' in kept["state"]
    assert address not in str(kept)
    assert kept["_id"] in {one["payload"]["about"]["decision"] for one in waiting}


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
async def test_a_reader_that_hears_nothing_of_consent_any_more_has_no_consent(
    both: tuple[Client, Running], box: Mailbox, living: Place, address: str
) -> None:
    """The last of the module: consent is killed in it."""
    client, _ = both
    await subscribed(client, box, address)
    policy = load_uses(POLICIES)
    knowledge = Knowledge(TOPICS, living.kafka_bootstrap, policy.stale_after, living.name)
    known = KnownConsents(knowledge, policy)
    subjects = BlindIndex(living.folder).all(address)

    async def becomes(worth: str) -> None:
        async def so() -> bool:
            return known.worth(subjects, LIST, SYSTEM.now()) == worth

        await until(so, within=60, what=f"the consent to be {worth}")

    async with following(knowledge.run):
        await becomes("given")
        client.consent.kill()
        began = SYSTEM.monotonic()
        await becomes("knowledge-stale")
        assert SYSTEM.monotonic() - began < policy.stale_after.total_seconds() + 5
        with contextlib.suppress(aiohttp.ClientError):
            assert (await client("GET", "/healthz"))[0] != 200
