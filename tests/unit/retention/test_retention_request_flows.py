"""Requests over time, with a clock that is set: reminders mailed, erasures followed, crashes."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from services.retention.commands.requests import erasing
from services.retention.commands.requests.context import Requests
from services.retention.commands.requests.handling import Desk
from services.retention.commands.requests.receiving import Letter, register
from services.retention.commands.requests.watching import Watching
from services.retention.holdings import subjects_of
from services.retention.mails.requests import Pages
from services.retention.model.requests.forgetting import forget
from services.retention.model.requests.receiving import confirm
from services.retention.model.requests.state import (
    CLS,
    CODE,
    KeptRequest,
    Representative,
    Requester,
)
from services.retention.store.requests import open_requests
from services.retention.wiring import Due, Rooms
from shared import mail
from shared.events.consent import NoticeState
from shared.events.decisions import Accepted, Refused, Unchanged
from shared.events.personal import Sealed
from shared.mail.erasing import Recorded
from shared.mail.gate import Gate
from shared.mongo import Aggregates
from shared.mongo.deliveries import Deliveries
from shared.policy.uses import load_uses
from shared.privacy.blind import BlindIndex
from shared.privacy.epochs import FileEpochs
from shared.privacy.erasing import Whom
from shared.privacy.keyring import KeyRing
from shared.privacy.lifecycle import KeptKeys
from shared.privacy.subjects import Subjects
from shared.privacy.vault import reveal, seal
from shared.runtime.clock import ManualClock
from shared.runtime.ids import new_pseudonym
from shared.runtime.metrics import REQUESTS_UNTOLD
from shared.web.quotas import Quotas
from tests.laws.memory_store import Database
from tests.notices import version
from tests.unit.retention.given_requests import ERASURE, FOLDER, OFFICER, POLICY, policy_of, utc

EMAIL = "lena@people.example"
BOXES = {OFFICER: "officer@registry.example", "management": "management@registry.example"}
DAY = timedelta(days=1)


@dataclass(slots=True)
class Erasures:
    """An erasure that is asked for and goes on when it is told to."""

    ring: KeyRing
    step: str = "planned"
    asks: list[tuple[str, Sealed, Sequence[tuple[str, str, datetime]]]] = field(
        default_factory=list
    )

    async def due(self, due: Due) -> str:
        raise NotImplementedError(due)

    async def sealed(self, request: str, indexes: Sequence[str]) -> Sealed:
        return await seal(
            self.ring,
            Subjects.of(indexes),
            person=new_pseudonym(),
            unit="subjects",
            record=request,
        )

    async def asked(
        self,
        request: str,
        subjects: Sealed | None,
        *,
        exempt: Sequence[tuple[str, str, datetime]] = (),
        actor: str,
    ) -> str:
        assert subjects is not None
        self.asks.append((request, subjects, exempt))
        assert actor
        return ERASURE

    async def stands(self, erasure: str) -> str | None:
        return self.step if erasure == ERASURE else None


@dataclass(slots=True)
class Package:
    """How a package stands."""

    code: str | None
    step: str = "looking"
    until: datetime | None = None


@dataclass(slots=True)
class Packages:
    """Packages that are asked for, and ready when they are told to be."""

    made: dict[str, Package] = field(default_factory=dict)
    asks: list[tuple[str, Sequence[str]]] = field(default_factory=list)

    async def asked(
        self, request: str, indexes: Sequence[str], code: str | None = None
    ) -> tuple[Package, str | None]:
        if request not in self.made:
            self.asks.append((request, indexes))
        known = self.made.setdefault(request, Package(code))
        return known, code if known.code == code else None

    async def shown(self, package: str) -> Package | None:
        return self.made.get(package)

    async def end(self, package: str, why: str) -> None:
        assert why == "taken-back"
        self.made[package].step = "gone"

    def ready(self, request: str) -> None:
        self.made[request].step, self.made[request].until = "ready", utc("2026-11-09T09:00")


@dataclass(slots=True)
class World:
    """Requests at work over a store in memory."""

    requests: Requests
    clock: ManualClock
    store: Database
    erasures: Erasures
    notice: NoticeState | None = None

    @property
    def desk(self) -> Desk:
        return Desk(self.requests, "operator", "c")

    async def look(self) -> None:
        await Watching(self.requests, lambda: self.notice).step()

    async def letter(self, *kinds: str, **fields: Any) -> str:
        said: dict[str, Any] = {"requester": Requester(name="Lena", email=EMAIL)} | fields
        letter = Letter(kinds=kinds, channel="letter", received_at=self.clock.now(), **said)
        state = await register(self.requests, letter, key=None, actor="operator", correlation="c")
        assert isinstance(state, KeptRequest), state
        return state.request

    async def confirmed(self, *kinds: str, evidence: str | None = None, **fields: Any) -> str:
        name = await self.letter(*kinds, **fields)
        done = await self.seen(name, evidence)
        assert isinstance(done, KeptRequest), done
        return name

    async def seen(self, name: str, evidence: str | None = None) -> Any:
        """Have staff look at a document of whoever asks."""
        return await self.desk.confirm(
            name, identity="document", evidence=evidence, authority=False, authority_evidence=None
        )

    async def coded(self, name: str) -> KeptRequest:
        """Use a code that went to the address in a request."""
        saved = await self.requests.store.requests.update(
            name, lambda state: confirm(state, self.requests.by("self"), identity=CODE)
        )
        assert not isinstance(saved, Refused)
        await self.look()
        return await self.state(name)

    async def state(self, name: str) -> KeptRequest:
        found = await self.requests.store.requests.load(name)
        assert found is not None
        return found

    def mails(self) -> list[mail.Message]:
        """Return what waits to be sent, in clear, oldest first."""
        mails = self.requests.posting.mails
        queue = self.store["deliveries"].documents.values()
        return [mails.opened(_delivery(one)) for one in queue]


def _delivery(document: dict[str, Any]) -> Any:
    @dataclass
    class One:
        id: str
        payload: Any
        share: str

    return One(document["_id"], document["payload"], document["share"])


@pytest.fixture
def world(tmp_path: Path) -> World:
    clock = ManualClock(utc("2026-11-02T09:00"))
    store: Any = Database()
    uses = load_uses(FOLDER)
    keys = FileEpochs(tmp_path)
    documents = Aggregates(
        store["keys"], KeptKeys.model_validate_json, "/services/retention", clock=clock
    )
    mails = mail.Mails(
        Deliveries(store["deliveries"], DAY, clock), keys, uses.personal, 4 * DAY, clock=clock
    )
    gate = Gate(uses, mail.kept_decisions(store, "/services/retention", clock), _nobody)
    ring = KeyRing(documents, keys, timedelta(seconds=30), clock=clock)
    erasures = Erasures(ring)
    requests = Requests(
        store=open_requests(store, clock=clock),
        ring=ring,
        index=BlindIndex(tmp_path / "index"),
        policy=POLICY,
        posting=mail.Posting(mails, gate),
        quotas=Quotas(POLICY, clock),
        rooms=Rooms(erasing=erasures),
        pages=Pages("https://x.example/requests", "https://x.example/preferences"),
        code_key=bytes(32),
        mailboxes=BOXES,
    )
    return World(requests, clock, store, erasures)


async def _nobody(_subjects: object, _purpose: str) -> Any:
    return "absent"


@pytest.mark.clause("DOAJ-9a9")
async def test_over_two_months_roles_are_mailed_each_reminder_once_and_nobody_is_named(
    world: World,
) -> None:
    name = await world.letter("access")
    for _ in range(2 * 44):
        await world.look()
        world.clock.advance(DAY.total_seconds() / 2)
    told = [(one.to, one.subject) for one in world.mails()]
    soon, late = "A request of a person is due soon", "A request of a person is overdue"
    assert told == [(BOXES[OFFICER], soon)] * 3 + [(BOXES["management"], late)] * 2
    for one in world.mails():
        assert name in one.text
        assert "Lena" not in one.text
        assert EMAIL not in one.text
    facts = [one.what for one in (await world.state(name)).facts]
    assert facts == ["received", *["reminded"] * 3, *["escalated"] * 2]


def untold() -> dict[str, float]:
    """Return how many tellings wait for a mailbox, by role, as the metrics say."""
    (found,) = REQUESTS_UNTOLD.collect()
    return {one.labels["role"]: one.value for one in found.samples}


@pytest.mark.clause("DOAJ-9a9")
async def test_what_has_no_mailbox_is_not_on_record_as_told_and_goes_once_there_is_one(
    world: World,
) -> None:
    name = await world.letter("access")
    world.requests = replace(world.requests, mailboxes=dict.fromkeys(BOXES, ""))
    watching = Watching(world.requests, lambda: None)
    for _ in range(2 * 20):
        await watching.step()
        world.clock.advance(DAY.total_seconds() / 2)
    assert not world.mails()
    assert [one.what for one in (await world.state(name)).facts] == ["received"]
    assert watching.untold == {OFFICER: 1}
    assert untold() == {OFFICER: 1, "management": 0}

    world.requests = replace(world.requests, mailboxes=BOXES)
    await world.look()
    assert [one.to for one in world.mails()] == [BOXES[OFFICER]]
    assert [one.what for one in (await world.state(name)).facts] == ["received", "reminded"]
    assert untold() == {OFFICER: 0, "management": 0}


async def test_a_reminder_whose_writing_down_was_lost_is_not_mailed_twice(world: World) -> None:
    name = await world.letter("access")
    world.clock.advance(16 * DAY.total_seconds())
    before = world.store["requests"].documents[name].copy()
    await world.look()
    # The process died after the mail was posted and before that was on record.
    world.store["requests"].documents[name] = before
    await world.look()
    assert len(world.mails()) == 1
    assert [one.what for one in (await world.state(name)).facts] == ["received", "reminded"]


@pytest.mark.clause("DOAJ-9a1")
async def test_an_erasure_begins_last_and_its_certificate_is_mailed(world: World) -> None:
    name = await world.confirmed("access", "erasure")
    await world.desk.assess(name, exempt=())
    await world.look()
    assert not world.erasures.asks
    await world.desk.do(name, task="access-package", outcome="done", evidence="fetched")
    state = await world.state(name)
    assert (state.status, state.erasure) == ("doing", ERASURE)
    [(request, sealed, exempt)] = world.erasures.asks
    opened = await reveal(world.requests.ring, Subjects, [sealed])
    assert opened[0].data is not None
    assert opened[0].data.every == frozenset(world.requests.index.all(EMAIL))
    assert request == name
    review = utc("2029-11-02T09:00")
    assert exempt == [("support", "legal-claims", review)]
    await world.look()
    assert (await world.state(name)).status == "doing"
    for step in ("certified", "closed"):
        world.erasures.step = step
        await world.look()
    state = await world.state(name)
    assert (state.status, state.owed) == ("answered", ())
    assert [one.what for one in state.facts][-2:] == ["erased", "answered"]
    told = [one for one in world.mails() if one.subject == "Our answer to your request"]
    assert len(told) == 1
    assert ERASURE in told[0].text
    assert told[0].to == EMAIL


async def test_an_erasure_that_was_asked_and_not_written_down_is_asked_again(
    world: World,
) -> None:
    name = await world.confirmed("erasure")
    await world.desk.assess(name, exempt=())
    document = world.store["requests"].documents[name]
    begun = await world.state(name)
    lost = begun.model_copy(update={"erasure": None, "status": "assessed"})
    document["state"] = lost.model_dump_json()
    await world.look()
    assert len(world.erasures.asks) == 2  # which begins one erasure for one request
    assert (await world.state(name)).erasure == ERASURE


@pytest.mark.parametrize("step", ["refused", "taken-back"])
async def test_an_erasure_that_was_given_up_leaves_a_no_to_be_said(world: World, step: str) -> None:
    name = await world.confirmed("erasure")
    await world.desk.assess(name, exempt=())
    say: dict[str, Any] = {
        "reason": "claim-not-covered",
        "text": "A journal hangs on it.",
        "by_letter": False,
    }
    early = await world.desk.refuse(name, **say)
    assert isinstance(early, Refused)
    assert early.reason.slug == "erasure-begun"
    world.erasures.step = step
    for _ in range(2):
        await world.look()
    assert (await world.state(name)).status == "doing"
    done = await world.desk.refuse(name, **say)
    assert isinstance(done, KeptRequest)
    assert done.status == "refused"
    assert "A journal hangs on it." in world.mails()[-1].text


async def test_an_erasure_of_who_has_no_address_to_be_mailed_waits_for_a_letter(
    world: World,
) -> None:
    who = Requester(name="Paul", on_file="paul@old.example paul@new.example")
    name = await world.confirmed("erasure", requester=who, evidence="A passport.")
    await world.desk.assess(name, exempt=())
    sealed = world.erasures.asks[0][1]
    opened = await reveal(world.requests.ring, Subjects, [sealed])
    assert opened[0].data is not None
    assert len(opened[0].data.every) == 2
    world.erasures.step = "certified"
    await world.look()
    assert (await world.state(name)).status == "doing"
    done = await world.desk.answer(name, text="Erased.", by_letter=True)
    assert isinstance(done, KeptRequest)
    assert (done.status, world.mails()) == ("answered", [])


async def test_where_nothing_carries_out_erasures_none_is_decided_on(world: World) -> None:
    world.requests.rooms.erasing = None
    name = await world.confirmed("erasure")
    refused = await world.desk.assess(name, exempt=())
    assert isinstance(refused, Refused)
    assert refused.reason.slug == "erasing-away"
    state = await world.state(name)
    assert state.status == "confirmed"
    assert await erasing.begin(world.requests, state, correlation="c") is state
    other = await world.confirmed("access")
    assert isinstance(await world.desk.assess(other, exempt=()), KeptRequest)


async def test_a_mail_that_was_owed_when_the_process_died_is_posted_once(world: World) -> None:
    name = await world.confirmed("withdrawal")
    assert [one.subject for one in world.mails()] == ["Your request as to your data"]
    document = world.store["requests"].documents[name]
    state = (await world.state(name)).model_copy(update={"owed": ("confirmed",)})
    document["state"], document["owing"] = state.model_dump_json(), True
    world.store["deliveries"].documents.clear()
    for _ in range(2):
        await world.look()
    assert [one.subject for one in world.mails()] == ["Your request as to your data"]
    assert (await world.state(name)).owed == ()


@pytest.mark.clause("DOAJ-9a8")
async def test_a_fee_that_was_set_is_told_with_the_confirmation(world: World) -> None:
    policy = policy_of(("amount = 0", "amount = 10"))
    world.requests = replace(world.requests, policy=policy)
    await world.confirmed("access")
    assert "It costs 10 GBP." in world.mails()[0].text


async def test_of_who_was_erased_the_dates_of_the_request_stay_and_nobody_is_mailed(
    world: World,
) -> None:
    name = await world.confirmed("withdrawal")
    state = await world.state(name)
    step = forget(state, lambda sealed: sealed.person == state.person)
    assert isinstance(step, Accepted)
    left = step.state
    assert (left.records, left.subjects, left.mailable, left.owed) == ({}, (), False, ())
    assert [one.key for one in step.events] == [f"{state.person}|support|{name}"]
    assert left.facts == state.facts
    assert isinstance(forget(left, lambda _: True), Unchanged)
    assert isinstance(forget(None, lambda _: True), Refused)


@pytest.mark.law("P3")
async def test_who_was_erased_is_nobody_in_what_was_decided_of_mails_unless_they_asked_again(
    world: World,
) -> None:
    first, second = await world.confirmed("withdrawal"), await world.confirmed("access")
    gate, store = world.requests.posting.gate, world.requests.store
    answers = Recorded(gate.decisions, CLS, partial(subjects_of, store))
    about = {name: await world.state(name) for name in (first, second)}
    indexes = about[first].subjects
    assert indexes == about[second].subjects

    async def held(whom: Whom) -> int:
        return len(await answers.held(whom))

    whole = Whom(frozenset(indexes))
    count = await held(whole)
    assert count == len(world.mails()) > 1
    # A clock of the one request: the other one still has the address.
    due = Whom(people=frozenset({about[first].person}))
    assert await held(due) == 0
    await answers.erase(await answers.held(whole), whole, cause="test")
    assert await held(whole) == 0
    await world.confirmed("access")
    both = Whom(people=frozenset(one.person for one in about.values()))
    assert await held(both) == 0
    assert await held(whole) == 1


@pytest.mark.clause("DOAJ-X1")
async def test_a_request_names_the_notice_that_was_in_force_when_it_was_received(
    world: World,
) -> None:
    name = await world.letter("access")
    await world.look()
    assert (await world.state(name)).notice is None  # nobody posted one
    world.notice = NoticeState(
        notice="index-users",
        title="Notice",
        versions=(version(1, "2026-01-01T00:00"), version(2, "2026-11-02T09:01")),
        version=2,
    )
    await world.look()
    found = (await world.state(name)).notice
    assert found is not None
    assert (found.notice, found.number) == ("index-users", 1)


def packing(world: World) -> Packages:
    room = Packages()
    world.requests.rooms.packages = room
    return room


FETCH = "Your data can be fetched"


@pytest.mark.clause("DOAJ-9a2")
async def test_who_asks_what_is_held_has_a_package_made_and_its_code_mailed_once(
    world: World,
) -> None:
    room = packing(world)
    name = await world.letter("access")
    await world.look()
    assert not room.asks  # nobody knows yet who asks
    await world.seen(name)
    await world.look()
    assert room.asks == [(name, sorted(world.requests.index.all(EMAIL)))]
    assert FETCH not in [one.subject for one in world.mails()]
    room.ready(name)
    for _ in range(3):
        await world.look()
    [told] = [one for one in world.mails() if one.subject == FETCH]
    assert (told.to, "2026-11-09 09:00 UTC" in told.text) == (EMAIL, True)
    code = room.made[name].code
    assert code is not None
    assert f"#package={name}&code={code}" in told.text
    assert code not in str(world.store["requests"].documents[name])


async def test_a_package_that_was_asked_for_and_not_written_down_is_told_with_the_same_code(
    world: World,
) -> None:
    room = packing(world)
    name = await world.confirmed("access")
    document = world.store["requests"].documents[name]
    lost = (await world.state(name)).model_copy(update={"package": None})
    document["state"] = lost.model_dump_json()
    await world.look()
    room.ready(name)
    await world.look()
    [told] = [one for one in world.mails() if one.subject == FETCH]
    assert room.made[name].code is not None
    assert str(room.made[name].code) in told.text
    assert len(room.asks) == 1


@pytest.mark.clause("DOAJ-9a2")
async def test_an_erasure_waits_for_the_package_of_what_it_erases(world: World) -> None:
    room = packing(world)
    name = await world.confirmed("access", "erasure")
    await world.desk.assess(name, exempt=())
    await world.desk.do(name, task="access-package", outcome="done", evidence="by itself")
    await world.look()
    assert not world.erasures.asks
    room.ready(name)
    await world.look()
    assert len(world.erasures.asks) == 1


async def test_who_was_answered_before_their_package_is_ready_is_told_of_it_all_the_same(
    world: World,
) -> None:
    room = packing(world)
    name = await world.confirmed("access")
    await world.desk.assess(name, exempt=())
    await world.desk.do(name, task="access-package", outcome="done", evidence="by itself")
    await world.desk.answer(name, text="It comes by mail.", by_letter=False)
    room.ready(name)
    await world.look()
    assert [one.subject for one in world.mails()][-1] == FETCH


async def test_no_package_is_made_where_none_was_asked_for_or_nobody_can_be_mailed(
    world: World,
) -> None:
    room = packing(world)
    await world.confirmed("withdrawal")
    who = Requester(name="Paul", on_file="paul@old.example")
    await world.confirmed("access", requester=who, evidence="A passport.")
    await world.look()
    assert not room.asks


@pytest.mark.parametrize("by_whom", ["staff", "nobody"])
async def test_a_package_that_staff_had_made_or_that_nobody_wants_any_more_is_not_told_of(
    world: World, by_whom: str
) -> None:
    room = packing(world)
    name = await world.letter("access")
    if by_whom == "staff":
        room.made[name] = Package("theirs")
    await world.seen(name)
    if by_whom == "nobody":
        await world.desk.take_back(name)
    else:
        room.ready(name)
    await world.look()
    assert FETCH not in [one.subject for one in world.mails()]
    assert (await world.state(name)).package == "told"
    assert room.made[name].step == ("ready" if by_whom == "staff" else "gone")


OTHERS = "victim@people.example"


@pytest.mark.law("P8")
@pytest.mark.clause("DOAJ-1a10")
@pytest.mark.parametrize("kinds", [("access",), ("erasure",), ("access", "erasure")])
async def test_a_code_opens_and_erases_nothing_under_an_address_that_did_not_read_it(
    world: World, kinds: tuple[str, ...]
) -> None:
    room = packing(world)
    name = await world.letter(*kinds, requester=Requester(email=EMAIL, on_file=OTHERS))
    state = await world.coded(name)
    assert (state.status, state.identity) == ("confirmed", CODE)
    await world.desk.assess(name, exempt=())
    for task in (await world.state(name)).tasks:
        await world.desk.do(name, task=task.task, outcome="done", evidence="by itself")
    if "access" in kinds:
        room.ready(name)
    await world.look()
    own = world.requests.index.all(EMAIL)
    assert room.asks == ([(name, sorted(own))] if "access" in kinds else [])
    assert len(world.erasures.asks) == ("erasure" in kinds)
    for _request, sealed, _exempt in world.erasures.asks:
        opened = await reveal(world.requests.ring, Subjects, [sealed])
        assert opened[0].data is not None
        assert opened[0].data.every == frozenset(own)
    # Nor is the letter itself found under an address of somebody who may not have written it.
    assert state.subjects == own[-1:]


@pytest.mark.law("P8")
@pytest.mark.clause("DOAJ-1a10")
async def test_further_addresses_count_once_staff_say_what_they_saw(world: World) -> None:
    room = packing(world)
    who = Requester(email=EMAIL, on_file=OTHERS)
    name = await world.letter("access", requester=who)
    refused = await world.seen(name)
    assert isinstance(refused, Refused)
    assert refused.reason.slug == "evidence-needed"
    assert not room.asks
    assert isinstance(await world.seen(name, "A passport."), KeptRequest)
    index = world.requests.index
    assert room.asks == [(name, sorted({*index.all(EMAIL), *index.all(OTHERS)}))]
    assert (await world.state(name)).subjects == (index.of(EMAIL), index.of(OTHERS))


@pytest.mark.clause("DOAJ-1a10")
async def test_a_code_that_is_used_late_takes_nothing_back_of_what_staff_saw(world: World) -> None:
    helper = Representative(name="Rob", email="rob@people.example", authority="A power.")
    who = Requester(email=EMAIL, on_file=OTHERS)
    name = await world.letter("access", requester=who, representative=helper)
    assert isinstance(await world.seen(name, "A passport."), KeptRequest)
    state = await world.coded(name)
    assert (state.status, state.identity, len(state.subjects)) == ("confirming", "document", 2)
