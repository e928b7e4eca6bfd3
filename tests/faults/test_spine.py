"""The whole spine under faults: nothing acknowledged is lost, nothing withheld is shown."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from shared.kafka import topics
from shared.runtime.crashpoints import NAMES
from shared.runtime.ids import new_id
from tests.depositing import article, deposit
from tests.faults import (
    test_killed_callbacks,
    test_killed_clocks,
    test_killed_deletion,
    test_killed_holds,
    test_killed_issues,
    test_killed_ownership,
    test_killed_packages,
    test_killed_people,
    test_killed_readers,
    test_killed_rebuild,
    test_killed_rotation,
    test_killed_volunteers,
    test_products,
)
from tests.platform import OwnPlatform, Platform, own_platform
from tests.processes import OPERATOR, ROOT, Place, Running, service, until
from tests.striking import some_of

LOGIN: Final = {"usr": "press", "pwd": "correct horse"}
RELAYED: Final = ("relay.sent", "relay.before-commit", "accounts.preference-written")
DEPOSITED: Final = (
    "deposits.chunks-written",
    "deposits.submission-inserted",
    "deposits.work-written",
    "deposits.diagnostics-written",
    "relay.sent",
)


@dataclass(slots=True)
class Spine:
    """Three services and a client."""

    accounts: Running
    deposits: Running
    distribution: Running
    session: aiohttp.ClientSession

    async def member(self) -> None:
        """Enter a member with a prefix and a login, and wait until it can deposit."""
        await self.operate("POST", "/organisations", {"id": 78, "name": "Press"})
        await self.operate(
            "POST",
            "/organisations/78/prefixes",
            {"prefix": "10.5555", "name": "Press", "reference-visibility": "open"},
        )
        await self.operate(
            "POST",
            "/organisations/78/credentials",
            {"login": "press", "password": LOGIN["pwd"], "scopes": ["deposit", "admin"]},
        )

    async def operate(self, method: str, path: str, body: Any) -> Any:
        async with self.session.request(
            method, self.accounts.url + path, json=body, headers=OPERATOR
        ) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()

    async def prefer(self, setting: str) -> Any:
        return await self.operate(
            "PUT", "/organisations/78/preferences/10.5555", {"reference-visibility": setting}
        )

    async def deposit(
        self, number: int, *, file_name: str = "first.xml", timestamp: int = 1
    ) -> int:
        """Deposit one article asynchronously; return the status, 0 where nobody answered."""
        form = aiohttp.FormData({"operation": "doMDUpload", "login_id": "press"})
        form.add_field("login_passwd", LOGIN["pwd"])
        content = deposit(
            article(f"10.5555/{number}", title=f"Version {timestamp}"),
            batch=f"batch-{number}",
            timestamp=timestamp,
        )
        form.add_field("fname", content, filename=file_name)
        try:
            async with self.session.post(
                self.deposits.url + "/servlet/deposit", data=form
            ) as answer:
                return answer.status
        except aiohttp.ClientError:
            return 0

    async def work(self, number: int) -> Any:
        """Return a work as an anonymous reader sees it, or None."""
        with contextlib.suppress(aiohttp.ClientError):
            async with self.session.get(
                f"{self.distribution.url}/works/10.5555/{number}"
            ) as answer:
                return (await answer.json())["message"] if answer.status == 200 else None
        return None

    async def deposited(self, number: int, *, file_name: str = "again.xml") -> None:
        """Deposit until it is accepted, as a client would."""

        async def accepted() -> bool:
            return await self.deposit(number, file_name=file_name) == 200

        await until(accepted, within=60, what=f"deposit {number} accepted")

    async def shows(self, number: int, *, references: bool) -> None:
        """Wait until a work is shown, with or without its references."""

        async def as_wanted() -> bool:
            work = await self.work(number)
            return work is not None and ("reference" in work) is references

        await until(as_wanted, within=60, what=f"work {number}, references {references}")


@contextlib.asynccontextmanager
async def spine(place: Place) -> AsyncIterator[Spine]:
    """Run the three services, ready."""
    async with (
        service("accounts", place) as accounts,
        service("deposits", place) as deposits,
        service("distribution", place) as distribution,
        client() as session,
    ):
        yield Spine(accounts, deposits, distribution, session)


def client() -> aiohttp.ClientSession:
    """Open a client that gives up on a frozen service."""
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20))


@pytest.fixture(scope="module")
async def house(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Place, Spine]]:
    """Run the services that several tests share, with a member and one work; deposits is ended."""
    name = f"h{new_id()[:8]}."
    await topics.create(platform.kafka_bootstrap, prefix=name)
    folder = tmp_path_factory.mktemp("house")
    place = Place(platform.kafka_bootstrap, platform.mongodb_url, name, folder)
    async with spine(place) as running:
        await running.member()
        await running.deposited(0)
        await running.shows(0, references=True)
        await running.deposits.end()
        yield place, running


def test_every_crash_point_is_struck_by_a_test() -> None:
    elsewhere = (
        *test_killed_readers.POINTS,
        *test_killed_callbacks.POINTS,
        *test_killed_clocks.POINTS,
        *test_killed_holds.POINTS,
        *test_killed_ownership.POINTS,
        *test_killed_people.POINTS,
        *test_killed_deletion.POINTS,
        test_killed_issues.POINT,
        test_killed_volunteers.AT,
        *test_killed_rebuild.POINTS,
        *test_products.POINTS,
        *test_killed_rotation.POINTS,
        *test_killed_packages.POINTS,
    )
    of_erasures = (ROOT / "tests" / "laws" / "test_P3_erasures.py").read_text()
    elsewhere += tuple(re.findall(r'"(saga\.[a-z-]+)"', of_erasures))
    of_contacts = (ROOT / "tests" / "integration" / "test_contacts.py").read_text()
    of_the_log = (ROOT / "tests" / "integration" / "test_retention_tree.py").read_text()
    of_snapshots = (ROOT / "tests" / "integration" / "test_snapshots.py").read_text()
    elsewhere += tuple(re.findall(r'CRASH="(snapshots\.[a-z-]+)', of_snapshots))
    elsewhere += tuple(re.findall(r'"(tree\.[a-z-]+)"', of_the_log))
    elsewhere += tuple(re.findall(r'at = "(accounts\.[a-z-]+)"', of_contacts))
    for of_orders in ("test_accounts_erasing.py", "test_consent_erasing.py"):
        text = (ROOT / "tests" / "integration" / of_orders).read_text()
        elsewhere += tuple(re.findall(r'"((?:erasing|consent)\.[a-z]+-?[a-z]+)"', text))
    struck = {name.partition(":")[0] for name in (*RELAYED, *DEPOSITED, *elsewhere)}
    assert struck == set(NAMES)


@pytest.mark.law("L1")
@pytest.mark.parametrize("point", some_of(DEPOSITED))
async def test_an_accepted_deposit_survives_a_kill_anywhere(
    house: tuple[Place, Spine], point: str
) -> None:
    place, running = house
    number = 1 + DEPOSITED.index(point)
    first, again = f"first-{number}.xml", f"again-{number}.xml"
    async with service("deposits", place, COLOPHON_CRASH=point, REPLICA="one") as running.deposits:
        accepted = None
        while running.deposits.process.returncode is None and accepted in {None, 401, 503}:
            accepted = await running.deposit(number, file_name=first)
        assert await running.deposits.ended() == -9
    async with service("deposits", place, REPLICA="one") as running.deposits:
        if accepted != 200:  # nobody was promised anything: the client sends it again
            await running.deposited(number, file_name=again)
        await running.shows(number, references=True)
        if accepted == 200:
            await until(lambda: _said(running, first, "Success"), what="one success")
        else:  # the first may have become durable unanswered: then the second came too late
            await until(lambda: _said(running, again, "Success", "Failure"), what="one verdict")


async def _said(running: Spine, file_name: str, *statuses: str) -> bool:
    """Whether a file has exactly one diagnostic, with one of ``statuses``."""
    query = {**LOGIN, "file_name": file_name, "type": "result"}
    async with running.session.get(
        running.deposits.url + "/servlet/submissionDownload", params=query
    ) as answer:
        text = await answer.text()
    return text.count("<record_diagnostic") == 1 and any(
        f'status="{status}"' in text for status in statuses
    )


@pytest.mark.law("L3")
@pytest.mark.parametrize("point", some_of(RELAYED))
async def test_a_preference_survives_a_kill_between_store_and_broker(
    house: tuple[Place, Spine], point: str
) -> None:
    place, running = house
    await running.accounts.end()
    # The first passes of a relay are its watermarks, until the service is ready: let them through.
    strike = point + ":3" if point == "relay.before-commit" else point
    async with service("accounts", place, COLOPHON_CRASH=strike, REPLICA="one") as running.accounts:
        with contextlib.suppress(aiohttp.ClientError, AssertionError):
            await running.prefer("closed")
        assert await running.accounts.ended() == -9
    async with (  # deposits as well: the gate awaits its watermarks
        service("accounts", place, REPLICA="one") as running.accounts,
        service("deposits", place, REPLICA="one") as running.deposits,
    ):
        asked = "/organisations/78/preferences/10.5555"
        chosen = (await running.operate("GET", asked, None))["reference-visibility"]
        if chosen != "closed":  # the kill came before the write: nobody was promised anything
            await running.prefer("closed")
        await running.shows(0, references=False)
        await running.prefer("open")
        await running.shows(0, references=True)
        await running.accounts.end()


@pytest.fixture
def own(tmp_path: Path) -> Any:
    """Start a broker and a store that this test may kill."""
    with own_platform() as platform:
        yield platform


@pytest.mark.soak
@pytest.mark.law("L1")
@pytest.mark.law("L3")
async def test_broker_and_store_are_killed_and_come_back(own: OwnPlatform, tmp_path: Path) -> None:
    name = f"k{new_id()[:8]}."
    await topics.create(own.kafka_bootstrap, prefix=name)
    place = Place(own.kafka_bootstrap, own.mongodb_url, name, tmp_path)
    async with spine(place) as running:
        await running.member()
        await running.deposited(1)
        await running.shows(1, references=True)
        own.broker.kill()
        # Without a broker knowledge of credentials grows stale: what was accepted is durable.
        statuses = [await running.deposit(number) for number in range(2, 8)]
        await asyncio.to_thread(own.broker.start)
        for number, status in enumerate(statuses, start=2):
            if status != 200:
                await running.deposited(number)
            await running.shows(number, references=True)
        own.store.kill()
        await asyncio.to_thread(own.store.start)
        await running.deposited(8)
        await running.shows(8, references=True)
        await running.prefer("closed")
        for number in range(1, 9):
            await running.shows(number, references=False)
