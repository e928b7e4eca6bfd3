"""Mails that wait, on the real store and a real SMTP server: once for a cause, then forgotten."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from shared.mail import KIND, Mailing, Mails, Message, smtp_of
from shared.mail.queue import StillAllowed
from shared.mongo import Database
from shared.mongo.deliveries import Deliveries
from shared.mongo.delivering import Delivering, Patience
from shared.policy.decisions import KeptDecision, recorded
from shared.policy.files import PolicyError
from shared.policy.personal import load_personal
from shared.policy.uses import Allowed, Refused, Use
from shared.privacy.epochs import FileEpochs
from shared.runtime.clock import SYSTEM
from tests.mailbox import Mailbox, mailbox, text_of
from tests.processes import ROOT, until

TO = "canary@press.example"


@pytest.fixture
async def mails(database: Database, tmp_path: Path) -> Mails:
    queue = Deliveries(database["mails"], kept=timedelta(days=1))
    await queue.prepare()
    purposes = load_personal(ROOT / "deploy" / "policies" / "personal.toml")
    return Mails(queue, FileEpochs(tmp_path), purposes, timedelta(hours=1))


def a_mail(cause: str = "test:1", **changes: object) -> Message:
    said = {
        "cause": cause,
        "purpose": "security",
        "share": "p1",
        "to": TO,
        "subject": "Quetzal",
        "text": "Hello, Quetzal.",
        "preferences": "https://colophon.example/preferences",
    }
    return Message(**said | changes)  # type: ignore[arg-type]


def yes(number: str = "1", purpose: str = "security") -> KeptDecision:
    """Return a recorded yes to a mail for a purpose."""
    use = Use("mail", purpose, "subscriber", opt_out_link=True)
    answer = Allowed("CRP-11a", "1")
    return recorded(
        number, use, answer, consent="absent", subjects=(), actor="test", at=SYSTEM.now()
    )


@contextlib.asynccontextmanager
async def sending(mailing: Mailing) -> AsyncIterator[None]:
    """Run the loop until the block ends."""
    draining = asyncio.Event()
    patience = Patience(first=0.05, most=0.1, span=60)
    loop = Delivering(mailing.mails.queue, {KIND: mailing.send}, patience, seconds=20)
    async with asyncio.TaskGroup() as group:
        group.create_task(loop.run(draining))
        yield
        draining.set()


async def becomes(mails: Mails, cause: str, state: str, said: str) -> None:
    async def so() -> bool:
        one = await mails.queue.one(f"{KIND}:{cause}")
        return one is not None and (one.state, one.said) == (state, said)

    await until(so, within=60, what=f"{cause} to be {state}: {said}")


async def always(_about: Mapping[str, str]) -> bool:
    return True


def by(box: Mailbox, mails: Mails, allowed: StillAllowed = always) -> Mailing:
    sender = "Colophon <noreply@colophon.example>"
    return Mailing(mails, smtp_of(box.url, seconds=10), sender, allowed)


async def test_of_one_cause_one_mail_is_sent_and_then_its_text_is_forgotten(mails: Mails) -> None:
    assert await mails.post(a_mail(), yes())
    assert not await mails.post(a_mail(text="again"), yes())
    waiting = str(await mails.queue.collection.find_one({}))
    assert "canary" not in waiting
    assert "Quetzal" not in waiting
    with mailbox() as box:
        async with sending(by(box, mails)):
            await becomes(mails, "test:1", "done", "taken")
            assert not await mails.post(a_mail(), yes())
        [came] = box.to(TO)
    assert text_of(came).startswith("Hello, Quetzal.")
    kept = await mails.queue.collection.find_one({})
    assert kept is not None
    assert "sealed" not in kept["payload"]


async def test_without_a_server_mails_wait_and_go_once_there_is_one(mails: Mails) -> None:
    await mails.post(a_mail(), yes())
    async with sending(Mailing(mails, None, "noreply@colophon.example", always)):
        await becomes(mails, "test:1", "waiting", "no-transport")
    with mailbox() as box:
        async with sending(by(box, mails)):
            await box.next_to(TO)


async def test_a_mail_is_tried_again_and_given_up_when_it_is_refused_for_good(
    mails: Mails,
) -> None:
    await mails.post(a_mail(), yes())
    with mailbox() as box:
        box.refuse[TO] = "450 later"
        async with sending(by(box, mails)):
            await becomes(mails, "test:1", "waiting", "refused-450")
            box.refuse[TO] = "550 nobody here"
            await becomes(mails, "test:1", "dead", "refused-550")
        assert box.mails == []
    kept = await mails.queue.collection.find_one({})
    assert kept is not None
    assert "sealed" not in kept["payload"]


async def test_what_was_withdrawn_or_is_too_late_is_not_sent(mails: Mails) -> None:
    await mails.post(a_mail("test:late", until=SYSTEM.now() - timedelta(seconds=1)), yes())
    await mails.post(a_mail("test:news"), yes("news"))
    await mails.post(a_mail("test:other", to="other@press.example"), yes("other"))

    async def allowed(about: Mapping[str, str]) -> bool:
        return about["decision"] != "news"

    with mailbox() as box:
        async with sending(by(box, mails, allowed)):
            await becomes(mails, "test:late", "dead", "too-late")
            await becomes(mails, "test:news", "dead", "no-longer-allowed")
            await becomes(mails, "test:other", "done", "taken")
        assert [one["To"] for one in box.mails] == ["other@press.example"]


@pytest.mark.law("P7")
async def test_a_mail_without_a_recorded_yes_to_its_own_purpose_cannot_be_posted(
    mails: Mails,
) -> None:
    no = recorded(
        "1",
        yes().use,
        Refused("DOAJ-1a3", "unknown-category", "1"),
        consent="absent",
        subjects=(),
        actor="test",
        at=SYSTEM.now(),
    )
    for decision in (no, yes(purpose="list")):
        with pytest.raises(ValueError, match="recorded yes"):
            await mails.post(a_mail(), decision)
    assert await mails.queue.collection.find_one({}) is None


@pytest.mark.clause("DOAJ-1a3")
async def test_a_mail_for_a_purpose_that_no_row_names_is_refused(mails: Mails) -> None:
    with pytest.raises(PolicyError, match="no \\[\\[purpose\\]\\] row"):
        await mails.post(a_mail(purpose="fundraising"), yes(purpose="fundraising"))
    assert await mails.queue.collection.find_one({}) is None


@pytest.mark.clause("DOAJ-1a3")
def test_the_purposes_of_the_notice_are_rows() -> None:
    purposes = load_personal(ROOT / "deploy" / "policies" / "personal.toml")
    for name in (
        *("update-question", "status-change", "dashboard-change", "feature", "marketing"),
        *("metadata-question", "application-question", "security"),
    ):
        assert purposes.purpose(name).id == name
    assert purposes.purpose("marketing").basis == "consent"
