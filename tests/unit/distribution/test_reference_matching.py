"""What a reference means is decided by what agrees and what contradicts; in doubt by nothing."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.distribution.matching import references
from services.distribution.matching.cards import Card
from services.distribution.matching.kept import Found, Kept, read
from services.distribution.matching.scoring import choose
from services.distribution.matching.shown import has_open, with_matches
from services.distribution.matching.words import doi_in, numbers_in, shortens, words, years_in
from tests.events import AT

WORK: dict[str, Any] = {
    "type": "journal-article",
    "title": ["The slow measurement of very small quiet rooms"],
    "container-title": ["Annals of Measured Things"],
    "ISSN": ["1234-5679"],
    "volume": "12",
    "page": "345-367",
    "author": [{"given": "Berta", "family": "van der Brown"}],
    "issued": {"date-parts": [[2011, 3]]},
}
ROOMS = Card.of("10.5001/rooms", WORK)
FIELDS = {
    "author": "B. van der Brown",
    "journal-title": "Ann. Meas. Things",
    "volume": "12",
    "first-page": "345",
    "year": "2011",
}
TITLED = {"author": "Brown", "article-title": WORK["title"][0], "year": "2011"}
TEXT = (
    "Brown, B. (2011). The slow measurement of very small quiet rooms."
    " Annals of Measured Things 12(3), 345-367."
)


def found(reference: dict[str, str], *cards: Card, itself: str = "") -> str | None:
    reading = references.read(reference)
    return None if reading is None else choose(reading, cards or (ROOMS,), itself=itself)


def other(doi: str, **said: Any) -> Card:
    return Card.of(doi, {**WORK, **said})


@pytest.mark.parametrize(
    "reference",
    [
        FIELDS,
        {**FIELDS, "author": ""},
        {**FIELDS, "year": "2010"},  # online and print
        {**FIELDS, "journal-title": "", "ISSN": "https://id.crossref.org/issn/1234-5679"},
        TITLED,
        {**TITLED, "journal-title": "Annals of Measured Things", "year": ""},
        {"unstructured": TEXT},
        {"unstructured": "BrownBV: Ann Meas Things. 2011, 12: 345-367."},
        {"unstructured": "[12] B. Brown, Ann. Meas. Things 12, 345 (2011)"},
    ],
)
def test_a_reference_finds_the_work_that_it_describes(reference: dict[str, str]) -> None:
    assert found(reference) == ROOMS.doi
    offered = set(references.offered(ROOMS))
    reading = references.read(reference)
    assert reading is not None
    searched = references.query_of(reference)
    assert offered & set(references.wanted(reading)) or "annals" in searched or "2010" in searched


@pytest.mark.parametrize(
    "reference",
    [
        {**FIELDS, "volume": "13"},
        {**FIELDS, "first-page": "346"},
        {**FIELDS, "author": "Green", "journal-title": ""},
        {**TITLED, "author": "Green"},
        {**TITLED, "year": "2005"},
        {**TITLED, "article-title": "The slow measurement of very small quiet rooms, part II"},
        {"author": "Brown", "year": "2011"},
        {"author": "Brown", "year": "2011", "journal-title": "Annals of Measured Things"},
        {"volume": "12", "first-page": "345", "year": "2011"},
        {"unstructured": "Green, B. The slow measurement of very small quiet rooms. Rooms, 2011."},
        {"unstructured": "Brown, B. (2011). Annals of Measured Things."},
        {"unstructured": "Measured things, 2011"},
        {"year": "2011"},
        {},
    ],
)
def test_a_reference_that_contradicts_a_work_or_says_too_little_finds_nothing(
    reference: dict[str, str],
) -> None:
    assert found(reference) is None


def test_of_two_works_that_fit_alike_neither_is_taken() -> None:
    preprint = other("10.5001/preprint", type="posted-content")
    assert found(TITLED, ROOMS, preprint) is None
    assert found(FIELDS, ROOMS, other("10.5001/next", page="400")) == ROOMS.doi


def test_a_work_is_never_its_own_reference() -> None:
    assert found(FIELDS, itself=ROOMS.doi) is None


@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from([*FIELDS, "unstructured", "article-title"]), st.text()))
def test_whatever_a_reference_says_it_is_read_and_asks_for_few_features(
    reference: dict[str, str],
) -> None:
    reading = references.read(reference)
    if reading is not None:
        assert len(references.wanted(reading)) <= references.MOST_WANTED
        choose(reading, [ROOMS])
    references.hidden_doi(reference)


@settings(max_examples=40)
@given(st.recursive(st.none() | st.text() | st.integers(), st.lists))
def test_whatever_a_work_holds_it_has_a_card_that_is_kept_as_it_is(value: Any) -> None:
    for name in ("title", "container-title", "page", "volume", "issued", "author"):
        if name == "author" and isinstance(value, list):
            continue
        card = Card.of("10.5001/x", {**WORK, name: value})
        kept = Kept(card.doi, 1, card, None, offers=tuple(references.offered(card)), turn="t")
        assert read({"_id": card.doi, **kept.stored()}) == kept


def test_a_doi_in_the_text_of_a_reference_is_that_doi() -> None:
    assert doi_in("See https://doi.org/10.5001/ROOMS.") == "10.5001/rooms"
    assert references.hidden_doi({"unstructured": "no doi"}) is None


def test_words_numbers_and_years_are_read_as_they_are_compared() -> None:
    assert words("<i>Über</i> die Größe, 2nd ed.") == ["uber", "die", "große", "2nd", "ed"]
    assert numbers_in("12(3):345\u2013367, e0119905") == ["12", "3", "345", "367", "e0119905"]
    assert years_in("(2011a) 2011 99999") == ["2011"]
    assert shortens(["proc", "natl", "acad", "sci"], words("Proceedings of the National Academy of"
                    " Sciences"))  # fmt: skip
    assert not shortens(["nature"], ["nature", "physics"])


def test_a_match_is_shown_for_the_reference_it_was_found_for_and_no_other() -> None:
    said = {"key": "r1", **FIELDS}
    of = references.digest_of(said)
    document: dict[str, Any] = {
        "_id": "10.1/a",
        "work": {"reference": [said, {"key": "r2", "DOI": "10.1/b"}]},
    }
    shown = with_matches(document, [Found("r1", ROOMS.doi, of), Found("r2", "10.1/c", of)])
    assert shown["work"]["reference"] == [
        {**said, "DOI": ROOMS.doi, "doi-asserted-by": "crossref"},
        {"key": "r2", "DOI": "10.1/b"},
    ]
    assert document["work"]["reference"][0] == said  # what was read stays as it is
    changed = {"_id": "10.1/a", "work": {"reference": [{**said, "volume": "99"}]}}
    assert with_matches(changed, [Found("r1", ROOMS.doi, of)]) == changed
    assert has_open(document["work"])
    assert not has_open({"reference": [{"key": "r2", "DOI": "10.1/b"}]})


def test_links_are_found_by_prefix_and_by_day() -> None:
    kept = Kept("10.1/a", 1, ROOMS, None, links={"10.2/x": AT, "10.2/y": AT, "10.3/z": AT})
    assert kept.stored()["days"] == ["10.2|", "10.2|2026-01-01", "10.3|", "10.3|2026-01-01"]
