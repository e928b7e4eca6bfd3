"""What is decided once for several documents reaches all of them, whoever races or dies."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.accounts.commands import credentials, organisations, preferences
from services.accounts.commands.context import Accounts
from services.accounts.commands.settling import settle_all
from services.accounts.model.organisations import Assignment, Described
from services.accounts.model.requests import Form
from services.accounts.store import open_store
from shared.policy import load
from shared.runtime.clock import ManualClock
from shared.runtime.faults import Transient
from tests.laws.memory_store import Database
from tests.laws.turns import Turns, run

POLICY = load(Path(__file__).resolve().parents[2] / "deploy" / "policies" / "references.toml")
PREFIXES = ("10.1000", "10.2000")
ORGANISATIONS = (1, 1, 1, 2)  # two that want the same prefixes, and one that is busy
SETTINGS = st.sampled_from([None, "closed", "limited", "open"])
AT = datetime(2026, 1, 1, tzinfo=UTC)
Act = Callable[[Accounts], Coroutine[Any, Any, Any]]
C = {"correlation": "test"}


def assigning(organisation: int, prefix: str, setting: Any) -> Act:
    assignment = Assignment(prefix=prefix, name="Press", setting=setting)
    return lambda accounts: organisations.assign_prefix(accounts, organisation, assignment, **C)


def defaulting(organisation: int, setting: Any) -> Act:
    return lambda accounts: preferences.choose_default(
        accounts, organisation, setting, actor=f"organisation:{organisation}", **C
    )


def choosing(organisation: int, prefix: str, setting: Any) -> Act:
    return lambda accounts: preferences.choose(
        accounts, organisation, prefix, setting, actor=f"organisation:{organisation}", **C
    )


def asking(organisation: int, prefix: str, setting: Any) -> Act:
    form = Form(f"Organisation {organisation}", (prefix,), setting)
    return lambda accounts: preferences.ask(accounts, form, **C)


def transferring(organisation: int, prefix: str, seen: int | None) -> Act:
    return lambda accounts: organisations.transfer_prefix(
        accounts, prefix, organisation, name=None, seen=seen, **C
    )


def acts() -> st.SearchStrategy[Act]:
    who, what = st.sampled_from(ORGANISATIONS), st.sampled_from(PREFIXES)
    return st.one_of(
        st.builds(assigning, who, what, SETTINGS),
        st.builds(defaulting, who, SETTINGS),
        st.builds(defaulting, st.just(1), SETTINGS),
        st.builds(choosing, who, what, SETTINGS),
        st.builds(asking, who, what, SETTINGS),
        st.builds(transferring, who, what, st.none() | st.integers(1, 4)),
    )


def in_bursts(data: st.DataObject) -> Callable[[int], int]:
    """Choose who goes on, mostly whoever went last: a slow one is overtaken by whole commands."""
    dies = 20  # how Turns asks whether somebody dies here

    def choose(count: int) -> int:
        if count == dies:
            return count - 1 if data.draw(st.integers(0, 3 * dies)) == 1 else 0
        return min(data.draw(st.integers(0, 6 * count)), count - 1)

    return choose


def opened(turns: Turns) -> Accounts:
    store = open_store(Database(turns.pause), clock=ManualClock(AT))  # type: ignore[arg-type]
    return Accounts(store, POLICY, b"k" * 32, 0.0)


async def played(turns: Turns, accounts: Accounts, programs: list[list[Act]]) -> None:
    """Run the programs side by side, some dying on their way; then settle, as a start does."""

    async def actor(program: list[Act]) -> None:
        for act in program:
            try:
                await act(accounts)
            except Transient:  # too many were faster; its caller hears 503
                continue

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(actor(program)) for program in programs]
        await turns.play(tasks, kill=True)
    turns.free = True
    await settle_all(accounts)


@pytest.mark.clause("CRR-4")
@given(st.data(), st.lists(st.lists(acts(), min_size=1, max_size=3), min_size=1, max_size=4))
def test_every_prefix_follows_its_accounts_default_whoever_races_or_dies(
    data: st.DataObject, programs: list[list[Act]]
) -> None:
    async def program() -> None:
        turns = Turns(in_bursts(data), free=True)
        accounts = opened(turns)
        for number in ORGANISATIONS:
            said = Described(f"Organisation {number}")
            await organisations.register(accounts, number, said, **C)
        await assigning(1, PREFIXES[0], None)(accounts)
        turns.free = False
        await played(turns, accounts, programs)
        for number in ORGANISATIONS:
            owner = await accounts.store.organisations.load(number)
            assert owner is not None
            assert not owner.unsettled
            for prefix in await accounts.store.prefixes_of(number):
                assert prefix.account_default == owner.account_default
                assert prefix.default_version == owner.default_version
                dated = [fact.version or 0 for fact in prefix.facts]
                assert dated == sorted(dated)
            assert not owner.taking
        for prefix in (await accounts.store.prefixes.load_many(PREFIXES)).values():
            owners = [one.organisation for one in prefix.former] + [prefix.owner]
            assert all(before != after for before, after in pairwise(owners))
            # Whoever owns it now chose what is chosen: what was chosen before did not move along.
            if prefix.setting is not None and prefix.former:
                chosen = [fact.actor for fact in prefix.facts if fact.setting == prefix.setting]
                assert chosen[-1] != f"organisation:{prefix.former[-1].organisation}"
        for request in await accounts.store.requests.where(unsettled=False):
            assert [one.prefix for one in request.results] == list(request.prefixes)
        assert not await accounts.store.requests.where(unsettled=True)

    run(program())


def ending(days: int) -> Act:
    async def act(accounts: Accounts) -> None:
        for agreement in await accounts.store.agreements.where(organisation=1):
            end = AT + timedelta(days=days)
            await credentials.end_agreement(accounts, 1, agreement.agreement, end=end, **C)

    return act


async def adding(accounts: Accounts) -> None:
    for agreement in await accounts.store.agreements.where(organisation=1):
        await credentials.add_token(accounts, 1, agreement.agreement, **C)


async def signing(accounts: Accounts) -> None:
    end = AT + timedelta(days=1)
    await credentials.sign_agreement(accounts, 1, start=AT, end=end, **C)


@pytest.mark.clause("CRR-6")
@given(
    st.data(),
    st.lists(
        st.lists(
            st.one_of(st.builds(ending, st.integers(2, 9)), st.just(adding), st.just(signing)),
            min_size=1,
            max_size=2,
        ),
        min_size=1,
        max_size=3,
    ),
)
def test_every_token_ends_with_its_agreement_whoever_races_or_dies(
    data: st.DataObject, programs: list[list[Act]]
) -> None:
    async def program() -> None:
        turns = Turns(in_bursts(data), free=True)
        accounts = opened(turns)
        await organisations.register(accounts, 1, Described("One"), **C)
        await signing(accounts)
        turns.free = False
        await played(turns, accounts, programs)
        for agreement in await accounts.store.agreements.where(organisation=1):
            assert not agreement.unsettled
            tokens = await accounts.store.credentials.load_many(agreement.tokens)
            assert set(tokens) == set(agreement.tokens)
            assert {token.valid_until for token in tokens.values()} == {agreement.end}

    run(program())
