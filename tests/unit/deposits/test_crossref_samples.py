"""Deposits that others wrote: each file of the samples gets the answer its name promises."""

from pathlib import Path

import pytest

from deploy.demo import facts
from deploy.demo.deposit_xml import batches
from deploy.demo.extract import extract
from services.deposits.crossref.faults import Unreadable
from services.deposits.crossref.reader import Checker, read_deposit
from services.deposits.crossref.schemas import Schemas, load_schemas
from tests.conftest import SAMPLES
from tests.unit.deposits.crossref_examples import article, batch, journal

FILES = sorted((SAMPLES / "crossref" / "deposits").glob("*.xml"))

REFUSED = {  # file -> rule: not a deposit, or not one that can be read
    "cayenne-invalid-deposit.xml": "truncated",
    "doaj-any-not_xml.xml": "content-in-prolog",
    "doaj-any-schema_invalid.xml": "unsupported-schema",
    "ezid-crossref_metadata.xml": "unsupported-schema",  # a body's part, without its doi_batch
    "ezid-crossref_metadata_database_4.4.0.xml": "unsupported-schema",
}
FAILED = {  # file -> rules of its failed records
    "doaj-4.4.2-article_uploads.xml": {"missing-doi"},
    "elife-crossref-1234567890-20170717071707.xml": {"orcid-checksum"},
    "elife-crossref-preprint-version-posted_content-202200001-v2-20170717071707.xml": {
        "orcid-checksum"  # 0000-0000-0000-0000
    },
}


@pytest.mark.skipif(not FILES, reason="the samples folder is not beside this checkout")
@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.name))
def test_a_file_gets_the_answer_its_name_promises(path: Path) -> None:
    data = path.read_bytes()
    if path.name in REFUSED:
        with pytest.raises(Unreadable) as caught:
            read_deposit([data])
        assert caught.value.rule == REFUSED[path.name]
        return
    read = read_deposit([data])
    failed = {record.failure.rule for record in read.records if record.failure}
    assert read.records
    assert failed == FAILED.get(path.name, set())
    told = {p.rule for record in read.records for p in record.problems} - failed
    assert told <= {"issn-checksum"}  # others' test files have made-up ISSNs


@pytest.mark.skipif(not FILES, reason="the samples folder is not beside this checkout")
@pytest.mark.parametrize(
    "path", [p for p in FILES if p.name not in REFUSED], ids=lambda path: str(path.name)
)
def test_no_citation_of_a_readable_file_is_lost(path: Path) -> None:
    data = path.read_bytes()
    read = read_deposit([data])
    found = sum(len(record.work.get("reference", ())) for record in read.records)
    assert found == data.count(b"<citation key") + data.count(b"<citation type")


# -- schemas -----------------------------------------------------------------------------------


def check(data: bytes, schemas: Schemas) -> str | None:
    checker = Checker(schemas=schemas)
    checker.feed(data)
    return checker.close().schema


def test_a_valid_file_passes_and_the_schema_is_named(schemas: Schemas) -> None:
    assert schemas.names() == ["crossref4.4.2.xsd", "crossref5.3.1.xsd"]
    issn = "<full_title>A</full_title><issn>2049-3630</issn>"
    assert check(batch(journal(article(), metadata=issn)), schemas) == "crossref5.3.1.xsd"


def test_a_version_without_a_schema_in_the_folder_is_skipped_and_told(schemas: Schemas) -> None:
    assert check(batch(journal(article()), version="5.5.0"), schemas) is None


def test_an_invalid_file_is_refused_with_line_and_element(schemas: Schemas) -> None:
    data = batch("\n" + journal("\n" + article(titles="<titles>\n<title>x</title><x/></titles>")))
    with pytest.raises(Unreadable) as caught:
        check(data, schemas)
    found = caught.value
    assert (found.rule, found.place.line, found.place.path) == ("schema-invalid", 4, "//x")
    assert "This element is not expected" in found.message


def test_a_schema_s_message_does_not_repeat_the_depositor(schemas: Schemas) -> None:
    data = batch(journal(article())).replace(b"nia@private.example", b"nia@x")
    with pytest.raises(Unreadable) as caught:
        check(data, schemas)
    assert "nia@x" not in str(caught.value)
    assert caught.value.place.path == "//email_address"


def test_a_folder_of_schemas_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError):
        load_schemas(tmp_path / "none")
    assert load_schemas(tmp_path).names() == []


def test_the_demo_s_deposits_are_valid(schemas: Schemas) -> None:
    """But for licences of version stm-asf: the copy of AccessIndicators here is older than it."""
    works = [
        {**w, "license": [x for x in w.get("license", ()) if x["content-version"] != "stm-asf"]}
        for w in facts.works()
    ]
    applied = {made.file_name: check(made.xml, schemas) for made in batches(works)}
    assert {name for name, schema in applied.items() if schema is None} == {
        "demo-10.59350-posted_content-1.xml"  # it has a version, thus 5.5.0
    }


def test_the_facts_are_what_the_documented_tool_makes(samples: Path, tmp_path: Path) -> None:
    written = extract(samples / "crossref" / "works" / "works-2026.jsonl", into=tmp_path)
    assert sum(written.values()) == 233
    for member in written:
        made, kept = tmp_path / f"{member}.jsonl", facts.HERE / "works" / f"{member}.jsonl"
        assert made.read_bytes() == kept.read_bytes()


def test_titles_of_the_samples_keep_markup(samples: Path) -> None:
    path = samples / "crossref" / "deposits" / "doaj-5.3.1-title_with_html_tags.xml"
    (record,) = read_deposit([path.read_bytes()]).records
    assert record.work["title"] == [
        "Title with HTML tags <i>escaped</i> and &lt;i&gt;unescaped&lt;/i&gt;"
    ]
