"""What account holders say to marketing follows them: accounts swap addresses, news comes late.

Two accounts choose, move between addresses and end, while consent hears of it in any order that
two partitions allow, again and again, and its processes die between their steps.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.consent.app import rows_of
from services.consent.commands import holders
from services.consent.commands.context import Consenting
from services.consent.model import notices
from services.consent.model.texts import NoticeText, read_text
from services.consent.settings import Settings
from services.consent.store import open_store
from shared.events.decisions import Accepted, Refused
from shared.events.people import PersonFact, PersonState, PersonWhat
from shared.policy.uses import load_uses
from shared.runtime.faults import Transient
from tests.laws.memory_store import Database
from tests.laws.turns import Turns, in_bursts
from tests.unit.consent.given import AT, POLICIES, at

pytestmark = [pytest.mark.law("P7"), pytest.mark.clause("DOAJ-10b")]

ACCOUNTS: Final = tuple(f"p{number}{'0' * 31}" for number in range(2))
ADDRESSES: Final = tuple(f"bi1.{number}{'0' * 63}" for number in range(3))
MARKETING: Final = "marketing"
USES: Final = load_uses(POLICIES)
PAGE: Final = POLICIES / "notices" / "index-users" / "2023-11.md"


@dataclass(slots=True)
class Account:
    """What accounts knows of one of its people, all it told, and how far consent read that."""

    person: str
    told: list[PersonState] = field(default_factory=list)
    read: int = 0
    choosing: bool = False

    @property
    def address(self) -> str | None:
        return self.told[-1].subjects[0] if self.told and self.told[-1].subjects else None

    def tell(self, what: PersonWhat, address: str | None, minutes: float) -> None:
        before = self.told[-1] if self.told else None
        self.told.append(
            PersonState(
                person=self.person,
                category="account-holder",
                status="closed" if address is None else "active",
                registered_at=AT,
                facts=(
                    *(before.facts if before else ()),
                    PersonFact(at=at(minutes), what=what, actor="self"),
                ),
                subjects=() if address is None else (address,),
                version=len(self.told) + 1,
            )
        )


@dataclass(slots=True)
class Time:
    """A clock that goes on with every look."""

    minutes: float = 0.0

    def now(self) -> Any:
        self.minutes += 1
        return AT + timedelta(minutes=self.minutes)

    def monotonic(self) -> float:
        return self.minutes


@dataclass
class World:
    """Both accounts, consent over a store in memory, and what was said."""

    turns: Turns
    accounts: tuple[Account, ...] = field(
        default_factory=lambda: tuple(Account(person) for person in ACCOUNTS)
    )
    words: dict[str, list[tuple[str, bool]]] = field(default_factory=dict)  # answer, acknowledged
    clock: Time = field(default_factory=Time)

    def __post_init__(self) -> None:
        database = Database(self.turns.pause)
        nothing = cast("Any", None)
        store = open_store(cast("Any", database), clock=cast("Any", self.clock))
        rows = rows_of(Settings(policies_dir=POLICIES), USES)
        self.consenting = Consenting(
            store,
            rows,
            nothing,
            nothing,
            b"k" * 32,
            nothing,
            nothing,
            notices_dir=POLICIES,
            public_url="",
            ack_seconds=0,
        )

    def begin(
        self, verb: str, who: int, address: str, *, minutes: int
    ) -> Coroutine[Any, Any, None] | None:
        """Do what accounts does at once, or return what consent is asked to do."""
        account, held = self.accounts[who], {one.address for one in self.accounts}
        match verb:
            case "hear":
                return self.hear(account, 1)
            case "given" | "refused" if not account.choosing:
                account.choosing = True  # one word after the other, or which was last is open
                return self.choose(account, verb)
            case "again":
                account.read = 0
            case "move" if account.address is not None and address not in held:
                account.tell("address-changed", address, minutes)
            case "close" if account.address is not None:
                account.tell("closed", None, minutes)
        return None

    async def start(self) -> None:
        text = read_text(PAGE.read_bytes(), PAGE.name)
        assert isinstance(text, NoticeText)
        posted = notices.post(None, text, now=AT)
        assert isinstance(posted, Accepted)
        await self.consenting.store.notices.update(text.head.notice, lambda _: posted)

    async def hear(self, account: Account, count: int) -> None:
        """Read on from where was committed; whoever dies or fails commits nothing."""
        for state in account.told[account.read : account.read + count]:
            await holders.hear(self.consenting, state)
        account.read = min(account.read + count, len(account.told))

    async def choose(self, account: Account, answer: Any) -> None:
        said = self.words.setdefault(account.person, [])
        said.append((answer, False))
        place = len(said) - 1
        subject = await holders.found(self.consenting, account.person)
        seen = 0
        if not isinstance(subject, Refused):
            state = await self.consenting.consent([subject], MARKETING)
            seen = state.version if state else 0
        settled = await holders.choose(
            self.consenting, account.person, MARKETING, answer, seen=seen, correlation="c"
        )
        if isinstance(settled, Refused):
            said[place] = ("", True)
        else:
            said[place] = (answer, True)

    async def given_at(self, address: str) -> bool:
        return await self.consenting.worth([address], MARKETING) == "given"


async def patiently(work: Coroutine[Any, Any, None]) -> None:
    """Do what a caller or the broker asks again later."""
    with contextlib.suppress(Transient):
        await work


STEPS: Final = st.lists(
    st.tuples(
        st.sampled_from(("hear", "hear", "hear", "again", "given", "refused", "move", "close")),
        st.integers(0, len(ACCOUNTS) - 1),
        st.sampled_from(ADDRESSES),
    ),
    min_size=4,
    max_size=14,
)


async def play(
    choose: Callable[[int], int], steps: list[tuple[str, int, str]], *, at_once: int, kill: bool
) -> None:
    turns = Turns(choose, free=True)
    world = World(turns)
    await world.start()
    for account, address in zip(world.accounts, ADDRESSES, strict=False):
        account.tell("registered", address, 0)
    tasks: list[asyncio.Task[None]] = []
    for number, step in enumerate(steps, 1):
        work = world.begin(*step, minutes=number)
        if work is None:
            continue
        tasks.append(asyncio.ensure_future(patiently(work)))
        if len(tasks) >= at_once:
            await together(turns, tasks, kill=kill)
            tasks = []
            for account in world.accounts:
                account.choosing = False
    await together(turns, tasks, kill=kill)
    for account in world.accounts:  # all of it, at last, and nobody dies
        account.read = 0
    for account in world.accounts:
        await world.hear(account, len(account.told))
    await judge(world)


async def together(turns: Turns, tasks: list["asyncio.Task[None]"], *, kill: bool) -> None:
    turns.free = False
    await turns.play(tasks, kill=kill)
    turns.free = True


async def judge(world: World) -> None:
    owners = {one.address: one for one in world.accounts if one.address is not None}
    for address in ADDRESSES:
        if not await world.given_at(address):
            continue
        assert address in owners, "a yes stands where no account is"
        words = [word for word in world.words.get(owners[address].person, []) if word[0]]
        noes = [place for place, word in enumerate(words) if word == ("refused", True)]
        last = max(noes, default=-1)
        assert any(answer == "given" for answer, _ in words[last + 1 :]), "nobody said yes here"
    everything = [word for words in world.words.values() for word in words]
    if all(word != "refused" for word, _ in everything):
        for account in world.accounts:
            if ("given", True) in world.words.get(account.person, []) and account.address:
                assert await world.given_at(account.address), "a yes was lost"


# The second account has the first one's address, and is heard of before the first one's new one.
OVERTAKEN: Final = [
    ("hear", 0, ""),
    ("given", 0, ""),
    ("move", 0, ADDRESSES[2]),
    ("move", 1, ADDRESSES[0]),
    ("hear", 1, ""),
    ("hear", 1, ""),
    ("given", 1, ""),
]


@given(STEPS)
@example(OVERTAKEN)
@settings(deadline=None)
def test_a_word_follows_its_account_to_its_address_and_stands_nowhere_else(
    steps: list[tuple[str, int, str]],
) -> None:
    asyncio.run(play(lambda _count: 0, steps, at_once=1, kill=False))


@given(STEPS, st.data())
@settings(deadline=None)
def test_it_does_so_where_processes_die_and_events_come_again(
    steps: list[tuple[str, int, str]], data: st.DataObject
) -> None:
    asyncio.run(play(in_bursts(data), steps, at_once=1, kill=True))


@given(STEPS, st.data())
@settings(deadline=None)
def test_it_does_so_where_people_choose_while_their_accounts_move(
    steps: list[tuple[str, int, str]], data: st.DataObject
) -> None:
    asyncio.run(play(in_bursts(data), steps, at_once=3, kill=False))
