"""Whose data a work carries is told in every form of it: JSON, headers, harvests (CRP-12)."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from services.distribution.oai.envelope import NAMESPACE, Header, record
from services.distribution.rest.api.sources import terms_of
from services.distribution.rest.render import Ownership, RegisteredWork, render_item
from services.distribution.transform.links import link_header
from shared.policy import VISIBLE
from shared.policy.rules import load_delivery

POLICY = load_delivery(Path(__file__).resolve().parents[3] / "deploy" / "policies")
AT = datetime(2026, 1, 1, tzinfo=UTC)
RETRACTS = {
    "type": "journal-article",
    "title": ["A"],
    "update-to": [{"DOI": "10.5555/b", "type": "retraction", "source": "retraction-watch"}],
}


def rendered(*select: str, **said: Any) -> dict[str, Any]:
    return render_item(
        RegisteredWork("10.5555/a", RETRACTS | said, AT, AT, AT),
        Ownership("10.5555", 78, "Elm"),
        cited_by=0,
        visibility=VISIBLE,
        policy=POLICY,
        select=select,
    )


@pytest.mark.clause("CRP-12b")
def test_who_selects_what_is_a_sources_learns_whose_it_is_and_others_do_not() -> None:
    assert rendered()["sources"][0]["id"] == "retraction-watch"
    assert rendered("DOI", "update-to")["sources"] == rendered()["sources"]
    assert "sources" not in rendered("DOI", "title")
    assert "sources" not in rendered(**{"update-to": []})


@pytest.mark.clause("CRP-12c")
def test_forms_without_a_place_for_terms_have_them_in_their_links() -> None:
    (stated,) = rendered()["sources"]
    links = link_header(rendered()).split(", ")
    assert f'<{stated["terms"]}>; title="retraction-watch"; rel="terms-of-service"' in links
    assert f'<{stated["policy"]}>; title="retraction-watch"; rel="privacy-policy"' in links
    assert "terms-of-service" not in link_header(rendered(**{"update-to": []}))
    assert 'rel="terms-of-service"' in terms_of("funders", POLICY.sources)["Link"]
    assert terms_of("agencies", POLICY.sources) == {}


@pytest.mark.clause("CRP-12c")
def test_a_harvested_record_carries_the_rights_of_its_sources() -> None:
    head = Header("10.5555/a", "2026-01-01T00:00:00Z", ("J",))
    xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    for rights in ((), ("https://a.example/terms?x=1&y=2",)):
        written = record(head, b"<x xmlns='urn:x'/>", rights).decode()
        root = etree.fromstring(f'<o xmlns="{NAMESPACE}" {xsi}>{written}</o>')
        said = root.findall(".//{http://www.openarchives.org/OAI/2.0/rights/}rightsReference")
        assert [one.text for one in said] == list(rights)
        parts = [etree.QName(one).localname for one in root[0]]
        assert parts == ["header", "metadata", *["about" for _ in rights]]
