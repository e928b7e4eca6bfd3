"""Titles and conflicts: who may deposit under a title, what joins it, and what is the same work."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.deposits.crossref.submission import Record, TitleClaim
from services.deposits.model import (
    Entered,
    KnownTitles,
    Permission,
    Refused,
    Registration,
    Standing,
    conflict_id,
    fingerprint,
    isbn_13,
    judge,
    keys_of,
    move_title,
    move_work,
    named,
    subject_of,
    warned,
)
from shared.events import (
    OwnershipState,
    TitleChanged,
    TitleRegistered,
    TitleState,
    TitleTransferred,
    WorkOwnerAssigned,
    WorkState,
)
from shared.mongo import Accepted, Unchanged

NOW = datetime(2026, 2, 3, tzinfo=UTC)
CLAIM = TitleClaim("journal", "Annals of Tests", ("2377-1666",), (), "10.5555/ANNALS")
OURS = TitleState(
    subject="journal:2377-1666",
    name="Annals of Tests",
    issns=("2377-1666",),
    doi="10.5555/annals",
    owner_prefix="10.5555",
    version=1,
)
THEIRS = OURS.model_copy(update={"owner_prefix": "10.3765"})
BOOK = TitleState(
    subject="book:9780306406157",
    name="A Book",
    isbns=("9780306406157",),
    doi="10.3765/book",
    owner_prefix="10.3765",
    version=1,
)


def known(*titles: TitleState) -> KnownTitles:
    led = {f"issn:{one}": title.subject for title in titles for one in title.issns}
    led |= {f"isbn:{one}": title.subject for title in titles for one in title.isbns}
    return KnownTitles(led, {title.subject: title for title in titles})


def deposited(
    claim: TitleClaim | None, titles: KnownTitles, *, prefixes: tuple[str, ...] = ("10.5555",)
) -> Registration | Refused:
    record = Record(0, "10.5555/a", "1", "journal_article", {}, 7, title=claim)
    permission = Permission(78, "10.5555", prefixes)
    decided = judge(record, permission, Standing(titles=titles), name="1#0", now=NOW)
    assert isinstance(decided, Registration | Refused)
    return decided


def entered(claim: TitleClaim, titles: KnownTitles, **more: tuple[str, ...]) -> Entered:
    decided = deposited(claim, titles, **more)
    assert isinstance(decided, Registration)
    assert decided.entered is not None
    assert decided.state.title == decided.entered.title.subject
    return decided.entered


def rules(found: Entered) -> list[str]:
    return [one["rule"] for one in found.advice]


def test_the_first_deposit_registers_the_title_for_its_prefix() -> None:
    found = entered(CLAIM, KnownTitles())
    assert isinstance(found.event, TitleRegistered)
    assert found.title == OURS
    assert found.reserve == ("issn:2377-1666",)


def test_a_later_deposit_of_the_same_title_changes_nothing() -> None:
    found = entered(CLAIM, known(OURS))
    assert found == Entered(OURS)


def test_an_issn_of_another_organisation_is_refused_in_the_exact_words() -> None:
    decided = deposited(CLAIM, known(THEIRS))
    assert isinstance(decided, Refused)
    assert decided.verdict.rule == "issn-owned"
    assert decided.verdict.msg == (
        'ISSN "23771666" has already been assigned, title/issn: Annals of Tests/23771666 is owned '
        "by publisher: 10.3765"
    )
    assert decided.final


@pytest.mark.parametrize("isbn", ["9780306406157", "0306406152"])
def test_an_isbn_of_another_organisation_is_refused_in_both_its_forms(isbn: str) -> None:
    decided = deposited(TitleClaim("book", "Mine", (), (isbn,)), known(BOOK))
    assert isinstance(decided, Refused)
    assert decided.verdict.rule == "isbn-owned"
    assert decided.verdict.msg == (
        'ISBN "9780306406157" has already been assigned, ISBN assigned to other title DOI: '
        "10.3765/book"
    )


def test_organisations_are_compared_and_not_prefixes() -> None:
    found = entered(CLAIM, known(THEIRS), prefixes=("10.5555", "10.3765"))
    assert found.title.owner_prefix == "10.3765"


def test_another_name_or_doi_is_taken_and_told() -> None:
    other = replace(CLAIM, name="Annals  of TESTS", doi="10.5555/other")
    assert rules(entered(other, known(OURS))) == ["title-doi-differs"]
    renamed = replace(CLAIM, name="New Annals")
    assert rules(entered(renamed, known(OURS))) == ["title-differs"]
    decided = deposited(renamed, known(OURS))
    assert isinstance(decided, Registration)
    advice = decided.verdict.details["advice"][0]
    assert (advice["rule"], advice["line"]) == ("title-differs", 7)
    assert "Annals of Tests" in advice["msg"]
    known_by = named(OURS, "New  annals")
    assert isinstance(known_by, Accepted)
    assert rules(entered(renamed, known(known_by.state))) == []


def test_a_further_issn_joins_the_title_and_a_foreign_one_of_two_refuses() -> None:
    both = replace(CLAIM, issns=("2377-1666", "2049-3630"))
    found = entered(both, known(OURS))
    assert isinstance(found.event, TitleChanged)
    assert (found.title.issns, found.title.version) == (("2377-1666", "2049-3630"), 2)
    assert found.reserve == ("issn:2049-3630",)
    other = THEIRS.model_copy(update={"subject": "journal:2049-3630", "issns": ("2049-3630",)})
    decided = deposited(both, known(OURS, other))
    assert isinstance(decided, Refused)
    assert 'ISSN "20493630"' in decided.verdict.msg


def test_an_issn_of_another_title_of_ours_stays_there() -> None:
    other = OURS.model_copy(update={"subject": "journal:2049-3630", "issns": ("2049-3630",)})
    both = replace(CLAIM, issns=("2377-1666", "2049-3630"))
    found = entered(both, known(OURS, other))
    assert (found.title, found.event) == (OURS, None)


def test_an_identifier_that_was_reserved_for_nothing_does_not_block() -> None:
    led = KnownTitles({"issn:2377-1666": "journal:0000-0000"})
    found = entered(CLAIM, led)
    assert found.title.subject == "journal:0000-0000"
    assert found.title.issns == ("2377-1666",)


def test_identifiers_reserved_for_two_titles_that_never_came_are_not_joined() -> None:
    led = KnownTitles({"issn:2377-1666": "journal:x", "issn:2049-3630": "journal:y"})
    found = entered(replace(CLAIM, issns=("2377-1666", "2049-3630")), led)
    assert (found.title.subject, found.title.issns) == ("journal:x", ("2377-1666",))


def test_a_book_is_known_by_its_isbns_and_only_without_them_by_the_issn_of_its_series() -> None:
    assert keys_of(TitleClaim("book", "B", ("2377-1666",), ("9780306406157",))) == (
        "isbn:9780306406157",
    )
    assert keys_of(TitleClaim("conference", "C", ("2377-1666",))) == ("issn:2377-1666",)


def test_a_title_without_identifiers_is_one_of_its_organisation() -> None:
    nameless = TitleClaim("journal", "Some Title")
    subject = subject_of(nameless, organisation=78)
    assert subject == subject_of(replace(nameless, name=" some  TITLE "), organisation=78)
    assert subject != subject_of(nameless, organisation=99)
    assert entered(nameless, KnownTitles()).title.subject == subject


def test_a_title_without_identifiers_that_was_given_away_is_refused() -> None:
    nameless = TitleClaim("journal", "Some Title")
    subject = subject_of(nameless, organisation=78)
    gone = TitleState(subject=subject, name="Some Title", owner_prefix="10.3765", version=2)
    decided = deposited(nameless, KnownTitles({}, {subject: gone}))
    assert isinstance(decided, Refused)
    assert decided.verdict.rule == "title-not-yours"


@pytest.mark.parametrize("isbn", ["0-306-40615-2", "0306406152", "978-0-306-40615-7"])
def test_both_forms_of_an_isbn_are_one(isbn: str) -> None:
    assert isbn_13(isbn) == "9780306406157"


# -- transfers -------------------------------------------------------------------------------------


def work(**more: object) -> WorkState:
    said = {
        "doi": "10.5555/a",
        "prefix": "10.5555",
        "timestamp": "1",
        "created": NOW,
        "deposited": NOW,
        "submission": "1#0",
        "work": {},
        "version": 1,
    }
    return WorkState.model_validate(said | more)


def test_a_transfer_changes_the_owner_once_and_is_unchanged_when_it_is_repeated() -> None:
    done = move_work(work(), owner=None, title=None, to="10.6666")
    assert isinstance(done, Accepted)
    assert isinstance(done.events[0], WorkOwnerAssigned)
    assert (done.state.owner_prefix, done.state.version) == ("10.6666", 1)
    assert isinstance(move_work(work(), owner=done.state, title=None, to="10.6666"), Unchanged)
    back = move_work(work(), owner=done.state, title=None, to="10.5555")
    assert isinstance(back, Accepted)
    assert back.state == OwnershipState(subject="10.5555/a", owner_prefix="10.5555", version=2)


def test_a_title_s_transfer_leaves_all_else_of_it() -> None:
    done = move_title(OURS, to="10.6666")
    assert isinstance(done, Accepted)
    assert isinstance(done.events[0], TitleTransferred)
    assert done.state == OURS.model_copy(update={"owner_prefix": "10.6666", "version": 2})
    assert isinstance(move_title(done.state, to="10.6666"), Unchanged)


# -- conflicts -------------------------------------------------------------------------------------

ARTICLE = {
    "type": "journal-article",
    "title": ["On Tests"],
    "author": [{"given": "A.", "family": "One"}],
    "container-title": ["Annals of Tests"],
    "volume": "3",
    "page": "10-20",
    "issued": {"date-parts": [[2026, 1, 2]]},
}


@pytest.mark.parametrize(
    "change",
    [
        {"title": ["On other tests"]},
        {"author": [{"family": "Two"}]},
        {"container-title": ["Letters"]},
        {"volume": "4"},
        {"issue": "1"},
        {"page": "11-20"},
        {"issued": {"date-parts": [[2025]]}},
        {"type": "book-chapter"},
    ],
)
def test_what_differs_in_any_of_these_is_another_work(change: dict[str, object]) -> None:
    assert fingerprint(ARTICLE | change) != fingerprint(ARTICLE)


def test_spelling_of_the_title_and_other_metadata_do_not_tell_works_apart() -> None:
    said = {
        "title": ["ON  tests"],
        "author": [{"given": "Anna", "family": "ONE"}, {"family": "Two"}],
        "page": "10",
        "issued": {"date-parts": [[2026]]},
        "reference": [{"key": "a"}],
        "DOI": "10.5555/b",
    }
    assert fingerprint(ARTICLE | said) == fingerprint(ARTICLE)


@pytest.mark.parametrize(
    "work",
    [
        {},
        {"type": "journal-article", "author": [{"family": "One"}], "page": "1"},
        {"type": "journal-article", "title": ["Editorial"], "container-title": ["Annals"]},
        *({**ARTICLE, "type": kind} for kind in ("journal", "journal-issue", "component")),
    ],
)
def test_too_little_and_what_only_contains_others_is_not_compared(work: dict[str, object]) -> None:
    assert fingerprint(work) is None


def test_a_warning_names_the_conflict_and_the_others() -> None:
    decided = deposited(None, KnownTitles())
    assert isinstance(decided, Registration)
    shared = fingerprint(ARTICLE)
    assert shared is not None
    told = warned(decided, shared, ["10.5555/b"]).verdict
    assert (told.status, told.msg) == ("Warning", "Added with conflict")
    assert told.details["conflict_id"] == conflict_id(shared)
    assert told.details["dois_in_conflict"] == ["10.5555/b"]
