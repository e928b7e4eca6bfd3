"""Every kind of record: what its elements become, what is lent to it, what is its own record."""

import random
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from services.deposits.crossref.faults import Unreadable
from services.deposits.crossref.kinds import KINDS
from services.deposits.crossref.reader import Checker, DepositReader
from services.deposits.crossref.records import amended
from services.deposits.crossref.schemas import Schemas
from services.deposits.crossref.submission import Record, TitleClaim
from tests.unit.deposits import crossref_kinds as examples
from tests.unit.deposits.crossref_examples import article, batch, journal, read, read_one, rules
from tests.unit.deposits.crossref_kinds import BODIES, citations, doi_data, item, titles

pytestmark = pytest.mark.clause("CRR-1")

ISBNS = {
    "ISBN": ["9783161484100", "9780306406157"],
    "isbn-type": [
        {"type": "print", "value": "9783161484100"},
        {"type": "electronic", "value": "9780306406157"},
    ],
}
PUBLISHED = {"publisher": "Example Press", "publisher-location": "Basel"}
ISSN = {"ISSN": ["2049-3630"], "issn-type": [{"type": "print", "value": "2049-3630"}]}
INSTITUTION = [{"name": "Example Institute", "acronym": ["EI"], "place": ["Bern"]}]
EVENT = {
    "name": "Symposium on Things",
    "theme": "All things",
    "acronym": "SoT",
    "sponsor": ["A", "B"],
    "number": "12",
    "location": "Basel",
    "start": {"date-parts": [[2016, 9, 23]]},
    "end": {"date-parts": [[2016, 9, 25]]},
}


def day(year: int) -> dict[str, Any]:
    return {"date-parts": [[year, 5, 4]]}


def records(name: str) -> dict[str, Record]:
    """Return the records of an example by the end of their DOI; none may have a problem."""
    found = read(BODIES[name])
    assert [rules(record) for record in found] == [[] for _ in found]
    return {record.doi.removeprefix("10.5555/"): record for record in found}


def holds(record: Record, **said: Any) -> None:
    work = {key.replace("-", "_"): value for key, value in record.work.items()}
    assert {key: work.get(key) for key in said} == said


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("version", ["4.4.2", "5.3.1"])
def test_the_examples_are_valid(schemas: Schemas, name: str, version: str) -> None:
    checker = Checker(schemas=schemas)
    body = BODIES[name]
    if version == "4.4.2" and name == "pending publication":
        body = body.replace("<intent_statement>Soon</intent_statement>", "")
    checker.feed(batch(body, version=version))
    assert checker.close().schema == f"crossref{version}.xsd"


@pytest.mark.parametrize("name", BODIES)
def test_both_passes_count_alike_however_the_bytes_are_cut(name: str) -> None:
    data = batch(BODIES[name] * 3)
    checker = Checker()
    checker.feed(data)
    reader = DepositReader()
    found = [part for at in range(0, len(data), 97) for part in reader.feed(data[at : at + 97])]
    found += reader.close()
    made = [record for record in found if isinstance(record, Record)]
    assert len(made) == checker.close().records
    assert [record.index for record in made] == list(range(len(made)))
    assert [record.work for record in made] == [record.work for record in read_whole(data)]


def read_whole(data: bytes) -> list[Record]:
    reader = DepositReader()
    return [r for r in [*reader.feed(data), *reader.close()] if isinstance(r, Record)]


def test_every_kind_of_record_has_an_example() -> None:
    seen = {record.kind for body in BODIES.values() for record in read(body)}
    elsewhere = {
        *("journal_metadata", "journal_issue", "journal_volume", "journal_article"),
        *("posted_content", "grant"),
        *(name for name, kind in KINDS.items() if kind.effect == "part"),
    }
    assert seen | elsewhere == set(KINDS)


# -- books -------------------------------------------------------------------------------------


def test_a_book_and_its_items() -> None:
    found = records("book")
    assert list(found) == ["book", "chapter", "entry"]
    holds(
        found["book"],
        type="edited-book",
        title=["A book of &lt;things&gt; &amp; <i>Homo</i>"],
        edition_number="2",
        published_print=day(2018),
        issued=day(2018),
        language="en",
        reference=[{"key": "b1", "year": "1999"}],
        **{key.replace("-", "_"): value for key, value in (ISBNS | PUBLISHED).items()},
    )
    assert found["book"].work["editor"][0]["family"] == "Babbage"
    assert "container-title" not in found["book"].work
    chapter = found["chapter"].work
    assert chapter["type"] == "book-chapter"
    assert found["entry"].work["type"] == "reference-entry"
    assert chapter["container-title"] == found["book"].work["title"]
    assert {key: chapter[key] for key in (*ISBNS, *PUBLISHED)} == ISBNS | PUBLISHED
    assert (chapter["edition-number"], chapter["language"]) == ("2", "en")
    assert (chapter["component-number"], chapter["page"]) == ("3", "7-9")
    assert chapter["published-online"] == chapter["issued"] == day(2019)
    assert len(chapter["reference"]) == chapter["reference-count"] == 2
    assert not {"editor", "published-print"} & set(chapter)


def test_a_chapter_without_a_date_of_its_own_was_issued_at_no_known_date() -> None:
    body = BODIES["book"].replace(examples.date("publication_date", "2019", "online"), "")
    chapter = read(body)[1]
    assert chapter.work["issued"] == {"date-parts": [[None]]}
    assert chapter.problems == ()


def test_a_series_lends_its_title_first_and_its_issn() -> None:
    found = records("book in a series")
    assert [(name, record.work["type"]) for name, record in found.items()] == [
        ("volume", "monograph"),
        ("series", "book-series"),
        ("chapter", "book-chapter"),
    ]
    assert found["series"].work["title"] == ["A series"]
    assert found["volume"].work["container-title"] == ["A series"]
    assert found["volume"].work["volume"] == "17"
    assert found["chapter"].work["container-title"] == ["A series", "A volume"]
    assert "volume" not in found["chapter"].work
    for record in found.values():
        assert {key: record.work[key] for key in ISSN} == ISSN


def test_a_set_lends_its_title_and_keeps_its_isbn() -> None:
    found = records("book in a set")
    assert [record.work["type"] for record in found.values()] == [
        *("reference-book", "book-set", "book-section")
    ]
    assert found["set"].work["ISBN"] == ["9780306406157"]
    holds(found["volume"], container_title=["A set"], part_number="4", volume="2")
    assert found["volume"].work["ISBN"] == ISBNS["ISBN"]
    assert found["section"].work["container-title"] == ["A set"]


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("chapter", "book-chapter"),
        ("section", "book-section"),
        ("part", "book-part"),
        ("track", "book-track"),
        ("reference_entry", "reference-entry"),
        ("other", "other"),
        ("unheard", "other"),
    ],
)
def test_the_type_of_an_item_is_its_component_type(said: str, kind: str) -> None:
    assert read_one(f"<book>{item('i', said)}</book>").work["type"] == kind


def test_a_problem_of_a_book_that_is_a_record_is_told_there_alone() -> None:
    wrong = BODIES["book"].replace("978-3-16-148410-0", "978-3-16-148410-1")
    assert [rules(record) for record in read(wrong)] == [["isbn-checksum"], [], []]
    without = wrong.replace(doi_data("book"), "")
    assert [rules(record) for record in read(without)] == [["isbn-checksum"]] * 2


# -- conferences -------------------------------------------------------------------------------


def test_a_conference_lends_its_event_and_its_proceedings() -> None:
    found = records("conference")
    holds(
        found["proceedings"],
        type="proceedings",
        title=["Proceedings &amp; Things"],
        event=EVENT,
        published_print=day(2017),
    )
    assert found["proceedings"].work["chair"][0]["family"] == "Turing"
    paper = found["paper"].work
    assert (paper["type"], paper["event"]) == ("proceedings-article", EVENT)
    assert paper["container-title"] == ["Proceedings &amp; Things"]
    assert {key: paper[key] for key in (*ISBNS, *PUBLISHED)} == ISBNS | PUBLISHED
    assert paper["issued"] == {"date-parts": [[None]]}
    assert "chair" not in paper
    assert len(paper["reference"]) == 1


def test_proceedings_in_a_series() -> None:
    found = records("conference in a series")
    assert found["series"].work["type"] == "proceedings-series"
    assert found["proceedings"].work["volume"] == "12"
    assert found["paper"].work["container-title"] == ["Proceedings of SoT", "Volume of things"]
    assert found["paper"].work["ISSN"] == ["2049-3630"]


def test_a_conference_s_date_without_a_year_is_no_date() -> None:
    body = BODIES["conference"].replace('start_year="2016"', "")
    assert "start" not in read(body)[1].work["event"]


# -- the others --------------------------------------------------------------------------------


def test_a_dissertation() -> None:
    found = records("dissertation")
    holds(
        found["thesis"],
        type="dissertation",
        approved=day(1907),
        issued=day(1907),
        institution=INSTITUTION,
        degree=["PhD"],
        language="fr",
    )
    assert found["thesis"].work["author"][0]["family"] == "Noether"


def test_a_report_and_what_it_lends() -> None:
    found = records("report")
    holds(
        found["report"],
        type="report",
        published_print=day(2015),
        issued=day(2015),
        approved=day(2014),
        institution=INSTITUTION,
        alternative_id=["R-9"],
    )
    annex = found["annex"].work
    assert (annex["type"], annex["container-title"]) == ("report-component", ["A report"])
    assert (annex["edition-number"], annex["institution"]) == ("3", INSTITUTION)
    assert found["map"].work["relation"] == {
        "is-part-of": [{"id-type": "doi", "id": "10.5555/report", "asserted-by": "subject"}]
    }
    series = records("report in a series")
    assert series["series"].work["type"] == "report-series"
    holds(series["report"], container_title=["Reports"], volume="7", ISSN=["2049-3630"])


def test_a_standard() -> None:
    found = records("standard")
    holds(
        found["standard"],
        type="standard",
        alternative_id=["EX 9-2020"],
        approved=day(2020),
        standards_body={"name": "Example Standards", "acronym": "ES"},
    )
    holds(found["clause"], type="other", container_title=["A standard"], publisher="Example Press")


def test_a_database_and_a_dataset() -> None:
    found = records("database")
    assert found["database"].work["type"] == "database"
    holds(
        found["dataset"],
        type="dataset",
        container_title=["A database"],
        description="Some <i>data</i> & more",
        content_created=day(2010),
        published_print=day(2011),
        content_updated=day(2012),
        institution=INSTITUTION,
        publisher="Example Press",
        language="en",
    )


def test_a_peer_review() -> None:
    review = records("peer review")["review"].work
    assert review["type"] == "peer-review"
    assert review["review"] == {
        "stage": "pre-publication",
        "type": "referee-report",
        "recommendation": "accept",
        "revision-round": "1",
        "language": "en",
        "competing-interest-statement": "None",
        "running-number": "RC1",
    }
    assert review["issued"] == review["published-print"] == {"date-parts": [[2018, 1, 12]]}
    assert review["relation"]["is-review-of"][0]["id"] == "10.5555/a1"


def test_a_pending_publication_has_no_landing_page() -> None:
    record = records("pending publication")["pending"]
    holds(record, type="other", container_title=["Journal of Examples"], accepted=day(2024))
    assert "resource" not in record.work
    assert record.work["URL"] == "https://doi.org/10.5555/pending"


# -- components --------------------------------------------------------------------------------


def test_a_component_is_a_record_after_the_one_it_stands_in() -> None:
    listed = examples.COMPONENTS.format(titles("Figure 1"), doi_data("F1"))
    whole, figure = read(journal(article(listed)))
    assert (whole.doi, figure.doi, figure.kind) == ("10.5555/A1", "10.5555/F1", "component")
    assert figure.work["type"] == "component"
    assert figure.work["description"] == "A <b>bold</b> figure"
    assert figure.work["relation"]["is-part-of"][0]["id"] == "10.5555/A1"
    assert figure.title == whole.title
    assert "container-title" not in figure.work


def test_components_deposited_alone_name_their_parent() -> None:
    figure = records("component")["figure"]
    assert figure.work["relation"] == {
        "is-part-of": [{"id-type": "doi", "id": "10.5555/A1", "asserted-by": "subject"}]
    }


def test_a_component_without_doi_data_is_told_and_no_record() -> None:
    listed = examples.COMPONENTS.format("", "<doi>10.1234/elsewhere</doi>")
    record = read_one(journal(article(listed)))
    assert rules(record) == ["component-elsewhere"]
    assert record.failure is None


# -- titles ------------------------------------------------------------------------------------


def test_a_record_claims_the_title_it_stands_in() -> None:
    metadata = (
        "<full_title>Homo &amp; <i>sapiens</i></full_title><issn>2049-3630</issn>"
        f"{doi_data('journal')}"
    )
    for record in read(journal(article(), metadata=metadata)):
        assert record.title == TitleClaim(
            "journal", "Homo & sapiens", issns=("2049-3630",), doi="10.5555/journal"
        )
    book = TitleClaim(
        "book", "A book of <things> & Homo", isbns=tuple(ISBNS["ISBN"]), doi="10.5555/book"
    )
    assert [record.title for record in read(BODIES["book"])] == [book] * 3
    assert {record.title for record in read(BODIES["conference"])} == {
        TitleClaim(
            "conference",
            "Proceedings & Things",
            isbns=tuple(ISBNS["ISBN"]),
            doi="10.5555/proceedings",
        )
    }
    assert {record.title for record in read(BODIES["report"])} == {None}


def test_a_volume_does_not_claim_the_issn_of_its_series() -> None:
    volume, series, chapter = (record.title for record in read(BODIES["book in a series"]))
    assert series == TitleClaim("book", "A series", issns=("2049-3630",), doi="10.5555/series")
    assert volume == chapter
    assert volume is not None
    assert (volume.name, volume.issns) == ("A volume", ())
    numbered = next(iter(read(BODIES["book in a set"]))).title
    assert numbered is not None
    assert numbered.name == "A set 2"


# -- resource-only deposits --------------------------------------------------------------------

PART_HEAD = (
    "<head><doi_batch_id>part-1</doi_batch_id><depositor><name>Nia</name>"
    "<email_address>nia@private.example</email_address></depositor></head>"
)


def parts(body: str) -> list[Record]:
    data = batch(body, version="4.3.2", head=PART_HEAD)
    return read_whole(data.replace(b"org/schema/", b"org/doi_resources_schema/"))


WORK = read_one(
    journal(
        article(
            "<ai:program><ai:license_ref>https://l.example</ai:license_ref></ai:program>"
            + citations("a", "b")
        )
    )
).work


@pytest.mark.clause("CRR-11")
def test_references_alone_replace_the_list_and_an_empty_one_removes_it() -> None:
    (given,) = parts(f"<doi_citations><doi>10.5555/A1</doi>{citations('n')}</doi_citations>")
    assert (given.effect, given.timestamp, given.problems) == ("part", None, ())
    assert given.work == {"reference": [{"key": "n", "year": "1999"}]}
    whole = amended(WORK, given.work)
    assert (whole["reference"], whole["reference-count"]) == (given.work["reference"], 1)
    (empty,) = parts("<doi_citations><doi>10.5555/A1</doi><citation_list/></doi_citations>")
    assert empty.work == {"reference": []}
    bare = amended(WORK, empty.work)
    assert "reference" not in bare
    assert bare["reference-count"] == bare["references-count"] == 0
    assert bare["title"] == WORK["title"]


def test_resources_alone() -> None:
    (given,) = parts(
        "<doi_resources><doi>10.5555/A1</doi>"
        '<collection property="list-based"><item label="X"><resource>https://x.example</resource>'
        '</item></collection><collection property="text-mining"><item><resource content_version='
        '"am">https://tdm.example</resource></item></collection></doi_resources>'
    )
    whole = amended(WORK, given.work)
    assert whole["resource"] == {
        "primary": {"URL": "https://example.org/a1"},
        "secondary": [{"URL": "https://x.example", "label": "X"}],
    }
    assert whole["link"][0]["URL"] == "https://tdm.example"
    assert whole["reference"] == WORK["reference"]


def test_licences_alone_start_when_the_work_was_issued() -> None:
    (given,) = parts(
        "<lic_ref_data><doi>10.5555/A1</doi><ai:program><ai:license_ref>https://new.example"
        "</ai:license_ref></ai:program></lic_ref_data>"
    )
    (licence,) = amended(WORK, given.work)["license"]
    assert (licence["URL"], licence["delay-in-days"]) == ("https://new.example", 0)
    assert licence["start"]["date-parts"] == [[2020, 1, 1]]


def test_crossmark_alone_keeps_what_it_does_not_name() -> None:
    (given,) = parts(
        "<crossmark_data><doi>10.5555/A1</doi><crossmark><crossmark_policy>10.5555/p"
        "</crossmark_policy></crossmark></crossmark_data>"
    )
    assert given.work == {"update-policy": "https://doi.org/10.5555/p"}
    assert amended(WORK, given.work) == {**WORK, **given.work}


def test_a_part_without_a_doi_fails() -> None:
    assert rules(parts("<fundref_data><fr:program/></fundref_data>")[0]) == ["missing-doi"]


# -- grants ------------------------------------------------------------------------------------


def test_a_grant() -> None:
    body = (
        "<grant><project><project-title xml:lang='en'>On things</project-title><investigators>"
        "<person role='lead_investigator' start-date='2020-01-02'><givenName>Ada</givenName>"
        "<familyName>L</familyName><affiliation><institution country='GB'>EI</institution>"
        "<ROR>https://ror.org/03vek6s52</ROR></affiliation></person></investigators>"
        "<description>All</description><award_amount currency='EUR'>1000.5</award_amount>"
        "<funding funding-type='grant'><funder-name>Fund</funder-name>"
        "<funder-id>https://doi.org/10.13039/1</funder-id><funding-scheme>S</funding-scheme>"
        "</funding><award-dates start-date='2020-01-01' end-date='2021-01-01'/></project>"
        f"<award-number>AW-1</award-number><award-start-date>2020-01-01</award-start-date>"
        f"{doi_data('grant')}</grant>"
    )
    data = batch(body, version="0.1.1").replace(b"org/schema/", b"org/grant_id/")
    (record,) = read_whole(data)
    assert record.problems == ()
    start = {"date-parts": [[2020, 1, 1]]}
    holds(record, type="grant", award="AW-1", award_start=start, issued=start)
    (project,) = record.work["project"]
    assert project["project-title"] == [{"title": "On things", "language": "en"}]
    assert project["award-amount"] == {"amount": 1000.5, "currency": "EUR"}
    assert project["award-start"] == [start]
    assert project["lead-investigator"][0]["affiliation"][0]["country"] == "GB"
    assert project["funding"][0] == {
        "type": "grant",
        "scheme": "S",
        "funder": {
            "name": "Fund",
            "id": [{"id": "10.13039/1", "id-type": "DOI", "asserted-by": "publisher"}],
        },
    }


# -- reading is total --------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(sorted(BODIES)), seed=st.integers(0, 2**32), size=st.integers(1, 999))
def test_whatever_a_body_holds_is_read_alike_however_its_bytes_are_cut(
    name: str, seed: int, size: int
) -> None:
    data = disturbed(batch(BODIES[name]), random.Random(seed))
    checker = Checker()
    checker.feed(data)
    whole = read_whole(data)
    assert len(whole) == checker.close().records
    reader = DepositReader()
    found = [part for at in range(0, len(data), size) for part in reader.feed(data[at : at + size])]
    assert [r for r in [*found, *reader.close()] if isinstance(r, Record)] == whole


def disturbed(data: bytes, chance: random.Random) -> bytes:
    """Return a deposit with some elements of its body gone, doubled, emptied or elsewhere."""
    root = etree.fromstring(data)
    for _ in range(chance.randint(1, 5)):
        (*_, body) = root
        elements = list(body.iterdescendants())
        if not elements:
            break
        one, other = chance.choice(elements), chance.choice(elements)
        above = one.getparent()
        match chance.randint(0, 3):
            case 0 if above is not None:
                above.remove(one)
            case 1 if above is not None:
                above.append(deepcopy(one))
            case 2:
                other.append(deepcopy(one))
            case _:
                one.text = chance.choice(["", " ", "-1", "99999", "x" * 300])
    return etree.tostring(root)


# -- what is nothing ---------------------------------------------------------------------------


@pytest.mark.parametrize("element", ["journal", "book", "conference", "database", "sa_component"])
def test_a_body_element_in_which_nothing_has_a_doi_fails(element: str) -> None:
    assert rules(read_one(f"<{element}/>")) == ["no-record"]


def test_an_unknown_child_of_a_body_element_is_told() -> None:
    record = read_one(f"<book><book_metadata/><poem/>{item('i')}</book>")
    assert rules(record) == ["unknown-element"]


def test_an_unknown_child_before_a_part_that_is_no_record_is_told_with_the_next() -> None:
    (paper,) = read(
        f"<conference><poem/>{BODIES['conference'][12:]}".replace(doi_data("proceedings"), "")
    )
    assert rules(paper) == ["unknown-element"]


def test_a_record_with_too_many_components_refuses_the_file() -> None:
    listed = f"<component>{doi_data('F')}</component>" * 10_001
    checker = Checker()
    with pytest.raises(Unreadable) as caught:
        checker.feed(batch(journal(article(f"<component_list>{listed}</component_list>"))))
    assert caught.value.rule == "too-many"


def test_unknown_kinds_are_told_wherever_they_stand() -> None:
    found = read(f"<poem/>{BODIES['peer review']}<ode/><elegy/>")
    assert [(r.kind, rules(r)) for r in found] == [
        ("poem", ["unknown-kind"]),
        ("peer_review", []),
        ("ode", ["unknown-kind"]),
        ("elegy", ["unknown-kind"]),
    ]


def test_memory_does_not_grow_with_a_book() -> None:
    import tracemalloc  # noqa: PLC0415

    block = (item("i") * 200).encode()
    start, end = batch(BODIES["book"].replace("</book>", "|</book>")).split(b"|")
    reader = DepositReader()
    reader.feed(start)
    reader.feed(block)
    tracemalloc.start()
    made = sum(len(reader.feed(block)) for _ in range(5))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    reader.feed(end)
    reader.close()
    assert made == 1000
    assert peak < 5_000_000
