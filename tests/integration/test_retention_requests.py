"""Requests of people through the wire: retention, its broker, store and mail."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any, Final

import aiohttp
import orjson
import pytest
from aiokafka import AIOKafkaConsumer

from deploy.local.platform import Platform
from services.retention.commands import Keys
from services.retention.store import open_keys
from shared.events import Meta, NoticeState, to_record
from shared.events.consent import NoticePublished
from shared.events.decisions import Refused, saying
from shared.kafka import topics
from shared.kafka.produce import Sender
from shared.mongo import connect
from shared.runtime.clock import rfc3339
from shared.runtime.ids import new_id
from tests.asking import Answer, asked
from tests.keeping import held
from tests.mailbox import Mailbox, text_of
from tests.notices import version
from tests.processes import OPERATOR, Place, Running, service, until

PROBLEM: Final = "urn:colophon:problem:"
OFFICER: Final = "officer@registry.example"
MANAGEMENT: Final = "management@registry.example"
# What differs from one answer to the next, whatever was asked.
VARYING: Final = {"date", "x-request-id"}
_NUMBERS: Final = count(1)


@dataclass(slots=True)
class Desk:
    """Retention, the mail it sends, and who asks."""

    session: aiohttp.ClientSession
    retention: Running
    box: Mailbox
    place: Place

    async def __call__(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        return await asked(self.session, method, self.retention.url + path, body, headers)

    async def staff(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Ask as an operator, and be answered 2xx."""
        status, said = await self(method, path, body, OPERATOR | headers)
        assert status < 300, said
        return said

    async def refused(self, path: str, body: Any = None) -> tuple[int, str]:
        """Ask as an operator, and hear why not."""
        return slug(await self("POST", path, body, OPERATOR))

    async def letter(self, *kinds: str, **fields: Any) -> Any:
        """Put a letter on record."""
        return await self.staff("POST", "/requests", letter(*kinds, **fields))

    async def ok_ask(self, email: str) -> str:
        """Ask by oneself for an address; return the confirmation."""
        body = {"email": email, "kinds": ["access"]}
        status, said = await self("POST", "/requests/self", body)
        assert status == 202, said
        return str(said["confirmation"])

    async def ask(self, *kinds: str, **fields: str) -> tuple[str, str]:
        """Ask by oneself; return the address and the confirmation."""
        email = address()
        status, said = await self(
            "POST", "/requests/self", {"email": email, "kinds": kinds, **fields}
        )
        assert status == 202, said
        return email, said["confirmation"]


def address() -> str:
    return f"asker-{next(_NUMBERS)}@people.example"


def letter(*kinds: str, **fields: Any) -> dict[str, Any]:
    said = {
        "kinds": kinds or ("access",),
        "channel": "letter",
        "received-at": "2026-11-20T10:00:00Z",
        "requester": {"name": "Lena Letter", "email": address()},
        "text": "What do you hold of me? Lena Letter",
    }
    return said | fields


def slug(answer: Answer) -> tuple[int, str]:
    status, said = answer
    return status, said["type"].removeprefix(PROBLEM)


@pytest.fixture(scope="module")
async def desk(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory, box: Mailbox
) -> AsyncIterator[Desk]:
    name = f"t{new_id().replace('-', '')[8:24]}."
    await topics.create(platform.kafka_bootstrap, prefix=name)
    folder = tmp_path_factory.mktemp("requests")
    place = Place(platform.kafka_bootstrap, platform.mongodb_url, name, folder)
    settings: dict[str, Any] = {
        "SMTP_URL": box.url,
        "MAIL_FIRST_SECONDS": "0.2",
        "REQUEST_SECONDS": "0.2",
        "PRIVACY_OFFICER_ADDRESS": OFFICER,
        "MANAGEMENT_ADDRESS": MANAGEMENT,
    }
    async with (
        service("retention", place, **settings) as retention,
        aiohttp.ClientSession() as session,
    ):
        yield Desk(session, retention, box, place)


async def on_record(desk: Desk, *kinds: str, **fields: str) -> tuple[str, str]:
    """Ask by oneself and use the code; return the address and the request."""
    email, confirmation = await desk.ask(*kinds, **fields)
    shown = {"confirmation": confirmation, "code": await desk.box.code_to(email)}
    status, said = await desk("POST", "/requests/confirmations", shown)
    assert status == 200, said
    return email, said["request"]


async def kept(desk: Desk, *collections: str) -> str:
    """Return everything that retention keeps in some collections, as text."""
    name = desk.place.environment("retention")["DATABASE_PREFIX"] + "retention"
    async with connect(desk.place.mongodb_url, name) as database:
        return str([await database[one].find({}).to_list(None) for one in collections])


async def told(desk: Desk, topic: str, request: str, *, least: int) -> list[dict[str, Any]]:
    """Return what the log says under a request, once it says so much."""
    consumer = AIOKafkaConsumer(
        desk.place.name + topic,
        bootstrap_servers=desk.place.kafka_bootstrap,
        auto_offset_reset="earliest",
    )
    found: list[dict[str, Any]] = []
    async with consumer:

        async def heard() -> bool:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found.extend(
                    orjson.loads(one.value)
                    for one in records
                    if one.value and request.encode() in (one.key or b"")
                )
            return len(found) >= least

        await until(heard, within=30, what=f"{topic} to tell of the request")
    return found


@pytest.mark.clause("DOAJ-9a1")
@pytest.mark.clause("DOAJ-9a8")
@pytest.mark.clause("DOAJ-1a10")
async def test_who_asks_by_themselves_is_on_record_once_the_mailed_code_is_used(
    desk: Desk,
) -> None:
    email, confirmation = await desk.ask("access", "portability", name="Ada Asker")
    code = await desk.box.code_to(email)
    # Until then nobody sees anything of it: no request, no event, no mail but the code.
    assert (await desk("GET", f"/requests/{confirmation}", None, OPERATOR))[0] == 404
    assert confirmation not in await kept(desk, "requests")
    shown = {"confirmation": confirmation, "code": code}
    status, said = await desk("POST", "/requests/confirmations", shown)
    assert (status, said["status"]) == (200, "confirmed")
    # The right code again is the same request, so that a broken call can be repeated.
    assert (await desk("POST", "/requests/confirmations", shown))[1] == said
    whole = await desk.staff("GET", f"/requests/{said['request']}")
    assert (whole["name"], whole["email"], whole["identity"]) == ("Ada Asker", email, "code")
    assert [one["rule"] for one in whole["limits"]] == [
        "answer-by-the-law",
        "answer-by-the-notice",
    ]
    assert whole["due"] == whole["limits"][0]["due"]
    assert whole["fee"] == {"amount": 0, "currency": "GBP"}
    mail = text_of(await desk.box.next_to(email, after=1))
    assert said["request"] in mail
    assert "It costs nothing" in mail


@pytest.mark.clause("DOAJ-4b3")
async def test_the_answer_is_the_same_whoever_asks_and_whatever_is_held(desk: Desk) -> None:
    known, _ = await on_record(desk, "access")

    async def answer(email: str) -> tuple[int, dict[str, Any], dict[str, str]]:
        body = {"email": email, "kinds": ["erasure"]}
        url = desk.retention.url + "/requests/self"
        async with desk.session.post(url, json=body) as said:
            found = await said.json()
            headers = {n: v for n, v in said.headers.items() if n.lower() not in VARYING}
            return said.status, found | {"confirmation": ""}, headers

    unknown = address()
    assert await answer(known) == await answer(unknown)
    # Each gets the same mail, for nobody is looked up: the code and nothing of what is held. Who
    # is on record had a code and a confirmation before.
    await desk.box.next_to(known, after=2)
    await desk.box.next_to(unknown)
    asked_again = [text_of(one) for one in desk.box.to(known) if "(erasure)" in text_of(one)]
    first_time = [text_of(one) for one in desk.box.to(unknown)]
    assert [_shape(one) for one in asked_again] == [_shape(one) for one in first_time]


def _shape(text: str) -> str:
    return re.sub(r"([A-Z2-7]{4}-){3}[A-Z2-7]{4}|[0-9a-f-]{36}|\d", "", text)


@pytest.mark.clause("DOAJ-1a10")
async def test_a_code_is_tried_three_times_and_every_no_is_the_same(desk: Desk) -> None:
    email, confirmation = await desk.ask("access")
    code = await desk.box.code_to(email)
    wrong = {"confirmation": confirmation, "code": "AAAA-AAAA-AAAA-AAAA"}
    nos = [await desk("POST", "/requests/confirmations", wrong) for _ in range(3)]
    nos.append(await desk("POST", "/requests/confirmations", wrong | {"code": code}))
    nos.append(await desk("POST", "/requests/confirmations", wrong | {"confirmation": new_id()}))
    nos.append(await desk("POST", "/requests/confirmations", wrong | {"code": "x"}))
    said = [(status, {**body, "correlation": ""}) for status, body in nos]
    assert all(one == said[0] for one in said)
    assert slug(nos[0]) == (401, "code-wrong")
    # Another's tries are not theirs: a new ask has a code of its own.
    assert (await desk.box.next_to(await on_record_of(desk, email), after=1)) is not None


async def on_record_of(desk: Desk, email: str) -> str:
    """Ask again for an address and use the code."""
    before = len(desk.box.to(email))
    confirmation = await desk.ok_ask(email)
    code = await desk.box.code_to(email, after=before)
    shown = {"confirmation": confirmation, "code": code}
    assert (await desk("POST", "/requests/confirmations", shown))[0] == 200
    return email


async def test_tries_at_once_are_counted_one_by_one(desk: Desk) -> None:
    email, confirmation = await desk.ask("access")
    await desk.box.code_to(email)
    wrong = {"confirmation": confirmation, "code": "AAAA-AAAA-AAAA-AAAA"}
    nos = await asyncio.gather(*(desk("POST", "/requests/confirmations", wrong) for _ in range(6)))
    assert {status for status, _ in nos} <= {401, 503}
    assert '"tries":3' in await kept(desk, "challenges") or {s for s, _ in nos} == {401, 503}


@pytest.mark.clause("DOAJ-9b")
async def test_asks_at_once_mail_no_more_codes_than_the_policy_says(desk: Desk) -> None:
    email, _ = await desk.ask("access")
    await desk.ok_ask(email)
    await desk.box.next_to(email, after=1)
    await asyncio.gather(*(desk.ok_ask(email) for _ in range(5)))
    # Five an hour. Who asks afterwards is answered afterwards: nothing is on its way by then.
    await desk.box.next_to(email, after=4)
    other, _ = await desk.ask("access")
    await desk.box.next_to(other)
    assert len(desk.box.to(email)) == 5


@pytest.mark.clause("DOAJ-9b")
@pytest.mark.clause("DOAJ-9a9")
async def test_staff_put_a_letter_on_record_and_answer_it(desk: Desk) -> None:
    body = letter("rectification")
    key = {"Idempotency-Key": new_id()}
    state = await desk.staff("POST", "/requests", body, **key)
    again = await desk.staff("POST", "/requests", body, **key)
    assert again["request"] == state["request"]
    other = await desk("POST", "/requests", body | {"text": "x"}, OPERATOR | key)
    assert slug(other) == (409, "request-differs")
    name, email = state["request"], body["requester"]["email"]
    at = f"/requests/{name}"
    assert (state["received-at"], state["status"]) == ("2026-11-20T10:00:00Z", "received")
    assert state["due"] == "2026-12-18T10:00:00Z"  # thirty days on is a Sunday
    assert await desk.refused(f"{at}/assess", {}) == (409, "not-now")

    shown = {"identity": "document", "evidence": "Passport seen by Sam Staff"}
    assert (await desk.staff("POST", f"{at}/confirm", shown))["status"] == "confirmed"
    tasks = (await desk.staff("POST", f"{at}/assess", {}))["tasks"]
    assert {one["service"] for one in tasks} == {"accounts", "deposits", "consent"}
    early = await desk.refused(f"{at}/answer", {"text": "Done."})
    assert early == (409, "tasks-open")
    for one in tasks:
        done = {"evidence": "Mended by Sam Staff", "outcome": "done"}
        for _ in range(2):  # a repeat changes nothing
            state = await desk.staff("POST", f"{at}/tasks/{one['task']}", done)
    for _ in range(2):
        state = await desk.staff("POST", f"{at}/answer", {"text": "Your name is Lena now."})
    assert (state["status"], state["due"]) == ("answered", None)
    assert [one["what"] for one in state["facts"]] == [
        *("received", "identity-shown", "confirmed", "assessed", "done", "done", "done"),
        "answered",
    ]
    mail = text_of(await desk.box.next_to(email, after=1))
    assert "Your name is Lena now." in mail

    whole = await desk.staff("GET", at)
    assert whole["text"] == "What do you hold of me? Lena Letter"
    assert whole["notes"]["identity"] == "Passport seen by Sam Staff"
    assert whole["notes"]["answer"] == "Your name is Lena now."
    # What others are told of it, and what is kept, names nobody in clear.
    log = await told(desk, "retention.requests.v1", name, least=7)
    personal = await told(desk, "retention.personal.v1", name, least=6)
    assert log[-1]["status"] == "answered"
    clear = f"{log} {personal} {await kept(desk, 'requests', 'challenges', 'deliveries')}"
    assert not [one for one in ("Lena", email, "Sam Staff", "Passport") if one in clear]
    assert {one["sealed"]["cls"] for one in personal} == {"support"}


@pytest.mark.clause("DOAJ-1a10")
async def test_a_code_goes_to_the_address_in_a_letter_and_authority_is_checked_by_staff(
    desk: Desk,
) -> None:
    behalf = {"name": "Rob Representative", "email": address(), "authority": "Power of attorney"}
    body = letter(representative=behalf)
    name = (await desk.letter(representative=behalf, requester=body["requester"]))["request"]
    at, email = f"/requests/{name}", body["requester"]["email"]
    assert (await desk.staff("POST", f"{at}/confirm", {"by-code": True}))["status"] == "confirming"
    mail = text_of(await desk.box.next_to(email))
    confirmation = re.search(r"confirmation=([0-9a-f-]{36})", mail)
    assert confirmation is not None
    shown = {"confirmation": confirmation[1], "code": await desk.box.code_to(email)}
    # Who the person is stands; whether another may ask for them does not yet.
    status, said = await desk("POST", "/requests/confirmations", shown)
    assert (status, said) == (200, {"request": name, "status": "confirming"})
    assert await desk.refused(f"{at}/assess", {}) == (409, "not-now")
    assert await desk.refused(f"{at}/confirm", {"authority": True}) == (409, "authority-unchecked")
    assert not desk.box.to(behalf["email"])
    checked = {"authority": True, "authority-evidence": "Called the notary"}
    assert (await desk.staff("POST", f"{at}/confirm", checked))["status"] == "confirmed"
    assert name in text_of(await desk.box.next_to(behalf["email"]))
    whole = await desk.staff("GET", at)
    assert whole["representative"]["authority"] == "Power of attorney"
    assert whole["representative"]["checked-at"] is not None


@pytest.mark.clause("DOAJ-9b")
async def test_a_letter_without_an_address_is_answered_by_letter(desk: Desk) -> None:
    state = await desk.letter("withdrawal", requester={"name": "Paul Post", "post": "1 High St"})
    at = f"/requests/{state['request']}"
    assert await desk.refused(f"{at}/confirm", {"by-code": True}) == (409, "address-needed")
    await desk.staff("POST", f"{at}/confirm", {"identity": "known-address"})
    await desk.staff("POST", f"{at}/assess", {})
    await desk.staff("POST", f"{at}/tasks/withdraw-consents", {"evidence": "PUT /consents/list"})
    text = {"text": "It is withdrawn."}
    assert await desk.refused(f"{at}/answer", text) == (409, "tell-by-letter")
    state = await desk.staff("POST", f"{at}/answer", text | {"by-letter": True})
    assert state["status"] == "answered"


@pytest.mark.clause("DOAJ-11")
async def test_a_complaint_is_tied_to_its_request_and_goes_to_nobody_it_is_about(
    desk: Desk,
) -> None:
    first = await desk.letter()
    about = {"about-request": first["request"], "against": ["privacy-officer"]}
    complaint = await desk.letter("complaint", **about)
    assert complaint["handler"] == "management"
    assert complaint["about-request"] == first["request"]
    at = f"/requests/{complaint['request']}"
    back = await desk.refused(f"{at}/assign", {"handler": "privacy-officer"})
    assert back == (409, "complained-about")
    mixed = await desk("POST", "/requests", letter("complaint", "access"), OPERATOR)
    assert slug(mixed) == (422, "kind-apart")


@pytest.mark.clause("DOAJ-9a9")
async def test_a_request_waits_is_extended_and_is_refused_with_a_reason(desk: Desk) -> None:
    body = letter()
    name = (await desk.staff("POST", "/requests", body))["request"]
    at, email = f"/requests/{name}", body["requester"]["email"]
    for _ in range(2):
        waits = await desk.staff("POST", f"{at}/pause", {"reason": "identity"})
    assert len(waits["pauses"]) == 1
    later = (await desk.staff("GET", at))["due"]
    assert later > waits["due"]
    assert (await desk.staff("POST", f"{at}/resume"))["pauses"][0]["until"] is not None
    why = {"reason": "complexity", "text": "There are 400 mails to read."}
    state = await desk.staff("POST", f"{at}/extend", why)
    assert state["limits"][0]["rule"] == "answer-by-the-notice"
    assert "400 mails" in text_of(await desk.box.next_to(email))
    no = {"reason": "insuf-verification", "text": "Please show a document."}
    state = await desk.staff("POST", f"{at}/refuse", no)
    assert (state["status"], state["reason"]) == ("refused", "insuf-verification")
    mail = text_of(await desk.box.next_to(email, after=1))
    assert "does not tell who asks" in mail
    assert "Please show a document." in mail


@pytest.mark.clause("DOAJ-9a9")
async def test_what_is_overdue_is_told_to_the_management_and_listed_first(desk: Desk) -> None:
    state = await desk.letter("objection", **{"received-at": "2026-08-03T10:00:00Z"})
    name = state["request"]

    async def mailed() -> bool:
        return any(name in text_of(one) for one in desk.box.to(MANAGEMENT))

    await until(mailed, within=30, what="the management to hear of it")

    async def written() -> bool:
        facts = (await desk.staff("GET", f"/requests/{name}"))["facts"]
        return [one["what"] for one in facts] == ["received", "escalated"]

    await until(written, within=30, what="it to be on record")
    soon = await desk.letter("objection", **{"received-at": recently(20)})

    async def reminded() -> bool:
        return any(soon["request"] in text_of(one) for one in desk.box.to(OFFICER))

    await until(reminded, within=30, what="the officer to be reminded")
    asked = "/requests?due-before=2100-01-01T00:00:00Z&kind=objection&rows=1"
    page = await desk.staff("GET", asked)
    assert [one["request"] for one in page["items"]] == [name]
    page = await desk.staff("GET", page["next"])
    assert [one["request"] for one in page["items"]] == [soon["request"]]
    assert page["next"] is None
    newest = await desk.staff("GET", "/requests?kind=objection&state=received")
    assert [one["request"] for one in newest["items"]] == [soon["request"], name]
    await desk.staff("POST", f"/requests/{name}/take-back")
    left = await desk.staff("GET", asked)
    assert [one["request"] for one in left["items"]] == [soon["request"]]


@pytest.mark.clause("DOAJ-X1")
async def test_a_request_names_the_notice_that_consent_told_of(desk: Desk) -> None:
    name = (await desk.letter("restriction"))["request"]
    assert (await desk.staff("GET", f"/requests/{name}"))["notice"] is None
    notice = NoticeState(notice="index-users", title="N", versions=(version(),), version=1)
    sender = Sender(desk.place.kafka_bootstrap, "consent", desk.place.name)
    await sender.start()
    try:
        meta = Meta(new_id(), "/services/consent", "2026-11-01T00:00:00Z")
        await sender.send([to_record(saying(NoticePublished, notice), meta)])
    finally:
        await sender.stop()

    async def named() -> Any:
        return (await desk.staff("GET", f"/requests/{name}"))["notice"]

    found = await until(named, within=30, what="the notice to be named")
    assert (found["notice"], found["number"]) == ("index-users", 1)


def recently(days: int) -> str:
    return rfc3339(datetime.now(UTC) - timedelta(days=days))


@pytest.mark.clause("DOAJ-9b")
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"kinds": ["invoice"]}, (422, "kind-unknown")),
        ({"kinds": []}, (422, "invalid-request")),
        ({"channel": "pigeon"}, (422, "invalid-request")),
        ({"received-at": "2999-01-01T00:00:00Z"}, (422, "received-in-the-future")),
        ({"requester": {"email": "nobody"}}, (422, "address-invalid")),
        ({"against": ["privacy-officer"]}, (422, "about-nobody")),
        ({"phone": "1"}, (422, "invalid-request")),
    ],
)
async def test_what_cannot_be_is_refused_and_not_repeated(
    desk: Desk, wrong: dict[str, Any], says: tuple[int, str]
) -> None:
    answer = await desk("POST", "/requests", letter(**wrong), OPERATOR)
    assert slug(answer) == says
    assert "Lena" not in str(answer)


async def test_requests_are_for_operators(desk: Desk) -> None:
    for method, path in (("GET", ""), ("POST", ""), ("GET", f"/{new_id()}")):
        assert (await desk(method, f"/requests{path}", {}))[0] == 401
    assert (await desk("GET", "/requests/none", None, OPERATOR))[0] == 404


async def keys_of(desk: Desk, request: str) -> str:
    """Return under which keys it stands who asked."""
    prefix = desk.place.environment("retention")["DATABASE_PREFIX"]
    async with connect(desk.place.mongodb_url, prefix + "retention") as database:
        found: Any = await database["requests"].find_one({"_id": request})
    sealed = orjson.loads(found["state"])["records"]["requester"]
    return f"{sealed['person']}.{sealed['cls']}"


@pytest.mark.clause("DOAJ-6a4")
@pytest.mark.clause("DOAJ-9a9")
async def test_whose_request_is_under_a_hold_is_answered_and_staff_read_nothing_of_it(
    desk: Desk,
) -> None:
    body = letter()
    name = (await desk.letter(requester=body["requester"]))["request"]
    at, email = f"/requests/{name}", body["requester"]["email"]

    async def seen(withheld: str | None) -> Any:  # the key is remembered until the hold is heard of
        shown = await desk.staff("GET", at)
        return shown if shown["withheld"] == withheld else None

    async with held(desk.place, await keys_of(desk, name)):
        shown = await until(partial(seen, "restricted"), what="the hold to be heard of")
        assert (shown["name"], shown["email"], shown["text"]) == (None, None, None)
        why = {"reason": "complexity", "text": "There are 400 mails to read."}
        assert await desk.refused(f"{at}/extend", why) == (409, "details-restricted")
        await desk.staff("POST", f"{at}/confirm", {"by-code": True})
        mail = text_of(await desk.box.next_to(email))
        confirmation = re.search(r"confirmation=([0-9a-f-]{36})", mail)
        assert confirmation is not None
        code = {"confirmation": confirmation[1], "code": await desk.box.code_to(email)}
        assert (await desk("POST", "/requests/confirmations", code))[1]["status"] == "confirmed"
        assert name in text_of(await desk.box.next_to(email, after=1))
    shown = await until(partial(seen, None), what="the end of the hold to be heard of")
    assert (shown["name"], shown["email"]) == ("Lena Letter", email)


@pytest.mark.law("P2")
async def test_what_is_written_under_a_fenced_key_is_told_to_be_gone(desk: Desk) -> None:
    state = await desk.letter("access")
    at = f"/requests/{state['request']}"
    prefix = desk.place.environment("retention")["DATABASE_PREFIX"]
    async with connect(desk.place.mongodb_url, prefix + "keys") as keys:
        documents = Keys(open_keys(keys), timedelta())
        fenced = await documents.fence(await keys_of(desk, state["request"]), "of-a-test")
        assert not isinstance(fenced, Refused)
    shown = {"identity": "document", "evidence": "A passport."}

    async def gone() -> bool:  # the key is remembered until the fence is heard of
        return (await desk.staff("GET", at))["withheld"] == "gone"

    await until(gone, what="the key to be gone")
    status, said = await desk("POST", f"{at}/confirm", shown, OPERATOR)
    assert (status, said["type"]) == (410, PROBLEM + "details-gone")
