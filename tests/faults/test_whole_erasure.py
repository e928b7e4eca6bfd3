"""One erasure through every real service, from a letter to a certificate that verifies offline."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from shared.kafka.segments import records, segments
from shared.runtime.ids import new_id
from tests.mailbox import CODE, Mailbox, text_of
from tests.platform import Platform
from tests.processes import OPERATOR, ROOT, Place, until
from tests.whole import Whole, create, whole

NAME: Final = "cnry-Erika-0d6f2b"
VERIFY: Final = ROOT / "deploy" / "verify" / "verify_certificate.py"


@pytest.fixture(scope="module")
async def here(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory, box: Mailbox
) -> AsyncIterator[Whole]:
    """Run everything once for all tests of this module; each has people of its own."""
    if platform.broker_files is None:
        pytest.skip("the broker's files cannot be looked at: it is another one")
    folder = tmp_path_factory.mktemp("whole")
    place = Place(platform.kafka_bootstrap, platform.mongodb_url, f"w{new_id()[-12:]}.", folder)
    await create(platform.kafka_bootstrap, place.name)
    async with whole(place, box, Path(platform.broker_files)) as found:
        yield found


async def somebody(here: Whole, email: str, *, role: str = "technical") -> dict[str, str]:
    """Let somebody have an account, a role, an application and a newsletter, all of one address."""
    world = here.world
    who = await world.signed_in(email, name=NAME)
    body = {"name": NAME, "email": email}
    await world.ok("accounts", "PUT", f"/organisations/78/contacts/{role}", body, headers=OPERATOR)
    await world.ok(
        "accounts",
        "POST",
        "/volunteer-applications",
        {**body, "referees": [{"name": "Referee", "email": "ref@people.example"}]},
    )
    letter = {
        "email": email,
        "consent": "given",
        "channel": "letter",
        "said-at": "2026-01-01T00:00:00Z",
        "evidence": f"{NAME} wrote",
    }
    await world.ok("consent", "PUT", "/consents/marketing", letter, headers=OPERATOR)
    return who


async def asked(here: Whole, email: str) -> str:
    """Register a letter that asks for erasure, confirm who wrote it, and decide to do it."""
    body = {
        "kinds": ["erasure"],
        "channel": "letter",
        "received-at": "2026-11-01T09:00:00Z",
        "requester": {"name": NAME, "email": email},
        "text": "Please erase what you hold of me.",
    }
    request = (await here.retention("POST", "/requests", body))["request"]
    await here.retention("POST", f"/requests/{request}/confirm", {"identity": "document"})
    await here.retention("POST", f"/requests/{request}/assess", {})
    shown = await here.retention("GET", f"/requests/{request}")
    for task in shown["tasks"]:
        if task["task"] != "erasure" and not task.get("done-at"):
            done = {"outcome": "done", "evidence": "seen to"}
            await here.retention("POST", f"/requests/{request}/tasks/{task['task']}", done)

    async def begun() -> Any:
        return (await here.retention("GET", f"/requests/{request}")).get("erasure")

    return str(await until(begun, within=60, what="an erasure begun"))


async def approved(here: Whole, erasure: str) -> Any:
    shown = await here.at(erasure, "planned")
    await here.retention("POST", f"/erasures/{erasure}/approve", {"approver": "officer"})
    return shown


async def rotated(here: Whole) -> None:
    """Begin an epoch, as the clock does twice a day, once the one before took over."""

    async def begun() -> bool:
        status, _ = await here.world.ask("retention", "POST", "/epochs", headers=OPERATOR)
        return status == 202

    await until(begun, within=30, what="an epoch begun", pause=0.2)


def left_in_files(folder: Path, prefix: str, person: str) -> list[str]:
    """Return where the broker's files still hold an envelope of somebody."""
    mark = f"pe1.{person}.".encode()
    found = []
    for topic, path in segments(folder):
        # What the broker's cleaner removes while this looks holds nothing any more.
        with contextlib.suppress(FileNotFoundError):
            data = path.read_bytes() if topic.startswith(prefix) else b""
            found += [f"{topic}@{one.offset}" for one in records(data) if mark in one.data]
    return found


@pytest.mark.law("P2")
@pytest.mark.law("P3")
@pytest.mark.law("P5")
@pytest.mark.clause("DOAJ-6b1")
@pytest.mark.clause("DOAJ-6c4")
@pytest.mark.clause("DOAJ-8b")
@pytest.mark.timeout(480)
async def test_a_letter_ends_in_a_certificate_and_nothing_of_the_person_is_left(
    here: Whole, platform: Platform
) -> None:
    mine, theirs = "erika@people.example", "other@people.example"
    who = await somebody(here, mine)
    other = await here.world.signed_in(theirs, name="Somebody Else")
    person = who["at"].rpartition("/")[2]
    erasure = await asked(here, mine)
    shown = await approved(here, erasure)
    found = {one["service"]: one["found"] for one in shown["services"]}
    assert {name for name, one in found.items() if one["matched"]} >= {"accounts", "consent"}

    # A service that is away holds everything up, and nothing is said to be done without it.
    await here.end("consent")
    await here.at(erasure, "ordered")
    await here.begin("consent")
    await here.at(erasure, "evidenced", "compacted", "irrecoverable", "scanned", "certified")

    once = await here.at(erasure, "compacted", "irrecoverable", "scanned", "certified")
    for _ in range(2):
        await rotated(here)
    shown = await here.at(erasure, "certified", "closed", within=150)
    # Neither the scan nor the last look of real services had anybody asked again.
    assert shown["times"]["evidenced"] == once["times"]["evidenced"]
    certificate = await here.retention("GET", f"/erasures/{erasure}/certificate")
    assert await offline(here, certificate)
    said = orjson.dumps(certificate).decode()
    assert person not in said
    assert mine not in said

    world = here.world
    assert (await world.ask("accounts", "GET", who["at"], headers=who))[0] in (401, 404, 410)
    assert (await world.ask("accounts", "GET", other["at"], headers=other))[0] == 200
    body = {"email": mine}
    worth = await world.ok("consent", "POST", "/consents/look-up", body, headers=OPERATOR)
    assert [one for one in worth["consents"] if one["standing"] == "given"] == []
    assert platform.broker_files is not None
    assert left_in_files(Path(platform.broker_files), here.place.name, person) == []

    # Whoever was erased may come again, as somebody new.
    before = len(world.box.to(mine))
    await world.ok("accounts", "POST", "/people", {"email": mine, "name": NAME})

    async def code() -> str | None:
        found = [CODE.search(text_of(one)) for one in world.box.to(mine)[before:]]
        return next((one[0] for one in found if one), None)

    signing = {"code": await until(code, within=30, what="a code"), "password": "horse battery"}
    again = await world.ok("accounts", "POST", "/sign-ins", signing)
    assert again["person"] != person


async def offline(here: Whole, certificate: Any) -> bool:
    """Verify a certificate as anybody can: with the log's public keys and nothing else."""
    folder = here.place.folder
    status, keys = await here.world.ask("retention", "GET", "/proof/keys")
    assert status == 200
    (folder / "keys.txt").write_text(keys if isinstance(keys, str) else keys.decode())
    (folder / "certificate.json").write_bytes(orjson.dumps(certificate))
    command = [sys.executable, VERIFY, folder / "certificate.json", folder / "keys.txt"]
    done = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return True
