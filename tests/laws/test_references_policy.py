"""Who may see these references: the shipped policy file against the text it carries out."""

from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events import PreferenceFact, Setting
from shared.policy import (
    ANYBODY,
    VISIBLE,
    Reader,
    Withheld,
    effective_setting,
    history,
    load,
    references_visible,
    setting_at,
    stale,
    withhold,
)

POLICY = load(Path(__file__).resolve().parents[2] / "deploy/policies/references.toml")
BEGIN = datetime(2018, 1, 1, tzinfo=UTC)
OWNER, OTHER = 78, 297

# Interfaces that answer one reader about works (crossref.md section 10); the file may add others.
ANSWERING = ("rest", "content-negotiation", "oai-pmh", "search", "feeds")
# One copy for all its readers, so nobody reads it as an owner.
COPIED = ("snapshots", "topics")

READERS = {
    "anonymous": ANYBODY,
    "plus": Reader(plus=True),
    "owner": Reader(organisation=OWNER),
    "owner with plus": Reader(organisation=OWNER, plus=True),
    "other member": Reader(organisation=OTHER),
    "other member with plus": Reader(organisation=OTHER, plus=True),
    "operator": Reader(operator=True),
}
# Written by hand from the policy text, not computed: who sees a setting at an answering outlet.
EVERYONE = set(READERS)
SEES: dict[Setting, set[str]] = {
    "open": EVERYONE,
    "limited": {"plus", "owner", "owner with plus", "other member with plus"},
    "closed": {"owner", "owner with plus"},
}

settings = st.sampled_from(["closed", "limited", "open"])
choices = st.none() | settings
outlets = st.sampled_from(POLICY.outlets)
readers = st.builds(
    Reader,
    organisation=st.none() | st.sampled_from([OWNER, OTHER]),
    plus=st.booleans(),
    operator=st.booleans(),
)
moments = st.datetimes(
    datetime(2000, 1, 1),  # noqa: DTZ001  (hypothesis wants naive bounds and adds the zone)
    datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
since = st.datetimes(
    datetime(2018, 1, 1),  # noqa: DTZ001
    datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


def sees(setting: Setting | None, reader: Reader, outlet: str, owner: int | None = OWNER) -> bool:
    answer = references_visible(POLICY, setting, outlet=outlet, owner=owner, reader=reader)
    return answer is VISIBLE


def fact(at: datetime, setting: Setting | None, account: Setting | None = None) -> PreferenceFact:
    return PreferenceFact(
        at=at, setting=setting, account_default=account, actor="operator", policy_version="t"
    )


@pytest.mark.clause("CRR-2")
@pytest.mark.clause("CRR-14")
@pytest.mark.clause("CRR-15")
@pytest.mark.law("L3")
@pytest.mark.parametrize(
    ("outlet", "setting", "name"),
    [(o, s, n) for o, s, n in product(ANSWERING, SEES, READERS)],
)
def test_every_answering_interface_decides_as_the_policy_text_says(
    outlet: str, setting: Setting, name: str
) -> None:
    assert sees(setting, READERS[name], outlet) == (name in SEES[setting])


@pytest.mark.clause("CRR-5")
@pytest.mark.parametrize("outlet", COPIED)
def test_a_copy_for_many_readers_holds_nothing_closed_not_even_for_its_owner(outlet: str) -> None:
    assert not any(sees("closed", reader, outlet) for reader in READERS.values())
    assert sees("limited", Reader(plus=True), outlet)
    assert not sees("limited", Reader(organisation=OWNER), outlet)


@pytest.mark.clause("CRR-5")
@given(reader=readers, outlet=outlets)
def test_closed_references_reach_nobody_but_their_owner(reader: Reader, outlet: str) -> None:
    if sees("closed", reader, outlet):
        assert reader.organisation == OWNER


@pytest.mark.clause("CRR-6")
@given(reader=readers, outlet=outlets)
def test_limited_references_reach_only_running_subscribers_and_their_owner(
    reader: Reader, outlet: str
) -> None:
    if sees("limited", reader, outlet):
        assert reader.plus or reader.organisation == OWNER


@pytest.mark.clause("CRR-6")
@given(organisation=st.none() | st.just(OTHER), outlet=outlets, setting=settings)
def test_an_agreement_that_does_not_run_shows_what_no_agreement_shows(
    organisation: int | None, outlet: str, setting: Setting
) -> None:
    lapsed = Reader(organisation=organisation, plus=False)
    assert sees(setting, lapsed, outlet) == sees(setting, ANYBODY, outlet)


@pytest.mark.clause("CRR-7")
@given(reader=readers, outlet=st.sampled_from([*ANSWERING, *COPIED]))
def test_open_references_reach_everyone(reader: Reader, outlet: str) -> None:
    assert sees("open", reader, outlet)


@pytest.mark.law("L3")
@given(setting=choices, owner=st.none() | st.just(OWNER), reader=readers, outlet=outlets)
def test_an_unknown_setting_or_owner_shows_nothing_and_says_so(
    setting: Setting | None, owner: int | None, reader: Reader, outlet: str
) -> None:
    if setting is None or owner is None:
        answer = references_visible(POLICY, setting, outlet=outlet, owner=owner, reader=reader)
        assert answer == Withheld("unknown-owner", setting)


@given(setting=settings, reader=readers, outlet=outlets)
def test_being_an_operator_shows_nothing_more(
    setting: Setting, reader: Reader, outlet: str
) -> None:
    same = Reader(reader.organisation, reader.plus, operator=False)
    assert sees(setting, reader, outlet) == sees(setting, same, outlet)


@given(setting=settings, outlet=outlets, reader=readers)
def test_more_rights_never_show_less(setting: Setting, outlet: str, reader: Reader) -> None:
    more = Reader(OWNER, plus=True, operator=True)
    assert sees(setting, more, outlet) or not sees(setting, reader, outlet)


@given(setting=settings, reader=readers, outlet=outlets)
def test_what_is_withheld_says_why(setting: Setting, reader: Reader, outlet: str) -> None:
    answer = references_visible(POLICY, setting, outlet=outlet, owner=OWNER, reader=reader)
    if isinstance(answer, Withheld):
        reason = "outlet-restricted" if setting == "open" else setting
        assert answer.stated() == {"reason": reason, "reference-visibility": setting}


@pytest.mark.clause("CRR-5")
@pytest.mark.parametrize("setting", ["closed", "limited", "open"])
def test_cited_by_counts_every_setting_for_the_owner_of_the_cited_work(setting: Setting) -> None:
    assert sees(setting, Reader(organisation=OWNER), "cited-by")
    for name in ("anonymous", "plus", "other member", "operator"):
        assert not sees(setting, READERS[name], "cited-by")


@pytest.mark.parametrize("setting", ["closed", "limited", "open"])
def test_deposit_contents_go_to_the_depositor_alone(setting: Setting) -> None:
    assert sees(setting, Reader(organisation=OWNER), "deposit-contents")
    for name in ("anonymous", "plus", "other member with plus", "operator"):
        assert not sees(setting, READERS[name], "deposit-contents")


@pytest.mark.clause("CRR-8")
@given(at=since)
def test_unset_is_limited_from_2018_on(at: datetime) -> None:
    found = effective_setting(POLICY, None, None, at)
    assert (found.setting, found.source) == ("limited", "policy-default")


@pytest.mark.clause("CRR-8")
@given(at=moments.filter(lambda at: at < BEGIN), own=choices, account=choices)
def test_dates_before_the_policy_resolve_to_open(
    at: datetime, own: Setting | None, account: Setting | None
) -> None:
    found = effective_setting(POLICY, own, account, at)
    assert (found.setting, found.rule) == ("open", "before-the-policy")


@pytest.mark.clause("CRR-8")
def test_the_default_changes_with_the_first_moment_of_2018_in_utc() -> None:
    last = BEGIN - timedelta(microseconds=1)
    assert effective_setting(POLICY, None, None, last).setting == "open"
    assert effective_setting(POLICY, None, None, BEGIN).setting == "limited"
    # The same moment, written in another zone, is the same moment.
    east = datetime.fromisoformat("2018-01-01T00:30:00+01:00")
    assert effective_setting(POLICY, None, None, east).setting == "open"


@pytest.mark.clause("CRR-8")
@given(at=since)
def test_what_was_chosen_open_before_the_policy_stays_open(at: datetime) -> None:
    facts = (fact(datetime(2012, 5, 1, tzinfo=UTC), "open"),)
    found = setting_at(POLICY, facts, at)
    assert (found.setting, found.source) == ("open", "own")


@pytest.mark.clause("CRR-4")
@given(at=since, own=choices, account=choices)
def test_the_owners_choice_comes_before_the_accounts_and_that_before_the_default(
    at: datetime, own: Setting | None, account: Setting | None
) -> None:
    found = effective_setting(POLICY, own, account, at)
    assert found.setting == (own or account or "limited")
    assert found.source == ("own" if own else "account" if account else "policy-default")


@pytest.mark.clause("CRR-4")
@given(dated=st.lists(st.tuples(moments, choices, choices), max_size=6), at=moments)
def test_a_moment_is_judged_by_what_was_chosen_up_to_it_and_nothing_later(
    dated: list[tuple[datetime, Setting | None, Setting | None]], at: datetime
) -> None:
    facts = tuple(fact(when, own, account) for when, own, account in sorted(dated, key=_when))
    upto = [known for known in facts if known.at <= at]
    own = upto[-1].setting if upto else None
    account = upto[-1].account_default if upto else None
    assert setting_at(POLICY, facts, at) == effective_setting(POLICY, own, account, at)
    assert setting_at(POLICY, tuple(upto), at) == setting_at(POLICY, facts, at)


def _when(dated: tuple[datetime, Setting | None, Setting | None]) -> datetime:
    return dated[0]


def test_of_facts_that_a_jumping_clock_misdated_the_last_recorded_counts() -> None:
    at = datetime(2020, 1, 1, tzinfo=UTC)
    facts = (fact(at, "open"), fact(at - timedelta(seconds=5), "closed"))
    assert setting_at(POLICY, facts, at).setting == "closed"


@pytest.mark.clause("CRR-9")
def test_history_tells_old_and_new_setting_actor_and_policy_version() -> None:
    first = fact(datetime(2019, 1, 1, tzinfo=UTC), "closed")
    second = fact(datetime(2020, 1, 1, tzinfo=UTC), None, "open")
    told = [
        (change.before.setting, change.after.setting, change.actor, change.policy_version)
        for change in history(POLICY, (first, second))
    ]
    assert told == [("limited", "closed", "operator", "t"), ("closed", "open", "operator", "t")]


works = st.fixed_dictionaries(
    {"DOI": st.just("10.5555/a"), "references-count": st.integers(0, 9)},
    optional={
        "reference": st.lists(st.fixed_dictionaries({"key": st.text(max_size=3)}), max_size=3),
        "relation": st.dictionaries(
            st.sampled_from(["cites", "is-preprint-of", "is-cited-by"]), st.just([]), max_size=3
        ),
        "is-referenced-by-count": st.integers(0, 9),
    },
)


@pytest.mark.law("L3")
@pytest.mark.law("L4")
@pytest.mark.clause("CRR-10")
@given(work=works, reason=st.sampled_from([stale(), Withheld("closed", "closed")]))
def test_withholding_takes_out_the_references_and_nothing_else(
    work: dict[str, object], reason: Withheld
) -> None:
    before = repr(work)
    shown = withhold(POLICY, work, reason)
    assert repr(work) == before
    assert "reference" not in shown
    relation = work.get("relation")
    if isinstance(relation, dict):
        assert shown["relation"] == {kind: [] for kind in relation if kind != "cites"}
    assert ("references-withheld" in shown) == ("reference" in work)
    kept = work.keys() - {"reference", "relation"}
    assert {name: shown[name] for name in kept} == {name: work[name] for name in kept}


@pytest.mark.clause("CRR-3")
def test_no_rule_is_about_one_work_one_journal_or_one_service_of_a_member() -> None:
    known = {"own", "account"}
    assert {row.choice for row in POLICY.file.choice} == known
