"""Notices: versions that are added, when each took effect, what is refused."""

from datetime import UTC, date, datetime
from typing import get_args

import pytest
from lxml import etree

from services.consent.api import feeds, problems
from services.consent.errors import Slug
from services.consent.model import notices
from services.consent.model.texts import NoticeText, read_text
from shared.events.decisions import Unchanged
from shared.policy.consent import in_force
from shared.runtime.clock import rfc3339
from tests.unit.consent.given import AT, POLICIES, a_notice, a_text, accepted, at, refused


@pytest.mark.clause("CRP-13a")
def test_a_change_is_in_force_when_it_is_posted_and_older_versions_stay() -> None:
    first = a_notice(a_text("1"))
    second = accepted(notices.post(first, a_text("2", body="More."), now=at(5)))
    assert [one.label for one in second.versions] == ["1", "2"]
    assert second.versions[1].effective_at == second.versions[1].published_at == at(5)
    assert [in_force(second, at(minute)) for minute in (-1, 4, 5)] == [None, *second.versions]
    assert set(second.texts) == {one.sha for one in second.versions}


def test_a_change_may_name_a_later_day_and_never_one_before_it_was_posted() -> None:
    first = a_notice(a_text("1"))
    later = accepted(notices.post(first, a_text("2", effective=date(2026, 3, 1)), now=at(5)))
    assert in_force(later, datetime(2026, 2, 28, tzinfo=UTC)).label == "1"
    assert in_force(later, datetime(2026, 3, 1, tzinfo=UTC)).label == "2"
    earlier = accepted(notices.post(first, a_text("2", effective=date(2020, 1, 1)), now=at(5)))
    assert earlier.versions[1].effective_at == at(5)


def test_the_first_version_may_have_been_in_force_before_it_came_here() -> None:
    first = a_notice(a_text("1", effective=date(2017, 1, 1)))
    assert in_force(first, datetime(2018, 1, 1, tzinfo=UTC)).label == "1"


@pytest.mark.clause("DOAJ-X1")
def test_a_text_that_changed_under_its_old_label_is_refused() -> None:
    first = a_notice(a_text("1"))
    assert refused(notices.post(first, a_text("1", body="Other."), now=AT)) == "label-reused"
    # So is a change of what it says of itself: the whole file is hashed.
    assert refused(notices.post(first, a_text("1", change="editorial"), now=AT)) == "label-reused"


def test_the_same_text_again_is_no_change() -> None:
    first = a_notice(a_text("1"))
    assert notices.post(first, a_text("1"), now=at(5)) == Unchanged(first)


@pytest.mark.parametrize(
    "raw", [b"", b"text", b"+++\nno = toml =\n+++\n", b"+++\nnotice = 1\n+++\n", b"\xff"]
)
def test_what_is_no_notice_is_refused_with_its_place(raw: bytes) -> None:
    answer = read_text(raw, "n/1.md")
    assert refused(answer) == "notice-unreadable"
    assert answer.reason.places == ("/n/1.md",)  # type: ignore[union-attr]


@pytest.mark.clause("DOAJ-0a")
@pytest.mark.clause("DOAJ-0d")
def test_the_notices_that_are_shipped_name_controller_officer_and_address() -> None:
    texts = [
        read_text(path.read_bytes(), path.name)
        for path in sorted((POLICIES / "notices").glob("*/*.md"))
    ]
    assert len(texts) == 3
    for text in texts:
        assert isinstance(text, NoticeText)
        head = text.head
        assert head.controller.name
        assert head.controller.scope
        assert head.reviewed
        assert head.officer.role
        assert "@" in head.officer.email
        assert head.officer.post
        assert "@" in head.feedback


@pytest.mark.clause("CRP-11b")
def test_the_notice_to_members_says_that_nothing_is_wholly_secure() -> None:
    text = (POLICIES / "notices" / "site-and-members" / "2017-01.md").read_text()
    assert "no storage is wholly secure" in " ".join(text.split())


@pytest.mark.clause("CRP-13b")
def test_both_feeds_list_every_version_newest_first_and_name_nobody() -> None:
    first = a_notice(a_text("1"))
    notice = accepted(notices.post(first, a_text("2", change="editorial"), now=at(5)))
    said = feeds.json_feed([notice], "https://example.org")
    assert [item["title"] for item in said["items"]] == ["N: 2", "N: 1"]
    assert [item["tags"] for item in said["items"]] == [["editorial"], ["material"]]
    atom = feeds.atom_feed([notice], "https://example.org")
    page = etree.fromstring(atom)
    names = {"a": feeds.ATOM}
    assert page.xpath("//a:entry/a:title/text()", namespaces=names) == ["N: 2", "N: 1"]
    assert page.xpath("string(/a:feed/a:updated)", namespaces=names) == rfc3339(at(5))
    for text in (str(said), atom.decode()):
        assert "o@example.org" not in text
        assert notice.versions[1].sha in text


def test_every_refusal_has_a_status_and_a_title() -> None:
    assert set(problems.KINDS) == set(get_args(Slug))
