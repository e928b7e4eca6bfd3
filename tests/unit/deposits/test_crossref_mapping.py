"""Forms of elements that the demo's facts do not show: each becomes what Crossref's wire has."""

from typing import Any

import pytest

from services.deposits.crossref.vocabulary import supported_version
from tests.unit.deposits.crossref_examples import (
    DOI_DATA,
    TITLES,
    article,
    journal,
    posted,
    read_one,
)


def work(more: str = "", *, version: str = "5.3.1", **parts: str) -> dict[str, Any]:
    record = read_one(journal(article(more, **parts)), version=version)
    assert record.failure is None
    return record.work


def people(inner: str, *, version: str = "5.3.1") -> dict[str, Any]:
    return work(f"<contributors>{inner}</contributors>", version=version)


# -- people ------------------------------------------------------------------------------------


def test_free_text_affiliations_of_4_x() -> None:
    found = people(
        '<person_name sequence="first" contributor_role="author"><given_name>A</given_name>'
        "<surname>B</surname><affiliation>One &amp; Two</affiliation>"
        "<affiliation>Three</affiliation></person_name>",
        version="4.4.2",
    )
    assert found["author"] == [
        {
            "given": "A",
            "family": "B",
            "sequence": "first",
            "affiliation": [{"name": "One & Two"}, {"name": "Three"}],
            "role": [{"role": "author", "vocabulary": "crossref"}],
        }
    ]


def test_institutions_of_5_x_keep_ids_places_and_departments() -> None:
    found = people(
        '<person_name sequence="additional" contributor_role="editor"><surname>B</surname>'
        "<affiliations><institution><institution_name>Univ</institution_name>"
        '<institution_id type="ror">https://ror.org/04rjz5883</institution_id>'
        "<institution_acronym>U</institution_acronym><institution_place>Oslo</institution_place>"
        "<institution_department>Physics</institution_department></institution></affiliations>"
        "</person_name>"
    )
    assert found["editor"][0]["affiliation"] == [
        {
            "name": "Univ",
            "id": [
                {
                    "id": "https://ror.org/04rjz5883",
                    "id-type": "ROR",
                    "asserted-by": "publisher",
                }
            ],
            "acronym": ["U"],
            "place": ["Oslo"],
            "department": ["Physics"],
        }
    ]


def test_role_elements_of_5_5() -> None:
    found = people(
        '<person_name sequence="first"><surname>B</surname>'
        '<role type="author" vocab="crossref"/><role type="corresponding-author" vocab="crossref"/>'
        '<role type="software" vocab="credit"/></person_name>',
        version="5.5.0",
    )
    assert [r["role"] for r in found["author"][0]["role"]] == [
        "author",
        "corresponding-author",
        "software",
    ]
    assert found["author"][0]["role"][2]["vocabulary"] == "credit"


def test_other_roles_are_contributors_and_an_anonymous_one_has_a_name() -> None:
    found = people(
        '<organization sequence="first" contributor_role="reviewer">A\n Group</organization>'
        '<anonymous sequence="additional" contributor_role="author"/>'
    )
    assert found["contributor"][0]["name"] == "A Group"
    assert found["author"][0]["name"] == "Anonymous"


@pytest.mark.parametrize(
    ("written", "authenticated", "expected"),
    [
        ("https://orcid.org/0000-0002-1825-0097", ' authenticated="true"', True),
        ("http://orcid.org/0000-0002-1825-0097", ' authenticated="1"', True),
        ("0000-0002-1825-0097", ' authenticated="false"', False),
        (" https://orcid.org/0000000218250097 ", "", False),
    ],
)
def test_an_orcid_is_a_url_whatever_its_spelling(
    written: str, authenticated: str, *, expected: bool
) -> None:
    found = people(
        '<person_name sequence="first" contributor_role="author"><surname>C</surname>'
        f"<ORCID{authenticated}>{written}</ORCID></person_name>"
    )
    author = found["author"][0]
    assert author["ORCID"] == "https://orcid.org/0000-0002-1825-0097"
    assert author["authenticated-orcid"] is expected


# -- titles and abstracts ----------------------------------------------------------------------


def test_face_markup_stays_markup_and_escaped_markup_stays_escaped() -> None:
    found = work(titles="<titles><title> A <i>b</i> &lt;i&gt;c&lt;/i&gt; &amp; d </title></titles>")
    assert found["title"] == ["A <i>b</i> &lt;i&gt;c&lt;/i&gt; &amp; d"]


def test_white_space_inside_a_title_is_the_depositor_s() -> None:
    found = work(titles="<titles><title>\n A\n  <scp>r</scp>\n  app \t</title></titles>")
    assert found["title"] == ["A\n  <scp>r</scp>\n  app"]


def test_subtitles_and_original_titles() -> None:
    found = work(
        titles="<titles><title>A</title><subtitle/><original_language_title language='fr'>B"
        "</original_language_title><subtitle>C</subtitle></titles>"
    )
    assert (found["title"], found["subtitle"], found["original-title"]) == (
        ["A"],
        ["", "C"],
        ["B"],
    )


@pytest.mark.parametrize(
    "written",
    [
        "<jats:abstract><jats:p>a<jats:italic>b</jats:italic> &lt; c</jats:p></jats:abstract>",
        (
            '<abstract xmlns="http://www.ncbi.nlm.nih.gov/JATS1"><p>a<italic>b</italic> &lt; c</p>'
            "</abstract>"
        ),
    ],
    ids=["prefixed", "default namespace"],
)
def test_an_abstract_has_the_jats_prefix_whatever_the_file_s(written: str) -> None:
    assert work(written)["abstract"] == ("<jats:p>a<jats:italic>b</jats:italic> &lt; c</jats:p>")


def test_foreign_attributes_of_an_abstract_are_declared_in_place() -> None:
    found = work(
        '<jats:abstract xmlns:xlink="http://www.w3.org/1999/xlink"><jats:p>'
        '<jats:inline-graphic xlink:href="a.png"/></jats:p></jats:abstract>'
    )
    assert found["abstract"] == (
        '<jats:p><jats:inline-graphic xmlns:xlink="http://www.w3.org/1999/xlink" '
        'xlink:href="a.png" /></jats:p>'
    )


# -- dates -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("date", "parts"),
    [
        ("<month>05</month><day>07</day><year>2012</year>", [2012, 5, 7]),
        ("<month>5</month><year>2012</year>", [2012, 5]),
        ("<year>2012</year>", [2012]),
        ("<month>21</month><year>2012</year>", [2012]),
        ("<month>34</month><day>3</day><year>2012</year>", [2012]),
        ("<day>3</day><year>2012</year>", [2012]),
        ("<month>02</month><day>30</day><year>2012</year>", [2012, 2]),
    ],
)
def test_a_date_is_as_precise_as_it_was_given(date: str, parts: list[int]) -> None:
    found = work(date=f'<publication_date media_type="print">{date}</publication_date>')
    assert found["published-print"] == found["issued"] == {"date-parts": [parts]}


def test_issued_is_the_earliest_date_and_print_is_the_default_medium() -> None:
    found = work(
        date="<publication_date><month>3</month><year>2020</year></publication_date>"
        '<publication_date media_type="online"><month>2</month><day>9</day><year>2020</year>'
        '</publication_date><publication_date media_type="other"><year>2021</year>'
        "</publication_date>"
    )
    assert found["published-print"] == {"date-parts": [[2020, 3]]}
    assert found["published-other"] == {"date-parts": [[2021]]}
    assert found["issued"] == found["published"] == {"date-parts": [[2020, 2, 9]]}


def test_an_issue_lends_its_numbers_and_its_dates() -> None:
    issue = (
        "<journal_issue><publication_date media_type='print'><month>3</month><year>2020</year>"
        "</publication_date><journal_volume><volume>7</volume></journal_volume><issue>2</issue>"
        "<special_numbering>S1</special_numbering></journal_issue>"
    )
    found = read_one(journal(article(), issue=issue)).work
    assert (found["volume"], found["issue"], found["special_numbering"]) == ("7", "2", "S1")
    assert found["journal-issue"] == {
        "issue": "2",
        "published-print": {"date-parts": [[2020, 3]]},
    }


def test_without_an_issue_number_there_is_no_journal_issue() -> None:
    issue = (
        "<journal_issue><publication_date><year>2020</year></publication_date>"
        "<journal_volume><volume>7</volume></journal_volume></journal_issue>"
    )
    found = read_one(journal(article(), issue=issue)).work
    assert found["volume"] == "7"
    assert "journal-issue" not in found


# -- licences, links, funding ------------------------------------------------------------------

LICENCES = (
    '<ai:program name="AccessIndicators"><ai:free_to_read start_date="2020-02-01"/>'
    '<ai:license_ref applies_to="vor" start_date="2020-06-01"> https://example.org/l '
    "</ai:license_ref>"
    '<ai:license_ref start_date="2019-06-01T00:00:00">https://example.org/l</ai:license_ref>'
    "<ai:license_ref>https://example.org/l</ai:license_ref></ai:program>"
)


@pytest.mark.parametrize("inside_crossmark", [True, False])
def test_licences_start_when_issued_unless_they_say_otherwise(*, inside_crossmark: bool) -> None:
    crossmark = "<crossmark><custom_metadata>{}</custom_metadata></crossmark>"
    found = work(crossmark.format(LICENCES) if inside_crossmark else LICENCES)
    said = [
        (x["content-version"], x["start"]["date-time"], x["delay-in-days"], x["URL"])
        for x in found["license"]
    ]
    url = "https://example.org/l"
    assert said == [
        ("vor", "2020-06-01T00:00:00Z", 152, url),
        ("unspecified", "2019-06-01T00:00:00Z", 0, url),
        ("unspecified", "2020-01-01T00:00:00Z", 0, url),
    ]
    assert found["license"][0]["start"]["timestamp"] == 1590969600000
    assert found["free-to-read"] == {"start-date": {"date-parts": [[2020, 2, 1]]}}


def test_links_are_in_the_wire_s_order_and_only_of_its_applications() -> None:
    def item(url: str, attributes: str = "", resource: str = "") -> str:
        return f"<item{attributes}><resource{resource}>{url}</resource></item>"

    data = DOI_DATA.replace(
        "</doi_data>",
        '<collection property="crawler-based">'
        + item("https://e.org/1", ' crawler="iParadigms"')
        + item("https://e.org/2", ' crawler="google"')
        + '</collection><collection property="list-based">'
        + item("https://e.org/3", ' label="Mirror"')
        + '</collection><collection property="text-mining">'
        + item(" https://e.org/4 ", "", ' content_version="am" mime_type="application/pdf"')
        + "</collection></doi_data>",
    )
    found = work(doi_data=data)
    assert found["link"] == [
        {
            "URL": "https://e.org/4",
            "content-type": "application/pdf",
            "content-version": "am",
            "intended-application": "text-mining",
        },
        {
            "URL": "https://e.org/1",
            "content-type": "unspecified",
            "content-version": "vor",
            "intended-application": "similarity-checking",
        },
    ]
    assert found["resource"] == {
        "primary": {"URL": "https://example.org/a1"},
        "secondary": [{"URL": "https://e.org/3", "label": "Mirror"}],
    }


def _fr(name: str, value: str) -> str:
    return f'<fr:assertion name="{name}">{value}</fr:assertion>'


NSF = _fr("funder_name", "NSF " + _fr("funder_identifier", " 100000001 "))


@pytest.mark.parametrize(
    ("inner", "names", "awards"),
    [
        (_fr("fundgroup", NSF + _fr("award_number", " A ")), ["NSF"], [["A"]]),
        (NSF + _fr("award_number", "A") + _fr("award_number", "B"), ["NSF"], [["A", "B"]]),
        (_fr("award_number", "A") + NSF, ["NSF"], [["A"]]),
        (NSF + _fr("award_number", "A") + _fr("funder_name", "X"), ["NSF", "X"], [["A"], []]),
        (
            _fr("fundgroup", NSF + _fr("funder_name", "X") + _fr("award_number", "B")),
            ["NSF", "X"],
            [[], ["B"]],
        ),
    ],
)
def test_funders_with_and_without_groups(
    inner: str, names: list[str], awards: list[list[str]]
) -> None:
    funders = work(f'<fr:program name="fundref">{inner}</fr:program>')["funder"]
    assert [f["name"] for f in funders] == names
    assert [f.get("award", []) for f in funders] == awards
    assert (funders[0]["DOI"], funders[0]["doi-asserted-by"]) == ("10.13039/100000001", "publisher")
    assert funders[0]["id"] == [
        {"id": "10.13039/100000001", "id-type": "DOI", "asserted-by": "publisher"}
    ]


@pytest.mark.parametrize(
    "identifier",
    [
        "http://dx.doi.org/10.13039/100000001",
        "https://doi.org/10.13039/100000001",
        "10.13039/100000001",
        "100000001",
    ],
)
def test_a_funder_s_identifier_in_every_spelling(identifier: str) -> None:
    inner = _fr("funder_name", "NSF" + _fr("funder_identifier", identifier))
    assert work(f"<fr:program>{inner}</fr:program>")["funder"][0]["DOI"] == "10.13039/100000001"


def test_a_funder_known_by_ror_and_its_grant() -> None:
    inner = _fr(
        "fundgroup",
        _fr("funder_name", "X")
        + _fr("ror", "https://ror.org/01cwqze88")
        + _fr("grant_doi", "10.13039/5"),
    )
    (funder,) = work(f"<fr:program>{inner}</fr:program>", version="5.5.0")["funder"]
    assert funder["id"][0]["id-type"] == "ROR"
    assert funder["award-info"] == [{"DOI": "10.13039/5"}]


# -- identifiers, relations, Crossmark ---------------------------------------------------------


def test_identifiers_are_alternative_ids_and_only_article_numbers_are_numbers() -> None:
    found = work(
        '<publisher_item><item_number item_number_type="article-number">e1</item_number>'
        '<item_number item_number_type="sequence-number">3</item_number>'
        '<identifier id_type="pii">S1</identifier><identifier id_type="doi">10.1/x</identifier>'
        "</publisher_item>"
    )
    assert found["article-number"] == "e1"
    assert found["alternative-id"] == ["S1", "10.1/x"]


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        ("<first_page>1</first_page><last_page>9</last_page>", "1-9"),
        ("<first_page>e7</first_page>", "e7"),
        ("<first_page>1</first_page><last_page>9</last_page><other_pages>12</other_pages>", "1-9"),
    ],
)
def test_pages(pages: str, expected: str) -> None:
    assert work(f"<pages>{pages}</pages>")["page"] == expected


def test_relations_are_kebab_case_and_asserted_by_the_subject() -> None:
    found = work(
        "<rel:program><rel:related_item><rel:description>x</rel:description>"
        '<rel:intra_work_relation relationship-type="isVersionOf" identifier-type="doi">10.5555/v'
        "</rel:intra_work_relation></rel:related_item><rel:related_item>"
        '<rel:inter_work_relation relationship-type="isReviewOf" identifier-type="uri">urn:x'
        "</rel:inter_work_relation></rel:related_item></rel:program>"
    )
    assert found["relation"] == {
        "is-version-of": [{"id-type": "doi", "id": "10.5555/v", "asserted-by": "subject"}],
        "is-review-of": [{"id-type": "uri", "id": "urn:x", "asserted-by": "subject"}],
    }


def test_crossmark() -> None:
    found = work(
        "<crossmark><crossmark_policy>10.5555/P</crossmark_policy><crossmark_domains>"
        "<crossmark_domain><domain>a.org</domain></crossmark_domain><crossmark_domain>"
        "<domain>b.org</domain></crossmark_domain></crossmark_domains>"
        "<crossmark_domain_exclusive>true</crossmark_domain_exclusive><updates>"
        '<update type="expression_of_concern" date="2021-02-03">10.5555/U</update></updates>'
        '<custom_metadata><assertion name="received" label="Received" order="1" href="http://e.org"'
        ' explanation="http://x.org" group_name="g" group_label="G">A &amp; B</assertion>'
        "<ct:program><ct:clinical-trial-number registry='10.18810/isrctn' type='results'>I1"
        "</ct:clinical-trial-number></ct:program></custom_metadata></crossmark>"
    )
    assert found["update-policy"] == "https://doi.org/10.5555/P"
    assert found["content-domain"] == {
        "domain": ["a.org", "b.org"],
        "crossmark-restriction": True,
    }
    assert found["update-to"] == [
        {
            "DOI": "10.5555/U",
            "type": "expression_of_concern",
            "label": "Expression of concern",
            "source": "publisher",
            "updated": {
                "date-parts": [[2021, 2, 3]],
                "date-time": "2021-02-03T00:00:00Z",
                "timestamp": 1612310400000,
            },
        }
    ]
    assert found["assertion"] == [
        {
            "name": "received",
            "value": "A & B",
            "label": "Received",
            "order": 1,
            "URL": "http://e.org",
            "explanation": {"URL": "http://x.org"},
            "group": {"name": "g", "label": "G"},
        }
    ]
    assert found["clinical-trial-number"] == [
        {"clinical-trial-number": "I1", "registry": "10.18810/isrctn", "type": "results"}
    ]


def test_what_every_work_has() -> None:
    found = work()
    assert found["content-domain"] == {"domain": [], "crossmark-restriction": False}
    assert (found["reference-count"], found["references-count"]) == (0, 0)
    assert [key for key, value in found.items() if value in ([], {})] == []


# -- citations ---------------------------------------------------------------------------------


def test_every_field_of_a_citation() -> None:
    fields = {
        "journal_title": ("journal-title", "J & K"),
        "author": ("author", "Doe"),
        "volume": ("volume", "1"),
        "issue": ("issue", "2"),
        "first_page": ("first-page", "3"),
        "elocation_id": ("elocation-id", "e4"),
        "cYear": ("year", "1999a"),
        "series_title": ("series-title", "S"),
        "volume_title": ("volume-title", "V"),
        "edition_number": ("edition", "2nd"),
        "component_number": ("component", "C"),
        "article_title": ("article-title", "A <b> c"),
        "std_designator": ("standard-designator", "ISO 1"),
        "unstructured_citation": ("unstructured", "Doe, <i>A</i>"),
    }
    inner = "".join(
        f"<{element}>{value.replace('&', '&amp;').replace('<', '&lt;')}</{element}>"
        for element, (_, value) in fields.items()
    )
    more = (
        "<doi> 10.5555/X&lt;1&gt; </doi><issn>00280836</issn>"
        '<isbn media_type="electronic">9780306406157</isbn>'
        "<standards_body><standards_body_name>ISO</standards_body_name>"
        "<standards_body_acronym>I</standards_body_acronym></standards_body>"
    )
    found = work(
        f'<citation_list><citation key=" r  1 " type="book">{inner}{more}</citation>'
        "</citation_list>"
    )
    assert found["reference"] == [
        {
            "key": "r 1",
            "type": "book",
            **dict(fields.values()),
            "DOI": "10.5555/X<1>",
            "doi-asserted-by": "publisher",
            "ISSN": "https://id.crossref.org/issn/0028-0836",
            "issn-type": "print",
            "ISBN": "https://id.crossref.org/isbn/9780306406157",
            "isbn-type": "electronic",
            "standards-body": "ISO",
        }
    ]


def test_who_asserted_a_reference_s_doi_can_be_said() -> None:
    doi = '<doi provider="crossref">https://doi.org/10.5555/x</doi>'
    found = work(f'<citation_list><citation key="1">{doi}</citation></citation_list>')
    assert found["reference"] == [{"key": "1", "DOI": "10.5555/x", "doi-asserted-by": "crossref"}]


def test_markup_in_an_unstructured_citation_shows_as_tags() -> None:
    text = "<unstructured_citation>A &amp; B, <i>C</i>.\n D</unstructured_citation>"
    found = work(f'<citation_list><citation key="1">{text}</citation></citation_list>')
    assert found["reference"][0]["unstructured"] == "A & B, <i>C</i>.\n D"


# -- posted content ----------------------------------------------------------------------------


def test_posted_content_whole() -> None:
    record = read_one(
        posted(
            "<acceptance_date><year>2022</year></acceptance_date><institution>"
            "<institution_name>eLife</institution_name><institution_id type='ror'>"
            "https://ror.org/04rjz5883</institution_id></institution>"
            '<item_number item_number_type="article_number">RP1</item_number>'
            '<archive_locations><archive name="CLOCKSS"/></archive_locations>'
            "<version_info><version>2</version></version_info>"
        ).replace(TITLES, f"<group_title>Ecology</group_title>{TITLES}"),
        version="5.5.0",
    )
    assert record.problems == ()
    found = record.work
    assert (found["subtype"], found["group-title"]) == ("preprint", "Ecology")
    assert found["accepted"] == {"date-parts": [[2022]]}
    assert found["article-number"] == "RP1"
    assert found["archive"] == ["CLOCKSS"]
    assert found["version"] == {"version": "2"}
    assert found["institution"][0]["id"][0]["id-type"] == "ROR"


@pytest.mark.parametrize(
    ("namespace", "version"),
    [
        ("http://www.crossref.org/schema/4.3.0", "4.3.0"),
        ("https://www.crossref.org/schema/5.5.0", "5.5.0"),
        ("http://www.crossref.org/doi_resources_schema/4.3.6", "4.3.6"),
        ("http://www.crossref.org/schema/4.2.9", None),
        ("http://www.crossref.org/schema/5.6.0", None),
        ("http://www.crossref.org/schema/5.3.1x", None),
        ("", None),
    ],
)
def test_supported_namespaces(namespace: str, version: str | None) -> None:
    assert supported_version(namespace) == version
