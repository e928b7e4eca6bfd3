"""One small deposit body for each kind of record, valid in schemas 4.4.2 and 5.3.1."""


def doi_data(suffix: str, timestamp: str = "") -> str:
    """Return a doi_data of 10.5555/<suffix>."""
    version = f"<timestamp>{timestamp}</timestamp>" if timestamp else ""
    return (
        f"<doi_data><doi>10.5555/{suffix}</doi>{version}"
        f"<resource>https://example.org/{suffix}</resource></doi_data>"
    )


def titles(title: str) -> str:
    """Return titles of one title."""
    return f"<titles><title>{title}</title></titles>"


def person(role: str, surname: str) -> str:
    """Return contributors of one person."""
    return (
        f'<contributors><person_name sequence="first" contributor_role="{role}">'
        f"<given_name>Ada</given_name><surname>{surname}</surname></person_name></contributors>"
    )


def citations(*keys: str) -> str:
    """Return a citation_list."""
    listed = "".join(f'<citation key="{key}"><cYear>1999</cYear></citation>' for key in keys)
    return f"<citation_list>{listed}</citation_list>"


def date(element: str, year: str, medium: str = "") -> str:
    """Return a date element."""
    named = f' media_type="{medium}"' if medium else ""
    return f"<{element}{named}><month>5</month><day>4</day><year>{year}</year></{element}>"


PUBLISHER = (
    "<publisher><publisher_name>Example Press</publisher_name>"
    "<publisher_place>Basel</publisher_place></publisher>"
)
ISBNS = (
    '<isbn media_type="print">978-3-16-148410-0</isbn>'
    '<isbn media_type="electronic">9780306406157</isbn>'
)
SERIES = "<series_metadata>{}<issn>2049-3630</issn>{}</series_metadata>"
INSTITUTION = (
    "<institution><institution_name>Example Institute</institution_name>"
    "<institution_acronym>EI</institution_acronym>"
    "<institution_place>Bern</institution_place></institution>"
)
COMPONENTS = (
    '<component_list><component parent_relation="isPartOf">{}'
    '<description>A <b>bold</b> figure</description><format mime_type="image/png"/>{}'
    "</component></component_list>"
)
RELATIONS = (
    '<rel:program><rel:related_item><rel:inter_work_relation identifier-type="doi"'
    ' relationship-type="isReviewOf">10.5555/a1</rel:inter_work_relation></rel:related_item>'
    "</rel:program>"
)


def item(suffix: str, kind: str = "chapter", more: str = "") -> str:
    """Return a content_item."""
    return (
        f'<content_item component_type="{kind}">{person("author", "Lovelace")}'
        f"{titles('A chapter')}<component_number>3</component_number>"
        f"{date('publication_date', '2019', 'online')}"
        "<pages><first_page>7</first_page><last_page>9</last_page></pages>"
        f"{doi_data(suffix)}{citations('c1', 'c2')}{more}</content_item>"
    )


_BOOK_FACTS = (
    "<edition_number>2</edition_number>" + date("publication_date", "2018", "print") + ISBNS
)
_PROCEEDINGS = PUBLISHER + date("publication_date", "2017") + ISBNS
_EVENT = (
    "<event_metadata><conference_name>Symposium on Things</conference_name>"
    "<conference_theme>All things</conference_theme>"
    "<conference_acronym>SoT</conference_acronym>"
    "<conference_sponsor>A</conference_sponsor><conference_sponsor>B</conference_sponsor>"
    "<conference_number>12</conference_number><conference_location>Basel</conference_location>"
    '<conference_date start_year="2016" start_month="9" start_day="23" end_year="2016"'
    ' end_month="09" end_day="25">Sept. 23-25</conference_date></event_metadata>'
)
_PAPER = (
    f"<conference_paper>{person('author', 'Hopper')}{titles('A paper')}"
    f"{doi_data('paper')}{citations('p1')}</conference_paper>"
)
_REPORT_FACTS = (
    date("publication_date", "2015")
    + date("approval_date", "2014")
    + PUBLISHER
    + INSTITUTION
    + "<publisher_item><item_number>9</item_number>"
    '<identifier id_type="report-number">R-9</identifier></publisher_item>'
    "<contract_number>C-1</contract_number>"
)

BODIES: dict[str, str] = {
    "book": (
        f'<book book_type="edited_book"><book_metadata language="en">'
        f"{person('editor', 'Babbage')}{titles('A book of &lt;things&gt; &amp; <i>Homo</i>')}"
        f"{_BOOK_FACTS}{PUBLISHER}{doi_data('book')}{citations('b1')}</book_metadata>"
        f"{item('chapter')}{item('entry', 'reference_entry')}</book>"
    ),
    "book in a series": (
        '<book book_type="monograph"><book_series_metadata language="de">'
        f"{SERIES.format(titles('A series'), doi_data('series'))}{titles('A volume')}"
        f"<volume>17</volume>{_BOOK_FACTS}{PUBLISHER}{doi_data('volume')}</book_series_metadata>"
        f"{item('chapter')}</book>"
    ),
    "book in a set": (
        '<book book_type="reference"><book_set_metadata><set_metadata>'
        f'{titles("A set")}<isbn media_type="print">9780306406157</isbn>'
        f"<part_number>4</part_number>{doi_data('set')}</set_metadata>"
        f"<volume>2</volume>{_BOOK_FACTS}{PUBLISHER}{doi_data('volume')}</book_set_metadata>"
        f"{item('section', 'section')}</book>"
    ),
    "conference": (
        f"<conference>{person('chair', 'Turing')}{_EVENT}<proceedings_metadata>"
        f"<proceedings_title>Proceedings &amp; Things</proceedings_title>{_PROCEEDINGS}"
        f"{doi_data('proceedings')}</proceedings_metadata>{_PAPER}</conference>"
    ),
    "conference in a series": (
        f"<conference>{_EVENT}<proceedings_series_metadata>"
        f"{SERIES.format(titles('Proceedings of SoT'), doi_data('series'))}"
        "<proceedings_title>Volume of things</proceedings_title><volume>12</volume>"
        f"{_PROCEEDINGS}{doi_data('proceedings')}</proceedings_series_metadata>{_PAPER}"
        "</conference>"
    ),
    "dissertation": (
        '<dissertation language="fr"><person_name sequence="first" contributor_role="author">'
        f"<surname>Noether</surname></person_name>{titles('A thesis')}"
        f"{date('approval_date', '1907')}{INSTITUTION}<degree>PhD</degree>"
        f"{doi_data('thesis')}{citations('d1')}{COMPONENTS.format('', doi_data('figure'))}"
        "</dissertation>"
    ),
    "report": (
        f"<report-paper><report-paper_metadata>{titles('A report')}"
        f"<edition_number>3</edition_number>{_REPORT_FACTS}{doi_data('report')}"
        f"{citations('r1')}</report-paper_metadata>{item('annex', 'other')}"
        f"{COMPONENTS.format('', doi_data('map'))}</report-paper>"
    ),
    "report in a series": (
        "<report-paper><report-paper_series_metadata>"
        f"{SERIES.format(titles('Reports'), doi_data('series'))}{titles('Report seven')}"
        f"<volume>7</volume>{_REPORT_FACTS}{doi_data('report')}</report-paper_series_metadata>"
        "</report-paper>"
    ),
    "standard": (
        "<standard><standard_metadata>"
        f"{titles('A standard')}<designators><std_as_published><std_designator>EX 9-2020"
        "</std_designator></std_as_published><std_supersedes>EX 9-2010</std_supersedes>"
        f"</designators>{date('approval_date', '2020')}{PUBLISHER}"
        "<standards_body><standards_body_name>Example Standards</standards_body_name>"
        "<standards_body_acronym>ES</standards_body_acronym></standards_body>"
        f"{doi_data('standard')}{citations('s1')}</standard_metadata>{item('clause', 'section')}"
        "</standard>"
    ),
    "database": (
        f'<database><database_metadata language="en">{titles("A database")}'
        f"<description>All data</description>{PUBLISHER}{INSTITUTION}{doi_data('database')}"
        f'</database_metadata><dataset dataset_type="record">{titles("A dataset")}'
        f"<database_date>{date('creation_date', '2010')}{date('publication_date', '2011')}"
        f"{date('update_date', '2012')}</database_date><description>Some <i>data</i> &amp; more"
        f"</description>{doi_data('dataset')}{citations('x1')}</dataset></database>"
    ),
    "peer review": (
        '<peer_review stage="pre-publication" type="referee-report" recommendation="accept"'
        f' revision-round="1" language="en">{titles("Review of things")}'
        "<review_date><month>01</month><day>12</day><year>2018</year></review_date>"
        "<competing_interest_statement>None</competing_interest_statement>"
        f"<running_number>RC1</running_number>{RELATIONS}{doi_data('review')}</peer_review>"
    ),
    "pending publication": (
        f"<pending_publication>{person('author', 'Franklin')}<publication>"
        "<full_title>Journal of Examples</full_title><issn>2049-3630</issn></publication>"
        f"{date('acceptance_date', '2024')}<intent_statement>Soon</intent_statement>"
        "<doi>10.5555/pending</doi></pending_publication>"
    ),
    "component": (
        '<sa_component parent_doi="10.5555/A1">'
        f"{COMPONENTS.format(titles('A figure'), doi_data('figure'))}</sa_component>"
    ),
}
