"""The page of elements is what the tables say."""

from pathlib import Path

from services.deposits.crossref import elements

PAGE = Path(__file__).resolve().parents[3] / "docs" / "interfaces" / "deposit-elements.md"


def test_the_page_of_elements_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == elements.page(), (
        "run: python -m services.deposits.crossref.elements > docs/interfaces/deposit-elements.md"
    )
