"""L3: nothing is shown that the newest word on a key forbids, and nothing by old knowledge.

The programs say what comes on the gate topics, in any order and any shape, and what the clocks do.
After each step the gate's answer is compared with what the whole history allows, judged anew by a
model that knows nothing of how the gate keeps it.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import event, given, note
from hypothesis import strategies as st

from services.distribution.gate import OWNERSHIP, PREFIXES, TOPICS, Gate, Subject
from shared import policy
from shared.events import (
    Event,
    Meta,
    PrefixAssigned,
    PrefixTransferred,
    TitleTransferred,
    WorkOwnerAssigned,
    to_record,
)
from shared.events.records import watermark
from shared.kafka.knowledge import SKEW, Knowledge
from shared.kafka.topics import declared
from shared.policy import ANYBODY, Reader, Visible, withhold
from shared.runtime.clock import ManualClock, rfc3339
from tests.laws.events import WORKS

ROOT = Path(__file__).resolve().parents[2]
OWNERS = {"10.1000": 1, "10.2000": 2, "10.3000": 3}
TITLES = ("journal:1234-5679", "book:9780000000000")
SUBJECTS = (
    Subject("10.1000/a", None),
    Subject("10.2000/b", TITLES[0]),
    Subject("10.3000/c", TITLES[0]),
    Subject("10.1000/d", TITLES[1]),
)
READERS = {
    "anybody": ANYBODY,
    "plus": Reader(organisation=9, plus=True),
    "owner": Reader(organisation=1),
    "another": Reader(organisation=2),
    "operator": Reader(operator=True),
}
FRESH = timedelta(seconds=5)
BAD = ("garbage", "tombstone", "no headers", "empty header", "unknown type", "foreign", "wrong key",
       "no version", "no type", "naive time", "huge version")  # fmt: skip


@cache
def rules() -> policy.ReferencesPolicy:
    return policy.load(ROOT / "deploy" / "policies" / "references.toml")


@dataclass(frozen=True, slots=True)
class Arrived:
    """A record as the broker hands it out."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, Any], ...]
    offset: int = 0


@dataclass(slots=True)
class Word:
    """What was said of a key: the states that could be read, and what forbids."""

    states: dict[int, Event] = field(default_factory=dict)
    forbidden_to: int = 0  # up to this version, whatever could be read

    @property
    def newest(self) -> Event | None:
        version = max(self.states, default=0)
        return self.states[version] if version > self.forbidden_to else None

    @property
    def silent(self) -> bool:
        return not self.states and not self.forbidden_to


@dataclass(slots=True)
class History:
    """The model: everything that was said, and when."""

    words: dict[tuple[str, str], Word] = field(default_factory=dict)
    marks: dict[tuple[str, int], tuple[datetime, float]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    suspicious: bool = False  # something unreadable came: the gate may know less than it could

    def word(self, topic: str, key: str) -> Word:
        return self.words.setdefault((topic, key), Word())

    def fresh(self, now: datetime, elapsed: float) -> bool:
        wanted = [(t, n) for t in (PREFIXES, OWNERSHIP) for n in range(declared()[t].partitions)]
        return not self.broken & {PREFIXES, OWNERSHIP} and all(
            place in self.marks
            and -SKEW <= now - self.marks[place][0] <= FRESH
            and elapsed - self.marks[place][1] <= FRESH.total_seconds()
            for place in wanted
        )

    def owning(self, work: Subject) -> str | None:
        said = self.word(OWNERSHIP, work.doi)
        title = self.word(OWNERSHIP, work.title) if work.title else None
        decisive: Any = said.newest if title is None or not said.silent else title.newest
        if decisive is not None:
            return str(decisive.owner_prefix)
        return work.doi.partition("/")[0] if title is None and said.silent else None

    def allows(self, work: Subject, reader: Reader) -> bool:
        owning = self.owning(work)
        prefix: Any = self.word(PREFIXES, owning).newest if owning else None
        if prefix is None:
            return False
        setting = prefix.setting or prefix.account_default or "limited"  # whatever the host's year
        return (
            setting == "open"
            or (setting == "limited" and reader.plus)
            or reader.organisation == prefix.owner
        )


def state_of(topic: str, key: str, version: int) -> Event:
    """The state that a version is: the same whenever it is said again."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    number = version * 7 + sum(key.encode())
    if topic == OWNERSHIP:
        given = sorted(OWNERS)[number % 3]
        if key in TITLES:
            return TitleTransferred(subject=key, name="T", owner_prefix=given, version=version)
        return WorkOwnerAssigned(subject=key, owner_prefix=given, version=version)
    settings: tuple[Any, ...] = ("open", "closed", None, "limited", "open")
    moved = version % 4 == 0
    return (PrefixTransferred if moved else PrefixAssigned)(
        prefix=key,
        owner=OWNERS[key] + moved,
        owner_name="Press",
        setting=settings[number % 5],
        account_default=settings[number // 5 % 5],
        assigned_at=at,
        version=version,
    )


def record_of(topic: str, key: str, version: int) -> Arrived:
    sent = to_record(
        state_of(topic, key, version), Meta(f"{key}-{version}", "/s", "2026-01-01T00:00:00Z")
    )
    return Arrived(sent.key, sent.value, sent.headers)


def foreign(good: Arrived) -> bytes:
    doi = (good.key or b"").decode()
    state = {"doi": doi, "prefix": doi.partition("/")[0], "timestamp": "1", "submission": "1#0"}
    at = "2026-01-01T00:00:00Z"
    version = orjson.loads(good.value or b"")["version"]
    return orjson.dumps(
        state | {"created": at, "deposited": at, "work": {"type": "other"}, "version": version}
    )


def spoilt(good: Arrived, how: str) -> tuple[Arrived, bool]:  # noqa: C901  (a line a kind)
    """Return a record that cannot be read, and whether its version can."""
    headers: dict[str, Any] = dict(good.headers)
    value, states = good.value, True
    match how:
        case "garbage":
            value = b"{"
        case "tombstone":
            value = None
        case "no headers":
            headers, states = {}, False
        case "empty header":
            headers["ce_type"] = None
        case "unknown type":
            headers["ce_type"] = b"accounts.prefix-frozen.v1"
        case "foreign":  # a known event of another topic, under a key of this one
            headers["ce_type"] = b"deposits.work-registered.v1"
            value = foreign(good)
        case "wrong key":
            value = (good.value or b"").replace(good.key or b"-", b"10.7777/z")
        case "no version":
            del headers["ce_aggregateversion"]
            value, states = b"", False
        case "no type":
            del headers["ce_type"]
        case "naive time":
            headers["ce_time"] = b"2026-01-01T00:00:00"
        case "huge version":
            headers["ce_aggregateversion"] = b"9" * 5000
            value, states = b"", False
    return Arrived(good.key, value, tuple(headers.items())), states


KEYS = st.sampled_from(
    [(PREFIXES, prefix) for prefix in OWNERS] * 2
    + [(OWNERSHIP, work.doi) for work in SUBJECTS[:2]]
    + [(OWNERSHIP, title) for title in TITLES] * 2
)
VERSIONS = st.integers(1, 6)
STEPS = st.one_of(
    st.tuples(st.just("say"), KEYS, VERSIONS),
    st.tuples(st.just("say"), KEYS, VERSIONS),
    st.tuples(st.just("spoil"), KEYS, VERSIONS, st.sampled_from(BAD)),
    st.tuples(st.just("lose key"), st.sampled_from(TOPICS), st.sampled_from([None, b"\xff"])),
    st.tuples(st.just("mark all"), st.sampled_from([0.0, 0.5, 3.0, 6.0, -0.5, -2.0, -3600.0])),
    st.tuples(st.just("mark all"), st.just(0.0)),
    st.tuples(st.just("mark"), st.sampled_from(TOPICS), st.integers(0, 5), st.just(0.0)),
    st.tuples(st.just("spoil mark"), st.sampled_from(TOPICS), st.sampled_from([b"", b"{}", b"[]",
              b'{"at":"2026-01-01T00:00:00"}', b'{"at":"never"}', b'{"at":9}'])),
    st.tuples(st.just("pass"), st.sampled_from([0.3, 1.0, 2.0, 4.9, 5.1])),
    st.tuples(st.just("jump"), st.sampled_from([-3600.0, -2.0, -0.9, 0.9, 2.0, 3600.0, -3e8])),
)  # fmt: skip


@dataclass(slots=True)
class World:
    """The gate under test, its clock, and the model beside it."""

    clock: ManualClock = field(default_factory=ManualClock)
    history: History = field(default_factory=History)
    knowledge: Knowledge = field(init=False)
    gate: Gate = field(init=False)

    def __post_init__(self) -> None:
        self.knowledge = Knowledge(TOPICS, "", FRESH, clock=self.clock)
        self.knowledge._caught_up = True
        self.gate = Gate(self.knowledge, rules())

    def do(self, step: tuple[Any, ...]) -> None:  # noqa: C901  (a line a kind)
        match step:
            case ("say", (topic, key), version):
                self.knowledge.take(topic, 0, record_of(topic, key, version))
                self.history.word(topic, key).states[version] = state_of(topic, key, version)
            case ("spoil", (topic, key), version, how):
                record, states = spoilt(record_of(topic, key, version), how)
                self.knowledge.take(topic, 0, record)
                self._forbid(self.history.word(topic, key), version if states else None)
            case ("lose key", topic, key):
                self.knowledge.take(topic, 0, Arrived(key, b"", ()))
                self.history.broken.add(topic)
            case ("mark all", age):
                for topic in TOPICS:
                    for partition in range(declared()[topic].partitions):
                        self._mark(topic, partition, age)
            case ("mark", topic, partition, age):
                self._mark(topic, partition, age)
            case ("spoil mark", topic, value):
                sent = watermark(topic, 0, "2026-01-01T00:00:00Z", source="/s")
                self.knowledge.take(topic, 0, Arrived(sent.key, value, sent.headers))
            case ("pass", seconds):
                self.clock.advance(seconds)
            case ("jump", seconds):
                self.clock.jump(seconds)

    def _forbid(self, word: Word, version: int | None) -> None:
        self.history.suspicious = True
        known = max(word.states, default=0)
        if version is None:
            word.forbidden_to = max(word.forbidden_to, known)
        elif version >= known:
            word.forbidden_to = max(word.forbidden_to, version)

    def _mark(self, topic: str, partition: int, age: float) -> None:
        at = rfc3339(self.clock.now() - timedelta(seconds=age))
        sent = watermark(topic, partition, at, source="/s")
        self.knowledge.take(topic, partition, Arrived(sent.key, sent.value, sent.headers))
        self.history.marks[topic, partition] = (
            datetime.fromisoformat(at),
            self.clock.monotonic(),
        )

    def judge(self) -> None:
        now = self.clock.now()
        fresh = self.history.fresh(now, self.clock.monotonic())
        assert self.gate.fresh() <= fresh
        for work in SUBJECTS:
            for name, reader in READERS.items():
                allowed = fresh and self.history.allows(work, reader)
                answer = self.gate.visibility(work, reader, outlet="rest")
                shown = isinstance(answer, Visible)
                event("shown" if shown else f"withheld: {answer.reason}")  # type: ignore[union-attr]
                assert shown <= allowed, f"{name} sees the references of {work}"
                if not self.history.suspicious:
                    assert shown == allowed, f"{name} does not see the references of {work}"


@pytest.mark.law("L3")
@pytest.mark.clause("CRR-4")
@pytest.mark.clause("CRR-5")
@given(st.lists(STEPS, min_size=3, max_size=25))
def test_the_gate_shows_nothing_that_the_newest_word_forbids_nor_anything_by_old_knowledge(
    steps: list[tuple[Any, ...]],
) -> None:
    world = World()
    world.do(("mark all", 0.0))
    for prefix in OWNERS:
        world.do(("say", (PREFIXES, prefix), 1))
    world.do(("say", (OWNERSHIP, TITLES[0]), 1))  # nothing was said of the other one yet
    for step in steps:
        note(repr(step))
        world.do(step)
        world.judge()


@pytest.mark.law("L3")
@given(st.lists(STEPS, max_size=20), st.sampled_from(BAD), VERSIONS)
def test_a_key_that_was_denied_is_known_again_after_a_higher_version(
    steps: list[tuple[Any, ...]], how: str, version: int
) -> None:
    world = World()
    for step in [*steps, ("spoil", (PREFIXES, "10.1000"), version, how)]:
        note(repr(step))
        world.do(step)
    if how not in ("no headers", "no version", "huge version"):
        newest = max(world.history.word(PREFIXES, "10.1000").states, default=0)
        assert world.knowledge.denied(PREFIXES, "10.1000") or newest > version
    higher = 20  # above anything that was said
    world.do(("say", (PREFIXES, "10.1000"), higher))
    assert world.knowledge.get(PREFIXES, "10.1000") == state_of(PREFIXES, "10.1000", higher)


@pytest.mark.law("L3")
@pytest.mark.law("L5")
@given(
    st.lists(st.sampled_from(["say", "spoil"]), min_size=1, max_size=6),
    st.sampled_from(
        [how for how in BAD if how not in ("no headers", "no version", "huge version")]
    ),
    st.data(),
)
def test_what_a_relay_repeats_after_a_crash_changes_nothing(
    kinds: list[str], how: str, data: st.DataObject
) -> None:
    """At least once and in order: from some record on, all that follows it comes again."""
    world, again = World(), World()
    log = [(kind, version) for version, kind in enumerate(kinds, 1)]
    repeated = data.draw(st.integers(0, len(log) - 1), label="repeated from")
    until = data.draw(st.integers(repeated, len(log)), label="after sending up to")
    for one, order in ((world, log), (again, [*log[:until], *log[repeated:]])):
        for kind, version in order:
            where = (PREFIXES, "10.1000")
            one.do((kind, where, version) if kind == "say" else (kind, where, version, how))
    assert world.knowledge._held == again.knowledge._held


@pytest.mark.law("L4")
@pytest.mark.clause("CRR-12")
@given(WORKS, st.sampled_from(["closed", "limited", "unknown-owner", "knowledge-stale"]))
def test_withholding_leaves_every_count_and_every_other_field(work: Any, reason: Any) -> None:
    whole = work | {"references-count": 3, "reference-count": 3, "is-referenced-by-count": 7}
    shown = withhold(rules(), whole, policy.Withheld(reason, None))
    assert "reference" not in shown
    assert ("references-withheld" in shown) == ("reference" in work)
    rest = {k: v for k, v in whole.items() if k != "reference"}
    assert {k: v for k, v in shown.items() if k != "references-withheld"} == rest
