"""What getForwardLinks asks and answers, without a store: elements by kind, days, names of DOIs."""

import datetime as dt
from typing import Any

import pytest
from lxml import etree

from services.distribution.citedby import elements
from services.distribution.citedby.asking import Period, doi_of, is_prefix, period_of
from services.distribution.citedby.citers import MOST_DAYS
from shared.web import Problem

NS = f"{{{elements.NS}}}"
DAY = dt.date(2026, 1, 31)
WORK: dict[str, Any] = {
    "title": ["On <i>tests</i> & \x00 signs"],
    "container-title": ["Journal of Tests"],
    "volume": "12",
    "page": "345-367",
    "ISSN": ["1234-5679"],
    "issn-type": [{"type": "print", "value": "1234-5679"}],
    "author": [{"given": "Ann", "family": "Author"}, {"name": "A Group"}],
    "issued": {"date-parts": [[2020, 5]]},
    "reference": [{"key": "r1", "unstructured": "Xyzzyography"}],
    "relation": {"cites": [{"id": "Xyzzyography"}]},
}


def answer(kind: str) -> Any:
    link = elements.forward_link("10.1/cited", "10.2/citing", {**WORK, "type": kind}, cited_by=3)
    return etree.fromstring(elements.HEAD + link + elements.TAIL)


@pytest.mark.clause("CRR-5")
@pytest.mark.parametrize("kind", [*elements.KINDS, "dataset", "of-tomorrow"])
def test_each_kind_of_citing_work_is_one_element_and_holds_no_reference(kind: str) -> None:
    said = answer(kind)
    (link,) = said.iter(f"{NS}forward_link")
    (cite,) = link
    known = elements.KINDS.get(kind, elements.OTHER)
    assert link.get("doi") == "10.1/cited"
    assert cite.tag == NS + known.element
    assert cite.get("fl_count") == "3"
    doi = cite.find(f"{NS}doi")
    assert (doi.text, doi.get("type")) == ("10.2/citing", known.doi_type)
    assert cite.findtext(f".//{NS}surname") == "Author"
    assert b"Xyzzyography" not in etree.tostring(said)
    assert "On <i>tests</i> &  signs" in {one.text for one in cite}


def test_an_article_is_written_as_real_answers_have_it() -> None:
    (cite,) = answer("journal-article").iter(f"{NS}journal_cite")
    names = [etree.QName(one).localname for one in cite]
    assert names == [
        "issn",
        "journal_title",
        "article_title",
        "contributors",
        "volume",
        "first_page",
        "year",
        "publication_type",
        "doi",
    ]
    assert cite.find(f"{NS}issn").attrib == {"type": "print"}
    assert cite.findtext(f"{NS}first_page") == "345"
    first, second = cite.find(f"{NS}contributors")
    assert dict(first.attrib) == {
        "first-author": "true",
        "sequence": "first",
        "contributor_role": "author",
    }
    assert (second.tag, second.text) == (f"{NS}organization", "A Group")


def test_an_answer_to_a_query_ends_with_the_title_and_names_no_first_author() -> None:
    work = {**WORK, "type": "journal-article"}
    found = etree.fromstring(elements.query("10.2/citing", work, cited_by=5))
    assert [one.tag for one in found][-2:] == ["publication_type", "article_title"]
    assert [dict(one.attrib) for one in found.iter("contributor", "organization")] == [
        {"sequence": "first", "contributor_role": "author"},
        {"sequence": "additional", "contributor_role": "author"},
    ]


def test_a_query_says_whether_there_is_a_work_and_how_often_it_is_cited() -> None:
    found = etree.fromstring(elements.query("10.2/citing", {**WORK, "type": "book"}, cited_by=5))
    assert (found.get("status"), found.get("fl_count")) == ("resolved", "5")
    none = etree.fromstring(elements.query("10.2/none", None, cited_by=0))
    assert (none.get("status"), none.findtext("doi")) == ("unresolved", "10.2/none")


def test_days_are_both_included_and_may_be_left_out() -> None:
    one = period_of({"date": "2026-01-31"})
    assert one == Period(DAY, DAY)
    assert one.days(until=DAY, most=MOST_DAYS) == [DAY]
    assert one.holds(dt.datetime(2026, 1, 31, 23, 59, tzinfo=dt.UTC))
    assert not one.holds(dt.datetime(2026, 2, 1, tzinfo=dt.UTC))
    since = period_of({"startDate": "2026-01-01"})
    assert len(since.days(until=DAY, most=MOST_DAYS) or ()) == 31
    assert since.days(until=DAY, most=30) is None
    assert Period().days(until=DAY, most=MOST_DAYS) is None
    assert period_of({"startDate": "2026-02-01"}).days(until=DAY, most=MOST_DAYS) == []
    for wrong in ({"date": "31.1.2026"}, {"startDate": "2026-02-01", "endDate": "2026-01-01"}):
        with pytest.raises(Problem):
            period_of(wrong)


@pytest.mark.parametrize(
    "written",
    ["10.5555/AbC", "doi:10.5555/abc", " https://doi.org/10.5555/abc ", "info:doi/10.5555/abc"],
)
def test_a_doi_is_known_however_it_is_written(written: str) -> None:
    assert doi_of(written) == "10.5555/abc"
    assert not is_prefix(doi_of(written))
    assert is_prefix("10.5555")
    assert not is_prefix("10.5555/")
