"""What enters the search projection, and what never does."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.distribution.search import Moment, Text, project
from services.distribution.search.flags import ASKED, FLAGS
from shared.events import WorkState
from tests.unit.distribution.search_samples import EPOCH, state

CANARY = "xyzzyquux"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9999) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
REFERENCES: list[dict[str, Any]] = [
    {
        "key": CANARY,
        "DOI": f"10.9999/{CANARY}",
        "unstructured": f"{CANARY}, A. ({CANARY})",
        "article-title": CANARY,
        "author": CANARY,
        "journal-title": CANARY,
        "year": "1812",
    }
]


@pytest.mark.law("L3")
@pytest.mark.clause("CRR-5")
def test_no_word_and_no_doi_of_a_reference_enters_the_index() -> None:
    cites = {"cites": [{"id-type": "doi", "id": f"10.9999/{CANARY}", "asserted-by": "subject"}]}
    made = state("10.5555/a", reference=REFERENCES, relation=cites)
    kept = repr(project(made, indexed=EPOCH))
    assert CANARY not in kept
    assert "10.9999" not in kept


@pytest.mark.law("L4")
@pytest.mark.parametrize(
    ("work", "number"),
    [
        ({}, 0),
        ({"reference": REFERENCES}, 1),
        ({"references-count": 3}, 3),
        ({"reference-count": 3, "references-count": 3, "reference": REFERENCES}, 3),
    ],
)
def test_the_number_of_references_does_whatever_their_visibility(
    work: dict[str, Any], number: int
) -> None:
    kept = project(state("10.5555/a", **work), indexed=EPOCH)
    assert kept.references == number
    assert ("references" in kept.has) is (number > 0)


def test_a_work_state_and_its_mapping_project_alike() -> None:
    made = state("10.5555/a", published=[2020, 5], ISSN=["1234-5678"])
    assert project(WorkState(**made), indexed=EPOCH) == project(made, indexed=EPOCH.isoformat())


def test_face_markup_is_no_word_of_a_title() -> None:
    made = state("10.5555/a", title=["<i>E. coli</i> and CO<sub>2</sub>"])
    assert project(made, indexed=EPOCH).texts[Text.TITLE] == "E. coli and CO2"


def test_a_work_without_a_published_date_is_published_when_issued() -> None:
    made = state("10.5555/a", issued={"date-parts": [[1966, 3]]})
    kept = project(made, indexed=EPOCH)
    assert kept.published_year == kept.issued_year == 1966
    assert Moment.PUBLISHED in kept.moments


@pytest.mark.parametrize("issued", [{"date-parts": [[None]]}, {"date-parts": [[]]}, {}, None])
def test_an_unknown_date_is_absent_rather_than_zero(issued: object) -> None:
    kept = project(state("10.5555/a", issued=issued), indexed=EPOCH)
    assert set(kept.moments) == {Moment.INDEXED, Moment.CREATED, Moment.DEPOSITED}
    assert kept.published_year is None


_FIELDS = ("title", "author", "ISSN", "published", "issued", "link", "license", "funder", "page")


@given(st.dictionaries(st.sampled_from(_FIELDS), JSON))
def test_no_shape_of_a_work_stops_the_projection(work: dict[str, Any]) -> None:
    made = state("10.5555/a")
    made["work"] |= work
    kept = project(made, indexed=EPOCH)
    assert kept.has <= {*FLAGS, *ASKED}
