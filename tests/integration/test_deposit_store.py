"""What deposits keeps, on the real store: sealed files, claims and counts."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from services.deposits import model, store
from services.deposits.permissions import Bound
from services.deposits.store import Claims, New, RawFiles, Submissions
from services.deposits.store import raw as raw_files
from shared.events import SubmissionState
from shared.mongo import Aggregates, Database
from shared.mongo.docket import docket_of
from shared.privacy.envelope import OpenKey, new_sealed_key, seal_stream, unseal
from shared.privacy.epochs import FileEpochs
from shared.runtime.ids import new_pseudonym

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def submissions(database: Database) -> Submissions:
    """Return submissions of two members, in turns, as they wait: 78 and 99."""
    await store.prepare(database)
    found = database["submissions"]
    aggregates: Aggregates[SubmissionState] = Aggregates(
        found,
        SubmissionState.model_validate_json,
        "/s",
        fields=store.shown,
        docket=docket_of(found),
    )
    made = Submissions(aggregates, b"k" * 32)

    async def add(number: int) -> None:
        name, organisation = f"17{number:014}", (78, 99)[number % 2]
        state, event = model.received(name, organisation=organisation, now=NOW)
        kid = f"{new_pseudonym()}.deposit-contact.{name}"
        new = New(state, event, f"login:{organisation}", 1, "0" * 64, kid, None, ("one", name))
        await made.add(new, offer=None, correlation=None)

    await asyncio.gather(*(add(number) for number in range(10)))
    return made


async def test_of_many_claims_at_once_each_submission_is_one_worker_s_and_bound_once(
    submissions: Submissions,
) -> None:
    claims = Claims(submissions.collection)
    until = NOW + timedelta(seconds=10)
    waiting = await claims.waiting(now=NOW, most=100)
    assert len(waiting) == 10

    async def claim(holder: str, prefix: str, part: Any) -> list[Any]:
        bounds = {n: Bound(NOW, {f"10.{n}", prefix}) for n in (78, 99)}
        chosen = [(one, one.bound or bounds[one.organisation]) for one in part]
        return await claims.claim(chosen, holder=holder, until=until)

    one, two = await asyncio.gather(
        claim("one", "10.1111", waiting[:7]), claim("two", "10.2222", waiting[3:])
    )
    assert sorted(each.submission.id for each in one + two) == [each.id for each in waiting]
    for holder, prefix in ((one, "10.1111"), (two, "10.2222")):
        for each in holder:
            assert not each.resumed
            owner = each.submission.state.organisation
            assert each.bound == Bound(NOW, frozenset({f"10.{owner}", prefix}))
    # Leases that ended are taken over; what was bound stays bound, to each its own.
    before = {each.submission.id: each.bound for each in one + two}
    later = await claims.waiting(now=until + timedelta(seconds=1), most=100)
    until += timedelta(seconds=20)
    taken = await claim("three", "10.3333", later)
    assert {each.submission.id: each.bound for each in taken} == before
    assert all(each.resumed for each in taken)
    assert await claims.waiting(now=until - timedelta(seconds=1), most=100) == []


async def test_who_asks_at_once_how_many_wait_is_told_the_same_by_one_count(
    submissions: Submissions,
) -> None:
    asked = [*["login:78"] * 3, None, "login:99", "nobody", None]
    counts = await asyncio.gather(*(submissions.pending(one, most=7) for one in asked))
    assert counts == [5, 5, 5, 7, 5, 0, 7]


async def test_a_file_is_read_as_it_came_by_whoever_wrote_it_and_by_others(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw_files, "MOST_RECENT", 2)
    await store.prepare(database)
    keys = FileEpochs(tmp_path / "keys")
    key = unseal(keys, new_sealed_key(keys, "submission.1"))
    mine, others = RawFiles(database), RawFiles(database)
    contents = {
        str(number): bytes([number]) * size
        for number, size in enumerate((0, 10, 70_000, 1_100_000, 20, 30))
    }
    for name, content in contents.items():
        async for chunk in seal_stream(partial(_given, key), _parts(content), record=name):
            await mine.add(name, chunk, now=NOW)
    for name, content in contents.items():
        for files in (mine, others, mine):
            assert await _read(files, name, key) == content
    with pytest.raises(LookupError):
        await _read(mine, "unknown", key)


async def _parts(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def _read(files: RawFiles, name: str, key: OpenKey) -> bytes:
    return b"".join([part async for part in files.read(name, partial(_given, key))])


async def _given(key: OpenKey) -> OpenKey:
    return key
