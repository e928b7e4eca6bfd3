"""A work object as UNIXREF and UNIXSD: what was said comes out again, and nothing else."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from lxml import etree

from deploy.demo import facts
from services.deposits.crossref.reader import read_deposit
from services.distribution.transform.unixref import NAMESPACE, doi_records, unixref
from services.distribution.transform.unixsd import unixsd
from tests.strategies import deposits
from tests.strategies.deposits import Work

REF = f"{{{NAMESPACE}}}"
SD = "{http://www.crossref.org/qrschema/3.0}"

# Kinds that are deposited in a file of their own schema: read back from the record alone.
ALONE = {"grant": "http://www.crossref.org/grant_id/0.1.1"}
DEPOSIT = "http://www.crossref.org/schema/5.5.0"


def law(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )


def parsed(xml: str) -> etree._Element:
    return etree.fromstring(xml.encode())


def read_back(element: etree._Element, namespace: str) -> list[Work]:
    """Read a record given out as if it were deposited."""
    body = "".join(etree.tostring(child, encoding="unicode") for child in element)
    head = (
        "<head><doi_batch_id>b</doi_batch_id><timestamp>1</timestamp><depositor>"
        "<depositor_name>d</depositor_name><email_address>d@example.org</email_address>"
        "</depositor><registrant>r</registrant></head>"
    )
    version = namespace.rpartition("/")[2]
    xml = (
        f'<doi_batch version="{version}" xmlns="{namespace}">{head}<body>'
        f"{body.replace(NAMESPACE, namespace)}</body></doi_batch>"
    )
    return [record.work for record in read_deposit([xml.encode()]).records]


def test_negotiated_unixref_is_the_record_in_doi_records_and_in_no_namespace() -> None:
    at = {"date-time": "2021-10-23T11:24:14Z"}
    said = {"DOI": "10.5555/x", "type": "journal-article", "title": ["On things"]}
    work = said | {"container-title": ["J"], "prefix": "10.5555", "deposited": at}
    root = parsed(doi_records(work))
    record = root.find("doi_record")
    assert root.tag == "doi_records"
    assert record is not None
    assert dict(record.attrib) == {"owner": "10.5555", "timestamp": "2021-10-23 11:24:14"}
    (crossref,) = record
    assert crossref.tag == "crossref"
    same = parsed(unixref(work))
    assert [e.text for e in crossref.iter("doi")] == [e.text for e in same.iter(f"{REF}doi")]


# Inside one file these are read from what stands around them, which a single record does not show.
_LENT = {"standard", "sa_component"}


@pytest.mark.parametrize("kind", sorted(deposits.SUBMISSIONS.keys() - _LENT))
def test_a_record_given_out_says_what_was_deposited(kind: str) -> None:
    @law(8)
    @given(works=deposits.SUBMISSIONS[kind])
    def holds(works: list[Work]) -> None:
        for work in works:
            assert read_back(parsed(unixref(work)), ALONE.get(kind, DEPOSIT)) == [work]

    holds()


@pytest.mark.parametrize("kind", sorted(deposits.SUBMISSIONS))
def test_every_kind_is_given_out_alone_whatever_it_stood_in(kind: str) -> None:
    @law(8)
    @given(works=deposits.SUBMISSIONS[kind])
    def holds(works: list[Work]) -> None:
        for work in works:
            root = parsed(unixref(work))
            assert root.tag == f"{REF}crossref"
            assert work["DOI"] in {e.text for e in root.iter(f"{REF}doi")}

    holds()


def facts_of(kind: str) -> Iterator[facts.Work]:
    return (work for work in facts.works() if work["type"] == kind)


def test_a_matched_reference_names_its_provider_and_a_publisher_s_doi_names_none() -> None:
    for work in facts.works():
        wanted = [
            (r["key"], r["DOI"], None if r["doi-asserted-by"] == "publisher" else "crossref")
            for r in work.get("reference", ())
            if "DOI" in r
        ]
        found = [
            (citation.get("key"), doi.text, doi.get("provider"))
            for citation in parsed(unixref(work)).iter(f"{REF}citation")
            for doi in citation.iterfind(f"{REF}doi")
        ]
        assert found == wanted


@pytest.mark.law("L3")
def test_what_was_withheld_from_the_work_is_not_in_the_xml() -> None:
    work = next(work for work in facts.works() if work.get("reference"))
    shown = {k: v for k, v in work.items() if k != "reference"}
    xml = unixsd(shown)
    assert "citation_list" not in xml
    assert not [r for r in work["reference"] if "DOI" in r and r["DOI"] in xml]


def test_the_items_of_unixsd_stand_in_the_order_of_the_wire() -> None:
    work = {
        **next(facts_of("journal-article")),
        "updated-by": [{"DOI": "10.5555/e", "type": "erratum"}],
        "relation": {
            "is-review-of": [{"id-type": "doi", "id": "10.5555/r", "asserted-by": "object"}],
            "has-review": [{"id-type": "doi", "id": "10.5555/own", "asserted-by": "subject"}],
        },
    }
    xml = unixsd(work, prefix_name="P", citation_id=7, container=("journal-id", 8))
    query = parsed(xml).find(f".//{SD}query")
    assert query is not None
    assert [
        (i.get("name"), i.get("type"), i.get("claim")) for i in query.iterfind(f"{SD}crm-item")
    ] == [
        ("publisher-name", "string", None),
        ("prefix-name", "string", None),
        ("member-id", "number", None),
        ("citation-id", "number", None),
        ("journal-id", "number", None),
        ("deposit-timestamp", "number", None),
        ("owner-prefix", "string", None),
        ("last-update", "date", None),
        ("created", "date", None),
        ("citedby-count", "number", None),
        ("relation", "doi", "erratum"),
        ("relation", "doi", "isReviewOf"),
    ]
    assert [child.tag for child in query][-1] == f"{SD}doi_record"
    doi = query.find(f"{SD}doi")
    assert doi is not None
    assert (doi.text, doi.get("type")) == (work["DOI"], "journal_article")


def test_crossref_commons_reads_what_others_say_of_a_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own reading of our document; only the fetching is left out."""
    import crossref_commons.relations  # noqa: PLC0415  (it reads addresses when imported)

    said = {
        **next(facts_of("journal-article")),
        "updated-by": [{"DOI": "10.5555/e", "type": "erratum"}],
        "relation": {
            "is-review-of": [{"id-type": "doi", "id": "10.5555/r", "asserted-by": "object"}],
            "has-review": [{"id-type": "doi", "id": "10.5555/own", "asserted-by": "subject"}],
        },
    }
    written = {said["DOI"]: unixsd(said)}

    def fetched(doi: str) -> Any:
        return etree.fromstring(written[doi])

    relations = crossref_commons.relations
    monkeypatch.setattr(relations, "get_publication_as_xml", fetched)
    expected = [("10.5555/e", "erratum"), ("10.5555/r", "isReviewOf")]
    assert relations.get_related(said["DOI"]) == expected


def test_a_title_that_is_no_xml_is_text_and_what_xml_cannot_hold_is_left_out() -> None:
    work = {
        "DOI": "10.5555/x",
        "type": "journal-article",
        "title": ["a < b & \x00c\x0b", "<i>kept</i>", "<i>open", "&nbsp;", "]]>"],
        "abstract": "<jats:p>x</jats:p><unknown:p/>",
        "reference": [{"key": 'k"\x01<', "unstructured": "u\x02 & \ufffe]]>"}],
        "issued": {"date-parts": [[None]]},
    }
    root = parsed(unixref(work))
    titles = ["".join(map(str, t.itertext())) for t in root.iter(f"{REF}title")]
    assert titles == ["a < b & c", "kept", "<i>open", "&nbsp;", "]]>"]
    (citation,) = root.iter(f"{REF}citation")
    assert (citation.get("key"), citation[0].text) == ('k"<', "u & ]]>")


@given(title=st.text(), name=st.text(), key=st.text(), year=st.text(), url=st.text())
def test_any_text_anywhere_gives_xml(title: str, name: str, key: str, year: str, url: str) -> None:
    work: dict[str, Any] = {
        "DOI": "10.5555/x",
        "type": "journal-article",
        "title": [title],
        "container-title": [name],
        "author": [{"family": name, "sequence": "first", "affiliation": [{"name": name}]}],
        "reference": [{"key": key, "year": year, "unstructured": title}],
        "resource": {"primary": {"URL": url}},
        "abstract": title,
    }
    assert parsed(unixsd(work)) is not None
