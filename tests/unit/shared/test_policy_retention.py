"""The retention schedule: its periods are those of the notices; a file that errs is refused."""

from pathlib import Path
from typing import get_args

import pytest

from deploy import clauses
from shared.events.volunteers import VolunteerWhat
from shared.policy import PolicyError
from shared.policy.periods import Period, read_period
from shared.policy.personal import load_personal
from shared.policy.retention import Schedule, load_retention, parse_retention
from shared.policy.roles import load_roles

POLICIES = Path(__file__).resolve().parents[3] / "deploy" / "policies"
FILE = POLICIES / "retention.toml"
TEXT = FILE.read_text()
SCHEDULE = load_retention(FILE)
OFFICE = "privacy-officer"  # named by notices, not a role of accounts

# As the three texts have them (requirements 6.8), and what is done then.
PERIODS = {
    "rejected-application": ("DOAJ-6a2", "P7Y", "delete", None),
    "application-of-removed-journal": ("DOAJ-6a3", "P7Y", "delete", None),
    "removed-journal": ("DOAJ-6a3", "P7Y", "delete", None),
    "stale-account": ("DOAJ-6b2", "P7Y", "report", "P1Y"),
    "archived-volunteer-application": ("DOAJ-6c3", "P2M", "delete", None),
    "answer-by-the-notice": ("DOAJ-9a9", "P40D", "review", None),
    # Stricter than the text, as was decided.
    "answer-by-the-law": ("DOAJ-9a9", "P30D", "review", None),
    # No period of the texts: what requests.toml promises when an erasure keeps the request itself.
    "answered-request": ("DOAJ-9a1", "P3Y", "review", None),
}
# As long as: no period, and what may not happen meanwhile.
KEEPS = {
    "indexed-application": ("DOAJ-6a1", ["delete"]),
    "indexed-journal": ("DOAJ-6a1", ["delete"]),
    "active-volunteer": ("DOAJ-1b5", ["delete"]),
    "account-with-records": ("DOAJ-6b2", ["delete", "report"]),
}


def changed(old: str, new: str) -> bytes:
    assert old in TEXT
    return TEXT.replace(old, new, 1).encode()


def after(rule: str, old: str, new: str) -> bytes:
    """Return the file with a change inside one row."""
    before, row = TEXT.split(f'id = "{rule}"', 1)
    assert old in row
    return f'{before}id = "{rule}"{row.replace(old, new, 1)}'.encode()


def test_the_shipped_file_is_read_and_known_by_version_and_hash() -> None:
    assert SCHEDULE.version
    assert len(SCHEDULE.sha) == 64
    assert SCHEDULE.sha != parse_retention(TEXT.encode() + b"# a remark\n").sha


@pytest.mark.clause("DOAJ-6a2")
@pytest.mark.clause("DOAJ-6a3")
@pytest.mark.clause("DOAJ-6b2")
@pytest.mark.clause("DOAJ-6c3")
@pytest.mark.clause("DOAJ-9a9")
def test_every_period_is_that_of_the_texts_and_there_is_no_other() -> None:
    said = {
        row.id: (row.clause, str(row.period), row.action, str(row.every) if row.every else None)
        for row in SCHEDULE.file.rules
    }
    assert said == PERIODS


@pytest.mark.clause("DOAJ-6a1")
@pytest.mark.clause("DOAJ-1b5")
def test_what_stays_as_long_as_something_lasts_is_that_of_the_texts() -> None:
    assert {row.id: (row.clause, row.stops) for row in SCHEDULE.file.keeps} == KEEPS


def test_every_row_carries_out_a_clause_that_is_known_and_says_so_in_words() -> None:
    known, _laws = clauses.read()
    rows = SCHEDULE.file.rows()
    assert {row.clause for row in rows} <= set(known)
    assert all(row.says.endswith(".") for row in rows)


def test_the_other_files_know_what_the_schedule_names() -> None:
    SCHEDULE.require(
        classes=[row.id for row in load_personal(POLICIES / "personal.toml").file.classes]
    )
    roles = {row.id for row in load_roles(POLICIES / "roles.toml").file.roles}
    deciding = {row.review for row in SCHEDULE.file.rules if row.review}
    assert deciding <= roles | {OFFICE}
    with pytest.raises(PolicyError, match=r"'archived-volunteer-application'.*personal\.toml"):
        SCHEDULE.require(classes=["account"])


@pytest.mark.clause("DOAJ-6c3")
def test_the_facts_of_a_volunteers_application_are_those_that_accounts_tells() -> None:
    kinds = {row.id: row for row in SCHEDULE.file.kinds}
    assert set(kinds["volunteer-application"].facts) == set(get_args(VolunteerWhat))


def test_an_unknown_kind_or_rule_is_refused_when_asked() -> None:
    for ask in (SCHEDULE.rules_of, SCHEDULE.keeps_of, SCHEDULE.rule):
        with pytest.raises(PolicyError, match=r"telepathy.*add one"):
            ask("telepathy")
    assert SCHEDULE.rule("removed-journal").of == "journal"
    assert [row.id for row in SCHEDULE.rules_of("journal")] == ["removed-journal"]


def test_a_kind_without_rules_has_none() -> None:
    kind = (
        '\n[[kind]]\nid = "x"\nclause = "DOAJ-6a1"\nsince = 2023-11-01\nsays = "X."\n'
        'facts = ["y"]\n'
    )
    more: Schedule = parse_retention(TEXT.encode() + kind.encode())
    assert (more.rules_of("x"), more.keeps_of("x")) == ((), ())


WRONG = {
    "an unknown key": (changed('version = "', 'colour = "red"\nversion = "'), ["colour"]),
    "an unknown key of a rule": (
        after("removed-journal", 'falls = "', 'hours = 3\nfalls = "'),
        ["rule.2.hours"],
    ),
    "no clause": (after("removed-journal", 'clause = "DOAJ-6a3"\n', ""), ["rule.2.clause"]),
    "no words": (after("days-off", "says = ", "said = "), ["days.says"]),
    "a pause without an end": (
        after("answer-by-the-law", 'resumes = ["resumed"]\n', ""),
        ["answer-by-the-law", "stands still"],
    ),
    "an extension by nothing": (
        after("answer-by-the-law", 'extension = "P2M"\n', ""),
        ["answer-by-the-law", "extended by a fact and by a period"],
    ),
    "no period": (
        after("removed-journal", 'period = "P7Y"', 'period = ""'),
        ["rule.2.period", "P7Y"],
    ),
    "a period of nothing": (
        after("removed-journal", 'period = "P7Y"', 'period = "P0D"'),
        ["rule.2.period", "above nothing"],
    ),
    "a period in words": (
        after("removed-journal", 'period = "P7Y"', 'period = "seven years"'),
        ["rule.2.period", "ISO 8601"],
    ),
    "a period in days as a number": (
        after("removed-journal", 'period = "P7Y"', "period = 2555"),
        ["rule.2.period", "ISO 8601"],
    ),
    "an unknown action": (
        after("removed-journal", 'action = "delete"', 'action = "forget"'),
        ["rule.2.action", "delete"],
    ),
    "an unknown kind": (
        after("removed-journal", 'of = "journal"', 'of = "jornal"'),
        ["removed-journal", "jornal", "[[kind]]"],
    ),
    "an unknown fact": (
        after("removed-journal", 'any = ["withdrawn"]', 'any = ["withdrown"]'),
        ["removed-journal", "withdrown", "`facts`"],
    ),
    "an unknown fact of a keep": (
        after("indexed-journal", 'until = ["withdrawn"]', 'until = ["removed"]'),
        ["indexed-journal", "removed", "`facts`"],
    ),
    "a keep that ends as it begins": (
        after("indexed-journal", 'until = ["withdrawn"]', 'until = ["indexed"]'),
        ["indexed-journal", "begins and ends", "indexed"],
    ),
    "neither any nor all": (
        after("removed-journal", 'any = ["withdrawn"]\n', ""),
        ["removed-journal", "`any` or `all`"],
    ),
    "any and all": (
        after("removed-journal", 'any = ["withdrawn"]', 'any = ["withdrawn"]\nall = ["indexed"]'),
        ["removed-journal", "`any` or `all`"],
    ),
    "cancelled by what starts it": (
        after("removed-journal", 'cancel = ["reinstated"]', 'cancel = ["withdrawn"]'),
        ["removed-journal", "cancelled by what starts it"],
    ),
    "hours to the end of a day": (
        after("removed-journal", 'period = "P7Y"', 'period = "PT7H"'),
        ["removed-journal", "same-time"],
    ),
    "a report without a rhythm": (
        after("stale-account", 'every = "P1Y"\n', ""),
        ["stale-account", "`every`"],
    ),
    "a report that nobody reads": (
        after("stale-account", 'review = "team"\n', ""),
        ["stale-account", "`review`"],
    ),
    "a deletion that somebody reviews": (
        after("removed-journal", 'action = "delete"', 'action = "delete"\nreview = "team"'),
        ["removed-journal", "`review`"],
    ),
    "classes of what is not deleted": (
        after("stale-account", 'every = "P1Y"', 'every = "P1Y"\nclasses = ["account"]'),
        ["stale-account", "`classes`"],
    ),
    "a deletion moved to before": (
        after("removed-journal", 'falls = "', 'moved = "working-day-before"\nfalls = "'),
        ["removed-journal", "before its period is over"],
    ),
    "a rule that stands twice": (
        after("removed-journal", 'id = "stale-account"', 'id = "removed-journal"'),
        ["stands twice: removed-journal"],
    ),
    "a kind that stands twice": (changed('id = "journal"', 'id = "application"'), ["stands twice"]),
    "a week of days off": (
        changed(
            'weekend = ["saturday", "sunday"]',
            'weekend = ["monday","tuesday","wednesday","thursday","friday","saturday","sunday"]',
        ),
        ["days.weekend"],
    ),
    "a day off twice": (
        changed("holidays = []", "holidays = [2026-12-25, 2026-12-25]"),
        ["holiday stands twice: 2026-12-25"],
    ),
    "no such time zone": (
        changed('zone = "UTC"', 'zone = "Mars/Base"'),
        ["Mars/Base", "Europe/London"],
    ),
    "no file of a time zone": (changed('zone = "UTC"', 'zone = "../UTC"'), ["../UTC"]),
    "no TOML": (changed("published = ", "published = ="), ["not TOML"]),
}


@pytest.mark.parametrize(("text", "named"), WRONG.values(), ids=list(WRONG))
def test_a_file_that_cannot_be_obeyed_is_refused_at_its_place(
    text: bytes, named: list[str]
) -> None:
    with pytest.raises(PolicyError) as refused:
        parse_retention(text)
    for words in ("retention.toml", *named):
        assert words in str(refused.value)


def test_a_missing_file_is_refused_with_the_setting_that_names_its_folder(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="POLICIES_DIR"):
        load_retention(tmp_path / "retention.toml")


def test_the_file_decides_and_not_the_code() -> None:
    eased = parse_retention(after("removed-journal", 'period = "P7Y"', 'period = "P10Y"'))
    assert eased.rule("removed-journal").period == Period(years=10)
    london = parse_retention(changed('zone = "UTC"', 'zone = "Europe/London"'))
    assert str(london.zone) == "Europe/London"


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("P7Y", Period(years=7)),
        ("P2M", Period(months=2)),
        ("P3W", Period(weeks=3)),
        ("P40D", Period(days=40)),
        ("PT30S", Period(seconds=30)),
        ("P1Y2M3W4DT5H6M7S", Period(1, 2, 3, 4, 5, 6, 7)),
        ("PT2M", Period(minutes=2)),
    ],
)
def test_a_period_is_read_and_written_as_iso_8601(said: str, read: Period) -> None:
    assert read_period(said) == read
    assert str(read) == said
    assert read.timed == ("T" in said)


@pytest.mark.parametrize(
    "said",
    ["", "P", "PT", "7Y", "P7", "P-7Y", "P1.5Y", "P7YT", "P2D1M", "p7y", "P0Y", " P7Y", "P\u0667Y"],
)
def test_what_is_no_period_of_whole_numbers_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match="ISO 8601"):
        read_period(said)


def test_a_period_many_times_over_is_as_many_of_each_part() -> None:
    assert Period(1, 2, 3, 4, 5, 6, 7).times(2) == Period(2, 4, 6, 8, 10, 12, 14)
    assert str(Period()) == "P0D"
