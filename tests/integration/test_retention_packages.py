"""Access packages by a real retention, read from the topics of services that are spoken for."""

import asyncio
import contextlib
import io
import re
import socket
import zipfile
from collections.abc import AsyncIterator
from secrets import token_hex
from typing import Any, Final

import orjson
import pytest
from yarl import URL

from services.accounts.model.people import PersonDetails
from services.retention.packages.kinds import KINDS
from shared.events import AccountsRecordKept, SubmissionReceived
from shared.events.owners import OwnerChanged
from shared.events.personal import record_key
from shared.mail.telling import NO_MAIL
from shared.privacy.blind import BlindIndex
from shared.privacy.receipts import Signer, verified
from shared.privacy.subjects import Subjects
from shared.privacy.telling import Rows
from shared.privacy.vault import reveal
from shared.runtime.clock import SYSTEM
from shared.runtime.ids import new_id, new_pseudonym
from tests.consenting import a_place
from tests.erasing import ASKED, Holder, World, hasty, world
from tests.keeping import a_hold
from tests.mailbox import Mailbox, text_of
from tests.platform import Platform
from tests.processes import service, until

MINE, THEIRS = "cnry-mine-8c1f", "cnry-theirs-77aa"
SUBMISSION, ANOTHERS = "1790000000000001", "1790000000000002"


EMAIL: Final = "somebody@example.org"


@pytest.fixture(scope="module")
async def here(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory, box: Mailbox
) -> AsyncIterator[World]:
    """Run retention for all tests of this module; each has people of its own."""
    place = await a_place(platform, tmp_path_factory.mktemp("packages"))
    policies = hasty(place.folder / "policies", asked=(*ASKED, "retention"))
    file = policies / "packages.toml"
    file.write_text(file.read_text().replace('"PT2M"', '"PT12S"'))
    settings = {
        # Retention itself is asked, too: it mails people, and keeps what they ask for.
        "POLICIES_DIR": str(policies),
        "SMTP_URL": box.url,
        "MAIL_FIRST_SECONDS": "0.2",
        "REQUEST_SECONDS": "0.2",
    }
    async with (
        service("retention", place, **settings) as running,
        world(place, running) as found,
    ):
        yield found


async def told(here: World, person: str, name: str, *, index: str) -> None:
    """Have accounts keep a record of somebody, and tell of it."""
    details = PersonDetails(name=name, email=f"{name}@example.org")
    sealed = await here.kept(details, person)
    await here.answering.voices["accounts"].say(
        AccountsRecordKept(
            record_key=record_key(sealed), sealed=sealed, subjects=(index,), version=1
        )
    )


def received(submission: str) -> SubmissionReceived:
    return SubmissionReceived(
        submission=submission,
        organisation=1,
        status="queued",
        received_at=SYSTEM.now(),
        version=1,
    )


def read(whole: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


async def asked(here: World, *, email: str = EMAIL) -> Any:
    return await here.ok("POST", "/packages", {"request": new_id(), "emails": [email]})


async def at(here: World, package: str, step: str) -> Any:
    async def there() -> Any:
        said = await here.ok("GET", f"/packages/{package}")
        return said if said["step"] == step else None

    return await until(there, within=60, what=f"package {step}")


async def fetched(here: World, package: str, code: str) -> tuple[int, bytes]:
    assert here.retention is not None
    url = f"{here.retention.url}/packages/{package}/file"
    async with here.session.get(url, headers={"Authorization": f"Bearer {code}"}) as answer:
        return answer.status, await answer.read()


@pytest.mark.law("P8")
@pytest.mark.clause("DOAJ-9a2")
@pytest.mark.clause("DOAJ-9a3")
@pytest.mark.clause("DOAJ-9a4")
@pytest.mark.clause("DOAJ-9a5")
@pytest.mark.clause("DOAJ-9a6")
@pytest.mark.clause("DOAJ-9a7")
async def test_a_package_holds_what_topics_say_of_a_person_is_fetched_once_and_then_gone(
    here: World,
) -> None:
    person, other = new_pseudonym(), new_pseudonym()
    index = BlindIndex(here.place.folder)
    await told(here, person, MINE, index=index.of(EMAIL))
    await told(here, other, THEIRS, index=index.of("other@example.org"))
    await here.answering.voices["deposits"].say(
        OwnerChanged(person=person, journals=(), heard=1, version=1),
        OwnerChanged(person=other, journals=(), heard=1, version=1),
        received(SUBMISSION),
        received(ANOTHERS),
    )
    mail = {"at": "2026-02-03T04:05:06Z", "purpose": "account-admin", "became": "taken"}
    file = {"submission": SUBMISSION, "file-name": "=mine.xml", "file": "held, sealed"}
    here.answering.fresh = {
        "accounts": Holder(
            {f"{person}.account": ["u"]},
            processors=("mailer",),
            tells={"mails": Rows([mail], older=7)},
        ),
        "deposits": Holder(
            {f"{new_pseudonym()}.deposit-contact": [SUBMISSION]}, tells={"files": Rows([file])}
        ),
    }
    said = await asked(here)
    package, code = said["package"], said["code"]
    ready = await at(here, package, "ready")
    assert (await fetched(here, package, "not-the-code"))[0] == 404

    status, whole = await fetched(here, package, code)

    assert (status, len(whole)) == (200, ready["octets"])
    files = read(whole)
    everything = b"".join(files.values()).decode()
    assert MINE in files["data/accounts/account.csv"].decode()
    held = orjson.loads(files["data/accounts/account.json"])[0]["values"]
    assert held == {"name": MINE, "email": f"{MINE}@example.org"}
    fields = {one["field"]: one for one in orjson.loads(files["processing.json"])["fields"]}
    assert fields["/name"]["purposes"]["account-admin"] == "contract"
    assert fields["/name"]["source"] == "self"
    assert person in files["data/deposits.owners.v1.json"].decode()
    assert "mailer" in files["processing.json"].decode()
    assert orjson.loads(files["data/accounts/mails.json"]) == {"rows": [mail], "older": 7}
    assert files["data/deposits/files.csv"].decode().splitlines()[1].startswith(SUBMISSION)
    assert "'=mine.xml" in files["data/deposits/files.csv"].decode()
    page = files["index.html"].decode()
    assert mail["at"] in page
    assert "And 7 older ones" in page
    assert "Mails are not kept" in page
    assert "/submissions/{number}/contents" in page
    assert KINDS["uses"].none in page
    assert SUBMISSION in files["data/deposits.submissions.v1.json"].decode()
    for others in (THEIRS, other, "other@example.org", ANOTHERS):
        assert others not in everything
    signed = orjson.loads(files["manifest.json"])
    assert verified(signed, Signer(here.place.folder / "retention.key.log").public)
    assert set(signed["files"]) == set(files) - {"manifest.json"}
    gone = await at(here, package, "gone")
    assert gone["why"] == "fetched"
    assert (await fetched(here, package, code))[0] == 410
    left: Any = await here.database["package_chunks"].find_one({"package": package})
    assert left is None


@pytest.mark.law("P8")
@pytest.mark.clause("DOAJ-6a4")
async def test_who_asks_while_a_hold_stands_has_what_it_keeps_and_is_told_of_it(
    here: World,
) -> None:
    email, person = "held@example.org", new_pseudonym()
    await told(here, person, MINE, index=BlindIndex(here.place.folder).of(email))
    keys = f"{person}.account"
    body = a_hold(matter="case-of-another", keys=[{"keys_id": keys}])
    hold = await here.ok("POST", "/holds", body)
    assert hold["standing"]
    here.answering.fresh = {"accounts": Holder({keys: ["u"]})}
    said = await asked(here, email=email)
    await at(here, said["package"], "ready")
    status, whole = await fetched(here, said["package"], said["code"])
    assert status == 200
    files = read(whole)
    (kept,) = orjson.loads(files["data/accounts/account.json"])
    assert kept["values"] == {"name": MINE, "email": f"{MINE}@example.org"}
    (held,) = orjson.loads(files["processing.json"])["held"]
    assert (held["class"], held["clause"]) == ("account", "DOAJ-8b")
    assert held["reviewed-by"] == body["review-on"]
    page = files["index.html"].decode()
    assert "What is held back from deletion" in page
    assert body["review-on"] in page
    everything = b"".join(files.values()).decode()
    assert body["matter"] not in everything
    assert body["placed-by"] not in everything


@pytest.mark.clause("DOAJ-9a2")
async def test_nothing_held_is_a_package_too(here: World) -> None:
    said = await asked(here, email="nobody@example.org")
    await at(here, said["package"], "ready")
    _status, whole = await fetched(here, said["package"], said["code"])
    page = read(whole)["index.html"].decode()
    assert "We hold nothing of you." in page
    assert all(kind.none in page for kind in KINDS.values())


@contextlib.asynccontextmanager
async def held_back(here: World, package: str, code: str) -> AsyncIterator[socket.socket]:
    """Begin to fetch, and take no more than the first bytes of the answer."""
    assert here.retention is not None
    url = URL(here.retention.url)
    loop = asyncio.get_running_loop()
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.settimeout(0)
        await loop.sock_connect(one, (str(url.host), url.port or 80))
        asks = f"GET /packages/{package}/file HTTP/1.1\r\nHost: x\r\n"
        await loop.sock_sendall(one, f"{asks}Authorization: Bearer {code}\r\n\r\n".encode())
        assert b" 200 " in await loop.sock_recv(one, 64)
        yield one


async def large(here: World, email: str) -> tuple[str, str]:
    """Have a package made that no socket holds."""
    rows = [{"submission": str(at), "file-name": token_hex(180)} for at in range(1000)]
    here.answering.fresh = {"deposits": Holder({}, tells={"files": Rows(rows)})}
    said = await asked(here, email=email)
    assert (await at(here, said["package"], "ready"))["octets"] > 300_000
    return said["package"], said["code"]


@pytest.mark.clause("DOAJ-9a2")
async def test_of_two_that_fetch_at_once_one_is_refused_and_who_broke_off_begins_again(
    here: World,
) -> None:
    package, code = await large(here, "twice@example.org")
    async with held_back(here, package, code):
        assert here.retention is not None
        url = f"{here.retention.url}/packages/{package}/file"
        async with here.session.get(url, headers={"Authorization": f"Bearer {code}"}) as answer:
            assert answer.status == 409
            assert int(answer.headers["Retry-After"]) > 1
            assert (await answer.json(content_type=None))["type"].endswith(":package-in-use")
        assert (await here.ok("GET", f"/packages/{package}"))["step"] == "ready"

    async def again() -> bytes | None:
        status, whole = await fetched(here, package, code)
        return whole if status == 200 else None

    whole: bytes = await until(again, within=10, what="the package to be free again")
    assert read(whole)["manifest.json"]
    assert (await fetched(here, package, code))[0] == 410
    assert (await at(here, package, "gone"))["why"] == "fetched"


@pytest.mark.clause("DOAJ-9a2")
async def test_who_begins_to_fetch_and_takes_nothing_is_cut_off_and_another_may_begin(
    here: World,
) -> None:
    package, code = await large(here, "idle@example.org")
    async with held_back(here, package, code) as idle:

        async def another() -> bytes | None:
            status, whole = await fetched(here, package, code)
            return whole if status == 200 else None

        whole: bytes = await until(another, within=40, pause=0.2, what="another to have it")
        assert read(whole)["manifest.json"]
        rest = bytearray()
        with contextlib.suppress(ConnectionError):
            while part := await asyncio.get_running_loop().sock_recv(idle, 2**16):
                rest += part
        assert len(rest) < len(whole)


@pytest.mark.clause("DOAJ-9a2")
async def test_of_many_that_fetch_at_once_one_has_the_package_and_to_look_is_not_to_fetch(
    here: World,
) -> None:
    package, code = await large(here, "many@example.org")
    assert here.retention is not None
    url = f"{here.retention.url}/packages/{package}/file"
    async with here.session.head(url, headers={"Authorization": f"Bearer {code}"}) as answer:
        assert (answer.status, answer.headers["Accept-Ranges"]) == (200, "none")
    answers = await asyncio.gather(*(fetched(here, package, code) for _ in range(8)))
    assert [status for status, _ in answers].count(200) == 1
    assert {status for status, _ in answers} <= {200, 409, 410}


@pytest.mark.law("P3")
async def test_a_service_that_does_not_answer_is_waited_for_and_named(here: World) -> None:
    silent = Holder(silent=True)
    here.answering.fresh = {"deposits": silent}
    said = await asked(here, email="third@example.org")

    async def named() -> bool:
        shown = await here.ok("GET", f"/packages/{said['package']}")
        return bool(shown["waiting_for"] == ["deposits"])

    await until(named, what="the service named")
    assert (await fetched(here, said["package"], said["code"]))[0] == 409
    silent.silent = False
    await at(here, said["package"], "ready")


@pytest.mark.clause("DOAJ-9a6")
async def test_who_asks_for_what_they_gave_gets_that_to_be_read_by_machines_and_no_more(
    here: World, box: Mailbox
) -> None:
    email, person = "takes@example.org", new_pseudonym()
    await told(here, person, MINE, index=BlindIndex(here.place.folder).of(email))
    mail = {"at": "2026-02-03T04:05:06Z", "purpose": "account-admin", "became": "taken"}
    here.answering.fresh = {
        "accounts": Holder({f"{person}.account": ["u"]}, tells={"mails": Rows([mail])})
    }
    letter = {
        "kinds": ["portability"],
        "channel": "letter",
        "received-at": "2026-11-01T09:00:00Z",
        "requester": {"name": "Somebody", "email": email},
        "text": "cnry-asked",
    }
    request = (await here.ok("POST", "/requests", letter))["request"]
    await here.ok("POST", f"/requests/{request}/confirm", {"identity": "document"})
    found = re.search(rf"#package={request}&code=(\S+)", text_of(await box.next_to(email, after=1)))
    assert found is not None
    assert (await here.ok("GET", f"/packages/{request}"))["scope"] == "portable"
    status, whole = await fetched(here, request, found[1])
    assert status == 200
    files = read(whole)
    assert set(files) == {
        "README.txt",
        "data/accounts/account.csv",
        "data/accounts/account.json",
        "fields.json",
        "manifest.json",
        "records.ndjson",
    }
    (kept,) = orjson.loads(files["data/accounts/account.json"])
    assert kept["values"] == {"name": MINE, "email": f"{MINE}@example.org"}
    assert b"cnry-asked" not in b"".join(files.values())
    signed = orjson.loads(files["manifest.json"])
    assert verified(signed, Signer(here.place.folder / "retention.key.log").public)


@pytest.mark.clause("DOAJ-9a2")
async def test_whoever_asks_what_is_held_is_mailed_what_opens_their_package(
    here: World, box: Mailbox
) -> None:
    email, person = "asks@example.org", new_pseudonym()
    await told(here, person, MINE, index=BlindIndex(here.place.folder).of(email))
    here.answering.fresh = {"accounts": Holder({f"{person}.account": ["u"]})}
    letter = {
        "kinds": ["access"],
        "channel": "letter",
        "received-at": "2026-11-01T09:00:00Z",
        "requester": {"name": "Somebody", "email": email},
    }
    request = (await here.ok("POST", "/requests", letter))["request"]
    await here.ok("POST", f"/requests/{request}/confirm", {"identity": "document"})
    mail = await box.next_to(email, after=1)  # behind that their request was received
    found = re.search(rf"#package={request}&code=(\S+)", text_of(mail))
    assert found is not None
    status, whole = await fetched(here, request, found[1])
    assert status == 200
    files = read(whole)
    assert MINE in files["data/accounts/account.csv"].decode()
    # That their request was received: a server took it. Where it was asked for twice, there is
    # another answer of the gate, and no mail of it.
    mails = orjson.loads(files["data/retention/mails.json"])["rows"]
    assert {(one["purpose"], one["answer"]) for one in mails} == {("people-requests", "allowed")}
    (sent,) = [one for one in mails if one["became"] != NO_MAIL]
    assert sent["became"] == "taken"
    assert sent["on"] >= sent["at"]


@pytest.mark.law("P8")
@pytest.mark.clause("DOAJ-1a10")
async def test_a_letter_that_names_anothers_address_and_is_confirmed_by_code_gets_nothing_of_them(
    here: World, box: Mailbox
) -> None:
    writer, victim = "writer@example.org", "victim@example.org"
    index = BlindIndex(here.place.folder)
    mine, theirs = new_pseudonym(), new_pseudonym()
    await told(here, mine, MINE, index=index.of(writer))
    await told(here, theirs, THEIRS, index=index.of(victim))
    here.answering.fresh = {"accounts": Holder({f"{mine}.account": ["u"]})}
    letter = {
        "kinds": ["access"],
        "channel": "letter",
        "received-at": "2026-11-01T09:00:00Z",
        "requester": {"name": "Somebody", "email": writer, "on-file": [victim]},
    }
    request = (await here.ok("POST", "/requests", letter))["request"]
    await here.ok("POST", f"/requests/{request}/confirm", {"by-code": True})
    code = await box.code_to(writer)
    confirmation = re.search(r"confirmation=([0-9a-f-]{36})", text_of(box.to(writer)[-1]))
    assert confirmation is not None
    shown = {"confirmation": confirmation[1], "code": code}
    assert (await here.ok("POST", "/requests/confirmations", shown))["status"] == "confirmed"
    mail = await box.next_to(writer, after=2)
    found = re.search(rf"#package={request}&code=(\S+)", text_of(mail))
    assert found is not None
    status, whole = await fetched(here, request, found[1])
    assert status == 200
    everything = b"".join(read(whole).values()).decode()
    assert MINE in everything
    assert THEIRS not in everything
    # No service was even asked about the other address, and nobody hears that it was named.
    orders = [one for one in here.answering.orders.values() if one.erasure == request]
    sealed = [one.subjects for one in orders if one.subjects is not None]
    (meant,) = {one.data.every for one in await reveal(here.ring, Subjects, sealed) if one.data}
    assert meant == frozenset(index.all(writer))
    assert not box.to(victim)
