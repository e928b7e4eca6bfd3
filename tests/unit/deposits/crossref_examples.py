"""Small deposits for tests: a whole file around the part that a test is about."""

from services.deposits.crossref.reader import read_deposit
from services.deposits.crossref.submission import Record

HEAD = (
    "<head><doi_batch_id>batch-1</doi_batch_id><timestamp>20260101</timestamp>"
    "<depositor><depositor_name>Nia Private</depositor_name>"
    "<email_address>nia@private.example</email_address></depositor>"
    "<registrant>Example Press</registrant></head>"
)
SPACES = (
    'xmlns:jats="http://www.ncbi.nlm.nih.gov/JATS1"'
    ' xmlns:fr="http://www.crossref.org/fundref.xsd"'
    ' xmlns:ai="http://www.crossref.org/AccessIndicators.xsd"'
    ' xmlns:ct="http://www.crossref.org/clinicaltrials.xsd"'
    ' xmlns:rel="http://www.crossref.org/relations.xsd"'
)
METADATA = "<full_title>Journal of Examples</full_title>"
TITLES = "<titles><title>An example</title></titles>"
DATE = '<publication_date media_type="online"><year>2020</year></publication_date>'
DOI_DATA = "<doi_data><doi>10.5555/A1</doi><resource>https://example.org/a1</resource></doi_data>"


def batch(body: str, *, version: str = "5.3.1", head: str = HEAD, prolog: str = "") -> bytes:
    """Return a doi_batch around a body."""
    return (
        f'{prolog}<doi_batch version="{version}" xmlns="http://www.crossref.org/schema/{version}"'
        f" {SPACES}>{head}<body>{body}</body></doi_batch>"
    ).encode()


def journal(articles: str, *, metadata: str = METADATA, issue: str = "") -> str:
    """Return a journal around articles."""
    return f"<journal><journal_metadata>{metadata}</journal_metadata>{issue}{articles}</journal>"


def article(
    more: str = "",
    *,
    titles: str = TITLES,
    date: str = DATE,
    doi_data: str = DOI_DATA,
    attributes: str = "",
) -> str:
    """Return a journal_article with the parts it must have, and more."""
    return f"<journal_article{attributes}>{titles}{date}{more}{doi_data}</journal_article>"


def posted(more: str = "", *, attributes: str = "") -> str:
    """Return a posted_content with the parts it must have, and more."""
    date = "<posted_date><month>3</month><day>1</day><year>2022</year></posted_date>"
    return f"<posted_content{attributes}>{TITLES}{date}{more}{DOI_DATA}</posted_content>"


def read(body: str, *, version: str = "5.3.1", head: str = HEAD) -> tuple[Record, ...]:
    """Return the records of a body."""
    return read_deposit([batch(body, version=version, head=head)]).records


def read_one(body: str, *, version: str = "5.3.1") -> Record:
    """Return the only record of a body."""
    (record,) = read(body, version=version)
    return record


def rules(record: Record) -> list[str]:
    """Return the rules that a record breaks."""
    return [problem.rule for problem in record.problems]
