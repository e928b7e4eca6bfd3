"""A policy file is obeyed as it stands or refused with a sentence; and it makes a page."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.policy import (
    ANYBODY,
    VISIBLE,
    PolicyError,
    Reader,
    as_markdown,
    effective_setting,
    load,
    parse,
    references_visible,
)

FILE = Path(__file__).resolve().parents[3] / "deploy/policies/references.toml"
TEXT = FILE.read_text()


def changed(old: str, new: str) -> bytes:
    assert old in TEXT
    return TEXT.replace(old, new, 1).encode()


def test_the_shipped_file_is_read_and_known_by_version_and_hash() -> None:
    policy = load(FILE)
    assert policy.version
    assert len(policy.sha) == 64
    assert policy.sha != parse(TEXT.encode() + b"# a remark\n").sha


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('setting = "limited"', 'setting = "limted"', "default.1.setting"),
        ('public = ["open"]', 'public = ["opne"]', "outlet.0.public"),
        ("[withheld]\n", '[withheld]\nper-work = "no"\n', "per-work"),
        ('version = "', 'colour = "red"\nversion = "', "colour"),
        ('id = "oai-pmh"', 'id = "rest"', "stands twice: rest"),
        ('clause = "CRR-15"\n', "", "clause"),
        ("since = 0001-01-01", "since = 2001-01-01", "the beginning"),
        ('reader = "operator"\n', 'reader = "anyone"\n', "stands twice: anyone"),
        ('public = ["open"]', 'public = ["open", "open"]', "stands twice"),
        ('public = ["open"]', 'public = ["closed"]', "hides from plus"),
        ("published = 2018-01-01", "published = 2017-12-31", "begins after"),
        ("published = 2018-01-01", "published = ", "not TOML"),
    ],
)
def test_a_file_that_cannot_be_obeyed_is_refused_at_its_place(
    old: str, new: str, named: str
) -> None:
    with pytest.raises(PolicyError) as refused:
        parse(changed(old, new))
    assert named in str(refused.value)
    assert "references.toml" in str(refused.value)


def test_a_missing_file_is_refused_with_the_setting_that_names_its_folder(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="POLICIES_DIR"):
        load(tmp_path / "references.toml")


@pytest.mark.clause("CRR-2")
def test_the_file_decides_and_not_the_code() -> None:
    eased = parse(
        changed('public = ["open"]', 'public = ["open", "limited", "closed"]').replace(
            b'plus = ["open", "limited"]', b'plus = ["open", "limited", "closed"]', 1
        )
    )
    seen = references_visible(eased, "closed", outlet="rest", owner=1, reader=ANYBODY)
    assert seen is VISIBLE
    reader = b'reader = "operator"\naudience = "public"'
    ruled = parse(TEXT.encode().replace(reader, reader.replace(b"public", b"owner")))
    operator = Reader(operator=True)
    seen = references_visible(ruled, "closed", outlet="rest", owner=1, reader=operator)
    assert seen is VISIBLE
    later = parse(changed('since = 2018-01-01\nsays = "Unset', 'since = 2030-01-01\nsays = "Unset'))
    at = datetime(2020, 1, 1, tzinfo=UTC)
    assert effective_setting(later, None, None, at).setting == "open"


def test_an_outlet_without_a_row_is_refused_at_start_and_when_asked() -> None:
    policy = load(FILE)
    policy.require("rest", "cited-by")
    with pytest.raises(PolicyError, match="telepathy"):
        policy.require("rest", "telepathy")
    with pytest.raises(PolicyError, match="telepathy"):
        references_visible(policy, "open", outlet="telepathy", owner=1, reader=ANYBODY)


def test_the_page_shows_every_rule_with_its_clause() -> None:
    policy = load(FILE)
    page = as_markdown(policy)
    for row in policy.file.rows():
        line = next(line for line in page.splitlines() if f"| {row.id} |" in line)
        assert row.clause in line
        assert row.says in line
    assert "| rest | open | open, limited | open, limited, closed |" in page
