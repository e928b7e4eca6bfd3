"""The checker on histories made up: nothing in the good ones, the right law in each bad one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.fire.checks import Run, judge
from tests.fire.checks.registers import Register, State
from tests.fire.history import OK, REFUSED, UNKNOWN, Entry, History, read
from tests.fire.world import may_see, references, title_of

PREFIXES, OWNERSHIP = "accounts.prefixes.v1", "deposits.ownership.v1"
WORKS, OPEN = "deposits.works.v1", "distribution.open.v1"
DOI = "10.5001/h1"  # three references at timestamp 1
COUNT = references(DOI, 1)


@dataclass(slots=True)
class Story:
    """A registry of one work in one title of one prefix; times are seconds of the run."""

    entries: list[Entry] = field(default_factory=list)
    finals: dict[str, Any] = field(default_factory=dict)
    offsets: dict[str, int] = field(default_factory=dict)

    def add(
        self, kind: str, begin: float, end: float | None, outcome: str = OK, **said: Any
    ) -> Entry:
        self.entries.append(Entry(len(self.entries) + 1, kind, begin, end, outcome, said))
        return self.entries[-1]

    def seen(self, topic: str, key: str, version: int | None, at: float, **said: Any) -> None:
        offset = self.offsets[topic] = self.offsets.get(topic, -1) + 1
        place: dict[str, Any] = {
            "topic": topic,
            "partition": 0,
            "offset": offset,
            "key": key,
            "version": version,
        }
        self.add("seen", at, at + 0.05, **place, **said)

    def prefix(self, version: int, setting: str, at: float, owner: int = 78) -> None:
        self.seen(PREFIXES, "10.5001", version, at, setting=setting, owner=owner)

    def title(self, version: int, prefix: str, at: float) -> None:
        self.seen(OWNERSHIP, title_of(DOI), version, at, owner_prefix=prefix)

    def read(
        self, at: float, *, shown: bool = True, caller: str = "anonymous", timestamp: int = 1
    ) -> Entry:
        count = references(DOI, timestamp)
        item = [DOI, timestamp, count if shown else None, count, "" if shown else "closed", 0]
        about = {"reader": "r", "caller": caller, "replica": "reader", "path": f"/works/{DOI}"}
        return self.add("read", at, at + 0.1, status=200, items=[item], leaked=0, **about)

    def deposit(self, at: float, timestamp: int = 1, outcome: str = OK, **came: Any) -> None:
        came = {"submission": f"s{timestamp}", "status": 202, **came}
        self.add("deposit", at, at + 0.1, outcome, records=[[DOI, timestamp]], login=78, **came)

    def laws(self) -> set[str]:
        finals = [
            Entry(10_000 + n, "final", 99.0, 99.0, OK, {"part": part, "data": data})
            for n, (part, data) in enumerate(self.finals.items())
        ]
        entries = sorted([*self.entries, *finals], key=lambda one: one.begin)
        return judge(Run(entries)).laws()


def quiet() -> Story:
    """A deposit of an open work, read, and everything as it should be in the end."""
    story = Story()
    story.prefix(1, "open", 0.1)
    story.title(1, "10.5001", 0.2)
    story.deposit(2.0)
    story.seen(WORKS, DOI, 1, 2.2, timestamp=1, submission="s1#0")
    story.read(3.0)
    work = [1, 1, "digest"]
    story.finals = {
        "works": {DOI: work},
        f"fold {WORKS}": {DOI: work},
        "prefixes": {"10.5001": [1, 78, "open"]},
        f"fold {PREFIXES}": {"10.5001": [1, 78, "open"]},
        f"held {PREFIXES}": {"10.5001": 1},
        "verdicts": {"s1": [[DOI, "Success", ""]]},
        "open": [],
        "cited": {},
        "unsettled": [],
        "letters": {"distribution.projector": []},
        "views": {"anonymous": {DOI: [1, COUNT, COUNT, "", 0]}},
    }
    return story


def closed(at: float = 10.0, *, told: float | None = 10.3, status: int = 200) -> Story:
    """The same, closed by a preference that the broker had at ``at``."""
    story = quiet()
    story.prefix(2, "closed", at)
    if told is not None:
        story.add("flip", at - 0.2, told, versions=[["10.5001", 2]], status=status)
    story.finals[f"held {PREFIXES}"]["10.5001"] = 2
    story.finals["prefixes"]["10.5001"] = [2, 78, "closed"]
    story.finals[f"fold {PREFIXES}"]["10.5001"] = [2, 78, "closed"]
    story.finals["views"]["anonymous"][DOI] = [1, None, COUNT, "closed", 0]
    return story


def test_a_quiet_history_breaks_nothing() -> None:
    assert quiet().laws() == set()
    assert closed().laws() == set()


# -- L3 --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("begin", "broken"), [(9.0, False), (10.9, False), (11.04, False), (11.2, True), (60.0, True)]
)
def test_within_a_second_of_its_effect_a_preference_may_still_be_disobeyed_and_never_later(
    begin: float,
    broken: bool,  # noqa: FBT001  (a table)
) -> None:
    story = closed()
    story.read(begin)
    assert story.laws() == ({"L3"} if broken else set())


def test_withholding_is_always_allowed() -> None:
    story = quiet()
    story.read(3.5, shown=False)
    assert story.laws() == set()


def test_who_may_see_more_is_shown_more() -> None:
    story = closed()
    story.read(20.0, caller="owner78")
    assert story.laws() == set()
    story.read(21.0, caller="owner99")
    assert story.laws() == {"L3"}


def test_a_flip_of_which_nobody_knows_is_obeyed_a_second_after_it_is_published() -> None:
    story = closed(told=None)
    story.add("flip", 9.0, None, UNKNOWN)
    story.read(10.9)
    assert story.laws() == set()
    story.read(11.2)
    assert story.laws() == {"L3"}


def test_a_flip_that_never_reached_the_broker_binds_nobody_before_it_is_decided() -> None:
    story = quiet()
    story.add("flip", 9.0, None, UNKNOWN)
    story.read(30.0)
    assert story.laws() == set()


def test_what_was_decided_five_seconds_ago_is_obeyed_or_nothing_is_shown() -> None:
    """A change that waits for the broker: knowledge without it is stale by then."""
    story = closed(at=30.0, told=10.3, status=202)
    story.read(15.2)
    assert story.laws() == set()
    story.read(15.4)
    assert story.laws() == {"L3"}


def test_what_was_decided_and_is_never_published_is_heeded_five_seconds_later() -> None:
    story = quiet()
    story.add("flip", 10.0, 10.3, versions=[["10.5001", 2]], status=202)
    story.finals["views"] = {}
    story.read(15.2)
    assert story.laws() == set()
    story.read(15.4)
    assert story.laws() == {"L3"}


def test_a_fault_of_the_reader_excuses_until_its_knowledge_is_stale_and_no_longer() -> None:
    story = closed()
    story.add("fault", 10.0, 12.0, what="pause", holds=["reader"])
    story.read(14.0)
    assert story.laws() == set()
    story.read(15.4)
    assert story.laws() == {"L3"}


def test_a_fault_of_somebody_else_excuses_nothing() -> None:
    story = closed()
    story.add("fault", 10.0, 12.0, what="pause", holds=["deposits"])
    story.read(14.0)
    assert story.laws() == {"L3"}


def test_nothing_is_shown_before_it_is_allowed() -> None:
    story = Story()
    story.prefix(1, "closed", 1.0)
    story.title(1, "10.5001", 1.0)
    story.prefix(2, "open", 10.0)
    story.read(9.0)
    assert "L3" in story.laws()


def test_the_setting_is_that_of_whose_title_it_is() -> None:
    story = quiet()
    story.seen(PREFIXES, "10.5003", 1, 1.0, setting="closed", owner=99)
    story.title(2, "10.5003", 10.0)
    story.finals["views"] = {}
    story.read(11.0)
    assert story.laws() == set()
    story.read(11.2)
    assert story.laws() == {"L3"}


def test_a_work_of_its_own_owner_does_not_follow_its_title() -> None:
    story = quiet()
    story.seen(PREFIXES, "10.5003", 1, 1.0, setting="closed", owner=99)
    story.seen(OWNERSHIP, DOI, 1, 5.0, owner_prefix="10.5001")
    story.title(2, "10.5003", 10.0)
    story.read(20.0)
    assert story.laws() == set()


def test_a_record_that_cannot_be_read_denies_until_a_higher_version() -> None:
    story = quiet()
    story.seen(PREFIXES, "10.5001", None, 10.0, unreadable=True, floor=None)
    story.prefix(2, "open", 20.0)  # may be what could not be read
    story.finals["letters"] = {"distribution.projector": [[PREFIXES, "0", "1"]]}
    story.finals["views"] = {}
    story.finals[f"held {PREFIXES}"]["10.5001"] = 2
    story.read(10.9)
    assert story.laws() == set()
    story.read(30.0)
    assert story.laws() == {"L3"}
    story.entries.pop()
    story.prefix(3, "open", 40.0)
    story.finals[f"held {PREFIXES}"]["10.5001"] = 3
    story.read(41.0)
    assert story.laws() == set()


def test_a_reference_outside_of_its_list_is_found() -> None:
    story = quiet()
    story.add("read", 5.0, 5.1, status=200, items=[], leaked=1, replica="r", path="/x")
    assert story.laws() == {"L3"}


@pytest.mark.parametrize(("at", "broken"), [(10.9, False), (11.2, True)])
def test_no_record_of_a_product_shows_what_was_closed_a_second_before(
    at: float,
    broken: bool,  # noqa: FBT001
) -> None:
    story = closed()
    said = {"timestamp": 1, "shown": COUNT, "count": COUNT, "reason": "", "leaked": 0}
    story.seen(OPEN, DOI, 1, at, **said)
    assert story.laws() == ({"L3"} if broken else set())


def test_in_the_end_nobody_sees_less_than_the_setting_says() -> None:
    story = quiet()
    story.finals["views"]["anonymous"][DOI] = [1, None, COUNT, "knowledge-stale", 0]
    assert story.laws() == {"L3"}


def test_who_may_see_what_is_as_the_policy_says() -> None:
    seen = {
        (setting, caller)
        for setting in ("open", "limited", "closed")
        for caller in ("anonymous", "public", "plus", "owner78", "owner99")
        if may_see(caller, setting, 78)
    }
    assert seen == {
        *(("open", caller) for caller in ("anonymous", "public", "plus", "owner78", "owner99")),
        ("limited", "plus"),
        ("limited", "owner78"),
        ("closed", "owner78"),
    }


# -- the other laws --------------------------------------------------------------------------------


def loses_a_deposit(story: Story) -> None:
    story.deposit(5.0, timestamp=2)
    story.finals["verdicts"]["s2"] = [[DOI, "Success", ""]]


def forgets_a_submission(story: Story) -> None:
    story.deposit(5.0, timestamp=2)


def refuses_what_is_its_own(story: Story) -> None:
    story.finals["verdicts"]["s1"] = [[DOI, "Failure", "title-not-yours"]]


def leaves_one_open(story: Story) -> None:
    story.finals["open"] = ["s1"]


def publishes_what_was_refused(story: Story) -> None:
    story.deposit(5.0, timestamp=2, outcome=REFUSED, submission=None, status=503, retry="60")
    story.seen(WORKS, DOI, 2, 6.0, timestamp=2)


def never_publishes_what_it_accepted(story: Story) -> None:
    story.deposit(5.0, timestamp=2)
    story.finals["verdicts"]["s2"] = [[DOI, "Success", ""]]
    story.finals["works"][DOI][1] = 2
    story.finals["views"]["anonymous"][DOI][0] = 2


def publishes_out_of_order(story: Story) -> None:
    for version in (3, 2, 3):
        story.seen(WORKS, DOI, version, 6.0, timestamp=version)


def skips_a_version(story: Story) -> None:
    story.prefix(3, "open", 6.0)
    story.finals[f"held {PREFIXES}"]["10.5001"] = 3


def ends_a_topic_with_an_old_version(story: Story) -> None:
    story.seen(WORKS, DOI, 2, 6.0, timestamp=2)
    story.seen(WORKS, DOI, 1, 7.0, timestamp=1)


def shows_an_older_work_in_the_end(story: Story) -> None:
    story.finals["works"] = {DOI: [1, 1, "another digest"]}


def reads_backwards(story: Story) -> None:
    story.read(4.0, timestamp=2)
    story.read(5.0, timestamp=1)


def loses_a_work_that_was_read(story: Story) -> None:
    story.add("read", 5.0, 5.1, REFUSED, status=404, caller="plus", path=f"/works/{DOI}")


def takes_a_product_back(story: Story) -> None:
    said = {"shown": 0, "reason": "closed", "leaked": 0}
    for version in (2, 1):
        count = references(DOI, version)
        story.seen(OPEN, DOI, version, 5.0, timestamp=version, count=count, **said)


def counts_differently(story: Story) -> None:
    item = [DOI, 1, None, COUNT + 1, "closed", 0]
    about = {"caller": "plus", "path": f"/works/{DOI}", "replica": "reader"}
    story.add("read", 5.0, 5.1, status=200, items=[item], leaked=0, **about)


def says_nothing_of_what_it_withholds(story: Story) -> None:
    item = [DOI, 1, None, COUNT, "", 0]
    about = {"caller": "plus", "path": f"/works/{DOI}", "replica": "reader"}
    story.add("read", 5.0, 5.1, status=200, items=[item], leaked=0, **about)


def commits_too_early(story: Story) -> None:
    story.add("probe", 5.0, 5.1, committed={"0": 1}, versions={})


def loses_a_letter(story: Story) -> None:
    story.seen(WORKS, "10.5001/poison", None, 5.0, unreadable=True, floor=None)


def parks_what_can_be_read(story: Story) -> None:
    story.finals["letters"] = {"distribution.projector": [[WORKS, "0", "0"]]}


def fails(story: Story) -> None:
    story.add("flip", 5.0, 5.1, UNKNOWN, status=500)


def says_not_when_to_come_back(story: Story) -> None:
    story.deposit(5.0, timestamp=2, outcome=REFUSED, status=503, retry=None)


def never_settles(story: Story) -> None:
    story.finals["unsettled"] = ["3 open submissions after 180 s"]


BAD: list[tuple[Callable[[Story], None], str]] = [
    (loses_a_deposit, "L1"),
    (forgets_a_submission, "L1"),
    (refuses_what_is_its_own, "L1"),
    (leaves_one_open, "L1"),
    (publishes_what_was_refused, "L1"),
    (never_publishes_what_it_accepted, "L1"),
    (publishes_out_of_order, "L1"),
    (skips_a_version, "L1"),
    (ends_a_topic_with_an_old_version, "L2"),
    (shows_an_older_work_in_the_end, "L2"),
    (reads_backwards, "L2"),
    (loses_a_work_that_was_read, "L2"),
    (takes_a_product_back, "L2"),
    (counts_differently, "L4"),
    (says_nothing_of_what_it_withholds, "L3"),
    (commits_too_early, "L5"),
    (loses_a_letter, "L5"),
    (parks_what_can_be_read, "L5"),
    (fails, "answers"),
    (says_not_when_to_come_back, "answers"),
    (never_settles, "settled"),
]


@pytest.mark.parametrize(("spoil", "law"), BAD, ids=[spoil.__name__ for spoil, _ in BAD])
def test_each_kind_of_fault_is_found(spoil: Callable[[Story], None], law: str) -> None:
    story = quiet()
    spoil(story)
    assert story.laws() == {law}


def test_what_a_crash_repeats_and_a_replay_from_zero_break_nothing() -> None:
    story = quiet()
    story.seen(WORKS, DOI, 2, 5.0, timestamp=2)
    story.seen(WORKS, DOI, 1, 6.0, timestamp=1)
    story.seen(WORKS, DOI, 2, 6.0, timestamp=2)
    story.add("probe", 7.0, 7.1, committed={"0": 4}, versions={DOI: 2})
    story.add("probe", 8.0, 8.1, committed={"0": 0}, versions={DOI: 2})
    story.add("probe", 9.0, 9.1, committed={"0": 1}, versions={DOI: 2})
    assert story.laws() == set()


def test_a_deposit_that_nobody_answered_binds_nobody() -> None:
    story = quiet()
    story.deposit(5.0, timestamp=2, outcome=UNKNOWN, status=None)
    assert story.laws() == set()


def test_a_register_tells_what_may_be_obeyed_when() -> None:
    states = [State("a", 1.0, 1.1), State("b", 10.0, 10.1), State("c", 10.2, 10.3, decided=10.0)]
    register = Register(states)
    assert list(register.possible(5.0, 5.1)) == ["a"]
    assert list(register.possible(10.0, 10.1)) == ["a", "b"]
    assert list(register.possible(11.05, 11.06)) == ["a", "b", "c"]
    assert list(register.possible(11.2, 11.3)) == ["b", "c"]
    assert list(register.possible(11.4, 11.5)) == ["c"]
    assert list(register.possible(14.9, 14.9, excused=True)) == ["a", "b", "c"]
    assert list(register.possible(15.05, 15.06, excused=True)) == ["c"]


# -- histories -------------------------------------------------------------------------------------


def test_a_history_cut_off_by_a_kill_says_what_may_have_been_done(tmp_path: Any) -> None:
    history = History(tmp_path / "history.jsonl")
    with history.call("deposit", records=[[DOI, 1]]) as call:
        call.answered(202)
    with history.call("deposit", records=[[DOI, 2]]) as call:
        call.answered(503, slug="queue-full", retry="60")
    with history.call("flip") as call:
        raise TimeoutError
    with history.call("flip") as call:
        call.answered(503, slug="store-away", retry="2")
    history.close()
    whole = history.path.read_bytes()
    entries = read(history.path)
    assert [one.outcome for one in entries] == [OK, REFUSED, UNKNOWN, UNKNOWN]
    assert [one.end is None for one in entries] == [False, False, True, False]
    assert entries[1]["records"] == [[DOI, 2]]
    history.path.write_bytes(whole[: whole.index(b"\n") + 20])
    (cut,) = read(history.path)
    assert (cut.outcome, cut.end) == (UNKNOWN, None)
