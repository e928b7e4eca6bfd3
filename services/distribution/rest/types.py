"""The thirty types of a record: id and label, as the wire has them (crossref.md 1.12)."""

from collections.abc import Mapping
from typing import Final

TYPE_LABELS: Final[Mapping[str, str]] = {
    "book-section": "Book Section",
    "monograph": "Monograph",
    "report-component": "Report Component",
    "report": "Report",
    "peer-review": "Peer Review",
    "book-track": "Book Track",
    "journal-article": "Journal Article",
    "book-part": "Part",
    "other": "Other",
    "book": "Book",
    "journal-volume": "Journal Volume",
    "book-set": "Book Set",
    "reference-entry": "Reference Entry",
    "proceedings-article": "Proceedings Article",
    "journal": "Journal",
    "component": "Component",
    "book-chapter": "Book Chapter",
    "proceedings-series": "Proceedings Series",
    "report-series": "Report Series",
    "proceedings": "Proceedings",
    "database": "Database",
    "standard": "Standard",
    "reference-book": "Reference Book",
    "posted-content": "Posted Content",
    "journal-issue": "Journal Issue",
    "dissertation": "Dissertation",
    "grant": "Grant",
    "dataset": "Dataset",
    "book-series": "Book Series",
    "edited-book": "Edited Book",
}

TYPE_IDS: Final[Mapping[str, str]] = {label: id_ for id_, label in TYPE_LABELS.items()}
