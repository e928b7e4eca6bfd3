"""Who may harvest: the policy file's rows, and what they come to for each kind of reader."""

from pathlib import Path

import pytest

from services.distribution.oai.formats import FORMATS
from services.distribution.oai.verbs import VERBS
from shared.policy import ANYBODY, PolicyError, Reader
from shared.policy.harvesting import load_harvesting

FILE = Path(__file__).resolve().parents[3] / "deploy" / "policies" / "harvesting.toml"
POLICY = load_harvesting(FILE)
PLUS = Reader(plus=True)
OWNER = Reader(organisation=78)
BOTH = Reader(organisation=78, plus=True)
OPERATOR = Reader(operator=True)
PUBLIC = ("Identify", "ListMetadataFormats", "ListSets", "ListIdentifiers")


def test_every_verb_and_format_there_is_has_a_row() -> None:
    assert POLICY.verbs() == VERBS.keys()
    assert FORMATS.keys() <= POLICY.formats()


@pytest.mark.clause("CRP-12a")
@pytest.mark.parametrize("verb", PUBLIC)
def test_what_there_is_is_told_to_everybody(verb: str) -> None:
    for reader in (ANYBODY, PLUS, OWNER, OPERATOR):
        assert POLICY.reach(reader, verb, "oai_dc") == "all"


@pytest.mark.clause("CRR-15")
@pytest.mark.parametrize("verb", ["GetRecord", "ListRecords"])
@pytest.mark.parametrize("metadata_format", ["oai_dc", "cr_unixsd", "cr_unixml"])
def test_records_are_for_subscribers_and_their_owners(verb: str, metadata_format: str) -> None:
    reached = [
        POLICY.reach(reader, verb, metadata_format)
        for reader in (ANYBODY, PLUS, OWNER, BOTH, OPERATOR)
    ]
    assert reached == [None, "all", "own", "all", None]


@pytest.mark.clause("CRR-5")
@pytest.mark.parametrize("verb", ["GetRecord", "ListRecords", "ListIdentifiers"])
def test_citing_works_are_for_the_owner_of_the_cited_one_alone(verb: str) -> None:
    reached = [
        POLICY.reach(reader, verb, "cr_citedby")
        for reader in (ANYBODY, PLUS, OWNER, BOTH, OPERATOR)
    ]
    assert reached == [None, None, "own", "own", None]


def test_what_has_no_row_is_nobody_s() -> None:
    assert POLICY.reach(BOTH, "DeleteRecord") is None
    assert POLICY.reach(BOTH, "ListRecords", "marc21") is None


def test_a_file_that_names_a_verb_twice_or_says_something_else_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "harvesting.toml"
    for old, new in (
        ('"ListSets", ', '"GetRecord", '),
        ('all = ["anyone"]', 'all = ["everyone"]'),
        ("since = 2018-01-01", "since = 2999-01-01"),
    ):
        text = FILE.read_text()
        assert old in text
        file.write_text(text.replace(old, new, 1))
        with pytest.raises(PolicyError, match=r"harvesting\.toml"):
            load_harvesting(file)
