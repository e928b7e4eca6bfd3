"""A work in every form: what is written can be read again, whatever the work says."""

import json
import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from rdflib import Graph

from deploy.demo import facts
from services.distribution.transform import formatted, styles
from services.distribution.transform.bibtex import bibtex
from services.distribution.transform.csl import csl_item, csl_json
from services.distribution.transform.links import MOST, link_header
from services.distribution.transform.media import FORMS, Wish
from services.distribution.transform.ris import ris
from tests.conftest import SAMPLES
from tests.strategies import deposits

EXCHANGES = SAMPLES / "crossref" / "exchanges"
CSL = "200_works_10_1126_science_169_3946_635_transform_application_vnd_citationstyles_csl_json"
BIBTEX = "200_v1_works_10_1126_science_169_3946_635_transform"

GRAPHS = {
    "application/rdf+xml": "xml",
    "text/turtle": "turtle",
    "text/n-triples": "nt",
}
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def example(**said: Any) -> dict[str, Any]:
    return {
        "DOI": "10.5555/a",
        "URL": "https://doi.org/10.5555/a",
        "type": "journal-article",
        "title": ["On things"],
        "issued": {"date-parts": [[2020, 5, 4]]},
        **said,
    }


def exchange(name: str) -> Any:
    file = EXCHANGES / f"{name}.json"
    if not file.is_file():
        pytest.skip("the samples folder is not beside this checkout")
    return json.loads(file.read_text("utf-8"))["response"]["body"]


def work_of(csl: dict[str, Any]) -> dict[str, Any]:
    """Return the work object that a CSL JSON of the wire was made from."""
    said = {k: v for k, v in csl.items() if k != "container-title-short"}
    return {
        **said,
        "title": [csl["title"]],
        "container-title": [csl["container-title"]],
        "short-container-title": [csl["container-title-short"]],
        "URL": f"https://doi.org/{csl['DOI']}",
        "issn-type": [
            {"type": "print", "value": "0036-8075"},
            {"type": "electronic", "value": "1095-9203"},
        ],
    }


def test_csl_json_is_the_wire_s() -> None:
    wire = exchange(CSL)
    assert csl_json(work_of(wire)) == wire


def test_bibtex_is_the_wire_s_but_for_what_it_escapes() -> None:
    assert bibtex(work_of(exchange(CSL))) == exchange(BIBTEX)


# -- BibTeX and RIS ----------------------------------------------------------------------------


def test_bibtex_escapes_what_tex_reads_and_keeps_its_braces_even() -> None:
    written = bibtex(
        example(
            title=["A &amp; B: 50% of $x_1$ {unbalanced } } \\ <i>it</i> ~^#"],
            author=[
                {"family": "Sand and Sea", "given": "A."},
                {"name": "Team, {Inc}"},
                {"family": "O'Neil", "given": "B.", "suffix": "Jr"},
            ],
            DOI="10.5555/a{b}<c>",
        )
    )
    assert r"title={A \& B: 50\% of \$x\_1\$ \textbraceleft{}unbalanced" in written
    assert r"\textbackslash{} it \textasciitilde{}\textasciicircum{}\#}" in written
    assert (
        r"author={{Sand and Sea}, A. and {Team, \textbraceleft{}Inc\textbraceright{}}"
        " and O'Neil, Jr, B.}" in written
    )
    assert "DOI={10.5555/a%7Bb%7D<c>}" in written
    assert even(written)


def even(bibtex: str) -> bool:
    """Whether braces close as BibTeX counts them: a backslash before one hides nothing."""
    depth = 0
    for character in bibtex:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth < 0:
            return False
    return depth == 0


@pytest.mark.parametrize(
    ("kind", "entry", "tag"),
    [
        ("journal-article", "article", "JOUR"),
        ("book-chapter", "inbook", "CHAP"),
        ("proceedings-article", "inproceedings", "CONF"),
        ("dissertation", "phdthesis", "THES"),
        ("posted-content", "misc", "UNPB"),
        ("something-new", "misc", "GEN"),
    ],
)
def test_a_kind_has_its_entry(kind: str, entry: str, tag: str) -> None:
    assert bibtex(example(type=kind)).startswith(f" @{entry}{{On_2020, ")
    assert ris(example(type=kind)).startswith(f"TY  - {tag}\n")


def test_ris_has_a_tag_a_line_whatever_a_value_holds() -> None:
    written = ris(
        example(
            title=["One\nER  - \nTY  - BOOK &amp; <b>two</b>"],
            author=[{"family": "M\x0büller", "given": "Ö."}, {"name": "Team"}],
            page="1-9",
            ISSN=["1234-5679"],
        )
    )
    assert written.splitlines() == [
        "TY  - JOUR",
        "DO  - 10.5555/a",
        "UR  - http://dx.doi.org/10.5555/a",
        "TI  - One ER - TY - BOOK & two",
        "AU  - Müller, Ö.",
        "AU  - Team",
        "PY  - 2020",
        "DA  - 2020/05/04",
        "SP  - 1",
        "EP  - 9",
        "SN  - 1234-5679",
        "ER  - ",
    ]


# -- formatted citations -----------------------------------------------------------------------


def test_a_citation_is_formatted_in_the_style_and_the_locale_asked_for() -> None:
    work = example(
        author=[{"family": "Ä", "given": "B. C."}, {"name": "Team"}], **{"container-title": ["J"]}
    )
    assert formatted.citation(work, "apa", "en-US") == (
        "Ä, B. C., & Team. (2020). On things. J. https://doi.org/10.5555/a"
    )
    assert "„On things“, J" in formatted.citation(work, "ieee", "de-DE")


@pytest.mark.parametrize(
    ("title", "style", "said"),
    [
        ("On things", "ieee", "“On things,” J"),
        ("On things", "modern-language-association", "“On Things.” J"),
        ("Why?", "modern-language-association", "“Why?” J"),
        ("Why?", "ieee", "“Why?,” J"),
    ],
)
def test_where_the_locale_has_it_so_punctuation_stands_inside_the_quotes(
    title: str, style: str, said: str
) -> None:
    work = example(title=[title], subtitle=["A tale"], **{"container-title": ["J"]})
    assert said in formatted.citation(work, style, "en-US")
    assert "A tale" not in formatted.citation(work, style, "en-US")


def test_names_of_styles_and_locales_are_known_by_former_and_short_ones() -> None:
    assert styles.known(None, None) == ("apa", "en-US")
    assert styles.known("ieee", "de") == ("ieee", "de-DE")
    assert styles.known("ieee.csl", "EN_gb") == ("ieee", "en-GB")
    assert styles.known("harvard1", "en") != ("harvard1", "en-US")
    for style in ("../apa", "/etc/passwd", "nonesuch", "dependent/nature-digest", "x" * 9999):
        found = styles.known(style, None)
        assert isinstance(found, styles.NotThere)
        assert found.what == "style"
        assert found.available
    missing = styles.known("apa", "xx-XX")
    assert isinstance(missing, styles.NotThere)
    assert (missing.what, "de-DE" in missing.available) == ("locale", True)


@pytest.mark.parametrize(
    "style",
    [
        "apa",
        "chicago-notes",
        "nature-digest",
    ],
)
def test_every_work_of_the_demo_is_formatted_or_refused_in_so_many_words(style: str) -> None:
    made = []
    for work in list(facts.works())[::20]:
        name = styles.known(style, None)
        assert not isinstance(name, styles.NotThere)
        made.append(formatted.citation(work, *name))
    assert len(made) == 12
    assert not [said for said in made if "\n" in said]


# -- links -------------------------------------------------------------------------------------


def test_links_are_those_of_the_wire_and_no_value_leaves_its_link() -> None:
    said = link_header(
        example(
            link=[
                {
                    "URL": "https://e.org/a b>.pdf",
                    "content-version": "vor",
                    "content-type": "application/pdf",
                },
                {"URL": 'https://e.org/x"\r\nX: y', "content-type": 'a"; rel=x'},
            ],
            license=[{"URL": "https://l.org/1", "content-version": "tdm"}],
            author=[
                {"ORCID": "https://orcid.org/0000-0002-1825-0097", "family": "Müller"},
                {"ORCID": "https://orcid.org/0000-0001-5109-3700", "family": "Po", "given": "L"},
            ],
        )
    )
    assert said == (
        '<http://dx.doi.org/10.5555/a>; rel="canonical", '
        '<https://e.org/a%20b%3E.pdf>; version="vor"; type="application/pdf"; rel="item", '
        '<https://e.org/x%22%0D%0AX:%20y>; rel="item", '
        '<https://l.org/1>; version="tdm"; rel="license", '
        "<https://orcid.org/0000-0002-1825-0097>; rel=\"author\"; title*=UTF-8''M%C3%BCller, "
        '<https://orcid.org/0000-0001-5109-3700>; rel="author"; title="L Po"'
    )


def test_links_end_where_clients_would_refuse_the_header() -> None:
    people = [{"ORCID": "https://orcid.org/0000-0002-1825-0097", "family": "x"}] * 3000
    assert MOST - 100 < len(link_header(example(author=people))) <= MOST


# -- whatever a work says ----------------------------------------------------------------------


def law(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )


def read(media_type: str, body: bytes) -> None:
    """Read what was written as its readers do."""
    text = body.decode()
    if media_type == "application/ld+json":
        assert json.loads(text)["@context"]
    elif media_type in GRAPHS:
        assert len(Graph().parse(data=text, format=GRAPHS[media_type])) > 0
    elif media_type.endswith("json"):
        assert json.loads(text)["DOI"]
    elif media_type.endswith("xml"):
        assert ET.fromstring(text) is not None
    elif media_type == "application/x-bibtex":
        assert even(text)
    elif media_type == "application/x-research-info-systems":
        assert all(re.match(r"[A-Z][A-Z0-9]  - ", line) for line in text.splitlines())
    if not media_type.endswith("json"):
        assert not CONTROL.search(text)


def write_and_read(work: dict[str, Any]) -> None:
    for form, media_type in {form: media_type for media_type, form in FORMS.items()}.items():
        try:
            body = form.write(work, Wish())
        except styles.Unformattable:
            assert form.formatted
            continue
        read(media_type, body)
    assert link_header(work).isascii()
    assert not re.search(r"[\r\n]", link_header(work))


@pytest.mark.parametrize("kind", sorted(deposits.SUBMISSIONS))
def test_a_work_of_any_kind_is_written_in_every_form(kind: str) -> None:
    @law(2)
    @given(works=deposits.SUBMISSIONS[kind])
    def holds(works: list[deposits.Work]) -> None:
        write_and_read(works[0])

    holds()


@law(25)
@given(
    text=st.text(max_size=12),
    doi=st.text(min_size=1, max_size=8),
    parts=st.lists(st.integers(1, 12) | st.none(), min_size=1, max_size=3),
)
def test_any_text_anywhere_is_written_in_every_form(
    text: str, doi: str, parts: list[int | None]
) -> None:
    write_and_read(
        example(
            DOI=f"10.5555/{doi}",
            title=[text],
            issued={"date-parts": [parts]},
            author=[{"family": text, "given": text, "ORCID": text}, {"name": text}],
            ISSN=[text],
            publisher=text,
            page=text,
            volume=text,
            language=text,
            link=[{"URL": text, "content-type": text}],
            license=[{"URL": text, "content-version": text}],
            reference=[{"key": text, "DOI": text, "unstructured": text}],
            **{"container-title": [text]},
        )
    )


def test_a_citation_holds_no_field_that_is_not_csl_s() -> None:
    item = csl_item(next(w for w in facts.works() if w.get("author") and w.get("reference")))
    assert item.keys() <= {
        "id",
        "type",
        "DOI",
        "URL",
        "title",
        "container-title",
        "ISSN",
        "ISBN",
        "volume",
        "issue",
        "page",
        "number",
        "publisher",
        "publisher-place",
        "edition",
        "author",
        "editor",
        "translator",
        "issued",
    }
    assert {key for person in item["author"] for key in person} <= {
        "family",
        "given",
        "suffix",
        "literal",
    }
