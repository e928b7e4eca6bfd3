"""The stream: what becomes a record, what fails one, and what refuses the file."""

import time
from collections.abc import Iterable

import pytest

from services.deposits.crossref.faults import Unreadable
from services.deposits.crossref.reader import Checker, DepositReader, read_deposit
from services.deposits.crossref.submission import Head, Outline, Record
from tests.unit.deposits.crossref_examples import (
    DOI_DATA,
    HEAD,
    METADATA,
    article,
    batch,
    journal,
    posted,
    read,
    read_one,
    rules,
)

WHOLE = journal(article())


def outline(pieces: Iterable[bytes]) -> Outline:
    checker = Checker()
    for piece in pieces:
        checker.feed(piece)
    return checker.close()


def refused(data: bytes) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        outline([data])
    with pytest.raises(Unreadable):
        read_deposit([data])
    return caught.value


# -- records -----------------------------------------------------------------------------------


def test_the_head_comes_first_then_records_in_file_order() -> None:
    reader = DepositReader()
    two = journal(article() + article(doi_data=DOI_DATA.replace("A1", "A2")))
    found = reader.feed(batch(two + WHOLE)) + reader.close()
    head, *records = found
    assert isinstance(head, Head)
    assert (head.batch_id, head.timestamp, head.schema_version) == ("batch-1", "20260101", "5.3.1")
    assert [(r.index, r.doi) for r in records if isinstance(r, Record)] == [
        (0, "10.5555/A1"),
        (1, "10.5555/A2"),
        (2, "10.5555/A1"),
    ]


def test_the_depositor_is_read_in_both_spellings_and_never_shown() -> None:
    old = HEAD.replace("depositor_name", "name")
    for head in (HEAD, old):
        found = read_deposit([batch(WHOLE, head=head)])
        assert (found.head.depositor.name, found.head.depositor.email) == (
            "Nia Private",
            "nia@private.example",
        )
        assert "rivate" not in repr(found)


def test_a_doi_is_kept_as_deposited_and_its_work_is_lower_case() -> None:
    record = read_one(WHOLE)
    assert record.doi == "10.5555/A1"
    assert record.work["DOI"] == "10.5555/a1"
    assert record.work["URL"] == "https://doi.org/10.5555/a1"


def test_a_record_s_own_timestamp_wins_over_the_head_s() -> None:
    own = DOI_DATA.replace("</doi>", "</doi><timestamp>20270101</timestamp>")
    assert read_one(journal(article(doi_data=own))).timestamp == "20270101"
    assert read_one(WHOLE).timestamp == "20260101"


def test_a_journal_with_a_doi_is_a_record_too() -> None:
    found = read(journal(article(), metadata=METADATA + DOI_DATA.replace("A1", "J")))
    assert [(r.kind, r.doi, r.work["type"]) for r in found] == [
        ("journal_metadata", "10.5555/J", "journal"),
        ("journal_article", "10.5555/A1", "journal-article"),
    ]
    assert found[0].work["title"] == ["Journal of Examples"]
    assert found[1].work["container-title"] == ["Journal of Examples"]


def test_an_issue_and_a_volume_with_a_doi_are_records_too() -> None:
    volume = f"<journal_volume><volume>7</volume>{DOI_DATA.replace('A1', 'V')}</journal_volume>"
    date = "<publication_date><year>2020</year></publication_date>"
    issue = f"<journal_issue>{date}{volume}<issue>2</issue>{DOI_DATA}</journal_issue>"
    found = read(journal(article(), issue=issue))
    assert [(r.kind, r.doi) for r in found] == [
        ("journal_issue", "10.5555/A1"),
        ("journal_volume", "10.5555/V"),
        ("journal_article", "10.5555/A1"),
    ]
    assert found[0].work["container-title"] == ["Journal of Examples"]
    assert [found[0].work["volume"], found[0].work["issue"]] == ["7", "2"]
    assert all(not record.problems for record in found)


def test_an_unknown_kind_is_no_silent_skip() -> None:
    assert rules(read_one("<poem/>")) == ["unknown-kind"]


# -- problems of one record --------------------------------------------------------------------

GOOD = article(doi_data=DOI_DATA.replace("A1", "GOOD"))
PERSON = (
    '<contributors><person_name sequence="first" contributor_role="author">'
    "<surname>Doe</surname><ORCID>{}</ORCID></person_name></contributors>"
)


@pytest.mark.parametrize(
    ("bad", "rule", "message"),
    [
        (
            article(PERSON.format("https://orcid.org/0000-0002-1825-0098")),
            "orcid-checksum",
            (
                "Error in Journal Article (Author ORCID): ORCID "
                '"https://orcid.org/0000-0002-1825-0098" has invalid checksum'
            ),
        ),
        (
            article(PERSON.format("https://orcid.org/x")),
            "orcid-form",
            (
                'Error in Journal Article (Author ORCID): ORCID "https://orcid.org/x" is not an '
                "ORCID iD"
            ),
        ),
        (
            article(doi_data=""),
            "missing-doi",
            "Error in Journal Article: the record has no DOI",
        ),
        (
            article(doi_data=DOI_DATA.replace("10.5555/", "11.5555/")),
            "doi-pattern",
            (
                'Error in Journal Article (DOI): DOI "11.5555/A1" does not match the pattern '
                "10.[0-9]{4,9}/.{1,200}"
            ),
        ),
        (
            article(doi_data="<doi_data><doi>10.5555/A1</doi></doi_data>"),
            "missing-resource",
            "Error in Journal Article (DOI data): the DOI has no resource URL",
        ),
        (
            article(doi_data=DOI_DATA.replace("https:", "gopher:")),
            "resource-url",
            (
                'Error in Journal Article (DOI data): resource "gopher://example.org/a1" is not an '
                "http, https or ftp URL of at most 2048 characters"
            ),
        ),
        (
            article(titles="<titles><title> </title></titles>"),
            "missing-title",
            "Error in Journal Article (titles): the record has no title",
        ),
        (
            article(date=""),
            "missing-date",
            "Error in Journal Article: the record has no publication_date",
        ),
        (
            article(date="<publication_date><year>0</year></publication_date>"),
            "invalid-year",
            'Error in Journal Article (publication_date): invalid year "0"',
        ),
        (
            article(doi_data=DOI_DATA.replace("</doi>", "</doi><timestamp>-1</timestamp>")),
            "timestamp",
            (
                'Error in Journal Article: submission version "-1" is not a whole number '
                "of at most 32 digits"
            ),
        ),
        (
            article("<citation_list><citation><doi>10.5555/x</doi></citation></citation_list>"),
            "citation-key",
            "Error in Journal Article (citation_list): a citation has no key",
        ),
    ],
)
def test_a_faulty_record_fails_with_its_sentence_and_the_others_go_on(
    bad: str, rule: str, message: str
) -> None:
    before, faulty, after = read(journal(GOOD + bad + GOOD))
    assert before.failure is None
    assert after.failure is None
    assert faulty.failure is not None
    assert (faulty.failure.rule, faulty.failure.message) == (rule, message)
    assert faulty.failure.remedy
    assert faulty.failure.place.path.startswith("/doi_batch/body/journal[1]/journal_article[2]")
    assert faulty.failure.place.line == 1


def test_the_orcid_failure_is_the_real_log_s() -> None:
    record = read_one(journal(article(PERSON.format("0000-0002-1825-0098"))))
    assert record.failure is not None
    assert (record.failure.msg_id, record.failure.hides_doi) == (45, True)
    assert record.failure.place.path == (
        "/doi_batch/body/journal[1]/journal_article[1]/contributors[1]/person_name[1]/ORCID[1]"
    )


def test_a_record_without_any_timestamp_fails() -> None:
    head = HEAD.replace("<timestamp>20260101</timestamp>", "")
    (record,) = read(WHOLE, head=head)
    assert rules(record) == ["missing-timestamp"]


def test_a_wrong_check_digit_of_an_issn_is_told_and_not_refused() -> None:
    record = read_one(journal(article(), metadata=METADATA + "<issn>1234-5678</issn>"))
    assert rules(record) == ["issn-checksum"]
    assert record.failure is None
    assert record.work["ISSN"] == ["1234-5678"]


def test_an_unknown_element_is_told_and_not_swallowed() -> None:
    record = read_one(journal(article("<citaton_list/>")))
    assert rules(record) == ["unknown-element"]
    assert record.failure is None


def test_a_duplicate_citation_key_is_told_and_both_references_are_kept() -> None:
    citations = '<citation key="a"><author>B</author></citation>' * 2
    record = read_one(journal(article(f"<citation_list>{citations}</citation_list>")))
    assert rules(record) == ["duplicate-citation-key"]
    assert record.work["reference"] == [{"key": "a", "author": "B"}] * 2


def test_lines_are_those_of_the_file() -> None:
    body = "\n\n\n" + journal("\n" + article(doi_data="\n\n"))
    record = read_one(body)
    assert record.line == 5
    assert record.failure is not None
    assert record.failure.place.line == 5


# -- what refuses the file ---------------------------------------------------------------------

BOMB = (
    '<!DOCTYPE b [<!ENTITY a "ha"><!ENTITY b "'
    + "&a;" * 100
    + '"><!ENTITY c "'
    + "&b;" * 100
    + '">]>'
)
DEEP = "<i>" * 300 + "</i>" * 300


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "content-in-prolog"),
        (b"This is no XML", "content-in-prolog"),
        (b"\x1f\x8b\x08\x00 gzip", "content-in-prolog"),
        (b"PK\x03\x04", "content-in-prolog"),
        (batch(WHOLE)[:-20], "truncated"),
        (batch(WHOLE)[:300], "truncated"),
        (batch(WHOLE) + b"<more/>", "malformed"),
        (batch(WHOLE, prolog='<?xml version="1.0"?>\n<!DOCTYPE doi_batch>'), "doctype"),
        (batch(WHOLE, prolog='<!DOCTYPE doi_batch SYSTEM "file:///etc/passwd">'), "doctype"),
        (batch(WHOLE, prolog='<!DOCTYPE b SYSTEM "http://127.0.0.1:1/x.dtd">'), "doctype"),
        (batch(WHOLE.replace("An example", "&c;"), prolog=BOMB), "doctype"),
        (batch(WHOLE.replace("An example", "&nbsp;")), "entity"),
        (batch(WHOLE).replace(b"An example", b"An \x00"), "forbidden-character"),
        (batch(WHOLE.replace("An example", "&#0;")), "forbidden-character"),
        (batch(WHOLE).replace(b"An example", b"\xe9t\xe9"), "encoding"),
        (batch(WHOLE, prolog='<?xml version="1.0" encoding="klingon"?>'), "encoding"),
        (batch(WHOLE.replace("An example", DEEP)), "too-deep"),
        (batch(WHOLE.replace("</titles>", "</title>")), "malformed"),
        (batch(WHOLE.replace("<titles>", "<titles a='1' a='2'>")), "malformed"),
        (WHOLE.encode(), "unsupported-schema"),
        (batch(WHOLE, version="3.0.1"), "unsupported-schema"),
        (batch(WHOLE, version="6.0.0"), "unsupported-schema"),
        (batch(WHOLE).replace(b"crossref.org/schema", b"evil.org/schema"), "unsupported-schema"),
        (batch(WHOLE, head="<head/>"), "head-incomplete"),
        (batch("", head=""), "head-incomplete"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_file_that_is_not_readable_as_a_whole_is_refused(data: bytes, rule: str) -> None:
    found = refused(data)
    assert found.rule == rule
    assert found.remedy
    assert "/etc" not in found.message


def test_the_refusal_of_an_unsupported_schema_is_the_real_log_s() -> None:
    found = refused(b"<this/>")
    assert found.msg_id == 4
    assert found.message == (
        "Record not processed because submitted XML does not match any supported schema"
    )


def test_a_fault_at_the_very_end_is_found_before_any_record_is_mapped() -> None:
    checker = Checker()
    checker.feed(batch(WHOLE * 50)[:-12])
    with pytest.raises(Unreadable) as caught:
        checker.close()
    assert caught.value.rule == "truncated"


def test_an_error_tells_the_line() -> None:
    assert refused(batch("\n\n" + WHOLE.replace("</titles>", "</x>"))).place.line == 3


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1", "utf-8-sig"])
def test_declared_encodings_are_read(encoding: str) -> None:
    text = batch(WHOLE.replace("An example", "Été")).decode()
    declared = encoding.removesuffix("-sig")
    data = (f'<?xml version="1.0" encoding="{declared}"?>' + text).encode(encoding)
    assert read_deposit([data]).records[0].work["title"] == ["Été"]


@pytest.mark.parametrize("version", ["4.3.0", "4.3.7", "4.4.2", "5.3.0", "5.4.0", "5.5.0"])
def test_schema_versions_from_4_3_0_to_5_5_0_are_read(version: str) -> None:
    assert read_deposit([batch(WHOLE, version=version)]).head.schema_version == version


def test_one_part_may_not_be_larger_than_the_limit() -> None:
    def endless() -> bytes:
        return b"<citation key='k'><author>" + b"x" * 1_000_000 + b"</author></citation>"

    start, _ = batch(journal(article("<citation_list>|"))).split(b"|")
    with pytest.raises(Unreadable) as caught:
        outline([start, *(endless() for _ in range(30))])
    assert caught.value.rule == "too-large"


def test_a_hostile_file_is_refused_promptly() -> None:
    began = time.process_time()
    refused(batch(WHOLE.replace("An example", "&c;"), prolog=BOMB))
    refused(batch(WHOLE.replace("An example", DEEP * 20)))
    refused(b"<" * 100_000)
    refused(b" " * 1_000_000)
    assert time.process_time() - began < 2.0


def test_the_outline_counts_what_the_second_pass_yields() -> None:
    data = batch(WHOLE * 3 + journal("", metadata=METADATA + DOI_DATA))
    found = outline([data])
    assert found.records == len(read_deposit([data]).records) == 4
    assert (found.head.batch_id, found.schema) == ("batch-1", None)


def test_memory_does_not_grow_with_the_file() -> None:
    import tracemalloc  # noqa: PLC0415

    references = "".join(
        f'<citation key="{n}"><doi>10.5555/{n}</doi></citation>' for n in range(50)
    )
    block = journal(article(f"<citation_list>{references}</citation_list>") * 20).encode()
    start, end = batch("|").split(b"|")
    reader = DepositReader()
    reader.feed(start)
    reader.feed(block)
    tracemalloc.start()
    records = sum(len(reader.feed(block)) for _ in range(100))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    reader.feed(end)
    reader.close()
    assert records == 2000
    assert peak < 5_000_000  # one block's records, not a hundred blocks'


def test_posted_content_is_read() -> None:
    record = read_one(posted(attributes=' type="letter" language="de"'))
    assert record.failure is None
    assert (record.work["type"], record.work["subtype"]) == ("posted-content", "letter")
    assert record.work["language"] == "de"
    assert record.work["posted"] == record.work["issued"] == {"date-parts": [[2022, 3, 1]]}
