"""What is sealed opens in its place with its key, and nowhere else."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.privacy.envelope import (
    CHUNK_BYTES,
    OpenKey,
    UnsealError,
    kid_of,
    new_sealed_key,
    open_chunk,
    open_text,
    seal_chunk,
    seal_stream,
    seal_text,
    unseal,
)
from shared.privacy.epochs import FileEpochs
from shared.privacy.keyfile import load_or_create

KEY = OpenKey("p1.deposit_contact.u1", bytes(range(32)))
OTHER = OpenKey("p1.deposit_contact.u1", bytes(32))


@pytest.fixture
def epochs(tmp_path: Path) -> FileEpochs:
    return FileEpochs(tmp_path / "kek")


def test_a_new_key_opens_under_its_epoch_and_shows_nowhere(epochs: FileEpochs) -> None:
    sealed = new_sealed_key(epochs, "deposit.s1")
    again = new_sealed_key(epochs, "deposit.s1")
    assert sealed.wrapped != again.wrapped
    chunk = seal_chunk(unseal(epochs, sealed), b"x", record="s1", number=0, last=True)
    assert open_chunk(unseal(epochs, sealed), chunk, record="s1", number=0, last=True) == b"x"
    with pytest.raises(UnsealError):
        open_chunk(unseal(epochs, again), chunk, record="s1", number=0, last=True)
    assert repr(unseal(epochs, sealed)) == "OpenKey('deposit.s1')"


def test_a_key_wrapped_in_an_earlier_epoch_opens_after_a_later_one_began(tmp_path: Path) -> None:
    sealed = new_sealed_key(FileEpochs(tmp_path), "deposit.s1")
    load_or_create(tmp_path / "kek-2.key")
    later = FileEpochs(tmp_path)
    assert unseal(later, sealed).kid == "deposit.s1"
    assert new_sealed_key(later, "deposit.s1").epoch == 2


def test_a_wrapped_key_cannot_be_moved_renamed_changed_or_outlive_its_epoch(
    epochs: FileEpochs, tmp_path: Path
) -> None:
    sealed = new_sealed_key(epochs, "deposit.s1")
    (tmp_path / "kek" / "kek-2.key").write_bytes((tmp_path / "kek" / "kek-1.key").read_bytes())
    (tmp_path / "kek" / "kek-2.key").chmod(0o600)
    both = FileEpochs(tmp_path / "kek")
    changed = [
        replace(sealed, kid="deposit.s2"),
        replace(sealed, epoch=2),
        replace(sealed, epoch=3),
        replace(sealed, wrapped=sealed.wrapped[:-1] + bytes([sealed.wrapped[-1] ^ 1])),
        replace(sealed, wrapped=b""),
    ]
    for wrong in changed:
        with pytest.raises(UnsealError):
            unseal(both, wrong)


@given(plain=st.binary(max_size=200), number=st.integers(0, 2**31), last=st.booleans())
def test_a_chunk_opens_in_its_place_only(plain: bytes, number: int, last: bool) -> None:  # noqa: FBT001
    sealed = seal_chunk(KEY, plain, record="s1", number=number, last=last)
    assert plain not in sealed or len(plain) < 4
    assert open_chunk(KEY, sealed, record="s1", number=number, last=last) == plain
    for key, place in (
        (OTHER, {"record": "s1", "number": number, "last": last}),
        (KEY, {"record": "s2", "number": number, "last": last}),
        (KEY, {"record": "s1", "number": number + 1, "last": last}),
        (KEY, {"record": "s1", "number": number, "last": not last}),
    ):
        with pytest.raises(UnsealError):
            open_chunk(key, sealed, **place)  # type: ignore[arg-type]


@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_any_changed_bit_is_noticed(at: int, bit: int) -> None:
    sealed = bytearray(seal_chunk(KEY, b"<doi_batch/>", record="s1", number=0, last=True))
    sealed[at % len(sealed)] ^= 1 << bit
    with pytest.raises(UnsealError):
        open_chunk(KEY, bytes(sealed), record="s1", number=0, last=True)


def test_a_chunk_is_bounded() -> None:
    with pytest.raises(ValueError, match="at most"):
        seal_chunk(KEY, bytes(CHUNK_BYTES + 1), record="s1", number=0, last=True)


async def mine() -> OpenKey:
    return KEY


async def parts(sizes: list[int]) -> AsyncIterator[bytes]:
    for number, size in enumerate(sizes):
        yield bytes([number % 256]) * size


@pytest.mark.parametrize(
    "sizes",
    [
        [],
        [0],
        [1],
        [CHUNK_BYTES],
        [CHUNK_BYTES, 1],
        [CHUNK_BYTES + 1],
        [65_536] * 40,
        [3 * CHUNK_BYTES],
    ],
)
async def test_a_stream_comes_back_whole_and_exactly_one_chunk_is_the_last(
    sizes: list[int],
) -> None:
    chunks = [chunk async for chunk in seal_stream(mine, parts(sizes), record="s1")]
    assert [chunk.number for chunk in chunks] == list(range(len(chunks)))
    assert [chunk.last for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    opened = [
        open_chunk(KEY, chunk.data, record="s1", number=chunk.number, last=chunk.last)
        for chunk in chunks
    ]
    assert b"".join(opened) == b"".join([part async for part in parts(sizes)])
    assert all(len(plain) <= CHUNK_BYTES for plain in opened)
    assert len(chunks) == max(1, -(-sum(sizes) // CHUNK_BYTES))


async def test_a_stream_cut_off_or_reordered_does_not_open() -> None:
    chunks = [chunk async for chunk in seal_stream(mine, parts([2_500_000]), record="s1")]
    with pytest.raises(UnsealError):  # the last one lost: the one before does not pass for it
        open_chunk(KEY, chunks[1].data, record="s1", number=1, last=True)
    with pytest.raises(UnsealError):
        open_chunk(KEY, chunks[1].data, record="s1", number=0, last=False)


@given(text=st.text(max_size=200))
def test_a_text_opens_in_its_place_only(text: str) -> None:
    sealed = seal_text(KEY, text, schema="accounts.person.v1", field="/email", record="r1")
    assert kid_of(sealed) == KEY.kid
    assert open_text(KEY, sealed, schema="accounts.person.v1", field="/email", record="r1") == text
    for place in (
        {"schema": "accounts.person.v2", "field": "/email", "record": "r1"},
        {"schema": "accounts.person.v1", "field": "/name", "record": "r1"},
        {"schema": "accounts.person.v1", "field": "/email", "record": "r2"},
    ):
        with pytest.raises(UnsealError):
            open_text(KEY, sealed, **place)


@given(one=st.text(max_size=7), two=st.text(max_size=7))
def test_lengths_of_short_texts_do_not_show(one: str, two: str) -> None:
    place = {"schema": "s", "field": "/f", "record": "r"}
    assert len(seal_text(KEY, one, **place)) == len(seal_text(KEY, two, **place))


@pytest.mark.parametrize(
    "text", ["", "pe1.", "pe1..", "pe2.k.AAAA", "pe1.k.!!!!", "pe1.k.", "pe1.k.AAAA", "plain text"]
)
def test_what_is_no_envelope_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(UnsealError) as refused:
        open_text(KEY, text, schema="s", field="/f", record="r")
    assert not text or text not in str(refused.value)


def test_a_key_id_is_safe_in_an_envelope(epochs: FileEpochs) -> None:
    with pytest.raises(ValueError, match="letters"):
        new_sealed_key(epochs, "a b")
