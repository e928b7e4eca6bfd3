"""What consent refuses: values with a stable slug, rendered as problems once, at the edge."""

from dataclasses import dataclass
from typing import Literal

Slug = Literal[
    "notice-unknown",
    "notice-version-unknown",
    "notice-unreadable",
    "label-reused",
    "purpose-unknown",
    "list-unknown",
    "issue-unknown",
    "issue-differs",
    "address-invalid",
    "consent-unknown",
    "person-unknown",
    "account-unheard",
    "address-needed",
    "withdrawal-unknown",
    "consent-superseded",
    "consent-suppressed",
    "said-in-the-future",
    "version-differs",
    "link-void",
    "no-notice-in-force",
    "use-unknown",
    "use-barred",
    "field-not-held",
    "processor-without-key",
    "export-unknown",
    "export-unapproved",
    "export-approved",
    "export-expired",
    "export-changed",
    "approver-asked",
    "too-many-rows",
    "row-not-told",
    "dimension-unknown",
    "days-invalid",
]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A decided no. ``rule`` is the clause or the rule's name; ``places`` are JSON pointers."""

    slug: Slug
    detail: str = ""
    rule: str = ""
    places: tuple[str, ...] = ()
