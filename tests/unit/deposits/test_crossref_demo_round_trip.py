"""The demo's facts, as deposit XML, read back: equal to the source but for the named exceptions."""

from collections import Counter
from functools import cache

import pytest

from deploy.demo import facts
from deploy.demo.deposit_xml import batches
from services.deposits.crossref.reader import read_deposit
from services.deposits.crossref.submission import Record

REFERENCES = 8531  # in the 233 works


@cache
def records() -> dict[str, Record]:
    return {
        record.doi: record
        for batch in batches(facts.works())
        for record in read_deposit([batch.xml]).records
    }


def test_the_facts_are_whole_and_free_of_texts_that_may_be_somebody_s() -> None:
    works = list(facts.works())
    kinds = Counter(work["type"] for work in works)
    assert kinds == {
        "journal-article": 195,
        "book-chapter": 16,
        "report": 12,
        "dataset": 4,
        "proceedings-article": 3,
        "posted-content": 2,
        "reference-entry": 1,
    }
    assert sum(len(work.get("reference", ())) for work in works) == REFERENCES
    assert len(facts.members()) == 37
    assert not [w["DOI"] for w in works if {"abstract", "description", "assertion"} & w.keys()]


def test_every_setting_is_among_the_members_and_among_the_three_largest() -> None:
    settings = Counter(member.setting for member in facts.members())
    assert {"open", "limited", "closed", None} == settings.keys()
    assert {m.setting for m in facts.members()[:3]} == {"open", "limited", "closed"}


def test_no_record_of_the_demo_has_a_problem() -> None:
    assert [(r.doi, p.message) for r in records().values() for p in r.problems] == []


@pytest.mark.clause("CRR-1")
@pytest.mark.parametrize("source", list(facts.works()), ids=lambda work: str(work["DOI"]))
def test_reading_back_equals_the_source_but_for_the_named_exceptions(source: facts.Work) -> None:
    assert records()[source["DOI"]].work == facts.expected_deposit(source)


@pytest.mark.clause("CRR-1")
def test_no_reference_is_lost_and_none_altered_but_in_who_asserted_its_doi() -> None:
    read = {doi: record.work.get("reference", []) for doi, record in records().items()}
    assert sum(map(len, read.values())) == REFERENCES
    changed = Counter[str]()
    for source in facts.works():
        for before, after in zip(source.get("reference", ()), read[source["DOI"]], strict=True):
            keys = {key for key in before.keys() | after if before.get(key) != after.get(key)}
            assert keys <= {"doi-asserted-by"}
            changed.update(keys)
    assert changed == {"doi-asserted-by": 3367}  # those that Crossref had matched


def test_each_exception_is_needed_and_touches_only_what_it_names() -> None:
    touched = {
        "stamps": {"indexed", "created", "deposited"},
        "score": {"score"},
        "counts from outside the set": {"is-referenced-by-count"},
        "updates by others": {"updated-by"},
        "inverse relations": {"relation"},
        "matched references": {"reference"},
        "resolver of the policy": {"update-policy"},
    }
    for difference in facts.DIFFERENCES:
        found: set[str] = set()
        for source in facts.works():
            changed = difference.change(source)
            found |= {k for k in source.keys() | changed if source.get(k) != changed.get(k)}
        if difference.name == "empty lists":
            assert found == {"original-title", "relation", "short-title", "subject", "subtitle"}
        else:
            assert found == touched[difference.name], difference.name


def test_the_narrow_exceptions_concern_as_many_works_as_they_say() -> None:
    def concerned(name: str) -> int:
        change = next(d.change for d in facts.DIFFERENCES if d.name == name)
        return sum(change(work) != work for work in facts.works())

    assert concerned("resolver of the policy") == 7
    assert concerned("updates by others") == 2


def test_twelve_works_changed_hands_eleven_with_their_journals_and_one_alone() -> None:
    assert len(facts.transferred()) == 12
    found = {transfer.to: (len(transfer.issns), transfer.works) for transfer in facts.transfers()}
    assert found == {
        "10.1002": (1, ()),
        "10.1016": (1, ()),
        "10.1155": (7, ()),  # two of the nine articles share Andrologia, two Applied Ichthyology
        "10.64898": (0, ("10.1101/055319",)),
    }


def test_whoever_owns_a_work_of_a_journal_owns_all_works_of_it_in_the_demo() -> None:
    """Thus it is the journal that was transferred, and the rule of one owner per ISSN holds."""
    owners: dict[str, set[str]] = {}
    for work in facts.works():
        for number in [*work.get("ISSN", ()), *work.get("ISBN", ())]:
            owners.setdefault(number, set()).add(work["prefix"])
    assert [number for number, found in owners.items() if len(found) > 1] == []


def test_each_work_is_owned_by_the_member_that_the_source_names() -> None:
    for work in facts.works():
        assert str(facts.owner(work).id) == work["member"]
        if work["type"] in facts.WITHOUT_PUBLISHER:
            assert facts.owner(work).name == work["publisher"]


def test_a_file_holds_one_prefix_and_its_owner_deposits_it() -> None:
    for batch in batches(facts.works()):
        assert {work["DOI"].split("/")[0] for work in batch.works} == {batch.prefix}
        assert batch.prefix in facts.depositor()


def test_counts_within_the_demo_are_known_without_the_system() -> None:
    counts = facts.cited_by()
    assert len(counts) == 233
    assert sum(counts.values()) > 0
