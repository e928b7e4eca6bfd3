"""Terms of third-party sources: named in what is delivered, withheld where they say so (CRP-12)."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.policy import PolicyError
from shared.policy.files import checked
from shared.policy.rules import load_delivery
from shared.policy.sources import (
    SourcesFile,
    SourcesPolicy,
    attributed,
    load_sources,
)

POLICIES = Path(__file__).resolve().parents[3] / "deploy" / "policies"
POLICY = load_sources(POLICIES / "sources.toml")
TEXT = (POLICIES / "sources.toml").read_text()

OTHERS = {"DOI": "10.5555/a", "type": "retraction", "source": "retraction-watch"}
OWN = {"DOI": "10.5555/b", "type": "correction", "source": "publisher"}
WORK = {"title": ["A"], "update-to": [OTHERS, OWN]}


def policy(text: str) -> SourcesPolicy:
    return SourcesPolicy(checked(SourcesFile, text.encode(), "sources.toml"))


def restricted() -> SourcesPolicy:
    return policy(TEXT.replace("restricted = false", "restricted = true"))


@pytest.mark.clause("CRP-12b")
def test_what_is_a_sources_says_whose_it_is_and_under_which_terms() -> None:
    shown = attributed(POLICY, WORK)
    assert shown["update-to"] == [OTHERS, OWN]
    (stated,) = shown["sources"]
    assert stated["id"] == "retraction-watch"
    assert stated["terms"].startswith("https://")
    assert stated["fields"] == ["update-to"]
    assert stated["withheld"] == []


@pytest.mark.clause("CRP-12c")
def test_a_policy_that_a_source_requires_is_linked_and_without_the_link_nothing_starts() -> None:
    (stated,) = attributed(POLICY, WORK)["sources"]
    assert stated["policy"].startswith("https://")
    without = "\n".join(line for line in TEXT.splitlines() if not line.startswith("policy = "))
    with pytest.raises(PolicyError, match="requires its policy to be linked"):
        policy(without)


@pytest.mark.clause("CRP-12d")
def test_what_a_source_no_longer_lets_be_delivered_is_withheld_and_the_rest_stays() -> None:
    shown = attributed(restricted(), WORK)
    assert shown["update-to"] == [OWN]
    (stated,) = shown["sources"]
    assert stated["withheld"] == ["update-to"]
    assert stated["fields"] == []
    alone = attributed(restricted(), {"update-to": [OTHERS]})
    assert "update-to" not in alone


@pytest.mark.clause("CRP-12b")
def test_what_is_members_own_is_returned_as_it_is() -> None:
    own = {"title": ["A"], "update-to": [OWN]}
    assert attributed(POLICY, own) is own
    assert attributed(restricted(), own) is own


def test_rows_lead_into_objects_and_items_and_may_take_all_of_a_field() -> None:
    row = """
[[field]]
id = "a-field"
clause = "CRP-12b"
since = 2018-05-25
says = "Deep."
party = "retraction-watch"
path = "author.affiliation"
restricted = true
"""
    work = {"author": [{"family": "E", "affiliation": [{"name": "x"}]}, {"family": "F"}]}
    shown = attributed(policy(TEXT + row), work)
    assert shown["author"] == [{"family": "E"}, {"family": "F"}]
    assert work["author"][0] == {"family": "E", "affiliation": [{"name": "x"}]}, "the work stays"


def test_a_row_of_nobody_is_refused() -> None:
    with pytest.raises(PolicyError, match="has no \\[\\[party\\]\\] row"):
        policy(TEXT.replace('party = "open-funder-registry"', 'party = "nobody"'))


def test_changed_terms_change_what_deliveries_are_judged_under() -> None:
    rules = load_delivery(POLICIES)
    assert rules.sources is not None
    assert rules.judged == f"{rules.version}, sources {rules.sources.version}"


JSON: Any = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["source", "DOI", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.clause("CRP-12d")
@given(st.dictionaries(st.sampled_from(["update-to", "updated-by", "title"]), JSON))
def test_nothing_restricted_is_ever_left_in_a_work(work: dict[str, Any]) -> None:
    shown = attributed(restricted(), work)
    for name in ("update-to", "updated-by"):
        items = shown.get(name, [])
        for item in items if isinstance(items, list) else [items]:
            assert not (isinstance(item, dict) and item.get("source") == "retraction-watch")
