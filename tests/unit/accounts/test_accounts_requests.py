"""The support desk's form: complete, of one organisation, and all of its own prefixes (CRR-9)."""

from typing import Any

import pytest

from services.accounts.model.prefixes import choose, choose_by_request
from services.accounts.model.requests import Form, KeptRequest, judge, result_of, settled
from shared.events.decisions import Accepted, Refused, Unchanged
from tests.unit.accounts.given import AT, a_prefix, accepted, an_organisation, refused, said

OWNED = {
    "10.5555": a_prefix(),
    "10.6666": a_prefix(an_organisation(79, "Other"), prefix="10.6666"),
}


def judged(name: str, *prefixes: str, named: Any = None) -> Any:
    organisations = [an_organisation()] if named is None else named
    return judge(Form(name, prefixes, "closed"), organisations, OWNED, request="1", now=AT)


@pytest.mark.clause("CRR-9")
@pytest.mark.parametrize(
    ("name", "prefixes", "places"),
    [
        ("", ("10.5555",), ("/organisation",)),
        ("  ", ("10.5555",), ("/organisation",)),
        ("Press", (), ("/prefixes",)),
        ("", (), ("/organisation", "/prefixes")),
        ("Press", ("10.5555", "10.5555/1"), ("/prefixes/1",)),
        ("Press", ("doi:10.5555",), ("/prefixes/0",)),
    ],
)
def test_a_form_without_name_or_prefixes_is_refused(
    name: str, prefixes: tuple[str, ...], places: tuple[str, ...]
) -> None:
    decided = judged(name, *prefixes)
    assert refused(decided) == "request-incomplete"
    assert (decided.reason.places, decided.reason.rule) == (places, "CRR-9")


@pytest.mark.clause("CRR-9")
def test_an_unknown_or_ambiguous_name_is_refused() -> None:
    assert refused(judged("Nobody", "10.5555", named=[])) == "name-unknown"
    two = [an_organisation(), an_organisation(79)]
    assert refused(judged("Press", "10.5555", named=two)) == "name-ambiguous"


@pytest.mark.clause("CRR-9")
@pytest.mark.parametrize("foreign", ["10.6666", "10.9999"])
def test_one_foreign_prefix_refuses_the_whole_form(foreign: str) -> None:
    decided = judged("Press", "10.5555", foreign)
    assert refused(decided) == "prefixes-not-owned"
    assert decided.reason.places == ("/prefixes/1",)


@pytest.mark.clause("CRR-9")
def test_a_request_says_what_it_came_to_at_each_prefix() -> None:
    asked: KeptRequest = accepted(judged("Press", "10.5555", "10.5555"))
    assert asked.prefixes == ("10.5555",)
    known = OWNED["10.5555"]
    done = choose_by_request(
        known, 78, "closed", said=said(asked.actor, minutes=1), asked_at=asked.at
    )
    later = accepted(choose(known, 78, "open", said=said(minutes=1)))
    so = accepted(choose(known, 78, "closed", said=said(minutes=-1)))
    outcomes = [
        result_of("10.5555", after, asked).outcome for after in (accepted(done), later, so, None)
    ]
    assert outcomes == ["set", "superseded", "already-so", "not-owned"]
    results = (result_of("10.5555", accepted(done), asked),)
    recorded = settled(asked, results)
    assert isinstance(recorded, Accepted)
    assert (recorded.state.results, recorded.state.unsettled) == (results, False)
    assert isinstance(settled(recorded.state, ()), Unchanged)
    assert isinstance(settled(None, ()), Refused)
