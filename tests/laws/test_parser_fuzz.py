"""Whatever a file holds, reading it ends soon: refused whole, or records with what is wrong.

Files that once did otherwise are kept in tests/corpus/deposits and read again each time.
"""

import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.deposits.crossref.faults import FILE_RULES, Unreadable
from services.deposits.crossref.reader import Checker, DepositReader, read_deposit
from services.deposits.crossref.submission import Record
from tests.fuzzing import BYTES, SEEDS, TEXTS, TREE, Step, mutated

ROOT: Final = Path(__file__).resolve().parents[2]
CORPUS: Final = ROOT / "tests" / "corpus" / "deposits"
SOON: Final = 5.0  # seconds; most take milliseconds
LONGEST: Final = 6_000  # characters of what is told of one record

STEPS: Final = st.lists(
    st.builds(
        Step,
        st.sampled_from([*TREE, *BYTES]),
        st.integers(0, 2**20),
        st.integers(0, 2**20),
        st.sampled_from(TEXTS),
    ),
    min_size=1,
    max_size=8,
)
FUZZ: Final = {"deadline": None, "suppress_health_check": list(HealthCheck)}


def in_one(content: bytes) -> tuple[Record, ...] | Unreadable:
    try:
        return read_deposit([content]).records
    except Unreadable as fault:
        return fault


def in_two(content: bytes, size: int) -> tuple[Record, ...] | Unreadable:
    """Read as a large file is read: checked, then read again, in pieces."""
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    checker = Checker()
    try:
        for piece in pieces:
            checker.feed(piece)
        outline = checker.close()
    except Unreadable as fault:
        return fault
    reader = DepositReader()
    found = [one for piece in pieces for one in reader.feed(piece)] + reader.close()
    records = tuple(one for one in found if isinstance(one, Record))
    assert len(records) == outline.records
    return records


def assert_told(content: bytes, size: int) -> None:
    """Both ways of reading say the same, in the way they promise, and soon."""
    began = time.perf_counter()
    found = in_one(content)
    again = in_two(content, size)
    assert time.perf_counter() - began < SOON
    if isinstance(found, Unreadable):
        assert found.rule in FILE_RULES
        assert 0 < len(found.message) < LONGEST
        assert isinstance(again, Unreadable)
        # Of several faults the one that is met first is told: these are looked for underway.
        assert again.rule in (found.rule, "head-incomplete", "unsupported-schema", "doctype")
        return
    assert not isinstance(again, Unreadable), again.rule
    assert again == found
    assert [one.index for one in found] == list(range(len(found)))
    for one in found:
        assert one.failure is not None or one.doi
        if one.failure is None:
            orjson.dumps(one.work)
        assert sum(len(problem.message) for problem in one.problems) < LONGEST * 2


@settings(max_examples=250, **FUZZ)
@given(st.sampled_from(SEEDS), STEPS, st.integers(1, 3_000))
@example(SEEDS[0], [Step("cut", 1, 0, "")], 1)
def test_a_mutated_deposit_is_refused_or_read_and_never_a_surprise(
    seed: bytes, steps: list[Step], size: int
) -> None:
    assert_told(mutated(seed, steps), size)


@settings(max_examples=100, **FUZZ)
@given(st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_refused(content: bytes) -> None:
    assert isinstance(in_one(content), Unreadable)


@pytest.mark.soak
@pytest.mark.timeout(3_600)
@settings(max_examples=30_000, **FUZZ)
@given(st.sampled_from(SEEDS), STEPS, st.integers(1, 3_000))
def test_many_mutated_deposits_are_refused_or_read(
    seed: bytes, steps: list[Step], size: int
) -> None:
    assert_told(mutated(seed, steps), size)


@pytest.mark.soak
def test_parsers_of_one_process_do_not_share_what_is_not_locked() -> None:
    """Eight files at once, in a process of its own: what goes wrong there is an abort."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.laws.many_parsers"], cwd=ROOT, check=False, timeout=120
    )
    assert done.returncode == 0


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.xml")), ids=lambda path: path.stem)
def test_what_was_once_a_surprise_is_none_any_more(path: Path) -> None:
    for size in (1, 100, 100_000):
        assert_told(path.read_bytes(), size)
